package import Primitives

/// An IP packet that carries one UDP datagram, as a raw-IP capture shows it.
///
/// Our captures are made from datagrams, not from a wire: the headers are what a host would have sent, with right
/// checksums, never fragmented.
package struct UDPPacket: ~Escapable {
    package let source: UDPEndpoint
    package let destination: UDPEndpoint
    package let datagram: RawSpan
    /// Whether it carries ESP by itself, which has no ports (RFC 4303 section 2), in place of UDP.
    private let isESP: Bool

    @_lifetime(copy datagram)
    package init(source: UDPEndpoint, destination: UDPEndpoint, datagram: RawSpan, isESP: Bool = false) {
        precondition(source.address.isIPv4 == destination.address.isIPv4, "a packet is of one family")
        precondition(datagram.byteCount <= Self.longestDatagram, "a datagram fits its packet")
        self.source = source
        self.destination = destination
        self.datagram = datagram
        self.isESP = isESP
    }

    /// What still fits under the 16 bits of a length, behind the headers of IPv4 and UDP.
    package static let longestDatagram = 65535 - 20 - 8

    package var byteCount: Int { ipHeaderByteCount + payloadByteCount }

    /// What stands behind the IP header.
    private var payloadByteCount: Int { datagram.byteCount + (isESP ? 0 : Self.udpHeaderByteCount) }

    /// Appends the packet, headers first.
    package func encode(into writer: inout ByteWriter) {
        if source.address.isIPv4 { encodeIPv4Header(into: &writer) } else { encodeIPv6Header(into: &writer) }
        guard !isESP else { return writer.write(datagram) }
        let udpByteCount = UInt16(payloadByteCount)
        writer.writeInteger(source.port)
        writer.writeInteger(destination.port)
        writer.writeInteger(udpByteCount)
        writer.writeInteger(udpChecksum(udpByteCount))
        writer.write(datagram)
    }
}

extension UDPPacket {
    /// Reads a raw-IP packet back, checksums included.
    @_lifetime(copy packet)
    package init(decoding packet: RawSpan) throws(DecodeError) {
        var reader = ByteReader(packet)
        let version = try reader.readInteger(as: UInt8.self) >> 4
        let addresses: (source: IPAddress, destination: IPAddress)
        switch version {
        case 4: addresses = try Self.decodeIPv4Header(packet)
        case 6: addresses = try Self.decodeIPv6Header(packet)
        default: throw .malformed(.unsupportedFormat)
        }
        reader = ByteReader(packet)
        try reader.skip(version == 4 ? Self.ipv4HeaderByteCount : Self.ipv6HeaderByteCount)
        source = UDPEndpoint(address: addresses.source, port: try reader.readInteger())
        destination = UDPEndpoint(address: addresses.destination, port: try reader.readInteger())
        let length = try reader.readInteger(as: UInt16.self)
        let checksum = try reader.readInteger(as: UInt16.self)
        datagram = reader.readRest()
        isESP = false
        guard Int(length) == Self.udpHeaderByteCount + datagram.byteCount else { throw .malformed(.trailingBytes) }
        guard checksum == udpChecksum(length) else { throw .malformed(.checksum) }
    }

    private static func decodeIPv4Header(_ packet: RawSpan) throws(DecodeError) -> (IPAddress, IPAddress) {
        var reader = ByteReader(packet)
        let header = try reader.read(ipv4HeaderByteCount)
        // Options, fragments and other protocols are not what our captures hold.
        guard header[0] == 0x45, header[6] & 0x3F == 0, header[7] == 0, header[9] == udpProtocol else {
            throw .malformed(.unsupportedFormat)
        }
        var sum = InternetChecksum()
        sum.add(header)
        guard sum.value == 0 else { throw .malformed(.checksum) }
        reader = ByteReader(header)
        try reader.skip(2)
        guard Int(try reader.readInteger(as: UInt16.self)) == packet.byteCount else {
            throw .malformed(.trailingBytes)
        }
        try reader.skip(8)
        let source = IPAddress(v4: try reader.readInteger())
        return (source, IPAddress(v4: try reader.readInteger()))
    }

    private static func decodeIPv6Header(_ packet: RawSpan) throws(DecodeError) -> (IPAddress, IPAddress) {
        var reader = ByteReader(packet)
        let header = try reader.read(ipv6HeaderByteCount)
        guard header[6] == udpProtocol else { throw .malformed(.unsupportedFormat) }
        guard Int(header[4]) << 8 | Int(header[5]) == reader.remaining else { throw .malformed(.trailingBytes) }
        reader = ByteReader(header)
        try reader.skip(8)
        let source = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        return (source, IPAddress(high: try reader.readInteger(), low: try reader.readInteger()))
    }
}

extension UDPPacket {
    private var ipHeaderByteCount: Int {
        source.address.isIPv4 ? Self.ipv4HeaderByteCount : Self.ipv6HeaderByteCount
    }

    private func encodeIPv4Header(into writer: inout ByteWriter) {
        let start = writer.count
        writer.writeInteger(0x4500 as UInt16)
        writer.writeInteger(UInt16(byteCount))
        // An atomic datagram: no identification, never fragmented (RFC 6864 section 4.1).
        writer.writeInteger(0x0000_4000 as UInt32)
        writer.writeInteger(Self.hopLimit)
        writer.writeInteger(isESP ? Self.espProtocol : Self.udpProtocol)
        writer.writeInteger(0 as UInt16)
        writer.writeInteger(source.address.v4)
        writer.writeInteger(destination.address.v4)
        var sum = InternetChecksum()
        sum.add(writer.span.extracting(start..<writer.count))
        writer.patch(sum.value, at: start + 10)
    }

    private func encodeIPv6Header(into writer: inout ByteWriter) {
        writer.writeInteger(0x6000_0000 as UInt32)
        writer.writeInteger(UInt16(payloadByteCount))
        writer.writeInteger(isESP ? Self.espProtocol : Self.udpProtocol)
        writer.writeInteger(Self.hopLimit)
        writer.writeInteger(source.address.high)
        writer.writeInteger(source.address.low)
        writer.writeInteger(destination.address.high)
        writer.writeInteger(destination.address.low)
    }

    /// The checksum over the pseudo-header, the UDP header and the datagram; 0 is sent as its other form, since it
    /// would say that there is none (RFC 768).
    private func udpChecksum(_ udpByteCount: UInt16) -> UInt16 {
        var sum = InternetChecksum()
        sum.add(source.address)
        sum.add(destination.address)
        sum.add(UInt64(Self.udpProtocol) + UInt64(udpByteCount))
        sum.add(UInt64(source.port) << 32 | UInt64(destination.port) << 16 | UInt64(udpByteCount))
        sum.add(datagram)
        return sum.value == 0 ? 0xFFFF : sum.value
    }

    private static let ipv4HeaderByteCount = 20
    private static let ipv6HeaderByteCount = 40
    private static let udpHeaderByteCount = 8
    private static let udpProtocol: UInt8 = 17
    private static let espProtocol: UInt8 = 50
    private static let hopLimit: UInt8 = 64
}

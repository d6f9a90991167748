import Primitives

/// An IP packet over the octets that hold it: addresses, what it carries, and its place in a larger one.
struct IPPacket: ~Escapable {
    let source: IPAddress
    let destination: IPAddress
    let ipProtocol: UInt8
    let payload: RawSpan
    let fragment: Fragment?
    /// How long the packet was on the wire.
    let byteCount: Int
    let headerByteCount: Int
    /// Whether fewer octets are here than the packet had.
    let isCut: Bool

    struct Fragment: Hashable, Sendable {
        var identification: UInt32
        var offset: Int
        var moreFollow: Bool
    }

    @_lifetime(copy packet)
    init(_ packet: RawSpan) throws(DecodeError) {
        guard !packet.isEmpty else { throw .truncated(needed: 1, available: 0) }
        switch packet[0] >> 4 {
        case 4: try self.init(v4: packet)
        case 6: try self.init(v6: packet)
        default: throw .malformed(.unsupportedFormat)
        }
    }

    @_lifetime(copy packet)
    private init(v4 packet: RawSpan) throws(DecodeError) {
        var reader = ByteReader(packet)
        let headerByteCount = Int(try reader.readInteger(as: UInt8.self) & 0xF) * 4
        try reader.skip(1)
        let total = Int(try reader.readInteger(as: UInt16.self))
        let identification = UInt32(try reader.readInteger(as: UInt16.self))
        let flags = try reader.readInteger(as: UInt16.self)
        try reader.skip(1)
        ipProtocol = try reader.readInteger()
        try reader.skip(2)
        source = IPAddress(v4: try reader.readInteger())
        destination = IPAddress(v4: try reader.readInteger())
        // A card that cuts large packets by itself leaves the length at 0.
        let length = total == 0 ? packet.byteCount : total
        guard headerByteCount >= 20, length >= headerByteCount, packet.byteCount >= headerByteCount else {
            throw .malformed(.unsupportedFormat)
        }
        let moreFollow = flags & 0x2000 != 0
        let offset = Int(flags & 0x1FFF) * 8
        fragment =
            moreFollow || offset > 0
            ? Fragment(identification: identification, offset: offset, moreFollow: moreFollow) : nil
        payload = packet.extracting(headerByteCount..<min(length, packet.byteCount))
        byteCount = length
        self.headerByteCount = headerByteCount
        isCut = length > packet.byteCount
    }

    @_lifetime(copy packet)
    private init(v6 packet: RawSpan) throws(DecodeError) {
        var reader = ByteReader(packet)
        try reader.skip(4)
        let length = Int(try reader.readInteger(as: UInt16.self)) + 40
        var next = try reader.readInteger(as: UInt8.self)
        try reader.skip(1)
        source = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        destination = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        var fragment: Fragment?
        // Hop-by-hop options, routing, destination options, fragment (RFC 8200 section 4.1).
        headers: for _ in 0..<8 {
            switch next {
            case 0, 43, 60:
                next = try reader.readInteger()
                let words = Int(try reader.readInteger(as: UInt8.self))
                try reader.skip(6 + words * 8)
            case 44:
                guard fragment == nil else { throw .malformed(.unsupportedFormat) }
                next = try reader.readInteger()
                try reader.skip(1)
                let place = try reader.readInteger(as: UInt16.self)
                let identification = try reader.readInteger(as: UInt32.self)
                let offset = Int(place & 0xFFF8)
                let moreFollow = place & 1 != 0
                // An atomic fragment is a whole packet (RFC 6946).
                if moreFollow || offset > 0 {
                    fragment = Fragment(identification: identification, offset: offset, moreFollow: moreFollow)
                }
            default: break headers
            }
            // Behind the header of a piece that is not the first, there is a piece.
            if let fragment, fragment.offset > 0 { break }
        }
        ipProtocol = next
        self.fragment = fragment
        headerByteCount = reader.offset
        let end = min(length, packet.byteCount)
        guard end >= reader.offset else { throw .malformed(.unsupportedFormat) }
        payload = packet.extracting(reader.offset..<end)
        byteCount = length
        isCut = length > packet.byteCount
    }
}

/// What an IP packet carries, as far as it is about UDP.
struct TransportContent {
    private let bytes: [UInt8]
    private let ipProtocol: UInt8
    private let source: IPAddress
    private let destination: IPAddress

    init(_ bytes: [UInt8], _ ipProtocol: UInt8, _ source: IPAddress, _ destination: IPAddress) {
        self.bytes = bytes
        self.ipProtocol = ipProtocol
        self.source = source
        self.destination = destination
    }

    static let udp: UInt8 = 17
    private static let icmp: UInt8 = 1
    private static let icmpv6: UInt8 = 58

    func value(at time: UInt64, packetByteCount: Int, packetCount: Int, isCut: Bool) -> CapturedContent {
        switch ipProtocol {
        case Self.udp:
            guard var datagram = try? datagram(at: time, packetByteCount, isCut: isCut) else { return .other }
            datagram.packetCount = packetCount
            return .datagram(datagram)
        case Self.icmp, Self.icmpv6: return (try? unreachable(at: time)).map(CapturedContent.unreachable) ?? .other
        default: return .other
        }
    }

    private func datagram(
        at time: UInt64,
        _ packetByteCount: Int,
        isCut: Bool
    ) throws(DecodeError) -> CapturedDatagram {
        var reader = ByteReader(bytes.rawSpan)
        let sourcePort = try reader.readInteger(as: UInt16.self)
        let destinationPort = try reader.readInteger(as: UInt16.self)
        let length = Int(try reader.readInteger(as: UInt16.self))
        try reader.skip(2)
        let available = reader.remaining
        // 0 is a jumbogram, or a card's business.
        let byteCount = length == 0 ? available : length - 8
        guard byteCount >= 0, byteCount <= available || isCut else { throw .malformed(.unsupportedFormat) }
        var datagram = CapturedDatagram(
            timestamp: time,
            source: UDPEndpoint(address: source, port: sourcePort),
            destination: UDPEndpoint(address: destination, port: destinationPort),
            payload: try reader.read(min(byteCount, available)).copied(),
            packetByteCount: packetByteCount
        )
        datagram.isCut = byteCount > available
        return datagram
    }

    private func unreachable(at time: UInt64) throws(DecodeError) -> ICMPError {
        var reader = ByteReader(bytes.rawSpan)
        let type = try reader.readInteger(as: UInt8.self)
        let code = try reader.readInteger(as: UInt8.self)
        try reader.skip(2)
        let parameter = Int(try reader.readInteger(as: UInt32.self))
        guard let kind = kind(type, code, parameter) else { throw .malformed(.unsupportedFormat) }
        let original = try IPPacket(reader.readRest())
        guard original.ipProtocol == Self.udp else { throw .malformed(.unsupportedFormat) }
        var ports = ByteReader(original.payload)
        return ICMPError(
            timestamp: time,
            reporter: source,
            source: UDPEndpoint(address: original.source, port: try ports.readInteger()),
            destination: UDPEndpoint(address: original.destination, port: try ports.readInteger()),
            kind: kind
        )
    }

    private func kind(_ type: UInt8, _ code: UInt8, _ parameter: Int) -> ICMPError.Kind? {
        switch (ipProtocol, type, code) {
        case (Self.icmp, 3, 3), (Self.icmpv6, 1, 4): .portUnreachable
        case (Self.icmp, 3, 4): .tooBig(mtu: parameter & 0xFFFF)
        case (Self.icmpv6, 2, _): .tooBig(mtu: parameter)
        case (Self.icmp, 3, 9), (Self.icmp, 3, 10), (Self.icmp, 3, 13), (Self.icmpv6, 1, 1), (Self.icmpv6, 1, 5):
            .prohibited
        case (Self.icmp, 3, _), (Self.icmpv6, 1, _): .hostUnreachable
        case (Self.icmp, 11, _), (Self.icmpv6, 3, _): .timeExceeded
        default: nil
        }
    }
}

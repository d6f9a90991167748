package import Primitives

/// An IPv4 or IPv6 packet with one UDP datagram or ICMP echo message: what flows through a tunnel.
///
/// It has no options and no extension headers and is never a fragment: our own flows make nothing else, and nothing
/// else is read.
package struct InnerPacket: Hashable, Sendable, BitwiseCopyable {
    package enum Content: Hashable, Sendable, BitwiseCopyable {
        case udp(sourcePort: UInt16, destinationPort: UInt16)
        case echoRequest(identifier: UInt16, number: UInt16)
        case echoReply(identifier: UInt16, number: UInt16)
    }

    package var source: IPAddress
    package var destination: IPAddress
    package var content: Content

    package init(source: IPAddress, destination: IPAddress, content: Content) {
        precondition(source.isIPv4 == destination.isIPv4, "a packet is of one family")
        self.source = source
        self.destination = destination
        self.content = content
    }

    /// What comes back: the ends and the ports exchanged, a request answered.
    package var reply: InnerPacket {
        let content: Content =
            switch content {
            case .udp(let source, let destination): .udp(sourcePort: destination, destinationPort: source)
            case .echoRequest(let identifier, let number): .echoReply(identifier: identifier, number: number)
            case .echoReply(let identifier, let number): .echoRequest(identifier: identifier, number: number)
            }
        return InnerPacket(source: destination, destination: source, content: content)
    }

    /// What an ESP packet in tunnel mode says that it carries.
    package var family: IPProtocol { source.isIPv4 ? .ipv4 : .ipv6 }

    /// What stands behind the IP header.
    package var transport: IPProtocol {
        switch content {
        case .udp: .udp
        case .echoRequest, .echoReply: source.isIPv4 ? .icmp : .icmpv6
        }
    }

    package var ipHeaderByteCount: Int { source.isIPv4 ? Self.ipv4HeaderByteCount : Self.ipv6HeaderByteCount }

    /// Everything before the data.
    package var headerByteCount: Int { ipHeaderByteCount + Self.transportHeaderByteCount }

    /// The header of UDP (RFC 768), and that of ICMP echo messages (RFC 792, RFC 4443 section 4.1).
    package static let transportHeaderByteCount = 8
    package static let ipv4HeaderByteCount = 20
    package static let ipv6HeaderByteCount = 40

    /// The most data that the 16 bits of a length leave room for.
    package var longestData: Int { 0xFFFF - (source.isIPv4 ? headerByteCount : Self.transportHeaderByteCount) }
}

// MARK: Writing

extension InnerPacket {
    /// Writes a packet around the data that stands at `headerByteCount`, and returns how long it is.
    ///
    /// - Parameter filledByteCount: How much of the data is not zeros, which add nothing to a checksum: an even number,
    ///   or all.
    package func write(into packet: inout MutableRawSpan, dataByteCount: Int, filledByteCount: Int? = nil) -> Int {
        precondition(dataByteCount >= 0 && dataByteCount <= longestData, "the data fits its packet")
        let transportByteCount = Self.transportHeaderByteCount + dataByteCount
        if source.isIPv4 {
            writeIPv4Header(into: &packet, UInt16(transportByteCount))
        } else {
            writeIPv6Header(into: &packet, UInt16(transportByteCount))
        }
        let start = ipHeaderByteCount
        var message = packet._mutatingExtracting(start..<start + transportByteCount)
        writeTransport(into: &message, filledByteCount: filledByteCount)
        return start + transportByteCount
    }

    /// Writes what stands behind the IP header around the data that stands behind its eight octets: all of a packet
    /// that transport mode carries.
    package func writeTransport(into message: inout MutableRawSpan, filledByteCount: Int? = nil) {
        let offset: Int
        switch content {
        case .udp(let sourcePort, let destinationPort):
            message.store(sourcePort, at: 0)
            message.store(destinationPort, at: 2)
            message.store(UInt16(message.byteCount), at: 4)
            offset = 6
        case .echoRequest(let identifier, let number):
            message.store(source.isIPv4 ? 0x0800 : 0x8000, at: 0)
            message.store(identifier, at: 4)
            message.store(number, at: 6)
            offset = 2
        case .echoReply(let identifier, let number):
            message.store(source.isIPv4 ? 0x0000 : 0x8100, at: 0)
            message.store(identifier, at: 4)
            message.store(number, at: 6)
            offset = 2
        }
        message.store(0, at: offset)
        let summed = min(filledByteCount.map { Self.transportHeaderByteCount + $0 } ?? .max, message.byteCount)
        let checksum = sum(over: message.bytes.extracting(first: summed), of: message.byteCount).value
        // UDP sends 0 as its other form, since it would say that there is no checksum (RFC 768).
        message.store(checksum == 0 && offset == 6 ? 0xFFFF : checksum, at: offset)
    }

    /// The sum over a message and, but for ICMP of IPv4, the pseudo-header before it (RFC 768, RFC 8200 section 8.1).
    private func sum(over message: RawSpan, of byteCount: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        if transport != .icmp {
            sum.add(source)
            sum.add(destination)
            sum.add(UInt64(transport.rawValue) + UInt64(byteCount))
        }
        sum.add(message)
        return sum
    }

    private func writeIPv4Header(into packet: inout MutableRawSpan, _ byteCount: UInt16) {
        packet.store(0x4500, at: 0)
        packet.store(UInt16(Self.ipv4HeaderByteCount) + byteCount, at: 2)
        // No identification, since Don't Fragment is set (RFC 6864 section 4.1).
        packet.store(0, at: 4)
        packet.store(0x4000, at: 6)
        packet.store(UInt16(Self.hopLimit) << 8 | UInt16(transport.rawValue), at: 8)
        packet.store(0, at: 10)
        packet.storeBytes(of: source.v4.bigEndian, toByteOffset: 12, as: UInt32.self)
        packet.storeBytes(of: destination.v4.bigEndian, toByteOffset: 16, as: UInt32.self)
        var sum = InternetChecksum()
        sum.add(0x4500 + 0x4000 + UInt64(Self.ipv4HeaderByteCount) + UInt64(byteCount))
        sum.add(UInt64(Self.hopLimit) << 8 | UInt64(transport.rawValue))
        sum.add(source)
        sum.add(destination)
        packet.store(sum.value, at: 10)
    }

    private func writeIPv6Header(into packet: inout MutableRawSpan, _ byteCount: UInt16) {
        packet.store(0x6000, at: 0)
        packet.store(0, at: 2)
        packet.store(byteCount, at: 4)
        packet.store(UInt16(transport.rawValue) << 8 | UInt16(Self.hopLimit), at: 6)
        packet.storeBytes(of: source.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        packet.storeBytes(of: source.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        packet.storeBytes(of: destination.high.bigEndian, toByteOffset: 24, as: UInt64.self)
        packet.storeBytes(of: destination.low.bigEndian, toByteOffset: 32, as: UInt64.self)
    }

    private static let hopLimit: UInt8 = 64
}

// MARK: Reading

extension InnerPacket {
    /// A packet, and where its data stands in it.
    package struct Decoded: Hashable, Sendable {
        package let packet: InnerPacket
        package let data: Range<Int>
    }

    /// Reads a whole packet, every length and checksum of it.
    package static func decode(_ packet: RawSpan) throws(DecodeError) -> Decoded {
        guard !packet.isEmpty else { throw .truncated(needed: 1, available: 0) }
        switch packet[0] >> 4 {
        case 4: return try decodeIPv4(packet)
        case 6: return try decodeIPv6(packet)
        default: throw .malformed(.unsupportedFormat)
        }
    }

    /// Reads what stands behind an IP header, as transport mode carries it; its data stands behind its eight octets.
    package static func decodeTransport(
        _ message: RawSpan,
        _ transport: IPProtocol,
        source: IPAddress,
        destination: IPAddress
    ) throws(DecodeError) -> InnerPacket {
        guard message.byteCount >= transportHeaderByteCount else {
            throw .truncated(needed: transportHeaderByteCount, available: message.byteCount)
        }
        let (low, high) = (message.bigEndianWord(at: 0), message.bigEndianWord(at: 4))
        let words: InlineArray<4, UInt16> = [
            UInt16(low >> 16), UInt16(truncatingIfNeeded: low), UInt16(high >> 16), UInt16(truncatingIfNeeded: high),
        ]
        let packet = InnerPacket(
            source: source,
            destination: destination,
            content: try content(words, transport, isIPv4: source.isIPv4, byteCount: message.byteCount)
        )
        guard packet.sum(over: message, of: message.byteCount).value == 0 else { throw .malformed(.checksum) }
        return packet
    }

    private static func content(
        _ words: InlineArray<4, UInt16>,
        _ transport: IPProtocol,
        isIPv4: Bool,
        byteCount: Int
    ) throws(DecodeError) -> Content {
        switch (transport, words[0]) {
        case (.udp, _):
            guard Int(words[2]) == byteCount else { throw .malformed(.messageLengthMismatch) }
            // Ours always have a checksum, as IPv6's must.
            guard words[3] != 0 else { throw .malformed(.checksum) }
            return .udp(sourcePort: words[0], destinationPort: words[1])
        case (.icmp, 0x0800) where isIPv4, (.icmpv6, 0x8000) where !isIPv4:
            return .echoRequest(identifier: words[2], number: words[3])
        case (.icmp, 0x0000) where isIPv4, (.icmpv6, 0x8100) where !isIPv4:
            return .echoReply(identifier: words[2], number: words[3])
        default: throw .malformed(.unsupportedFormat)
        }
    }

    private static func decodeIPv4(_ packet: RawSpan) throws(DecodeError) -> Decoded {
        let headerByteCount = ipv4HeaderByteCount
        guard packet.byteCount >= headerByteCount else {
            throw .truncated(needed: headerByteCount, available: packet.byteCount)
        }
        let words = (packet.bigEndianWord(at: 0), packet.bigEndianWord(at: 4), packet.bigEndianWord(at: 8))
        let (source, destination) = (packet.bigEndianWord(at: 12), packet.bigEndianWord(at: 16))
        // Options, fragments, and the bit that must be 0.
        guard words.0 >> 24 == 0x45, words.1 & 0xBFFF == 0 else { throw .malformed(.unsupportedFormat) }
        guard Int(words.0 & 0xFFFF) == packet.byteCount else { throw .malformed(.messageLengthMismatch) }
        var sum = InternetChecksum()
        sum.add(UInt64(words.0) << 32 | UInt64(words.1))
        sum.add(UInt64(words.2) << 32 | UInt64(source))
        sum.add(UInt64(destination))
        guard sum.value == 0 else { throw .malformed(.checksum) }
        return try decoded(
            packet.extracting(droppingFirst: headerByteCount),
            IPProtocol(rawValue: UInt8(truncatingIfNeeded: words.2 >> 16)),
            IPAddress(v4: source),
            IPAddress(v4: destination)
        )
    }

    private static func decodeIPv6(_ packet: RawSpan) throws(DecodeError) -> Decoded {
        var reader = ByteReader(packet)
        try reader.skip(4)
        let byteCount = try reader.readInteger(as: UInt16.self)
        let transport = IPProtocol(rawValue: try reader.readInteger())
        try reader.skip(1)
        let source = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        let destination = IPAddress(high: try reader.readInteger(), low: try reader.readInteger())
        guard Int(byteCount) == reader.remaining else { throw .malformed(.messageLengthMismatch) }
        // An IPv4 address in IPv6's form would be taken for IPv4, and is never on a wire (RFC 4291 section 2.5.5.2).
        guard !source.isIPv4, !destination.isIPv4 else { throw .malformed(.unsupportedFormat) }
        return try decoded(reader.readRest(), transport, source, destination)
    }

    private static func decoded(
        _ message: RawSpan,
        _ transport: IPProtocol,
        _ source: IPAddress,
        _ destination: IPAddress
    ) throws(DecodeError) -> Decoded {
        let packet = try decodeTransport(message, transport, source: source, destination: destination)
        let start = packet.headerByteCount
        return Decoded(packet: packet, data: start..<packet.ipHeaderByteCount + message.byteCount)
    }
}

extension MutableRawSpan {
    /// Writes a word, most significant octet first.
    @inline(__always) @_lifetime(self: copy self)
    fileprivate mutating func store(_ word: UInt16, at offset: Int) {
        storeBytes(of: word.bigEndian, toByteOffset: offset, as: UInt16.self)
    }
}

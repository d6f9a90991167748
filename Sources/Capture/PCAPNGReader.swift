package import Primitives

/// Reads the packets of a pcapng capture, of either byte order.
///
/// Blocks that it does not know are passed over, as the format asks; packets of several interfaces come in the order
/// of the file.
package struct PCAPNGReader: ~Escapable {
    private var reader: ByteReader
    private var isLittleEndian = false
    private var interfaces: [Interface] = []

    @_lifetime(copy capture)
    package init(_ capture: RawSpan) { reader = ByteReader(capture) }

    /// The next packet, or nil behind the last one.
    @_lifetime(copy self) @_lifetime(self: copy self)
    package mutating func next() throws(DecodeError) -> CapturedPacket? {
        while !reader.isAtEnd {
            let type = try reader.readInteger(as: UInt32.self)
            // The section's head reads the same in both byte orders, and tells which it is.
            if type == PCAPNG.Block.sectionHeader.rawValue {
                try readSectionHeader()
                continue
            }
            let body = try readBody()
            switch PCAPNG.Block(rawValue: ordered(type)) {
            case .interfaceDescription: interfaces.append(try interface(body))
            case .enhancedPacket: return try packet(body)
            default: continue
            }
        }
        return nil
    }
}

/// One packet of a capture.
package struct CapturedPacket: ~Escapable {
    /// Nanoseconds since 1970.
    package let timestamp: UInt64
    package let linkType: UInt16
    package let bytes: RawSpan

    @_lifetime(copy bytes)
    init(timestamp: UInt64, linkType: UInt16, bytes: RawSpan) {
        self.timestamp = timestamp
        self.linkType = linkType
        self.bytes = bytes
    }

    /// The datagram in a packet of raw IP.
    package var udp: UDPPacket {
        @_lifetime(copy self)
        get throws(DecodeError) {
            guard linkType == PCAPNG.rawIPLinkType else { throw .malformed(.unsupportedFormat) }
            return try UDPPacket(decoding: bytes)
        }
    }
}

extension PCAPNGReader {
    private struct Interface {
        var linkType: UInt16
        /// Nanoseconds in a timestamp's unit.
        var unit: UInt64
    }

    @_lifetime(self: copy self)
    private mutating func readSectionHeader() throws(DecodeError) {
        var ahead = reader
        try ahead.skip(4)
        switch try ahead.readInteger(as: UInt32.self) {
        case PCAPNG.byteOrderMagic: isLittleEndian = false
        case PCAPNG.byteOrderMagic.byteSwapped: isLittleEndian = true
        default: throw .malformed(.unsupportedFormat)
        }
        interfaces = []
        _ = try readBody()
    }

    /// What stands between a block's two lengths.
    @_lifetime(copy self) @_lifetime(self: copy self)
    private mutating func readBody() throws(DecodeError) -> RawSpan {
        let byteCount = Int(ordered(try reader.readInteger(as: UInt32.self)))
        guard byteCount >= 12, byteCount % 4 == 0 else { throw .malformed(.unsupportedFormat) }
        let body = try reader.read(byteCount - 12)
        guard Int(ordered(try reader.readInteger(as: UInt32.self))) == byteCount else {
            throw .malformed(.unsupportedFormat)
        }
        return body
    }

    private func interface(_ body: RawSpan) throws(DecodeError) -> Interface {
        var reader = ByteReader(body)
        var interface = Interface(linkType: ordered(try reader.readInteger(as: UInt16.self)), unit: 1000)
        try reader.skip(6)
        while !reader.isAtEnd {
            let option = PCAPNG.Option(rawValue: ordered(try reader.readInteger(as: UInt16.self)))
            let byteCount = Int(ordered(try reader.readInteger(as: UInt16.self)))
            let value = try reader.read(byteCount)
            try reader.skip((4 - byteCount % 4) % 4)
            guard option == .timestampResolution, byteCount == 1 else { continue }
            guard value[0] <= 9 else { throw .malformed(.unsupportedFormat) }
            interface.unit = (0..<(9 - value[0])).reduce(1) { unit, _ in unit * 10 }
        }
        return interface
    }

    @_lifetime(copy body)
    private func packet(_ body: RawSpan) throws(DecodeError) -> CapturedPacket {
        var reader = ByteReader(body)
        let index = Int(ordered(try reader.readInteger(as: UInt32.self)))
        guard interfaces.indices.contains(index) else { throw .malformed(.unsupportedFormat) }
        let high = UInt64(ordered(try reader.readInteger(as: UInt32.self)))
        let low = UInt64(ordered(try reader.readInteger(as: UInt32.self)))
        let byteCount = Int(ordered(try reader.readInteger(as: UInt32.self)))
        try reader.skip(4)
        let bytes = try reader.read(byteCount)
        let (timestamp, isTooLate) = (high << 32 | low).multipliedReportingOverflow(by: interfaces[index].unit)
        guard !isTooLate else { throw .malformed(.unsupportedFormat) }
        return CapturedPacket(timestamp: timestamp, linkType: interfaces[index].linkType, bytes: bytes)
    }

    private func ordered<Integer: FixedWidthInteger>(_ value: Integer) -> Integer {
        isLittleEndian ? value.byteSwapped : value
    }
}

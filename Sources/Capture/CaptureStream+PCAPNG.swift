import Primitives

// draft-ietf-opsawg-pcapng section 4.
extension CaptureStream {
    /// The packet of the next block that has one, or nil where more octets are needed.
    mutating func nextBlock() throws(CaptureFault) -> CapturedFrame? {
        while available >= 12 {
            let isHead = integer(at: 0, as: UInt32.self) == PCAPNG.Block.sectionHeader.rawValue
            // A section's head reads the same in both byte orders, and tells which it is.
            if isHead { try readByteOrder() }
            let byteCount = Int(ordered(at: 4, as: UInt32.self))
            guard byteCount >= 12, byteCount % 4 == 0, byteCount <= Self.largestBlock else {
                throw CaptureFault(.length, at: offset)
            }
            guard available >= byteCount else { return nil }
            guard Int(ordered(at: byteCount - 4, as: UInt32.self)) == byteCount else {
                throw CaptureFault(.length, at: offset)
            }
            if isHead { interfaces = [] }
            let frame = try isHead ? nil : frame(inBlockOf: byteCount)
            advance(byteCount)
            if let frame { return frame }
        }
        return nil
    }

    private mutating func readByteOrder() throws(CaptureFault) {
        switch integer(at: 8, as: UInt32.self) {
        case PCAPNG.byteOrderMagic: isLittleEndian = false
        case PCAPNG.byteOrderMagic.byteSwapped: isLittleEndian = true
        default: throw CaptureFault(.byteOrder, at: offset)
        }
    }

    private mutating func frame(inBlockOf byteCount: Int) throws(CaptureFault) -> CapturedFrame? {
        let type = ordered(at: 0, as: UInt32.self)
        switch PCAPNG.Block(rawValue: type) {
        case .interfaceDescription:
            guard interfaces.count < Self.mostInterfaces else { throw CaptureFault(.interfaces, at: offset) }
            interfaces.append(try interface(inBlockOf: byteCount))
            return nil
        case .enhancedPacket: return try enhancedPacket(inBlockOf: byteCount)
        default:
            guard type == Self.simplePacket else { return nil }
            return try simplePacket(inBlockOf: byteCount)
        }
    }

    private func interface(inBlockOf byteCount: Int) throws(CaptureFault) -> Interface {
        let end = byteCount - 4
        guard end >= 16 else { throw CaptureFault(.length, at: offset) }
        var interface = Interface(
            linkType: ordered(at: 8, as: UInt16.self),
            snapLength: ordered(at: 12, as: UInt32.self)
        )
        var place = 16
        while place + 4 <= end {
            let option = ordered(at: place, as: UInt16.self)
            let length = Int(ordered(at: place + 2, as: UInt16.self))
            guard option != PCAPNG.Option.end.rawValue else { break }
            guard place + 4 + length <= end else { throw CaptureFault(.length, at: offset) }
            if option == PCAPNG.Option.timestampResolution.rawValue, length == 1 {
                guard let clock = Clock(option: integer(at: place + 4, as: UInt8.self)) else {
                    throw CaptureFault(.resolution, at: offset)
                }
                interface.clock = clock
            }
            place += 4 + (length + 3) / 4 * 4
        }
        return interface
    }

    private mutating func enhancedPacket(inBlockOf byteCount: Int) throws(CaptureFault) -> CapturedFrame {
        guard byteCount >= 32 else { throw CaptureFault(.length, at: offset) }
        let index = Int(ordered(at: 8, as: UInt32.self))
        guard interfaces.indices.contains(index) else { throw CaptureFault(.interface, at: offset) }
        let captured = Int(ordered(at: 20, as: UInt32.self))
        guard captured <= min(byteCount - 32, Self.largestFrame) else { throw CaptureFault(.length, at: offset) }
        let high = UInt64(ordered(at: 12, as: UInt32.self))
        let low = UInt64(ordered(at: 16, as: UInt32.self))
        lastTimestamp = interfaces[index].clock.nanoseconds(high << 32 | low)
        return CapturedFrame(
            timestamp: lastTimestamp,
            linkType: interfaces[index].linkType,
            bytes: octets(28..<28 + captured),
            originalByteCount: Int(ordered(at: 24, as: UInt32.self))
        )
    }

    /// A packet of the first interface without a time of its own, cut at the interface's snap length.
    private func simplePacket(inBlockOf byteCount: Int) throws(CaptureFault) -> CapturedFrame {
        guard byteCount >= 16 else { throw CaptureFault(.length, at: offset) }
        guard let interface = interfaces.first else { throw CaptureFault(.interface, at: offset) }
        let original = Int(ordered(at: 8, as: UInt32.self))
        let most = interface.snapLength == 0 ? original : min(original, Int(interface.snapLength))
        guard most <= byteCount - 16 else { throw CaptureFault(.length, at: offset) }
        return CapturedFrame(
            timestamp: lastTimestamp,
            linkType: interface.linkType,
            bytes: octets(12..<12 + most),
            originalByteCount: original
        )
    }

    private static let simplePacket: UInt32 = 3
    private static let mostInterfaces = 4_096
    private static let largestBlock = 16 << 20
}

import Primitives

/// Reads a capture of either format, pcap or pcapng, as its octets come in: memory does not grow with the file.
///
/// pcap counts micro- or nanoseconds, and both formats have either byte order. What a reader does not need to know
/// is passed over, as draft-ietf-opsawg-pcapng asks; a structure that contradicts itself ends the capture.
package struct CaptureStream: Sendable {
    package private(set) var format: Format?

    private var buffer: [UInt8] = []
    /// How much of the buffer has been read.
    private var start = 0
    /// How many octets of the file stood in front of the buffer.
    private var passed: UInt64 = 0
    var isLittleEndian = false
    /// Of pcap: one that the file's head describes.
    var interfaces: [Interface] = []
    var lastTimestamp: UInt64 = 0

    package init() {}

    package enum Format: String, Hashable, Sendable {
        case pcap
        case pcapng
    }

    struct Interface: Sendable {
        var linkType: UInt16
        var snapLength: UInt32 = 0
        var clock = Clock.microseconds
    }

    /// Where the next structure begins.
    package var offset: UInt64 { passed + UInt64(start) }

    /// Takes the file's next octets.
    package mutating func append(_ octets: [UInt8]) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            passed += UInt64(start)
            start = 0
        }
        buffer += octets
    }

    /// The next packet, or nil where more octets are needed.
    package mutating func next() throws(CaptureFault) -> CapturedFrame? {
        if format == nil, try !readHead() { return nil }
        switch format {
        case .pcap: return try nextRecord()
        case .pcapng, nil: return try nextBlock()
        }
    }

    /// Refuses a file that ends within a structure.
    package func finish() throws(CaptureFault) {
        if format == nil, buffer.isEmpty { throw CaptureFault(.notACapture, at: 0) }
        guard start == buffer.count, format != nil else { throw CaptureFault(.cut, at: offset) }
    }

    /// More than any interface hands over in one piece: Wireshark's own limit.
    static let largestFrame = 262_144
}

extension CaptureStream {
    private mutating func readHead() throws(CaptureFault) -> Bool {
        guard available >= 4 else { return false }
        let magic = integer(at: 0, as: UInt32.self)
        if magic == PCAPNG.Block.sectionHeader.rawValue {
            format = .pcapng
            return true
        }
        let clock: Clock
        switch (magic, magic.byteSwapped) {
        case (Self.microseconds, _), (_, Self.microseconds): clock = .microseconds
        case (Self.nanoseconds, _), (_, Self.nanoseconds): clock = .nanoseconds
        default: throw CaptureFault(.notACapture, at: 0)
        }
        guard available >= Self.headByteCount else { return false }
        isLittleEndian = magic != Self.microseconds && magic != Self.nanoseconds
        // The upper half says whether frames end in a check sequence, which nothing here looks at.
        let linkType = UInt16(truncatingIfNeeded: ordered(at: 20, as: UInt32.self))
        interfaces = [Interface(linkType: linkType, clock: clock)]
        format = .pcap
        start += Self.headByteCount
        return true
    }

    private mutating func nextRecord() throws(CaptureFault) -> CapturedFrame? {
        guard available >= Self.recordHeadByteCount else { return nil }
        let byteCount = Int(ordered(at: 8, as: UInt32.self))
        guard byteCount <= Self.largestFrame else { throw CaptureFault(.length, at: offset) }
        guard available >= Self.recordHeadByteCount + byteCount else { return nil }
        let interface = interfaces[0]
        let fraction = UInt64(ordered(at: 4, as: UInt32.self))
        let seconds = UInt64(ordered(at: 0, as: UInt32.self))
        let frame = CapturedFrame(
            timestamp: seconds * 1_000_000_000 + fraction * (interface.clock == .microseconds ? 1_000 : 1),
            linkType: interface.linkType,
            bytes: octets(Self.recordHeadByteCount..<Self.recordHeadByteCount + byteCount),
            originalByteCount: Int(ordered(at: 12, as: UInt32.self))
        )
        advance(Self.recordHeadByteCount + byteCount)
        return frame
    }

    private static let microseconds: UInt32 = 0xA1B2_C3D4
    private static let nanoseconds: UInt32 = 0xA1B2_3C4D
    private static let headByteCount = 24
    private static let recordHeadByteCount = 16
}

extension CaptureStream {
    var available: Int { buffer.count - start }

    /// An integer of what has not been read yet, in network byte order.
    func integer<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Integer.Type) -> Integer {
        var value: Integer = 0
        for place in 0..<MemoryLayout<Integer>.size { value = value << 8 | Integer(buffer[start + offset + place]) }
        return value
    }

    /// An integer in the byte order of the file or section.
    func ordered<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Integer.Type) -> Integer {
        let value = integer(at: offset, as: type)
        return isLittleEndian ? value.byteSwapped : value
    }

    func octets(_ range: Range<Int>) -> [UInt8] {
        Array(buffer[start + range.lowerBound..<start + range.upperBound])
    }

    mutating func advance(_ byteCount: Int) { start += byteCount }

    /// What the number in a timestamp counts.
    enum Clock: Hashable, Sendable {
        case decimal(exponent: UInt8)
        case binary(exponent: UInt8)

        static let microseconds = Clock.decimal(exponent: 6)
        static let nanoseconds = Clock.decimal(exponent: 9)

        /// The resolution as pcapng's option `if_tsresol` has it; nil where it is finer than anything that is measured.
        init?(option: UInt8) {
            let exponent = option & 0x7F
            guard exponent <= (option & 0x80 == 0 ? 19 : 63) else { return nil }
            self = option & 0x80 == 0 ? .decimal(exponent: exponent) : .binary(exponent: exponent)
        }

        /// Times behind the year 2262 are that year's: so there is room to count with them.
        func nanoseconds(_ count: UInt64) -> UInt64 {
            let wide = UInt128(count) * 1_000_000_000
            let most = UInt128(Int64.max)
            switch self {
            case .decimal(let exponent):
                return UInt64(min(most, wide / (0..<exponent).reduce(UInt128(1)) { value, _ in value * 10 }))
            case .binary(let exponent): return UInt64(min(most, wide >> UInt128(exponent)))
            }
        }
    }
}

/// One packet of a capture, with what its link put in front of it.
package struct CapturedFrame: Hashable, Sendable {
    /// Nanoseconds since 1970.
    package var timestamp: UInt64
    package var linkType: UInt16
    package var bytes: [UInt8]
    /// How long the packet was on its link: more where the capture kept its beginning only.
    package var originalByteCount: Int

    package init(timestamp: UInt64, linkType: UInt16, bytes: [UInt8], originalByteCount: Int) {
        self.timestamp = timestamp
        self.linkType = linkType
        self.bytes = bytes
        self.originalByteCount = originalByteCount
    }
}

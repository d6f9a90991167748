/// The ones' complement sum of 16-bit words (RFC 1071).
public struct InternetChecksum: Sendable, BitwiseCopyable {
    @usableFromInline var sum: UInt64 = 0

    @inlinable
    public init() {}

    /// Adds four words that are already an integer.
    @inlinable @inline(__always)
    public mutating func add(_ words: UInt64) {
        sum += words & 0xFFFF_FFFF
        sum += words >> 32
    }

    /// Adds an address as it is on the wire.
    @inlinable @inline(__always)
    public mutating func add(_ address: IPAddress) {
        // Of an IPv4 address only its own 32 bits are on the wire.
        if address.isIPv4 {
            add(UInt64(address.v4))
        } else {
            add(address.high)
            add(address.low)
        }
    }

    /// Adds octets; an odd one counts as the upper half of a word.
    ///
    /// They are added as the machine has them, and the octets of the sum exchanged where that is the other way round
    /// (RFC 1071 section 2, B).
    @inlinable
    public mutating func add(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { bytes in
            guard var next = bytes.baseAddress else { return }
            // SAFETY: every load ends within the octets, and any octets are an integer.
            let end = unsafe next + bytes.count
            let wide = unsafe next + (bytes.count & ~31)
            var (whole, carries): (UInt64, UInt64) = (0, 0)
            while unsafe next < wide {
                Self.add(unsafe next.loadUnaligned(as: UInt64.self), to: &whole, &carries)
                Self.add(unsafe next.loadUnaligned(fromByteOffset: 8, as: UInt64.self), to: &whole, &carries)
                Self.add(unsafe next.loadUnaligned(fromByteOffset: 16, as: UInt64.self), to: &whole, &carries)
                Self.add(unsafe next.loadUnaligned(fromByteOffset: 24, as: UInt64.self), to: &whole, &carries)
                unsafe next += 32
            }
            while unsafe end - next >= 8 {
                Self.add(unsafe next.loadUnaligned(as: UInt64.self), to: &whole, &carries)
                unsafe next += 8
            }
            var own = (whole & 0xFFFF_FFFF) &+ (whole &>> 32) &+ carries
            if unsafe end - next >= 4 {
                own &+= UInt64(unsafe next.loadUnaligned(as: UInt32.self))
                unsafe next += 4
            }
            if unsafe end - next >= 2 {
                own &+= UInt64(unsafe next.loadUnaligned(as: UInt16.self))
                unsafe next += 2
            }
            if unsafe next < end { own &+= UInt64(UInt16(bigEndian: UInt16(unsafe next.load(as: UInt8.self)) << 8)) }
            sum += UInt64(UInt16(bigEndian: Self.folded(own)))
        }
    }

    @inlinable @inline(__always)
    static func add(_ word: UInt64, to whole: inout UInt64, _ carries: inout UInt64) {
        let (sum, hasCarry) = whole.addingReportingOverflow(word)
        whole = sum
        carries &+= hasCarry ? 1 : 0
    }

    /// A sum with its carries added at the other end until there are none.
    @inlinable
    static func folded(_ sum: UInt64) -> UInt16 {
        var folded = sum
        while folded > 0xFFFF { folded = (folded & 0xFFFF) &+ (folded &>> 16) }
        return UInt16(truncatingIfNeeded: folded)
    }

    /// The complement of the folded sum, as it stands in a header; 0 over what holds its own right checksum.
    @inlinable
    public var value: UInt16 { ~Self.folded(sum) }
}

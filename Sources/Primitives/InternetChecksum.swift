/// The ones' complement sum of 16-bit words (RFC 1071).
public struct InternetChecksum: Sendable, BitwiseCopyable {
    @usableFromInline var sum: UInt64 = 0

    @inlinable
    public init() {}

    /// Adds four words that are already an integer.
    @inlinable
    public mutating func add(_ words: UInt64) {
        sum += words & 0xFFFF_FFFF
        sum += words >> 32
    }

    /// Adds an address as it is on the wire.
    @inlinable
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
        let count = bytes.byteCount
        var (whole, carries, index): (UInt64, UInt64, Int) = (0, 0, 0)
        while index &+ 32 <= count {
            for offset in 0..<4 {
                // SAFETY: 32 octets from `index` on are there, and any octets are an integer.
                let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &+ 8 &* offset, as: UInt64.self)
                let (sum, hasCarry) = whole.addingReportingOverflow(word)
                whole = sum
                carries &+= hasCarry ? 1 : 0
            }
            index &+= 32
        }
        var own = (whole & 0xFFFF_FFFF) &+ (whole &>> 32) &+ carries
        while index &+ 4 <= count {
            // SAFETY: as above.
            own &+= UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt32.self))
            index &+= 4
        }
        if index &+ 2 <= count {
            // SAFETY: as above.
            own &+= UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt16.self))
            index &+= 2
        }
        if index < count { own &+= UInt64(UInt16(bigEndian: UInt16(bytes[index]) << 8)) }
        sum += UInt64(UInt16(bigEndian: Self.folded(own)))
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

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
    @inlinable
    public mutating func add(_ bytes: RawSpan) {
        var index = 0
        while index + 8 <= bytes.byteCount {
            // SAFETY: eight octets from `index` on are there, and any octets are an integer.
            add(UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index += 8
        }
        while index + 1 < bytes.byteCount {
            sum += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
            index += 2
        }
        if index < bytes.byteCount { sum += UInt64(bytes[index]) << 8 }
    }

    /// The complement of the folded sum, as it stands in a header; 0 over what holds its own right checksum.
    @inlinable
    public var value: UInt16 {
        var folded = sum
        while folded > 0xFFFF { folded = (folded & 0xFFFF) + (folded >> 16) }
        return ~UInt16(folded)
    }
}

/// The 64-bit names of entities, by which they draw: a keyed hash of what the workload calls them.
///
/// A name is the same in every run, on every machine and for any set of other entities.
public enum StableName {
    /// The key is part of every digest: a new one is a new digest version.
    @usableFromInline static var key: (UInt64, UInt64) { (0x696B_6573_746F_726D, 0x6E61_6D65_732D_7631) }

    public static func hash(of text: String) -> UInt64 {
        var hasher = SipHash24(key: key)
        hasher.combine(text)
        return hasher.finalize()
    }

    /// The name of the n-th of many alike: a population's clients, a gateway's links.
    public static func hash(of text: String, _ number: UInt64) -> UInt64 {
        var hasher = SipHash24(key: key)
        hasher.combine(text)
        hasher.combine(number)
        return hasher.finalize()
    }

    /// The name of what octets name, such as an identity.
    public static func hash(of octets: RawSpan) -> UInt64 {
        var hasher = SipHash24(key: key)
        for offset in octets.byteOffsets { hasher.combine(octets[offset]) }
        return hasher.finalize()
    }

    /// A name made of other names and numbers, such as (gateway, initiator, attempt).
    @inlinable
    public static func hash(of first: UInt64, _ second: UInt64, _ third: UInt64 = 0) -> UInt64 {
        var hasher = SipHash24(key: key)
        hasher.combine(first)
        hasher.combine(second)
        hasher.combine(third)
        return hasher.finalize()
    }
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012), fed by bytes or by little-endian words.
public struct SipHash24: Sendable, BitwiseCopyable {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64
    @usableFromInline var tail: UInt64 = 0
    @usableFromInline var byteCount: UInt64 = 0

    @inlinable
    public init(key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736F_6D65_7073_6575
        v1 = key.1 ^ 0x646F_7261_6E64_6F6D
        v2 = key.0 ^ 0x6C79_6765_6E65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    @inlinable
    public mutating func combine(_ byte: UInt8) {
        tail |= UInt64(byte) << (8 * (byteCount & 7))
        byteCount &+= 1
        guard byteCount & 7 == 0 else { return }
        compress(tail)
        tail = 0
    }

    /// Eight bytes, the lowest first.
    @inlinable
    public mutating func combine(_ word: UInt64) {
        let shift = 8 * (byteCount & 7)
        byteCount &+= 8
        compress(tail | word << shift)
        tail = shift == 0 ? 0 : word >> (64 - shift)
    }

    /// The text's UTF-8, and then its length: so that ("ab", "c") and ("a", "bc") differ.
    public mutating func combine(_ text: String) {
        var count: UInt64 = 0
        for byte in text.utf8 {
            combine(byte)
            count += 1
        }
        combine(count)
    }

    @inlinable
    public consuming func finalize() -> UInt64 {
        compress(tail | byteCount << 56)
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inlinable
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inlinable @inline(__always)
    mutating func round() {
        v0 &+= v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 &+= v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 &+= v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }
}

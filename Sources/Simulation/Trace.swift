import Primitives

/// One entity's digest: a hash chain over the events that happened to it, kept in the entity's own state.
///
/// The mixing is MurmurHash3's (x64, 128 bits): each word is folded in by a bijection of the state, so an early
/// difference is never forgotten. It guards against accidents, not against forgers.
@usableFromInline
package struct EntityDigest: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package private(set) var low: UInt64
    @usableFromInline package private(set) var high: UInt64
    @usableFromInline package private(set) var eventCount: UInt64

    @inlinable
    package init() {
        low = 0
        high = 0
        eventCount = 0
    }

    /// Folds in an event with all that it carries.
    @usableFromInline
    package mutating func record(_ event: Event) {
        record(event.order, target: event.target, kind: event.kind, UInt64(event.small), event.first, event.second)
    }

    /// Folds in an event of which the arguments are named apart: those that depend on the partition, such as a
    /// buffer's place, are left out of every digest.
    @usableFromInline
    package mutating func record(
        _ order: EventOrder,
        target: UInt32,
        kind: UInt16,
        _ first: UInt64,
        _ second: UInt64,
        _ third: UInt64 = 0
    ) {
        eventCount &+= 1
        mix(order.time.nanoseconds, order.count)
        mix(UInt64(order.source) << 32 | UInt64(target), UInt64(kind) << 8 | UInt64(order.class))
        mix(first, second)
        if third != 0 { mix(third, 0) }
    }

    /// Folds in two words, such as the hash and the length of a datagram.
    @usableFromInline
    package mutating func mix(_ first: UInt64, _ second: UInt64) {
        let c1: UInt64 = 0x87C3_7B91_1142_53D5
        let c2: UInt64 = 0x4CF5_AD43_2745_937F
        low ^= rotate(first &* c1, 31) &* c2
        low = (rotate(low, 27) &+ high) &* 5 &+ 0x52DC_E729
        high ^= rotate(second &* c2, 33) &* c1
        high = (rotate(high, 31) &+ low) &* 5 &+ 0x3849_5AB5
    }

    private func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}

/// The digest of a whole run: every entity's chain, combined in the order of the entities.
package struct RunDigest: Sendable {
    private var low = SipHash24(key: (1, 0x696B_6573_746F_726D))
    private var high = SipHash24(key: (2, 0x696B_6573_746F_726D))
    private var next: UInt64 = 0

    package init() {}

    /// Adds one entity; they come in ascending order, each once.
    package mutating func add(_ digest: EntityDigest, of entity: UInt32) {
        precondition(UInt64(entity) >= next, "entities are combined in ascending order")
        next = UInt64(entity) + 1
        for word in [UInt64(entity), digest.eventCount, digest.low, digest.high] {
            low.combine(word)
            high.combine(word)
        }
    }

    /// The digest's version and 128 bits in hexadecimal: `v1:0123456789abcdef0123456789abcdef`.
    package var description: String { "v1:" + Self.hexadecimal(high.finalize()) + Self.hexadecimal(low.finalize()) }

    static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

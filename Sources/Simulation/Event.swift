public import Primitives

/// Something that happens to one entity at one moment: 48 bytes of plain data, never a closure.
///
/// What `kind` and the three arguments mean is up to the target; a generation among them makes an event cancellable.
@usableFromInline
package struct Event: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package let order: EventOrder
    @usableFromInline package let kind: UInt16
    @usableFromInline package let target: UInt32
    @usableFromInline package let small: UInt32
    @usableFromInline package let first: UInt64
    @usableFromInline package let second: UInt64

    @inlinable
    package init(
        order: EventOrder,
        target: UInt32,
        kind: UInt16,
        small: UInt32 = 0,
        first: UInt64 = 0,
        second: UInt64 = 0
    ) {
        self.order = order
        self.target = target
        self.kind = kind
        self.small = small
        self.first = first
        self.second = second
    }

    @inlinable package var time: Instant { order.time }
}

extension Event: CustomStringConvertible {
    @usableFromInline package var description: String {
        "\(order) -> \(target) kind \(kind) (\(small), \(first), \(second))"
    }
}

/// Says which events still matter, so that the queue can drop the cancelled ones before it moves them.
///
/// Most often a table of generations: an event whose generation is old is dead. An answer of false is final.
@usableFromInline
package protocol EventLiveness: ~Copyable {
    borrowing func isLive(_ event: Event) -> Bool
}

/// For queues in which nothing is cancelled, or whose owner looks when it pops.
@usableFromInline
package struct EveryEventIsLive: EventLiveness {
    @inlinable package init() {}
    @inlinable package func isLive(_ event: Event) -> Bool { true }
}

public import Primitives

/// An event's place in the run's order: time, then class, then source, then the source's own count.
///
/// A source counts what it sends, so no two events are ever equal, and which of two comes first depends on nothing
/// that a machine, a thread or a partition decides.
@usableFromInline
package struct EventOrder: Comparable, Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package let time: Instant
    @usableFromInline package let count: UInt64
    @usableFromInline package let source: UInt32
    @usableFromInline package let `class`: UInt8

    @inlinable
    package init(time: Instant, class: UInt8, source: UInt32, count: UInt64) {
        self.time = time
        self.class = `class`
        self.source = source
        self.count = count
    }

    /// Traps where both are one event: a source that counts twice would make the order a matter of chance.
    @inlinable
    package static func < (left: EventOrder, right: EventOrder) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.class != right.class { return left.class < right.class }
        if left.source != right.source { return left.source < right.source }
        precondition(left.count != right.count, "no two events have one place in the order")
        return left.count < right.count
    }
}

extension EventOrder: CustomStringConvertible {
    @usableFromInline package var description: String { "\(time) class \(`class`) source \(source) #\(count)" }
}

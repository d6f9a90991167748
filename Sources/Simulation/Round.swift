public import Primitives

// None of these is nested in Simulator: generic code reaches them without asking for a type's metadata.

/// What all parts of a simulator's round go by.
@usableFromInline
struct Round: BitwiseCopyable {
    /// Which half of the outboxes is written.
    @usableFromInline var side = 0
    /// The end of the window.
    @usableFromInline var limit = Instant.zero

    @inlinable
    init() {}
}

/// What a round leaves of a part for the next one: side by side, so that reading them all is cheap.
@usableFromInline
struct PartReport: BitwiseCopyable {
    @usableFromInline var nextTime = Instant.never
    @usableFromInline var earliestSent = Instant.never
    @usableFromInline var eventCount: UInt32 = 0
    @usableFromInline var hasSent = false
    /// Whether the part has mail, or something to do before the limit.
    @usableFromInline var isActive = false

    @inlinable
    init() {}
}

/// The parts that one worker has put aside, and how often it has carried out what such parts waited for.
@usableFromInline
struct Gathering {
    @usableFromInline var waiting: [Int] = []
    @usableFromInline var counts = BatchCounts()

    @inlinable
    init() {}
}

/// How much the windows of a run had in them.
@usableFromInline
package struct WindowCounts: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package internal(set) var windows: UInt64 = 0
    @usableFromInline package internal(set) var events: UInt64 = 0
    /// Of each window those of the part that had most, in sum: the events by this are what any number of workers could
    /// do at once, if all took the same time.
    @usableFromInline package internal(set) var busiestPartEvents: UInt64 = 0

    @inlinable
    package init() {}

    @inlinable
    mutating func addWindow(events: Int, busiest: Int) {
        windows += 1
        self.events += UInt64(events)
        busiestPartEvents += UInt64(busiest)
    }
}

/// How often operations were carried out, and how many in all: the more at once, the fuller the batches.
@usableFromInline
package struct BatchCounts: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package internal(set) var batches: UInt64 = 0
    @usableFromInline package internal(set) var operations: UInt64 = 0
    @usableFromInline package internal(set) var lanes = LaneUse()

    @inlinable
    package init() {}

    @inlinable
    package mutating func addBatch(of count: Int, _ lanes: LaneUse) {
        batches += 1
        operations += UInt64(count)
        self.lanes.add(lanes)
    }

    @inlinable
    package mutating func add(_ other: BatchCounts) {
        batches += other.batches
        operations += other.operations
        lanes.add(other.lanes)
    }
}

/// How often several steps of operations were computed side by side, and how many steps in all.
@usableFromInline
package struct LaneUse: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package var calls: UInt64
    @usableFromInline package var steps: UInt64

    @inlinable
    package init(calls: UInt64 = 0, steps: UInt64 = 0) {
        self.calls = calls
        self.steps = steps
    }

    @inlinable
    package mutating func add(_ other: LaneUse) {
        calls += other.calls
        steps += other.steps
    }
}

public import Primitives

/// The pending events of one part of a run: a hierarchical timing wheel that gives them back in their full order.
///
/// Time is cut into ticks of a power of two of nanoseconds. An event waits at the level of the highest digit (6 bits)
/// in which its tick differs from the wheel's own, so all of a level come before all of the next one. A slot is
/// sorted when it opens. The tick adapts to 8 to 16 events a slot, which changes the cost and never the order.
///
/// A queue of few events, such as a shard's among hundreds, is a heap alone: it costs less than a wheel that turns from
/// slot to slot for each of them, and has no slots.
@usableFromInline
package struct EventQueue: ~Copyable, Sendable {
    @usableFromInline
    struct Slot: BitwiseCopyable, Sendable {
        /// The chunk that is being filled; those behind it are full.
        @usableFromInline var chunk: UInt32
        @usableFromInline var fill: UInt32
        @usableFromInline var earliest: UInt64

        @inlinable
        init() {
            chunk = .max
            fill = 0
            earliest = .max
        }
    }

    @inlinable static var digitBits: UInt64 { 6 }
    @inlinable static var slotsPerLevel: Int { 1 << Int(digitBits) }
    @inlinable static var levelCount: Int { (63 + Int(digitBits)) / Int(digitBits) }

    @usableFromInline var chunks = EventChunks()
    /// The slots of all levels, the lowest first; there are none until more events were pending than the heap takes.
    @usableFromInline var slots = PlainArray<Slot>()
    /// For each level, a bit for each occupied slot.
    @usableFromInline var occupied: InlineArray<11, UInt64>
    /// A bit for each level that has an occupied slot.
    @usableFromInline var occupiedLevels: UInt64 = 0
    /// The events of the slot that is open.
    @usableFromInline var open = EventRun()
    /// The events that came for the open slot or for an earlier moment, after it was opened.
    @usableFromInline var late = EventHeap()
    /// The tick of the slot that was opened last: none at or before it is occupied. While there are few events it is
    /// the end of time, so that all of them are late.
    @usableFromInline var tick = UInt64.max
    @usableFromInline var tickShift: UInt64
    @usableFromInline var pending = 0
    @usableFromInline var now = Instant.zero
    @usableFromInline var popsUntilReview: Int
    @usableFromInline var popsInReview: Int
    @usableFromInline var reviewStart = Instant.zero

    /// An empty queue whose tick is 2^`tickShift` ns until it has seen how dense its events are.
    package init(tickShift: UInt64 = 12) {
        precondition(tickShift < 48, "a tick is shorter than three days")
        self.tickShift = tickShift
        occupied = InlineArray(repeating: 0)
        popsUntilReview = Self.shortestReview
        popsInReview = Self.shortestReview
    }

    /// How many events are pending, cancelled ones among them.
    @inlinable package var count: Int { pending }

    @inlinable package var isEmpty: Bool { pending == 0 }

    /// The time of the event that was popped last: no event may be pushed for an earlier one.
    @inlinable package var lastTime: Instant { now }

    /// How many bytes the queue takes: slots, and the chunks of events, free ones among them.
    package var storageByteCount: Int {
        chunks.byteCount + slots.count * MemoryLayout<Slot>.stride
            + (open.events.capacity + open.spare.capacity + late.events.capacity) * MemoryLayout<Event>.stride
    }

    /// The time of the earliest pending event, cancelled ones among them; `.never` where there is none.
    @inlinable package var nextTime: Instant {
        var earliest = Instant.never
        if !open.isEmpty { earliest = open.first.time }
        if !late.isEmpty { earliest = min(earliest, late.first.time) }
        guard earliest == .never, occupiedLevels != 0 else { return earliest }
        let level = occupiedLevels.trailingZeroBitCount
        return Instant(nanoseconds: slots[level * Self.slotsPerLevel + occupied[level].trailingZeroBitCount].earliest)
    }

    @inlinable
    package mutating func push(_ event: Event) {
        precondition(event.time >= now && event.time != .never, "no event is pushed into the past, nor for never")
        pending += 1
        place(event)
    }

    /// Takes the earliest event out, if it is before `limit`.
    @inlinable
    package mutating func popNext(before limit: Instant) -> Event? {
        popNext(before: limit, EveryEventIsLive())
    }

    /// Takes the earliest live event out, if it is before `limit`; dead ones that it meets are dropped.
    @inlinable
    package mutating func popNext<Liveness: EventLiveness & ~Copyable>(
        before limit: Instant,
        _ liveness: borrowing Liveness
    ) -> Event? {
        while true {
            if open.isEmpty && late.isEmpty {
                guard openNextSlot(before: limit, liveness) else { return nil }
                continue
            }
            let isFromOpen = late.isEmpty || (!open.isEmpty && open.first.order < late.first.order)
            let event = isFromOpen ? open.first : late.first
            guard event.time < limit else { return nil }
            if isFromOpen { open.position += 1 } else { _ = late.popFirst() }
            pending -= 1
            guard liveness.isLive(event) else { continue }
            now = event.time
            popsUntilReview -= 1
            if popsUntilReview == 0 { reviewTick() }
            return event
        }
    }

    /// Puts an event where its tick belongs.
    @inlinable
    mutating func place(_ event: Event) {
        let eventTick = event.time.nanoseconds >> tickShift
        guard eventTick > tick else {
            late.push(event)
            if late.count > Self.mostInHeap, tick == .max { startWheel() }
            return
        }
        file(event, at: eventTick)
    }

    /// How many events a heap alone holds.
    @inlinable static var mostInHeap: Int { 256 }

    /// Appends an event to its slot; its tick is not before the wheel's.
    @inlinable
    mutating func file(_ event: Event, at eventTick: UInt64) {
        let difference = (eventTick ^ tick) | 1
        let level = UInt64(63 - difference.leadingZeroBitCount) / Self.digitBits
        let digit = Int(truncatingIfNeeded: eventTick >> (level * Self.digitBits)) & (Self.slotsPerLevel - 1)
        let index = Int(level) * Self.slotsPerLevel + digit
        var slot = slots[index]
        if slot.chunk == EventChunks.none || Int(slot.fill) == EventChunks.chunkSize {
            if slot.chunk == EventChunks.none {
                occupied[Int(level)] |= 1 << UInt64(digit)
                occupiedLevels |= 1 << level
            }
            slot.chunk = chunks.take(before: slot.chunk)
            slot.fill = 0
        }
        chunks.set(event, at: Int(slot.fill), of: slot.chunk)
        slot.fill += 1
        slot.earliest = min(slot.earliest, event.time.nanoseconds)
        slots[index] = slot
    }
}

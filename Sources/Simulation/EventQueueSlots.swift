public import Primitives

// How slots are opened, cascaded and, when the tick changes, filed anew.
extension EventQueue {
    /// Moves the wheel to the next occupied slot and opens it; false where that slot has nothing before `limit`.
    ///
    /// A slot of an upper level is filed one level down or more, its dead events dropped, and the search goes on.
    @inlinable
    mutating func openNextSlot<Liveness: EventLiveness & ~Copyable>(
        before limit: Instant,
        _ liveness: borrowing Liveness
    ) -> Bool {
        while occupiedLevels != 0 {
            let level = occupiedLevels.trailingZeroBitCount
            let digit = occupied[level].trailingZeroBitCount
            let index = level * Self.slotsPerLevel + digit
            guard slots[index].earliest < limit.nanoseconds else { return false }

            let shift = UInt64(level) * Self.digitBits
            tick = ((tick >> shift) & ~UInt64(Self.slotsPerLevel - 1) | UInt64(digit)) << shift
            let slot = slots[index]
            slots[index] = Slot()
            occupied[level] &= ~(1 << UInt64(digit))
            if occupied[level] == 0 { occupiedLevels &= ~(1 << UInt64(level)) }
            if level == 0 {
                openSlot(slot, liveness)
                return true
            }
            cascade(slot, liveness)
        }
        return false
    }

    @inlinable
    mutating func openSlot<Liveness: EventLiveness & ~Copyable>(_ slot: Slot, _ liveness: borrowing Liveness) {
        open.removeAll()
        var chunk = slot.chunk
        var fill = Int(slot.fill)
        while chunk != EventChunks.none {
            chunks.prefetch(behind: chunk)
            for index in 0..<fill {
                let event = chunks.event(index, of: chunk)
                if liveness.isLive(event) { open.events.append(event) } else { pending -= 1 }
            }
            chunk = chunks.release(chunk)
            fill = EventChunks.chunkSize
        }
        open.sort()
    }

    @inlinable
    mutating func cascade<Liveness: EventLiveness & ~Copyable>(_ slot: Slot, _ liveness: borrowing Liveness) {
        var chunk = slot.chunk
        var fill = Int(slot.fill)
        while chunk != EventChunks.none {
            chunks.prefetch(behind: chunk)
            for index in 0..<fill {
                let event = chunks.event(index, of: chunk)
                if liveness.isLive(event) {
                    file(event, at: event.time.nanoseconds >> tickShift)
                } else {
                    pending -= 1
                }
            }
            chunk = chunks.release(chunk)
            fill = EventChunks.chunkSize
        }
    }

    // MARK: The tick

    @inlinable static var shortestReview: Int { 4_096 }

    /// Compares the tick with the density of what was popped since the last review, and changes it where it is far off.
    ///
    /// A review comes after as many pops as there were events pending, so a rebuild costs each of them at most once.
    @usableFromInline
    mutating func reviewTick() {
        let elapsed = now.nanoseconds - reviewStart.nanoseconds
        // 2^shift <= 16 * elapsed / pops: eight to sixteen events a slot.
        let ideal = UInt64(63 - (elapsed / UInt64(popsInReview / 16) | 1).leadingZeroBitCount)
        let wanted = min(ideal, 40)
        if tick == .max {
            tickShift = wanted
        } else if wanted + 1 < tickShift || wanted > tickShift + 1 {
            rebuild(tickShift: wanted)
        }
        reviewStart = now
        popsInReview = max(Self.shortestReview, pending)
        popsUntilReview = popsInReview
    }

    /// Goes over from the heap to the wheel.
    @usableFromInline
    mutating func startWheel() {
        if slots.isEmpty { slots = PlainArray(repeating: Slot(), count: Self.levelCount * Self.slotsPerLevel) }
        rebuild(tickShift: tickShift)
    }

    /// Files every pending event anew under another tick.
    private mutating func rebuild(tickShift newShift: UInt64) {
        var oldSlots = PlainArray(repeating: Slot(), count: slots.count)
        swap(&oldSlots, &slots)
        var loose = PlainArray<Event>()
        for index in open.position..<open.events.count { loose.append(open.events[index]) }
        for index in 0..<late.events.count { loose.append(late.events[index]) }
        open.removeAll()
        late = EventHeap()
        for word in occupied.indices { occupied[word] = 0 }
        occupiedLevels = 0
        tickShift = newShift
        tick = now.nanoseconds >> newShift
        for index in 0..<loose.count { place(loose[index]) }
        for index in 0..<oldSlots.count where oldSlots[index].chunk != EventChunks.none {
            let slot = oldSlots[index]
            var chunk = slot.chunk
            var fill = Int(slot.fill)
            while chunk != EventChunks.none {
                chunks.prefetch(behind: chunk)
                for index in 0..<fill { place(chunks.event(index, of: chunk)) }
                chunk = chunks.release(chunk)
                fill = EventChunks.chunkSize
            }
        }
    }
}

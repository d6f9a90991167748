/// Events in order, taken from the front: an opened slot of the wheel.
@usableFromInline
struct EventRun: ~Copyable, Sendable {
    @usableFromInline var events = PlainArray<Event>()
    @usableFromInline var position = 0
    /// The other half of a merge, kept so that no sort allocates.
    @usableFromInline var spare = PlainArray<Event>()

    @inlinable
    init() {}

    @inlinable var isEmpty: Bool { position == events.count }

    @inlinable var first: Event { events[position] }

    @inlinable
    mutating func removeAll() {
        events.removeAll()
        position = 0
    }

    /// Sorts by the full order: by insertion up to 16 events, which is the usual slot, and by merging above that.
    @inlinable
    mutating func sort() {
        let count = events.count
        let width = 16
        var start = 0
        while start < count {
            sortByInsertion(start, min(start + width, count))
            start += width
        }
        if count > width { mergeRuns(of: width) }
    }

    @inlinable
    mutating func sortByInsertion(_ start: Int, _ end: Int) {
        var index = start + 1
        while index < end {
            let event = events[index]
            var place = index
            while place > start && event.order < events[place - 1].order {
                events[place] = events[place - 1]
                place -= 1
            }
            if place != index { events[place] = event }
            index += 1
        }
    }

    @usableFromInline
    mutating func mergeRuns(of initialWidth: Int) {
        var width = initialWidth
        while width < events.count {
            spare.removeAll()
            var start = 0
            while start < events.count {
                let middle = min(start + width, events.count)
                let end = min(start + 2 * width, events.count)
                merge(start, middle, end)
                start = end
            }
            swap(&events, &spare)
            width *= 2
        }
        spare.removeAll()
    }

    private mutating func merge(_ start: Int, _ middle: Int, _ end: Int) {
        var left = start
        var right = middle
        while left < middle && right < end {
            if events[right].order < events[left].order {
                spare.append(events[right])
                right += 1
            } else {
                spare.append(events[left])
                left += 1
            }
        }
        while left < middle {
            spare.append(events[left])
            left += 1
        }
        while right < end {
            spare.append(events[right])
            right += 1
        }
    }
}

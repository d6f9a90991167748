/// A 4-ary heap of events: the few that are pushed into the slot that is open already.
///
/// Tests use it as the oracle of the wheel, too.
@usableFromInline
package struct EventHeap: ~Copyable, Sendable {
    @usableFromInline var events = PlainArray<Event>()

    @inlinable
    package init() {}

    @inlinable package var count: Int { events.count }

    @inlinable package var isEmpty: Bool { events.isEmpty }

    /// The earliest event; there must be one.
    @inlinable package var first: Event { events[0] }

    @inlinable
    package mutating func push(_ event: Event) {
        events.append(event)
        var place = events.count - 1
        while place > 0 {
            let parent = (place - 1) / 4
            guard event.order < events[parent].order else { break }
            events[place] = events[parent]
            place = parent
        }
        events[place] = event
    }

    @inlinable
    package mutating func popFirst() -> Event {
        let result = events[0]
        let last = events.removeLast()
        let count = events.count
        guard count > 0 else { return result }
        // SAFETY: every place below is less than `count`, and nobody else has the events meanwhile.
        let base = unsafe events.base
        var place = 0
        while true {
            let firstChild = 4 &* place &+ 1
            guard firstChild < count else { break }
            var least = unsafe base + firstChild
            let end = unsafe base + min(firstChild &+ 4, count)
            var child = unsafe least + 1
            while unsafe child < end {
                if unsafe child.pointee.order < least.pointee.order { unsafe least = child }
                unsafe child += 1
            }
            guard unsafe least.pointee.order < last.order else { break }
            unsafe base[place] = least.pointee
            place = unsafe least - base
        }
        unsafe base[place] = last
        return result
    }
}

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
        guard !events.isEmpty else { return result }
        var place = 0
        while true {
            let firstChild = 4 * place + 1
            guard firstChild < events.count else { break }
            var least = firstChild
            for child in (firstChild + 1)..<max(firstChild + 1, min(firstChild + 4, events.count))
            where events[child].order < events[least].order { least = child }
            guard events[least].order < last.order else { break }
            events[place] = events[least]
            place = least
        }
        events[place] = last
        return result
    }
}

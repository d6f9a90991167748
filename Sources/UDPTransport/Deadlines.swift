package import Primitives

/// One deadline for each of many clients, and which of them is next.
///
/// A client's deadline moves with every packet, mostly to a later time. So what is kept in order is a time at which to
/// look at the client, never later than its deadline: a deadline that moves back is only written down, and found to
/// have moved when the old time has come.
package struct Deadlines: ~Copyable {
    /// By client; `Instant.never` where nothing is armed.
    private var deadlines: [Instant]
    /// A heap with four children to a node, ordered by the time to look and then by client.
    private var heap: [Entry] = []
    /// Where each client stands in the heap; -1 where it does not.
    private var places: [Int32]

    private struct Entry {
        var time: Instant
        var client: Int32
    }

    package init(count: Int) {
        deadlines = Array(repeating: .never, count: count)
        places = Array(repeating: -1, count: count)
    }

    /// How many clients there are.
    package var count: Int { deadlines.count }

    /// Makes room for more clients, numbered on from the last.
    package mutating func grow(to count: Int) {
        while deadlines.count < count {
            deadlines.append(.never)
            places.append(-1)
        }
    }

    /// When a client is due; `Instant.never` where it is not.
    package subscript(client: Int) -> Instant { deadlines[client] }

    /// Sets a client's deadline, whatever it was; `Instant.never` takes it away.
    package mutating func arm(_ client: Int, at deadline: Instant) {
        deadlines[client] = deadline
        let place = Int(places[client])
        if place < 0 {
            guard deadline != .never else { return }
            heap.append(Entry(time: deadline, client: Int32(client)))
            places[client] = Int32(heap.count - 1)
            moveUp(from: heap.count - 1)
        } else if deadline < heap[place].time {
            heap[place].time = deadline
            moveUp(from: place)
        }
    }

    package mutating func cancel(_ client: Int) { deadlines[client] = .never }

    /// The earliest deadline of all; `Instant.never` where nothing is armed.
    package mutating func earliest() -> Instant {
        settleFirst()
        return heap.first?.time ?? .never
    }

    /// Takes the next client that is due at a moment, and disarms it; nil when none is left.
    package mutating func popDue(at now: Instant) -> Int? {
        while let first = heap.first, first.time <= now {
            let client = Int(first.client)
            let deadline = deadlines[client]
            if deadline > first.time {
                settleFirst()
                continue
            }
            removeFirst()
            deadlines[client] = .never
            return client
        }
        return nil
    }

    /// Brings the first entry up to date until it tells a true deadline.
    private mutating func settleFirst() {
        while let first = heap.first {
            let deadline = deadlines[Int(first.client)]
            if deadline == first.time { return }
            if deadline == .never {
                removeFirst()
            } else {
                heap[0].time = deadline
                moveDown(from: 0)
            }
        }
    }

    private mutating func removeFirst() {
        places[Int(heap[0].client)] = -1
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        places[Int(last.client)] = 0
        moveDown(from: 0)
    }

    private mutating func moveUp(from start: Int) {
        let entry = heap[start]
        var place = start
        while place > 0 {
            let parent = (place - 1) / 4
            guard Self.precedes(entry, heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private mutating func moveDown(from start: Int) {
        let entry = heap[start]
        var place = start
        while true {
            let firstChild = 4 * place + 1
            guard firstChild < heap.count else { break }
            var least = firstChild
            for child in firstChild..<min(firstChild + 4, heap.count) where Self.precedes(heap[child], heap[least]) {
                least = child
            }
            guard Self.precedes(heap[least], entry) else { break }
            put(heap[least], at: place)
            place = least
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        places[Int(entry.client)] = Int32(place)
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.time < right.time || (left.time == right.time && left.client < right.client)
    }
}

import Primitives

/// Datagrams that the path model holds back, in the order in which they are due.
struct DelayedPackets: ~Copyable {
    struct Entry: Sendable {
        /// When it goes on.
        var due: Instant
        /// The order of what is due at the same time.
        fileprivate var number: UInt64
        /// Its client's place in the worker.
        var local: Int32
        /// The slot of its group that it leaves by, or that it came in by.
        var slot: Int32
        fileprivate var handle: UInt32
        var isOutgoing: Bool
    }

    private var heap: [Entry] = []
    private var store = PacketStore()
    private var count: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    /// When the next one is due; `.never` where none is.
    var earliest: Instant { heap.first?.due ?? .never }

    mutating func hold(
        _ octets: RawSpan,
        until due: Instant,
        local: Int,
        slot: Int,
        isOutgoing: Bool,
        from source: UDPEndpoint,
        to destination: UDPEndpoint
    ) {
        let handle = store.insert(octets, from: source, to: destination, isEncapsulated: false)
        count += 1
        heap.append(
            Entry(
                due: due,
                number: count,
                local: Int32(local),
                slot: Int32(slot),
                handle: handle,
                isOutgoing: isOutgoing
            )
        )
        moveUp(from: heap.count - 1)
    }

    /// The next one that is due at a moment; take its packet, and give it back with ``release(_:_:)``.
    mutating func popDue(at now: Instant) -> Entry? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            moveDown()
        }
        return first
    }

    mutating func take(_ entry: Entry) -> PacketStore.Packet { store.take(entry.handle) }

    mutating func release(_ entry: Entry, _ packet: consuming PacketStore.Packet) {
        store.release(entry.handle, packet)
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.due < right.due || (left.due == right.due && left.number < right.number)
    }

    private mutating func moveUp(from start: Int) {
        var place = start
        while place > 0, Self.precedes(heap[place], heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func moveDown() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if Self.precedes(heap[child], heap[least]) { least = child }
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}

import Primitives
import Simulation

/// What shards ask of something that they share, in the order of its time.
struct RequestQueue<Request>: ~Copyable {
    private let entity: UInt32
    private var events = EventQueue()
    private var requests = Slab<Request>()

    init(_ entity: UInt32) { self.entity = entity }

    var nextTime: Instant { events.nextTime }

    mutating func push(_ request: Request, _ order: EventOrder) {
        events.push(Event(order: order, target: entity, kind: 0, small: requests.insert(request)))
    }

    mutating func popNext(before limit: Instant) -> Request? {
        events.popNext(before: limit).map { requests.remove($0.small) }
    }
}

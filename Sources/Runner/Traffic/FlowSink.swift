import DequeModule
import ESP
import Primitives
import UDPTransport

/// The other end of one-way flows, behind a gateway in real time: it takes note of what comes, sends what is ordered,
/// and says nothing by itself.
///
/// Whoever sends decides how much there seems to be, so everything has an upper bound.
struct FlowSink<Peer: Hashable>: ~Copyable {
    private struct Key: Hashable {
        var peer: Peer
        var flow: UInt32
    }

    private struct Flow {
        let key: Key
        let since: Instant
        /// What has come and the sender does not know of yet; so many came before.
        var arrivals: Deque<FlowAnswer.Arrival> = []
        var knownCount: UInt64 = 0
        var overflowCount: UInt64 = 0
        /// Packets to send, by number from `nextNumber` on.
        var orders: Deque<FlowPoll.Order> = []
        var nextNumber: UInt64 = 1
        var lateness: UInt64 = 0
        var heardAt: Instant

        /// The number of the last packet that has been ordered.
        var ordered: UInt64 { nextNumber - 1 + UInt64(orders.count) }
    }

    /// A packet that is due.
    struct Packet {
        var peer: Peer
        var mark: FlowMark
        var byteCount: Int
    }

    private var places: [Key: Int] = [:]
    private var flows: [Flow] = []
    private var deadlines = Deadlines(count: 0)
    private var arrivalCount = 0
    private var orderCount = 0
    private let clock: MonotonicClock
    private let clockName: UInt64

    /// - Parameter clock: what all times here are of.
    init(clock: MonotonicClock) {
        self.clock = clock
        clockName = ClockName.own
    }

    /// When the next ordered packet is due.
    var due: Instant { mutating get { deadlines.earliest() } }

    /// Takes note of a packet that has come.
    mutating func take(_ mark: FlowMark, from peer: Peer, at now: Instant) {
        guard let place = place(of: Key(peer: peer, flow: mark.flow), at: now) else { return }
        guard arrivalCount < Self.mostArrivals, flows[place].arrivals.count < Self.mostArrivalsOfOne else {
            flows[place].overflowCount += 1
            return
        }
        arrivalCount += 1
        flows[place].arrivals.append(FlowAnswer.Arrival(number: mark.number, time: clock.systemTime(of: now)))
    }

    /// Answers a poll, in as many parts as it takes, up to a bound.
    mutating func answer(_ poll: FlowPoll, from peer: Peer, at now: Instant) -> [FlowAnswer] {
        guard let place = place(of: Key(peer: peer, flow: poll.flow), at: now) else { return [] }
        if poll.since == clock.systemTime(of: flows[place].since) { forgetKnown(poll.known, of: place) }
        order(poll, of: place, at: now)
        var answers: [FlowAnswer] = []
        var rest = flows[place].arrivals[...]
        repeat {
            answers.append(
                FlowAnswer(
                    flow: poll.flow,
                    since: clock.systemTime(of: flows[place].since),
                    pollSentAt: poll.sentAt,
                    pollCameAt: clock.systemTime(of: now),
                    clock: clockName,
                    ordered: flows[place].ordered,
                    lateness: flows[place].lateness,
                    overflowCount: flows[place].overflowCount,
                    firstArrival: flows[place].knownCount + UInt64(rest.startIndex),
                    arrivals: Array(rest.prefix(FlowAnswer.mostArrivals))
                )
            )
            rest = rest.dropFirst(FlowAnswer.mostArrivals)
        } while answers.count < Self.mostAnswers && !rest.isEmpty
        return answers
    }

    /// Takes a packet that is due, if there is one.
    mutating func takeDue(at now: Instant) -> Packet? {
        guard let place = deadlines.popDue(at: now), let order = flows[place].orders.popFirst() else { return nil }
        orderCount -= 1
        let number = flows[place].nextNumber
        flows[place].nextNumber += 1
        let late = now - clock.instant(systemTime: order.due)
        flows[place].lateness = max(flows[place].lateness, UInt64(max(late, .zero).nanoseconds))
        arm(place)
        let mark = FlowMark(flow: flows[place].key.flow, number: number, time: Instant(nanoseconds: order.due))
        return Packet(peer: flows[place].key.peer, mark: mark, byteCount: Int(order.byteCount))
    }

    /// Forgets the flows that nobody has asked about for a while, once there are many.
    mutating func prune(at now: Instant) {
        guard flows.count >= Self.mostFlows / 2 else { return }
        let kept = flows.filter { $0.heardAt + Self.patience > now }
        guard kept.count < flows.count else { return }
        flows = kept
        arrivalCount = kept.reduce(0) { $0 + $1.arrivals.count }
        orderCount = kept.reduce(0) { $0 + $1.orders.count }
        deadlines = Deadlines(count: kept.count)
        places.removeAll(keepingCapacity: true)
        for place in kept.indices {
            places[kept[place].key] = place
            arm(place)
        }
    }

    private mutating func place(of key: Key, at now: Instant) -> Int? {
        if let known = places[key] {
            flows[known].heardAt = now
            return known
        }
        guard flows.count < Self.mostFlows else { return nil }
        places[key] = flows.count
        flows.append(Flow(key: key, since: now, heardAt: now))
        deadlines.grow(to: flows.count)
        return flows.count - 1
    }

    private mutating func forgetKnown(_ known: UInt64, of place: Int) {
        guard known > flows[place].knownCount else { return }
        let count = min(Int(clamping: known - flows[place].knownCount), flows[place].arrivals.count)
        flows[place].arrivals.removeFirst(count)
        flows[place].knownCount += UInt64(count)
        arrivalCount -= count
    }

    /// Takes orders that follow those that there are; what was ordered before, or is too far away, is not taken again.
    /// Who has nothing left to send begins anew with whatever number comes.
    private mutating func order(_ poll: FlowPoll, of place: Int, at now: Instant) {
        for (offset, order) in poll.orders.enumerated() {
            let number = poll.firstOrder &+ UInt64(offset)
            guard number > flows[place].ordered, number < Self.highestNumber,
                Int(order.byteCount) <= Self.longestPacket,
                flows[place].orders.count < Self.mostOrdersOfOne, orderCount < Self.mostOrders,
                clock.instant(systemTime: order.due) < now + Self.patience
            else { continue }
            if flows[place].orders.isEmpty { flows[place].nextNumber = number }
            guard number == flows[place].ordered + 1 else { continue }
            flows[place].orders.append(order)
            orderCount += 1
        }
        arm(place)
    }

    private mutating func arm(_ place: Int) {
        deadlines.arm(place, at: flows[place].orders.first.map { clock.instant(systemTime: $0.due) } ?? .never)
    }

    private static var mostFlows: Int { 1_000_000 }
    /// Of all flows together: 64 MiB.
    private static var mostArrivals: Int { 4 << 20 }
    private static var mostArrivalsOfOne: Int { 1 << 18 }
    private static var mostOrders: Int { 4 << 20 }
    private static var mostOrdersOfOne: Int { 1 << 16 }
    /// No flow gets there, and there is room to count on.
    private static var highestNumber: UInt64 { 1 << 62 }
    /// What a workload may ask for: sealed and in UDP it fits a datagram by far.
    private static var longestPacket: Int { 9_000 }
    /// Answers to one poll.
    private static var mostAnswers: Int { 8 }
    private static var patience: Duration { .seconds(10) }
}

import DequeModule
import ESP
import Primitives

/// What a client of a live run knows of the other end of a one-way flow: what that end has said, and when to ask again.
///
/// Both ends count time for themselves. Where they do so by one clock, times are exact; else the difference is that of
/// the poll that was answered soonest, which is right to half of the time that its answer took (RFC 5905 section 8).
struct OneWayFlow {
    /// Since when the other end counts, and how many arrivals of those are known.
    private var since: UInt64 = 0
    private var known: UInt64 = 0
    /// When the other end is asked next; never while there is nothing to ask.
    var nextPoll = Instant.never
    /// When it was heard of last.
    private(set) var heardAt: Instant?
    /// How far its clock is ahead, and how far off that may be.
    private(set) var clock: (ahead: Int64, error: Duration)?
    /// What it has not said yet that it has been ordered, with its number and by our clock.
    private(set) var orders: Deque<(number: UInt64, due: UInt64, byteCount: UInt16)> = []
    private var ordered: UInt64 = 0
    private(set) var lateness = Duration.zero

    /// What an answer tells.
    struct News {
        var arrivals: [FlowAnswer.Arrival] = []
        /// Whether there is more to ask for at once.
        var hasMore = false
    }

    /// A packet is to be sent at the other end; what it has not taken on long after it was due is not asked for again.
    mutating func order(_ number: UInt64, due: UInt64, byteCount: Int, at now: UInt64) {
        let patience = UInt64(UnansweredPackets.patience.nanoseconds)
        while let first = orders.first, first.due + patience < now || orders.count >= Self.mostOrders {
            orders.removeFirst()
            ordered = first.number
        }
        orders.append((number, due, UInt16(clamping: byteCount)))
    }

    /// What to ask, and what to order beside it, from the n-th order on.
    func poll(of flow: UInt32, at now: UInt64, from first: Int = 0) -> FlowPoll {
        let ahead = clock?.ahead ?? 0
        let part = orders.dropFirst(first).prefix(FlowPoll.mostOrders)
        return FlowPoll(
            flow: flow,
            since: since,
            known: known,
            sentAt: now,
            firstOrder: part.first?.number ?? ordered + 1,
            orders: part.map {
                FlowPoll.Order(due: UInt64(bitPattern: Int64(bitPattern: $0.due) &+ ahead), byteCount: $0.byteCount)
            }
        )
    }

    /// Takes an answer; nothing where it is of no use any more.
    mutating func take(_ answer: FlowAnswer, from own: UInt64, at now: UInt64, _ moment: Instant) -> News {
        guard answer.pollSentAt <= now else { return News() }
        heardAt = moment
        if answer.since != since { (since, known) = (answer.since, 0) }
        measureClock(answer, from: own, at: now)
        lateness = max(lateness, .nanoseconds(Int64(clamping: answer.lateness)))
        while let first = orders.first, first.number <= answer.ordered {
            orders.removeFirst()
            ordered = first.number
        }
        // Parts come in any order: one before this has been lost, and is asked for again.
        guard answer.firstArrival <= known, answer.firstArrival + UInt64(answer.arrivals.count) > known else {
            return News()
        }
        let new = answer.arrivals.dropFirst(Int(known - answer.firstArrival))
        known += UInt64(new.count)
        let isFull = answer.arrivals.count == FlowAnswer.mostArrivals
        return News(
            arrivals: new.map {
                FlowAnswer.Arrival(
                    number: $0.number,
                    time: UInt64(bitPattern: Int64(bitPattern: $0.time) &- (clock?.ahead ?? 0))
                )
            },
            hasMore: isFull
        )
    }

    private mutating func measureClock(_ answer: FlowAnswer, from own: UInt64, at now: UInt64) {
        guard answer.clock != own else {
            clock = (0, .zero)
            return
        }
        let error = Duration.nanoseconds(Int64(clamping: (now - answer.pollSentAt) / 2))
        if let clock, clock.error <= error { return }
        let middle = Int64(bitPattern: answer.pollSentAt + (now - answer.pollSentAt) / 2)
        clock = (Int64(bitPattern: answer.pollCameAt) &- middle, error)
    }

    /// How long the other end is not asked for.
    static let interval = Duration.milliseconds(250)
    /// How long before its time a packet is ordered: so that an order that is lost is there with the next.
    static let lead = Duration.milliseconds(750)
    /// How long a packet is waited for beyond the time in which it may come: what has come is told later.
    static let reportPatience = Duration.seconds(1)
    /// Orders that wait to be taken on.
    private static let mostOrders = 1 << 16
    /// Polls that leave together.
    static let mostPolls = 8
}

package import Primitives

/// What a gateway's ESP packets wait for and what each takes, apart from the cores that do IKE.
package struct ESPPoolSettings: Hashable, Sendable {
    package var cores: Int
    /// How many packets may wait for a core.
    package var queuePackets: Int
    package var perPacket: Duration
    /// For each 1,000 octets, in proportion.
    package var perKilobyte: Duration

    package init(cores: Int, queuePackets: Int, perPacket: Duration, perKilobyte: Duration) {
        precondition(cores > 0, "a pool has a core")
        precondition(queuePackets > 0, "a queue has room for a packet")
        precondition(perPacket >= .zero && perKilobyte >= .zero, "no work takes less than no time")
        self.cores = cores
        self.queuePackets = queuePackets
        self.perPacket = perPacket
        self.perKilobyte = perKilobyte
    }

    /// What a packet of so many octets takes of a core, rounded down to a nanosecond.
    package func service(byteCount: UInt32) -> Duration { perPacket + perKilobyte * Int64(byteCount) / 1_000 }
}

/// The cores of a gateway that open and seal ESP packets: first come, first served, from one queue with an end.
///
/// What a packet takes is known when it comes, so its start and its end are, too: no event is needed for either.
struct ESPPool: Sendable {
    /// When a packet gets a core and when it is done with it.
    struct Span {
        let start: Instant
        let end: Instant
    }

    let settings: ESPPoolSettings
    /// When each core is free, as a heap: the first one is free first.
    private var freeAt: [Instant]
    /// When the packets that wait get a core, in their order; those before `firstWaiting` have got one.
    private var starts: [Instant] = []
    private var firstWaiting = 0
    /// When the last packet of each client left, by client and direction.
    private var leftAt: [Instant] = []
    /// When all work was lost last; what had come before that is lost with it.
    private(set) var resetAt = Instant.zero

    init(_ settings: ESPPoolSettings) {
        self.settings = settings
        freeAt = Array(repeating: .zero, count: settings.cores)
    }

    /// How many packets wait at a moment that is no earlier than the last one asked for.
    mutating func waitingCount(at now: Instant) -> Int {
        while firstWaiting < starts.count, starts[firstWaiting] <= now { firstWaiting += 1 }
        if firstWaiting == starts.count || firstWaiting >= 4_096 {
            starts.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return starts.count - firstWaiting
    }

    /// Takes a packet that comes now; nil where the queue is full. A packet for which a core is free does not wait.
    mutating func take(_ byteCount: UInt32, at now: Instant) -> Span? {
        let start = max(now, freeAt[0])
        if start > now {
            guard waitingCount(at: now) < settings.queuePackets else { return nil }
            starts.append(start)
        }
        let end = start + settings.service(byteCount: byteCount)
        occupyFirst(until: end)
        return Span(start: start, end: end)
    }

    /// The core that is free first is busy until then.
    private mutating func occupyFirst(until end: Instant) {
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < freeAt.count else { break }
            if child + 1 < freeAt.count, freeAt[child + 1] < freeAt[child] { child += 1 }
            guard freeAt[child] < end else { break }
            freeAt[place] = freeAt[child]
            place = child
        }
        freeAt[place] = end
    }

    /// When a packet that is done leaves: not before those of the same client and direction that came before it.
    mutating func leave(_ client: UInt32, isFromBehind: Bool, at end: Instant) -> Instant {
        let place = 2 * Int(client) + (isFromBehind ? 1 : 0)
        if leftAt.count <= place { leftAt += Array(repeating: .zero, count: 2 * (place + 1) - leftAt.count) }
        leftAt[place] = max(leftAt[place], end)
        return leftAt[place]
    }

    /// All work is lost at `now`.
    mutating func reset(at now: Instant) {
        for core in freeAt.indices { freeAt[core] = now }
        starts.removeAll(keepingCapacity: true)
        firstWaiting = 0
        for place in leftAt.indices { leftAt[place] = min(leftAt[place], now) }
        resetAt = now
    }
}

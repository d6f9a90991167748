import IKEv2
package import Primitives
package import Simulation

/// The serial part of a simulated gateway: its receive queue, its cores, its limits, its address pool, its clock.
///
/// Every unit of the gateway's work gets its time here, whoever starts it. A packet arrives, is admitted (or dropped,
/// or answered with a cookie demand), waits, and starts on the first free core; its end time is known then, and the
/// half in its home shard handles it F after that. What the half says about itself comes back as a report.
package struct FrontDesk: ~Copyable, SimulatedPart {
    package typealias Message = GatewayMessage

    package let settings: FrontDeskSettings
    /// Everything that the desk decided, in order.
    package internal(set) var digest = EntityDigest()
    package private(set) var log: WindowLog?
    package private(set) var excerpt: TraceExcerpt?
    package internal(set) var metrics = DeskMetrics()

    var events = EventQueue()
    var arrivals = Slab<PacketArrival>()
    var reports = Slab<HalfReport>()
    var packets = Slab<ESPArrival>()
    var halves = HalfTable()
    var fragments = FragmentTable()
    var queue = ReceiveQueue()
    var unknownSPIAnswers: AnswerLimit
    var cores: CPUCores
    var backend: Backend?
    var esp: ESPPool?
    var pools: AddressPools
    /// The places of the IPv6 addresses that records have, by the records' own; as long as the last one that has any.
    var ipv6Leases: [UInt32] = []
    var serviceTimes: RandomStream
    /// The time of the event that is being handled.
    var now = Instant.zero
    /// How many events and how many completions the desk has made: their places in the run's order.
    var eventCount: UInt64 = 0
    var completionCount: UInt64 = 0
    /// Until when cookies are demanded although the threshold is not reached any more.
    var cookiesUntil = Instant.zero
    /// A bit for each key exchange that IKE_SA_INIT may bring.
    let keyExchanges: UInt64
    /// Which restart is going on or comes next.
    var nextRestart = 0
    var isDown = false
    var boot: UInt32 = 0
    /// How often jobs were lost; the end of a job of an earlier epoch is no event.
    var epoch: UInt64 = 0

    package init(_ settings: FrontDeskSettings) {
        self.settings = settings
        log = settings.logLength.map { WindowLog(length: $0) }
        excerpt = settings.excerpt.map { TraceExcerpt(of: $0) }
        cores = CPUCores(count: settings.cores, serialShare: settings.serialShare)
        esp = settings.esp.map { ESPPool($0) }
        pools = AddressPools(settings.pool)
        unknownSPIAnswers = AnswerLimit(perSecond: settings.unknownSPIAnswers)
        serviceTimes = RandomStream(seed: settings.seed, entity: settings.name, purpose: .serviceTime)
        backend = settings.backend.map {
            Backend($0, latencies: RandomStream(seed: settings.seed, entity: settings.name, purpose: .backendLatency))
        }
        keyExchanges = settings.keyExchanges.reduce(0) { $0 | 1 << UInt64($1.place) }
        for (index, restart) in settings.restarts.restarts.enumerated() {
            push(.down, class: GatewayEventClass.restart, at: restart.down, small: UInt32(index))
            push(.up, class: GatewayEventClass.restart, at: restart.up, small: UInt32(index))
        }
    }

    package var nextTime: Instant { events.nextTime }

    /// How many halves are half-open and how many are established, as far as the desk has heard.
    package var halfOpenCount: Int { halves.halfOpenCount }

    package var activeSACount: Int { halves.activeCount }

    /// How many jobs wait, timers among them.
    package var queueLength: Int { queue.waitingCount }

    package var leasedAddressCount: Int { pools.usedCount }

    package mutating func accept(_ messages: [GatewayMessage]) {
        for message in messages {
            switch message {
            case .arrival(let arrival):
                let index = arrivals.insert(arrival)
                events.push(
                    Event(order: arrival.order, target: settings.entity, kind: Kind.arrival.rawValue, small: index)
                )
            case .report(let report):
                let index = reports.insert(report)
                events.push(
                    Event(order: report.order, target: settings.entity, kind: Kind.report.rawValue, small: index)
                )
            case .packet(let packet):
                let index = packets.insert(packet)
                events.push(
                    Event(order: packet.order, target: settings.entity, kind: Kind.packet.rawValue, small: index)
                )
            case .completion, .portRequest, .portGrant, .linkRequest, .linkGrant:
                preconditionFailure("a desk hears of packets and halves alone")
            }
        }
    }

    package mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        var handled = 0
        while let event = events.popNext(before: limit) {
            handled += 1
            now = event.time
            metrics.count(queue: queue.waitingCount, until: now)
            handle(event, &outbox)
            startJobs(&outbox)
            metrics.raisePeaks(
                queue: queue.waitingCount,
                halfOpen: halves.halfOpenCount,
                activeSAs: halves.activeCount
            )
        }
        return handled
    }

    private mutating func handle(_ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        switch Kind(rawValue: event.kind) {
        case .arrival: admit(arrivals.remove(event.small), &outbox)
        case .report: take(reports.remove(event.small))
        case .jobEnd:
            if event.first == epoch { finish(event.small, &outbox) }
        case .backendEnd:
            if event.first == epoch { finishBackend(event.small) }
        case .booking: lookAtTimer(of: SlotID(packed: event.first), booking: event.small)
        case .packet: admit(packets.remove(event.small), &outbox)
        case .down: goDown(&outbox)
        case .up: comeUp()
        case nil: preconditionFailure("a desk knows the kinds of its events")
        }
    }

    /// What happens to a desk.
    enum Kind: UInt16 {
        case arrival
        case report
        case jobEnd
        case booking
        case down
        case up
        case backendEnd
        case packet
    }

    /// Plans an event of the desk's own.
    mutating func push(_ kind: Kind, class: UInt8, at time: Instant, small: UInt32, first: UInt64 = 0) {
        let order = EventOrder(time: time, class: `class`, source: settings.entity, count: eventCount)
        eventCount += 1
        events.push(Event(order: order, target: settings.entity, kind: kind.rawValue, small: small, first: first))
    }

    /// What is written into the digest.
    enum Decision: UInt16 {
        case arrival
        case report
        case start
        case timer
        case lost
        case down
        case up
        case backend
        case esp
    }

    /// Writes a decision into the digest and the log.
    mutating func record(_ decision: Decision, _ first: UInt64, _ second: UInt64, _ third: UInt64 = 0) {
        let order = EventOrder(time: now, class: 0, source: settings.entity, count: digest.eventCount)
        digest.record(
            order,
            target: settings.entity,
            kind: decision.rawValue,
            first,
            second,
            third
        )
        log?.record(at: now, entity: settings.entity, digest)
        excerpt?.record(order, target: settings.entity, kind: decision.rawValue, digest)
    }
}

extension FrontDesk {
    /// What an excerpt's kind of decision is called; nil for a kind that no desk has.
    package static func name(ofDecision kind: UInt16) -> String? { Decision(rawValue: kind).map { "\($0)" } }
}

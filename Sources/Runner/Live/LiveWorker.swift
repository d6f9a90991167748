import BasicContainers
import Foundation
import IKECrypto
import IKEv2
import Load
import Primitives
import Simulation
import UDPTransport
import Workers
import Workload

/// One thread of a live run: its clients, its sockets, its time.
///
/// Built inside its own pinned thread; nothing in it is anybody else's.
struct LiveWorker: ~Copyable {
    let plan: LivePlan
    let number: Int
    let shared: LiveShared
    var clock = MonotonicClock()
    var clients = UniqueArray<LiveClient>()
    /// The client that each address of a group belongs to.
    var owners: [Owner: Int32] = [:]
    var deadlines: Deadlines
    var wire: WorkerSockets
    var turn: Turn
    var tally = ClientTally()
    /// The paths as they are at this moment, faults included.
    var links = UniqueArray<Link>()
    let behaviours: [NATBehaviour?]
    var delays = DelayedPackets()
    var faults: FaultClock
    var ceilings: Ceilings
    var lateness = Lateness()
    /// A packet that is being sealed or opened.
    var packetBuffer: [UInt8] = []
    /// When each datagram that waits in a batch was meant to leave, and whose it is.
    var unsent: [(intended: Instant, population: Int)] = []
    var touched: WorkerTouch
    var journal = LiveJournalPage()
    var nextArrival = 0
    var nextMove = 0
    var phase = LiveShared.Phase.load
    var drain = DrainState()
    /// The keys of the live IKE SAs, where the run has a folder.
    var keys: KeyJournal?
    /// Every input of the clients, where the run is recorded.
    var recorder: InputRecorder?
    /// Whether operations of several clients are carried out together.
    let gathersOperations: Bool
    var gathered = GatheredTurns()
    var lanes = LaneCounts()
    private var nextHandover = Instant.zero
    /// By fault: what the clients that it changes go by from then on.
    var plansAfter: [ClientPlan?] = []

    struct Owner: Hashable {
        var group: Int32
        var source: IPAddress
    }

    init(
        number: Int,
        plan: LivePlan,
        shared: LiveShared,
        allowance: Allowance,
        keys: consuming KeyJournal?,
        recorder: consuming InputRecorder?
    ) throws {
        let workload = plan.workload
        let wire = try WorkerSockets(
            allowance: allowance,
            wantsWellKnownPorts: number == 0
        )
        let library = plan.batchLibrary
        let cryptography = try Cryptography(
            backend: .openSSL,
            batchLibrary: library,
            seed: plan.secrets.material.rawSpan
        )
        gathersOperations = library == .cryptoMB
        self.number = number
        self.plan = plan
        self.shared = shared
        self.wire = wire
        self.keys = keys
        self.recorder = recorder
        turn = Turn(cryptography: cryptography)
        deadlines = Deadlines(count: plan.clients[number].count)
        for path in workload.paths { links.append(Link(path, seed: plan.seed)) }
        behaviours = workload.paths.map { $0.nat.map { NATBehaviour($0) } }
        faults = FaultClock(workload)
        ceilings = Ceilings(workload.safety, shareOf: plan.workerCount)
        touched = WorkerTouch(clients: plan.clients[number].count)
    }

    /// Opens the sockets, and puts the worker's clients behind them.
    mutating func addClients() throws {
        let plans = ClientPlan.all(of: plan.workload, plan.authentication, seed: plan.secrets.chance(seed: plan.seed))
        plansAfter = ClientPlan.afterRollovers(of: plan.workload, plan.authentication, plans)
        for values in plan.clients[number] {
            try add(values, plans[values.population])
        }
    }

    private mutating func add(_ values: LivePlan.ClientValues, _ clientPlan: ClientPlan) throws {
        let population = plan.workload.populations[values.population]
        let name = plan.name(of: values)
        let path = population.choosePath(seed: plan.seed, name: name)
        let target = plan.target(of: values)
        let (route, nat) = try way(of: values, on: path, to: target, name)
        let place = ClientPlace(
            number: UInt32(population.firstIdentity + values.number),
            index: values.index,
            entity: name,
            route: route,
            spiKey: plan.secrets.spiKey
        )
        owners[Owner(group: values.group, source: values.source)] = Int32(clients.count)
        clients.append(
            LiveClient(
                client: Client(place),
                plan: clientPlan,
                values: values,
                path: path,
                gateway: population.gateway,
                target: target,
                nat: nat,
                up: Flow(client: name, direction: .toGateway, over: links[path]),
                down: Flow(client: name, direction: .toClient, over: links[path]),
                traffic: traffic(of: values, clientPlan.policy)
            )
        )
    }
}

extension LiveWorker {
    /// The route of a client of these values on a path, and its NAT there.
    mutating func way(
        of values: LivePlan.ClientValues,
        on path: Int,
        to target: LiveTarget,
        _ name: UInt64
    ) throws(SocketError) -> (route: Route, nat: NAT?) {
        let isIPv4 = values.source.isIPv4
        let plainPort = try wire.port(group: values.group, slot: 0, isIPv4: isIPv4)
        let encapsulatedPort = try wire.port(group: values.group, slot: 1, isIPv4: isIPv4)
        guard behaviours[path] != nil, isIPv4 else {
            return (
                Route(target, from: values.source, plainPort: plainPort, encapsulatedPort: encapsulatedPort), nil
            )
        }
        let inner = LiveClient.innerAddress
        let nat = NAT(innerAddress: inner, outerAddress: values.source, seed: plan.seed, name: name)
        let (plain, encapsulated) = (LiveClient.plainPort, LiveClient.encapsulatedPort)
        return (Route(target, from: inner, plainPort: plain, encapsulatedPort: encapsulated), nat)
    }

    /// Works until the coordinator says stop, or everything is drained.
    mutating func run() throws {
        shared.reportReady()
        guard awaitStart() else { return finish() }
        var batch = try ReceiveBatch.gathering()
        while true {
            enter(max(phase, shared.phase))
            guard phase != .stop else { break }
            turn.now = clock.now
            applyFaults()
            admitArrivals()
            fireTimers()
            releaseDelayed()
            drainSome()
            carryOut()
            transmit()
            handOver()
            if phase == .drain, isDrained { break }
            letMoreCome()
            let readyCount = try wire.loop.wait(until: nextDue, clock: clock)
            for index in 0..<readyCount { try receive(wire.loop[index], &batch) }
            carryOut()
        }
        transmit()
        finish()
    }

    /// Sleeps for as long since the round began as the run may wait for fuller batches.
    private func letMoreCome() {
        guard plan.batchWait > .zero else { return }
        let left = turn.now + plan.batchWait - clock.now
        if left > .zero { usleep(UInt32(left.nanoseconds / 1_000)) }
    }

    private mutating func awaitStart() -> Bool {
        while shared.phase != .stop {
            if let clock = shared.clock {
                self.clock = clock
                return true
            }
            usleep(100)
        }
        return false
    }

    /// When there is something to do next without anything coming in.
    private var nextDue: Instant {
        mutating get {
            if hasBacklog { return .zero }
            var next = min(deadlines.earliest(), delays.earliest)
            next = min(next, min(faults.next, turn.now + Self.longestSleep))
            if nextMove < plan.moves[number].count { next = min(next, plan.moves[number][nextMove].at) }
            if phase == .load, nextArrival < plan.arrivals[number].count {
                next = min(next, plan.arrivals[number][nextArrival].at)
            }
            return next
        }
    }

    /// Whether more was due than one round takes.
    private var hasBacklog: Bool {
        mutating get { deadlines.earliest() <= turn.now || delays.earliest <= turn.now }
    }

    private mutating func admitArrivals() {
        guard phase == .load else { return }
        let arrivals = plan.arrivals[number]
        var room = Self.atOnce
        while nextArrival < arrivals.count, arrivals[nextArrival].at <= turn.now, room > 0 {
            let arrival = arrivals[nextArrival]
            nextArrival += 1
            room -= 1
            arrive(arrival)
        }
    }

    /// Does what is due, a bounded number at a time so that nothing has to wait long to be received.
    private mutating func fireTimers() {
        var room = Self.atOnce
        while room > 0 {
            let due = deadlines.earliest()
            guard due <= turn.now, let local = deadlines.popDue(at: turn.now) else { return }
            room -= 1
            noteTimer(lateFrom: due, local)
            advance(local, due: due)
        }
    }

    private mutating func releaseDelayed() {
        var room = 4 * Self.atOnce
        while room > 0, let entry = delays.popDue(at: turn.now) {
            room -= 1
            let packet = delays.take(entry)
            goOn(entry, packet)
            delays.release(entry, packet)
        }
    }

    private mutating func goOn(_ entry: DelayedPackets.Entry, _ packet: borrowing PacketStore.Packet) {
        let local = Int(entry.local)
        if entry.isOutgoing {
            let (source, destination) = (packet.source.address, packet.destination)
            depart(local, packet.slice, on: Int(entry.slot), from: source, to: destination, due: entry.due)
        } else {
            deliver(local, slot: Int(entry.slot), packet.octets, from: packet.source, due: entry.due)
        }
    }

    /// Hands all batches to the system, what is about to be known only here to the journal first.
    mutating func transmit() {
        guard !unsent.isEmpty else { return }
        wire.flush()
        let now = clock.now
        for datagram in unsent { noteSend(late: now - datagram.intended, datagram.population, at: now) }
        unsent.removeAll(keepingCapacity: true)
    }

    private mutating func handOver() {
        guard turn.now >= nextHandover else { return }
        nextHandover = turn.now + Self.handoverInterval
        shared.desks[number].leave(&tally)
        recording { recorder throws(LiveError) in try recorder.flush() }
        if !journal.isEmpty {
            shared.desks[number].journal.post(journal)
            journal = LiveJournalPage()
        }
    }

    private mutating func finish() {
        recordStates()
        let counters = wire.counters
        lateness.lostCount += counters.lost + counters.failed + wire.overflowCount
        if !journal.isEmpty { shared.desks[number].journal.post(journal) }
        let summary = summary(counters)
        // The coordinator takes tallies until every worker is done.
        while !shared.desks[number].leave(&tally) { usleep(200) }
        shared.desks[number].report { state in
            state.summary = summary
            state.isDone = true
        }
    }

    /// Clients that begin or go on in one round.
    private static var atOnce: Int { 32 }
    private static var longestSleep: Duration { .milliseconds(20) }
    private static var handoverInterval: Duration { .milliseconds(100) }
}

import IKEv2
import Load
import Primitives
import Synchronization
import UDPTransport
import Workers

/// What the workers of a live run and its coordinator say to each other.
final class LiveShared: Sendable {
    /// What the workers are to do; a phase never goes back.
    enum Phase: Int, Comparable, Sendable {
        /// Clients arrive, reconnect and serve their IKE SAs.
        case load
        /// Nobody begins anything new; IKE SAs are served, and reauthentications that have begun come to their end.
        case hold
        /// Every IKE SA is deleted.
        case drain
        /// Workers stop where they are.
        case stop

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private let phaseNumber = Atomic<Int>(Phase.load.rawValue)
    private let started = Mutex<MonotonicClock?>(nil)
    private let ready = Atomic<Int>(0)
    /// By worker.
    let desks: [WorkerDesk]

    init(workers: Int) {
        desks = (0..<workers).map { _ in WorkerDesk() }
    }

    var phase: Phase { Phase(rawValue: phaseNumber.load(ordering: .relaxed)) ?? .stop }

    func advance(to phase: Phase) {
        if phase > self.phase { phaseNumber.store(phase.rawValue, ordering: .relaxed) }
    }

    /// How many workers have built what they need.
    var readyCount: Int { ready.load(ordering: .acquiring) }

    func reportReady() { ready.wrappingAdd(1, ordering: .releasing) }

    /// Starts the run's time, once all workers are ready.
    func start(_ clock: MonotonicClock) { started.withLock { $0 = clock } }

    /// The run's time, once it has started.
    var clock: MonotonicClock? { started.withLock { $0 } }
}

/// Where one worker puts what the coordinator takes.
final class WorkerDesk: Sendable {
    private let tally = Mutex<ClientTally>(ClientTally())
    private let state = Mutex<State>(State())
    let journal = Mailbox<LiveJournalPage>()

    struct State: Sendable {
        /// Tallies that the coordinator has not taken yet.
        var isTallyFull = false
        var associations: [LiveAssociation]?
        var isDone = false
        var summary: WorkerSummary?
        /// Why the run has to end.
        var failure: LiveError?
    }

    init() {}

    /// Leaves what was counted, unless the last tally still lies here; then the worker goes on with its own.
    @discardableResult
    func leave(_ own: inout ClientTally) -> Bool {
        guard !state.withLock({ $0.isTallyFull }) else { return false }
        var handed = ClientTally()
        swap(&handed, &own)
        put(handed)
        state.withLock { $0.isTallyFull = true }
        return true
    }

    private func put(_ handed: consuming ClientTally) {
        var handed: ClientTally? = consume handed
        tally.withLock { kept in
            if let taken = handed.take() { kept = taken }
        }
    }

    /// Takes what the worker has left.
    func take(into collector: inout Collector) {
        guard state.withLock({ $0.isTallyFull }) else { return }
        tally.withLock { collector.take(&$0) }
        state.withLock { $0.isTallyFull = false }
    }

    func report(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    var current: State { state.withLock { $0 } }
}

/// What a worker keeps for the run's files until the coordinator takes it.
struct LiveJournalPage: Sendable {
    var events: [LiveEvent] = []
    var packets: [RunSinks.Packet] = []
    var keys: [RunSinks.Keys] = []
    var childKeys: [RunSinks.ChildKeys] = []

    var isEmpty: Bool { events.isEmpty && packets.isEmpty && keys.isEmpty && childKeys.isEmpty }
}

/// A life-cycle event of a client.
struct LiveEvent: Sendable {
    var time: Instant
    var client: UInt32
    var report: Report
}

extension RunSinks.Event {
    init(_ time: Instant, _ client: UInt32, _ report: Report) {
        self.init(time: time, client: client, isGateway: false, name: report.name, details: report.details)
    }
}

extension Report {
    /// The IKE SA whose keys there are from now on.
    ///
    /// Those of a rekeyed one may be derived before there is an IKE SA that holds them.
    var newKeys: IKESPIPair? {
        switch self {
        case .keysDerived(let spis), .ikeRekeyed(_, let spis, _, _): spis
        default: nil
        }
    }
}

import Foundation
import IKECrypto
import IKEv2
import Load
import Metrics
import Primitives
import Results
import UDPTransport
import Workers
import Workload

/// Starts the workers of a live run, watches over it, and brings it to its end.
final class LiveCoordinator {
    private let plan: LivePlan
    private let files: WorkerFiles
    private let options: LiveOptions
    private let sinks: RunSinks
    private let progress: (RunProgress) -> Void
    private let shared: LiveShared
    private var collector: Collector
    private var abort: RunRecord.SafetyAbort?
    private var interruption = RunRecord.Interruption.none
    private var clock = MonotonicClock()
    private var stopWhen: (borrowing Collector) -> Bool = { _ in false }
    private let conditions: AbortConditions

    /// - Parameter part: what the files of the run's workers are called.
    init(
        _ plan: LivePlan,
        part: String = "worker",
        options: LiveOptions,
        sinks: RunSinks,
        progress: @escaping (RunProgress) -> Void
    ) {
        files = WorkerFiles(folder: options.folder.map { LiveFolder($0) }, part: part, records: options.records)
        self.plan = plan
        self.options = options
        self.sinks = sinks
        self.progress = progress
        shared = LiveShared(workers: plan.workerCount)
        collector = Collector(plan.workload)
        conditions = AbortConditions(plan.workload)
    }

    /// - Parameter stopWhen: ends the load early, once it is true of what was counted so far.
    func run(
        allowance: Allowance,
        until stopWhen: @escaping (borrowing Collector) -> Bool = { _ in false }
    ) throws(LiveError) -> LiveResult {
        self.stopWhen = stopWhen
        let threads = try startWorkers(allowance)
        var failure: LiveError?
        do throws(LiveError) {
            try awaitWorkers()
            clock = MonotonicClock()
            sinks.started?(clock.epoch)
            shared.start(clock)
            do throws(LiveError) {
                try offerLoad()
                try holdStill()
            } catch {
                // What has gone wrong here is no reason to leave IKE SAs at the gateway.
                failure = error
            }
            drain()
            try checkWorkers()
        } catch {
            failure = failure ?? error
        }
        shared.advance(to: .stop)
        collectUntilDone()
        for thread in threads {
            // What stopped a worker says more than that one stopped.
            do { try thread.join() } catch { failure = Self.failure(of: error) }
        }
        if let failure { throw failure }
        return result()
    }

    private func startWorkers(_ allowance: Allowance) throws(LiveError) -> [PinnedThread] {
        var threads: [PinnedThread] = []
        do {
            let topology = try CPUTopology.current()
            // A worker for each core that there is gets one of its own; a single one is the scheduler's to place.
            let isPinned = plan.workerCount > 1
            for (number, cpu) in topology.place(workers: plan.workerCount, plan.placement).enumerated() {
                let (plan, shared, files) = (plan, shared, files)
                threads.append(
                    try PinnedThread(cpu: isPinned ? cpu.number : nil) {
                        defer { shared.desks[number].report { $0.isDone = true } }
                        var worker = try LiveWorker(
                            number: number,
                            plan: plan,
                            shared: shared,
                            allowance: allowance,
                            keys: files.keys(ofWorker: number),
                            recorder: files.recorder(ofWorker: number, clients: plan.clients[number].count)
                        )
                        try worker.addClients()
                        try worker.run()
                    }
                )
            }
            return threads
        } catch {
            shared.advance(to: .stop)
            for thread in threads { try? thread.join() }
            throw .system("a worker's thread cannot be started: \(error)")
        }
    }

    private static func failure(of error: any Error) -> LiveError {
        switch error {
        case let error as LiveError: error
        case let error as SocketError: .system("a worker's sockets fail: \(SystemError.text(error.number))")
        default: .system("a worker stopped: \(error)")
        }
    }

    private func awaitWorkers() throws(LiveError) {
        while shared.readyCount < plan.workerCount {
            if shared.desks.contains(where: { $0.current.isDone }) { throw .system("a worker could not be built") }
            usleep(500)
        }
    }

    private func offerLoad() throws(LiveError) {
        var nextSecond = Instant.zero + .seconds(1)
        while clock.now < plan.end {
            collect()
            try checkWorkers()
            if stopWhen(collector) || isInterrupted { return }
            if clock.now >= nextSecond {
                // Workers hand over what they counted ten times a second: a second is complete a little after its end.
                report(at: nextSecond)
                collector.seal(before: UInt32(clamping: Int(nextSecond.nanoseconds / 1_000_000_000) - 1))
                if isAborted(at: nextSecond) { return }
                nextSecond += .seconds(1)
            }
            usleep(5_000)
        }
    }

    /// Lets the SAs be looked at before they are deleted.
    private func holdStill() throws(LiveError) {
        guard let beforeDrain = options.beforeDrain, interruption == .none, abort == nil else { return }
        shared.advance(to: .hold)
        while !shared.desks.allSatisfy({ $0.current.associations != nil }) {
            collect()
            try checkWorkers()
            usleep(1_000)
        }
        beforeDrain(associations)
    }

    private var associations: [LiveAssociation] { shared.desks.flatMap { $0.current.associations ?? [] } }

    private func drain() {
        if abort != nil, !plan.workload.safety.onAbort.contains(.drain) { return }
        shared.advance(to: .drain)
        let limit = clock.now + options.drainLimit
        while !shared.desks.allSatisfy({ $0.current.isDone }), clock.now < limit {
            collect()
            if let interrupt = options.interrupt, interrupt.requestCount > 1 {
                interruption = .forced
                return
            }
            usleep(5_000)
        }
    }

    private var isInterrupted: Bool {
        guard let interrupt = options.interrupt, interrupt.requestCount > 0 else { return false }
        interruption = .drained
        return true
    }

    private func isAborted(at now: Instant) -> Bool {
        if files.folder?.isAbortRequested == true {
            abort = RunRecord.SafetyAbort(condition: "ikestorm abort", time: now)
        } else if let condition = conditions.firstTrue(at: now, collector) {
            abort = RunRecord.SafetyAbort(condition: "\(condition)", time: now)
        }
        return abort != nil
    }

    /// Throws what has gone wrong in a worker.
    private func checkWorkers() throws(LiveError) {
        for desk in shared.desks {
            let state = desk.current
            if let failure = state.failure { throw failure }
            if state.isDone, state.summary == nil { throw .system("a worker stopped before the run's end") }
        }
    }

    /// Takes what the workers have left; whatever has gone wrong, a worker ends only when everything is taken.
    private func collect() {
        for desk in shared.desks { desk.take(into: &collector) }
        var journal = LiveJournalPage()
        for desk in shared.desks {
            for page in desk.journal.takeAll() {
                journal.events += page.events
                journal.packets += page.packets
                journal.keys += page.keys
                journal.childKeys += page.childKeys
            }
        }
        write(journal)
    }

    private func collectUntilDone() {
        while true {
            let isDone = shared.desks.allSatisfy { $0.current.isDone }
            collect()
            if isDone { return }
            usleep(1_000)
        }
    }

    private func write(_ journal: LiveJournalPage) {
        if let event = sinks.event {
            for entry in journal.events.sorted(by: { ($0.time, $0.client) < ($1.time, $1.client) }) {
                event(RunSinks.Event(entry.time, entry.client, entry.report))
            }
        }
        if let keys = sinks.keys { for found in journal.keys { keys(found) } }
        if let childKeys = sinks.childKeys { for found in journal.childKeys { childKeys(found) } }
        if let packet = sinks.packet {
            for captured in journal.packets.sorted(by: { $0.time < $1.time }) { packet(captured) }
        }
    }

    private func report(at time: Instant) {
        let second = Int(time.nanoseconds / 1_000_000_000) - 1
        let latency = collector.handshakeLatency
        progress(
            RunProgress(
                time: time,
                duration: plan.workload.run.duration,
                offered: collector.total(.offered),
                established: collector.total(.established),
                failed: collector.total(.failed),
                up: collector.total(.up),
                wanted: collector.total(.wanted),
                childRekeys: collector.total(.childRekeyed),
                ikeRekeys: collector.total(.ikeRekeyed),
                retransmissions: collector.total(.retransmitted),
                offeredPerSecond: collector.count(.offered, inSecond: second),
                establishedPerSecond: collector.count(.established, inSecond: second),
                latency: latency
            )
        )
    }

    private func result() -> LiveResult {
        let summaries = shared.desks.compactMap { $0.current.summary }
        var lateness = Lateness()
        var lanes: LaneCounts? = plan.batchLibrary == .cryptoMB ? LaneCounts() : nil
        for summary in summaries {
            lateness.merge(summary.lateness)
            lanes?.add(summary.lanes)
        }
        let duration = min(clock.now, plan.end) - Instant.zero
        return LiveResult(
            measurements: collector.measurements(),
            series: collector.seriesTable(duration: duration),
            duration: duration,
            lateness: lateness,
            abort: abort,
            interruption: interruption,
            associations: associations,
            leftBehind: summaries.reduce(0) { $0 + $1.leftBehind },
            unanswered: summaries.reduce(0) { $0 + $1.unanswered },
            touched: LiveTouch(plan, summaries),
            faults: plan.workload.faults.filter { $0.isLive && .zero + $0.at < .zero + duration }.map(\.name),
            warnings: plan.warnings,
            lanes: lanes,
            epoch: clock.epoch
        )
    }
}

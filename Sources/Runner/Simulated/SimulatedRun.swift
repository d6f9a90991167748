import Foundation
import Gateway
package import IKECrypto
import IKEv2
import Load
package import Metrics
package import Primitives
package import Results
package import Simulation
package import Workers
package import Workload

/// How a simulated run is computed; nothing here changes what it comes to.
package struct SimulatedOptions: Sendable {
    package var seed: UInt64?
    package var workers = 1
    package var placement = Placement.spread
    package var crypto = Crypto.real
    /// Packets are kept for a capture.
    package var keepsPackets = false
    /// What computes public-key operations, where cryptography is real.
    package var library = PublicKeyLibrary.auto
    /// How many operations of waiting shards a worker gathers before it carries them out; with 1 no shard waits. nil
    /// for as many as suits the library.
    package var batchSize: Int?
    package var overrides = SimulationOverrides()
    /// Of this stretch every event is kept, and the run ends with it.
    package var excerpt: Range<Instant>?

    package init() {}

    /// Which cryptography is computed (`--crypto`).
    package enum Crypto: String, Sendable, CaseIterable {
        case real
        case modelled
    }

    /// Who computes what workers gather.
    package var batchLibrary: BatchLibrary { crypto == .real ? library.chosen : .openSSL }
}

/// What a run shows while it goes on.
package struct RunProgress: Sendable {
    package var time: Instant
    package var duration: Duration
    package var offered: Int64
    package var established: Int64
    package var failed: Int64
    package var up: Int64
    package var wanted: Int64
    package var childRekeys: Int64
    package var ikeRekeys: Int64
    package var retransmissions: Int64
    /// In the last second.
    package var offeredPerSecond: Int64
    package var establishedPerSecond: Int64
    /// Of all handshakes until now.
    package var latency: LatencyHistogram?

    package var share: Probability { Probability(time.nanoseconds, outOf: UInt64(duration.nanoseconds)) ?? .zero }
    package var p50: Duration? { latency?.percentile(thousandths: 50_000) }
    package var p99: Duration? { latency?.percentile(thousandths: 99_000) }
}

/// What a simulated run came to.
package struct SimulatedOutcome: Sendable {
    package var digest: String
    package var measurements: [Measurements]
    package var series: SeriesTable
    package var windows: Results.Host.Windows
    package var nodes: [Results.Host.Node]?
    package var windowLog: WindowLog
    package var excerpt: TraceExcerpt?
    /// How often operations were carried out together, and how many; nothing of it is the same in another run.
    package var batchCounts: BatchCounts
    /// Where somebody ended the run before its time: what it came to is then that of no whole run, and has no digest.
    package var interruptedAt: Instant?
    /// What broke an invariant that holds in every run, in words; empty when all held.
    package var violations: [String]
    /// Who has what its gateway has not, or the other way, although nothing is going on at either. Where a fault or a
    /// loss has just cut an exchange short that is as it should be; long after the last one, it is not.
    package var oneSided: [OneSidedClient]
}

/// Runs a workload in virtual time.
package final class SimulatedRun {
    private let plan: SimulationPlan
    private let workers: Int
    private let placement: Placement
    private let batchSize: Int
    private var collector: Collector
    private var sinks: RunSinks
    private var findings = RunFindings()
    private var progress: (RunProgress) -> Void = { _ in }
    private var interruptedAt: Instant?
    private let end: Instant

    package init(_ workload: Workload, options: SimulatedOptions, sinks: RunSinks = RunSinks()) {
        var plan = SimulationPlan(
            workload,
            seed: options.seed ?? workload.seed,
            crypto: options.crypto == .real ? .real : .modelled,
            overrides: options.overrides
        )
        plan.keepsPackets = sinks.packet != nil
        plan.keepsEvents = sinks.event != nil
        plan.excerpt = options.excerpt
        let library = options.batchLibrary
        let batchSize = max(1, options.batchSize ?? library.batchSize)
        plan.batchLibrary = library
        plan.gathersOperations = batchSize > 1
        self.plan = plan
        self.sinks = sinks
        workers = max(1, options.workers)
        placement = options.placement
        self.batchSize = batchSize
        collector = Collector(workload)
        end = min(plan.end, options.excerpt?.upperBound ?? plan.end)
    }

    /// Runs to the end, or to the next whole second once there is an interrupt; `progress` is called once per second of
    /// virtual time.
    ///
    /// - Throws: `WorkerError` when a worker's thread cannot be started.
    package func run(
        interrupt: Interrupt = Interrupt(),
        progress: @escaping (RunProgress) -> Void = { _ in }
    ) throws -> SimulatedOutcome {
        self.progress = progress
        let plan = plan
        let terms = (0..<workers).map { _ in ShardTerms(plan) }
        let simulator = Simulator<RunPart>(
            partCount: plan.partCount,
            window: plan.window,
            workers: workers,
            batchSize: batchSize,
            firstCheckpoint: min(.zero + .seconds(1), end),
            atCheckpoint: { [unowned self] simulator, time in
                self.collect(simulator, at: time)
                guard time < self.end else { return nil }
                guard interrupt.requestCount == 0 else {
                    self.interruptedAt = time
                    return nil
                }
                return min(time + .seconds(1), self.end)
            },
            makePart: { RunPart(index: $0, plan: plan, terms: terms[$0 % terms.count]) }
        )
        let driver = RoundDriver(workers: workers, topology: try CPUTopology.current(), placement: placement)
        let atBarriers = try driver.drive(SimulationRounds(simulator))
        let nodes = nodes(simulator, driver)
        var outcome = outcome(simulator, atBarriers: .nanoseconds(Int64(atBarriers)))
        outcome.nodes = nodes
        return outcome
    }

    /// Where the workers were and their memory is; nil where one alone was not placed, or the kernel does not say.
    private func nodes(_ simulator: Simulator<RunPart>, _ driver: RoundDriver) -> [Results.Host.Node]? {
        guard workers > 1 else { return nil }
        let bytes = Results.Host.memoryBytesByNode()
        guard !bytes.isEmpty else { return nil }
        let homes = driver.topology.place(workers: workers, placement).map(\.node)
        var nodes: [Int: Results.Host.Node] = [:]
        for number in Set(driver.topology.allowed.map(\.node)).union(bytes.keys) {
            nodes[number] = Results.Host.Node(
                number: number,
                workers: homes.count { $0 == number },
                memoryBytes: bytes[number] ?? 0
            )
        }
        for part in 0..<plan.shardCount {
            let home = homes[part % workers]
            let places = simulator.withPart(part) { $0.shard?.places(atMost: 256) ?? [] }
            guard let found = memoryNodes(of: places) else { return nil }
            nodes[home]?.places += found.count
            nodes[home]?.placesHere += found.count { $0 == home }
        }
        return nodes.values.sorted { $0.number < $1.number }
    }

    /// Takes what all shards have counted since the last checkpoint, in the order of the shards.
    private func collect(_ simulator: Simulator<RunPart>, at time: Instant) {
        var journals: [ShardJournal.Entry] = []
        var packets: [ShardJournal.CapturedPacket] = []
        var keys: [CapturedKeys] = []
        var childKeys: [CapturedChildKeys] = []
        for part in 0..<plan.shardCount {
            simulator.withPart(part) { part in
                if time >= end { part.shard?.finishMeasuring(at: time) }
                part.shard?.hand(to: &collector, &journals, &packets, &keys, &childKeys)
            }
        }
        sinks.write(&journals)
        sinks.write(&keys)
        sinks.write(&childKeys)
        sinks.write(&packets)
        let second = Int(time.nanoseconds / 1_000_000_000) - 1
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
                latency: collector.handshakeLatency
            )
        )
    }

    /// Every attempt has succeeded, has failed with a reason, or is under way.
    private func checkConservation(underWay: Int64) {
        guard plan.workload.run.warmUp == .zero else { return }
        let ended = collector.total(.established) + collector.total(.failed)
        if collector.total(.offered) != ended + underWay {
            findings.violations.append(
                "\(collector.total(.offered)) attempts, but \(ended) ended and \(underWay) under way"
            )
        }
    }

    private func outcome(_ simulator: Simulator<RunPart>, atBarriers: Duration) -> SimulatedOutcome {
        // Behind the front desks are the faults, which have no digest, and then what is shared, if anything is.
        let sharedCount = plan.sharedNATs.count + plan.sharedLinks.count
        let further = sharedCount == 0 ? 0 : 1 + sharedCount
        let entityCount = Int(plan.entityCount) + plan.gatewayCount + further
        var digests = [EntityDigest](repeating: EntityDigest(), count: entityCount)
        var log = WindowLog(length: SimulationPlan.logLength)
        var excerpt = plan.excerpt.map { TraceExcerpt(of: $0) }
        var underWay: Int64 = 0
        var desks: [DeskSeries] = []
        for index in 0..<plan.partCount {
            simulator.withPart(index) { part in
                if index < plan.shardCount {
                    if let own = part.shard?.excerpt { excerpt?.merge(own) }
                    underWay += part.shard?.close(&digests, &log, &findings) ?? 0
                } else if let digest = part.sharedNAT?.digest {
                    digests[Int(plan.sharedNATEntity(index - plan.shardCount - plan.gatewayCount))] = digest
                    if let natLog = part.sharedNAT?.log { log.merge(natLog) }
                } else if let digest = part.sharedLink?.digest {
                    digests[Int(plan.sharedLinkEntity(index - plan.firstSharedLinkPart))] = digest
                    if let linkLog = part.sharedLink?.log { log.merge(linkLog) }
                } else if let digest = part.desk?.digest {
                    digests[Int(plan.deskEntity(index - plan.shardCount))] = digest
                    let gateway = plan.workload.gateways[index - plan.shardCount]
                    if let simulated = gateway.simulated, let metrics = part.desk?.metrics {
                        desks.append(
                            DeskSeries(
                                name: gateway.name,
                                cores: simulated.cores,
                                pool: simulated.esp,
                                metrics: metrics
                            )
                        )
                    }
                    if let deskLog = part.desk?.log { log.merge(deskLog) }
                    if let own = part.desk?.excerpt { excerpt?.merge(own) }
                }
            }
        }
        checkConservation(underWay: underWay)
        var digest = RunDigest()
        for (entity, own) in digests.enumerated() { digest.add(own, of: UInt32(entity)) }
        let duration = interruptedAt.map { $0 - .zero } ?? plan.workload.run.duration
        var series = collector.seriesTable(duration: duration)
        for desk in desks { series.columns += desk.columns(series.interval, duration: duration) }
        return SimulatedOutcome(
            digest: digest.description,
            measurements: collector.measurements(),
            series: series,
            windows: Results.Host.Windows(
                count: simulator.windowCounts.windows,
                events: simulator.windowCounts.events,
                busiestPartEvents: simulator.windowCounts.busiestPartEvents,
                atBarriers: atBarriers
            ),
            windowLog: log,
            excerpt: excerpt,
            batchCounts: simulator.batchCounts,
            interruptedAt: interruptedAt,
            violations: findings.violations,
            oneSided: findings.oneSided
        )
    }
}

/// Joins the simulator to the workers, which know nothing of each other.
private final class SimulationRounds: RoundWork {
    private let simulator: Simulator<RunPart>

    init(_ simulator: Simulator<RunPart>) { self.simulator = simulator }

    var partCount: Int { simulator.partCount }
    func build(part: Int) { simulator.build(part: part) }
    func nextRound() -> Bool { simulator.nextRound() }
    func run(part: Int, worker: Int) { simulator.run(part: part, worker: worker) }
    func finishRound(worker: Int) { simulator.finishRound(worker: worker) }
}

import Metrics
import Primitives
package import Results
package import Workload

/// A workload as a command runs it: the file with `--set` and `--seed` in their places.
package struct PreparedWorkload: Sendable {
    package let path: String
    package private(set) var overrides: [String]
    package var workload: Workload
    /// What `check` warns of, with file, line and column.
    package private(set) var warnings: [String]

    package init(path: String, overrides: [String] = [], seed: UInt64? = nil) throws(JobFailure) {
        let loaded: Workload
        do throws(WorkloadErrors) {
            loaded = try Workload.load(path, overrides: overrides)
        } catch {
            throw JobFailure(error)
        }
        try self.init(loaded, path: path, overrides: overrides)
        guard let seed else { return }
        guard seed <= Self.largestSeed else {
            throw JobFailure(.usage, "error: --seed \(seed) is too large; the most is \(Self.largestSeed)")
        }
        self.workload.seed = seed
    }

    /// A workload that is no file: `path` says where its text comes from.
    init(text: String, path: String) throws(JobFailure) {
        let workload: Workload
        do throws(WorkloadErrors) {
            workload = try WorkloadFile(text: text, path: path).validated()
        } catch {
            throw JobFailure(error)
        }
        try self.init(workload, path: path, overrides: [])
    }

    private init(_ workload: Workload, path: String, overrides: [String]) throws(JobFailure) {
        do throws(AuthenticationProblem) {
            _ = try AuthenticationMaterial(workload)
        } catch {
            throw JobFailure(.badWorkload, "\(path): error: \(error.text)")
        }
        self.workload = workload
        self.path = path
        self.overrides = overrides
        warnings = workload.warnings().map(\.description)
    }

    /// What a workload's `seed` can be at most, so that a run's own workload.yaml can be run.
    static var largestSeed: UInt64 { UInt64(Int64.max) }

    /// The command that repeats the run: without what changes nothing, as `--workers` and `--crypto` do.
    package var command: [String] {
        ["ikestorm", "run", path, "--seed", String(workload.seed)] + overrides.flatMap { ["--set", $0] }
    }
}

extension PreparedWorkload {
    /// One of its replications, counted from 0, as a run of its own that its command repeats.
    ///
    /// The first one has the run's seed. The others' follow from it, each by its index, whatever their number.
    package func replication(_ index: Int) -> PreparedWorkload {
        var one = self
        one.overrides = overrides.filter { !$0.hasPrefix("run.replications=") } + ["run.replications=1"]
        one.workload.run.replications = 1
        if index > 0 {
            var stream = RandomStream(seed: workload.seed, entity: UInt64(index), purpose: .replication)
            one.workload.seed = stream.next() & Self.largestSeed
        }
        return one
    }

    /// The same as one run in real time, where nothing is repeated.
    var asOneRun: PreparedWorkload {
        guard workload.run.replications > 1 else { return self }
        var one = self
        one.workload.run.replications = 1
        one.warnings.append(
            "\(path): warning: run.replications is \(workload.run.replications), but a run in real time is one run"
        )
        return one
    }
}

extension RunRecord {
    /// What is known of a run before it begins; the measurements come with its end.
    package init(_ prepared: PreparedWorkload, mode: Mode, host: Host) {
        let workload = prepared.workload
        self.init(
            name: workload.name,
            mode: mode,
            seed: workload.seed,
            version: IkestormVersion.text,
            digest: nil,
            workloadHash: Self.hash(of: workload.resolved()),
            command: prepared.command,
            duration: workload.run.duration,
            plannedDuration: workload.run.duration,
            host: host
        )
        warmUp = workload.run.warmUp
        populations = workload.populations.map { Population(name: $0.name, clients: UInt64($0.count)) }
        flows = workload.flows.map { flow in
            Flow(name: flow.name, population: workload.populations[workload.traffic[flow.traffic].population].name)
        }
        faults = workload.faults.map { fault in
            Fault(name: fault.name, kind: fault.effect.kind, start: .zero + fault.at, end: .zero + fault.end)
        }
        if mode == .simulated {
            costTables = workload.gateways.compactMap { gateway in
                gateway.simulated.map {
                    CostTable(gateway: gateway.name, name: $0.costs.name, hash: $0.costs.fingerprint)
                }
            }
        }
        warnings = prepared.warnings
    }

    /// Divides the memory that the run has taken among the tunnels that were up at once.
    ///
    /// - Parameter before: the most that the process had held when the run began.
    mutating func shareMemory(since before: UInt64) {
        let column = series.columns.first { $0.name == .gauge(.tunnelsUp) && $0.subject == nil }
        let most = column?.values.compactMap(\.self).max() ?? 0
        guard most > 0, host.memoryBytes > before else { return }
        host.bytesPerTunnel = (host.memoryBytes - before) / most
    }

    /// Divides what the run has computed among the tunnels that came to be, and among the packets that were due in
    /// them.
    mutating func shareCPU() {
        guard let cpu = host.cpu?.nanoseconds else { return }
        // From the run's start on, whatever the expectations leave out.
        func total(_ metric: MetricName) -> Int64 {
            let column = series.columns.first { $0.name == .counter(metric) && $0.subject == nil }
            return Int64(clamping: (column?.values ?? []).reduce(0) { $0 + ($1 ?? 0) })
        }
        let (tunnels, packets) = (total(.handshakeEstablished), total(.trafficOffered))
        if tunnels > 0 { host.cpuPerTunnel = .nanoseconds(cpu / tunnels) }
        if packets > 0 { host.cpuPerPacket = .nanoseconds(cpu / packets) }
    }

    private static func hash(of text: String) -> String {
        let digits = String(StableName.hash(of: text), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Workload.Fault.Effect {
    /// The kind as the workload writes it.
    var kind: String {
        switch self {
        case .lossBurst: "loss-burst"
        case .pathDown: "path-down"
        case .natFlush: "nat-flush"
        case .natRebind: "nat-rebind"
        case .move: "move"
        case .gatewayRestart: "restart"
        case .radiusOutage: "radius-outage"
        case .certificateRollover: "certificate-rollover"
        case .replay: "replay"
        }
    }
}

package import Primitives

/// Everything that a run ended with, as plain values: what the reports, the verdict and the run folder are made of.
///
/// Except for `host`, it is a function of (workload, seed, version) in a simulated run: what depends on the machine,
/// the number of workers or the wall clock belongs into `host`, and nowhere else.
package struct RunRecord: Hashable, Sendable {
    package var name: String
    package var mode: Mode
    package var seed: UInt64
    /// The version of ikestorm.
    package var version: String
    /// The run's digest with its own version, such as `1:9f3c…`; nil in a live run, which cannot be repeated exactly.
    package var digest: String?
    /// The hash of the resolved workload.
    package var workloadHash: String
    package var costTables: [CostTable] = []
    /// The words of the command that repeats the run, `ikestorm` first; without `--workers`, which changes nothing.
    package var command: [String]
    /// How long the run was, in its own time.
    package var duration: Duration
    /// How long the workload wanted it to be.
    package var plannedDuration: Duration
    /// What happened before this is not measured.
    package var warmUp: Duration = .zero
    package var populations: [Population] = []
    /// What flows through their tunnels: each traffic, and each of its ways where it has both.
    package var flows: [Flow] = []
    /// At least one for everything, one for each population and one for each flow, all from the end of the warm-up.
    package var measurements: [Measurements] = []
    package var series = SeriesTable()
    package var faults: [Fault] = []
    package var generator: GeneratorJudgement = .valid
    package var abort: SafetyAbort?
    package var interruption: Interruption = .none
    package var warnings: [String] = []
    package var host: Host

    package init(
        name: String,
        mode: Mode,
        seed: UInt64,
        version: String,
        digest: String?,
        workloadHash: String,
        command: [String],
        duration: Duration,
        plannedDuration: Duration,
        host: Host
    ) {
        self.name = name
        self.mode = mode
        self.seed = seed
        self.version = version
        self.digest = digest
        self.workloadHash = workloadHash
        self.command = command
        self.duration = duration
        self.plannedDuration = plannedDuration
        self.host = host
    }
}

extension RunRecord {
    /// Which world the run was in.
    package enum Mode: String, CaseIterable, Hashable, Sendable {
        case simulated
        case live
    }

    package struct Population: Hashable, Sendable {
        package var name: String
        package var clients: UInt64

        package init(name: String, clients: UInt64) {
            self.name = name
            self.clients = clients
        }
    }

    package struct Flow: Hashable, Sendable {
        /// `calls`, `calls/up`, `calls/down`.
        package var name: String
        /// Through whose tunnels it flows.
        package var population: String

        package init(name: String, population: String) {
            self.name = name
            self.population = population
        }
    }

    /// The prices that a simulated gateway charged.
    package struct CostTable: Hashable, Sendable {
        package var gateway: String
        /// The file as the workload names it, or the model's own name.
        package var name: String
        package var hash: String

        package init(gateway: String, name: String, hash: String) {
            self.gateway = gateway
            self.name = name
            self.hash = hash
        }
    }

    package struct Fault: Hashable, Sendable {
        package var name: String
        /// The kind as the workload writes it, such as `path-down`.
        package var kind: String
        package var start: Instant
        /// When it was over and recovery could begin; the start for what takes no time.
        package var end: Instant

        package init(name: String, kind: String, start: Instant, end: Instant) {
            self.name = name
            self.kind = kind
            self.start = start
            self.end = end
        }
    }

    /// What the generator's lateness means for the figures. A simulated run is always valid.
    package enum GeneratorJudgement: Hashable, Sendable {
        case valid
        /// Late enough to show in the figures.
        case degraded(String)
        /// So late that the offered load was another one.
        case invalid(String)
    }

    /// An `abort-when` of the workload's `safety` that came true.
    package struct SafetyAbort: Hashable, Sendable {
        package var condition: String
        package var time: Instant

        package init(condition: String, time: Instant) {
            self.condition = condition
            self.time = time
        }
    }

    package enum Interruption: String, CaseIterable, Hashable, Sendable {
        case none
        /// The first Ctrl-C: every SA was deleted before the end.
        case drained
        /// The second one: the run stopped where it stood.
        case forced
    }
}

extension RunRecord {
    /// The measurements of a scope, if the run kept them.
    package func measurements(in scope: MeasurementScope) -> Measurements? {
        measurements.first { $0.scope == scope }
    }

    /// The measurements of the whole run behind the warm-up, of one population or of all.
    package func measurements(of population: String? = nil) -> Measurements {
        let scope = MeasurementScope(population: population)
        return measurements(in: scope) ?? Measurements(scope: scope, start: .zero + warmUp)
    }

    /// The measurements of one flow behind the warm-up.
    package func measurements(ofFlow flow: String) -> Measurements {
        let scope = MeasurementScope(flow: flow)
        return measurements(in: scope) ?? Measurements(scope: scope, start: .zero + warmUp)
    }

    package func fault(named name: String) -> Fault? { faults.first { $0.name == name } }
}

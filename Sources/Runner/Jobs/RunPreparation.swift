import Primitives
package import Results
package import Workload

/// A workload as a command runs it: the file with `--set` and `--seed` in their places.
package struct PreparedWorkload: Sendable {
    package let path: String
    package let overrides: [String]
    package var workload: Workload
    /// What `check` warns of, with file, line and column.
    package let warnings: [String]

    package init(path: String, overrides: [String] = [], seed: UInt64? = nil) throws(JobFailure) {
        do throws(WorkloadErrors) {
            workload = try Workload.load(path, overrides: overrides)
        } catch {
            throw JobFailure(error)
        }
        self.path = path
        self.overrides = overrides
        warnings = workload.warnings().map(\.description)
        if let seed { workload.seed = seed }
    }

    /// The command that repeats the run: without what changes nothing, as `--workers` and `--crypto` do.
    package var command: [String] {
        ["ikestorm", "run", path, "--seed", String(workload.seed)] + overrides.flatMap { ["--set", $0] }
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
        case .gatewayRestart: "restart"
        }
    }
}

/// A run as a comparison reads it.
package struct ComparedRun: Hashable, Sendable {
    /// Its folder, or its `result.json`.
    package var path: String
    package var result: RunResult
    /// The lines of its `workload.yaml` without its seed; nil where the file is not beside the result.
    package var workload: [String]?

    package init(path: String, result: RunResult, workload: [String]?) {
        self.path = path
        self.result = result
        self.workload = workload
    }

    /// Why a live run's figures are those of another load, or of half a run; nil where they can be compared.
    var defect: String? {
        let record = result.record
        switch record.interruption {
        case .forced: return "it was interrupted by force"
        case .drained where record.abort == nil: return "it was interrupted"
        case .drained, .none: break
        }
        if let abort = record.abort { return "safety ended it at \(Humane.clock(abort.time)) by \(abort.condition)" }
        switch record.generator {
        case .valid: return nil
        case .degraded(let reason): return "the generator was late: \(reason)"
        case .invalid(let reason): return "the generator was too late: \(reason)"
        }
    }
}

/// What is compared with another: a run, or several of one workload.
package struct ComparedSide: Sendable {
    /// As the user named it.
    package let name: String
    package let runs: [ComparedRun]
    /// Runs of real time whose figures count.
    package let usable: [ComparedRun]
    /// The others, and why.
    package let leftOut: [LeftOut]
    /// What its own runs have different.
    private let notes: [String]

    package struct LeftOut: Hashable, Sendable {
        package var path: String
        package var reason: String
        /// Whether safety ended it, which may be the gateway's doing.
        package var isAbort: Bool
    }

    package var mode: RunRecord.Mode { runs[0].result.record.mode }
    /// The first run stands for all in what all have in common.
    package var record: RunRecord { runs[0].result.record }

    /// - Throws: ``ResultError`` where the runs are none of one workload, or no basis for a comparison.
    package init(name: String, runs: [ComparedRun]) throws(ResultError) {
        precondition(!runs.isEmpty, "a side has a run")
        self.name = name
        self.runs = runs
        if runs[0].result.record.mode == .simulated {
            usable = runs
            leftOut = []
        } else {
            usable = runs.filter { $0.defect == nil }
            leftOut = runs.compactMap { run in
                let isAbort = run.result.record.abort != nil
                return run.defect.map { LeftOut(path: run.path, reason: $0, isAbort: isAbort) }
            }
        }
        notes = try Self.checked(runs, name)
    }

    private static func checked(_ runs: [ComparedRun], _ name: String) throws(ResultError) -> [String] {
        var notes: [String] = []
        var seeds: Set<UInt64> = []
        for run in runs {
            let differences = try runs[0].differences(from: run, across: [])
            notes += differences.filter { !notes.contains($0) }
            guard run.result.record.mode == .simulated else { continue }
            guard run.result.record.interruption == .none else {
                throw ResultError(file: run.path, problem: "it was interrupted: only whole runs can be compared")
            }
            let seed = run.result.record.seed
            guard seeds.insert(seed).inserted else {
                throw ResultError(
                    file: name,
                    problem: "two of its runs have the seed \(seed), and \(run.path) is one of them: name either"
                )
            }
        }
        return notes
    }

    /// What makes a comparison with another side say less than it seems to.
    ///
    /// - Throws: ``ResultError`` where it would say nothing of the gateway, and the user has not said that it is
    ///   wanted.
    func differences(
        from other: ComparedSide,
        across: Set<ComparisonTerms.Difference>
    ) throws(ResultError) -> [String] {
        var notes = try runs[0].differences(from: other.runs[0], across: across)
        for side in [self, other] {
            notes += side.notes.map { "within \(side.name) \($0)" }
            notes += side.leftOut.map { "\($0.path) is left out: \($0.reason)" }
        }
        if mode == .live, let note = orderNote(with: other) { notes.append(note) }
        return notes
    }

    /// Runs that take turns share whatever the machine goes through.
    private func orderNote(with other: ComparedSide) -> String? {
        let starts = [self, other].map { side in side.usable.map(\.result.record.host.startedAt).sorted() }
        guard let first = starts[0].first, let last = starts[0].last, let start = starts[1].first,
            let end = starts[1].last, last < start || end < first
        else { return nil }
        let (earlier, later) = last < start ? (name, other.name) : (other.name, name)
        return "every run of \(earlier) was before those of \(later): what else has changed meanwhile cannot be told "
            + "from the gateway's doing; let the sides take turns"
    }
}

extension ComparedRun {
    /// The same of two runs.
    func differences(
        from other: ComparedRun,
        across: Set<ComparisonTerms.Difference>
    ) throws(ResultError) -> [String] {
        let (ours, theirs) = (result.record, other.result.record)
        func refuse(_ problem: String) -> ResultError {
            ResultError(file: "\(path) and \(other.path)", problem: problem)
        }
        guard ours.mode == theirs.mode else {
            throw refuse(
                "one is \(ours.mode.rawValue), the other \(theirs.mode.rawValue): `ikestorm calibrate --predict` compares "
                    + "what a simulation predicts with what a gateway does"
            )
        }
        var notes: [String] = []
        if let difference = workloadDifference(from: other) {
            guard across.contains(.workload) else {
                throw refuse("their workloads differ: \(difference); --across workload compares them all the same")
            }
            notes.append("the workloads differ: \(difference)")
        } else if workload == nil || other.workload == nil, ours.workloadHash != theirs.workloadHash {
            let bare = workload == nil ? path : other.path
            notes.append("whether the workloads are the same is not known: \(bare) has no workload.yaml beside it")
        }
        if ours.version != theirs.version {
            notes.append("versions \(ours.version) and \(theirs.version) of ikestorm made them")
        }
        guard ours.mode == .live else { return notes }
        if let difference = ours.host.machine.difference(from: theirs.host.machine) {
            guard across.contains(.machine) else {
                throw refuse("their machines differ: \(difference); --across machine compares them all the same")
            }
            notes.append("the machines differ: \(difference)")
        }
        if ours.host.workers != theirs.host.workers {
            notes.append("they had \(ours.host.workers) and \(theirs.host.workers) workers")
        }
        if ours.host.cryptoBackend != theirs.host.cryptoBackend {
            notes.append("the clients computed by \(ours.host.cryptoBackend) and by \(theirs.host.cryptoBackend)")
        }
        return notes
    }

    /// The first lines that differ; nil where the workloads are one, or it cannot be known.
    private func workloadDifference(from other: ComparedRun) -> String? {
        if result.record.name != other.result.record.name {
            return "\(result.record.name) and \(other.result.record.name)"
        }
        guard let ours = workload, let theirs = other.workload else {
            // Without the files their hashes tell, which have the seed in them.
            let isOfOneSeed = result.record.seed == other.result.record.seed
            guard isOfOneSeed, result.record.workloadHash != other.result.record.workloadHash else { return nil }
            return "their hashes do"
        }
        guard ours != theirs else { return nil }
        let place = zip(ours, theirs).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let line = place ?? min(ours.count, theirs.count)
        func text(_ lines: [String]) -> String {
            line < lines.count ? "`\(lines[line].drop { $0 == " " })`" : "nothing more"
        }
        return "\(text(ours)) and \(text(theirs)) in workload.yaml"
    }
}

extension Host.Machine {
    /// What another machine has different, in words.
    fileprivate func difference(from other: Host.Machine) -> String? {
        if processor != other.processor { return "\(processor) and \(other.processor)" }
        if cores != other.cores { return "\(cores) and \(other.cores) cores" }
        if memoryBytes != other.memoryBytes {
            return "\(Humane.bytes(memoryBytes)) and \(Humane.bytes(other.memoryBytes)) of memory"
        }
        return system == other.system ? nil : "\(system) and \(other.system)"
    }
}

import Gateway
import Metrics
import Primitives
package import Results
import Simulation
import Workload

/// `ikestorm diff A B`: whether two simulated runs are the same, and where they part if they are not.
///
/// The runs' window logs say in which second; both runs are then repeated up to its end with every event kept.
package struct DivergenceJob {
    private let one: EarlierRun
    private let other: EarlierRun
    private let workers: Int

    package init(_ one: String, _ other: String, workers: Int) throws(JobFailure) {
        self.one = try EarlierRun(one)
        self.other = try EarlierRun(other)
        self.workers = workers
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        if one.digest == other.digest {
            console.output("The runs are the same: digest \(one.digest), seed \(one.workload.seed).\n")
            return .pass
        }
        var lines = ["The runs differ.", "  A  \(one.summary)", "  B  \(other.summary)"]
        guard let window = one.log.firstDifference(from: other.log) else {
            lines.append(
                "Their window logs are the same: only how they end can differ, such as an entity without events."
            )
            console.output(lines.joined(separator: "\n") + "\n")
            return .regression
        }
        lines.append("First window  \(Self.text(window.lowerBound)) to \(Self.text(window.upperBound))")
        let ours = try excerpt(of: one, window, console)
        let theirs = try excerpt(of: other, window, console)
        guard let difference = ours.firstDifference(from: theirs) else {
            throw JobFailure(
                .ownMistake,
                "error: the runs' logs differ in the window from \(Self.text(window.lowerBound)), and their repetition "
                    + "by version \(IkestormVersion.text) does not: they were made by versions \(one.version) "
                    + "and \(other.version)"
            )
        }
        lines += describe(difference)
        console.output(lines.joined(separator: "\n") + "\n")
        return .regression
    }

    /// The events of a window, from a repetition that must be the run that it repeats.
    private func excerpt(
        of run: EarlierRun,
        _ window: Range<Instant>,
        _ console: Console
    ) throws(JobFailure) -> TraceExcerpt {
        console.errors("repeating \(run.path) up to \(Self.text(window.upperBound))\n")
        var options = SimulatedOptions()
        options.workers = workers
        options.crypto = run.crypto
        options.excerpt = window
        let outcome: SimulatedOutcome
        do {
            outcome = try SimulatedRun(run.workload, options: options).run()
        } catch {
            throw JobFailure(starting: error)
        }
        let first = outcome.windowLog.firstDifference(from: run.log)
        guard first == nil || first!.lowerBound >= window.upperBound, let excerpt = outcome.excerpt else {
            throw JobFailure(
                .usage,
                "error: \(run.path): this ikestorm (\(IkestormVersion.text)) cannot repeat the run of version "
                    + "\(run.version): they part in the window from \(Self.text(first?.lowerBound ?? .zero)); "
                    + "use the version that made it"
            )
        }
        return excerpt
    }

    private func describe(_ difference: (ours: TraceExcerpt.Entry?, theirs: TraceExcerpt.Entry?)) -> [String] {
        switch difference {
        case (let ours?, let theirs?):
            return [
                "First entity  \(name(of: ours.target, in: one))",
                "First event   \(event(ours, in: one)): the same in both, but with other contents",
                "  A  digest \(Self.hexadecimal(ours.digest))",
                "  B  digest \(Self.hexadecimal(theirs.digest))",
            ]
        case (let ours?, nil):
            return [
                "First entity  \(name(of: ours.target, in: one))", "First event   \(event(ours, in: one))",
                "  A  has it", "  B  does not",
            ]
        case (nil, let theirs?):
            return [
                "First entity  \(name(of: theirs.target, in: other))", "First event   \(event(theirs, in: other))",
                "  A  does not have it", "  B  has it",
            ]
        case (nil, nil): return []
        }
    }

    private func name(of entity: UInt32, in run: EarlierRun) -> String { ClientNames(run.workload).name(of: entity) }

    private func event(_ entry: TraceExcerpt.Entry, in run: EarlierRun) -> String {
        let isGateway = ClientNames(run.workload).isGateway(entry.target)
        let kind =
            isGateway
            ? FrontDesk.name(ofDecision: entry.kind).map { "the front desk's \($0)" }
            : ShardEvent(rawValue: entry.kind).map { "\($0)" }
        let source = name(of: entry.order.source, in: run)
        return
            "\(kind ?? "kind \(entry.kind)") at \(Self.text(entry.order.time)), event \(entry.order.count) of \(source)"
    }

    /// Seconds with nine digits behind the point: a moment in full.
    private static func text(_ instant: Instant) -> String {
        let digits = String(instant.nanoseconds % 1_000_000_000)
        return "\(instant.nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - digits.count) + digits
            + " s"
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What a run folder says of a simulated run.
private struct EarlierRun {
    let path: String
    let workload: Workload
    let digest: String
    let version: String
    let crypto: SimulatedOptions.Crypto
    let log: WindowLog

    init(_ path: String) throws(JobFailure) {
        self.path = path
        let result: RunResult
        do throws(ResultError) {
            let folder = try RunFolder(existing: path)
            result = try folder.read()
            guard result.record.interruption == .none else {
                throw ResultError(file: path, problem: "it was interrupted: only whole runs can be compared by event")
            }
            guard result.record.mode == .simulated, let digest = result.record.digest else {
                throw ResultError(file: path, problem: "it is a live run: only simulated runs can be compared by event")
            }
            self.digest = digest
            let file = folder[WindowLogFile.name]
            log = try WindowLogFile.log(from: AtomicFile.read(file), file: file)
        } catch {
            throw JobFailure(reading: error)
        }
        version = result.record.version
        crypto = result.record.host.cryptoBackend.hasPrefix("modelled") ? .modelled : .real
        workload = try PreparedWorkload(path: path + "/workload.yaml").workload
    }

    var summary: String { "\(path): \(workload.name), seed \(workload.seed), digest \(digest)" }
}

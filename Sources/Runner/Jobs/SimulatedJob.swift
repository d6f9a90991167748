import Foundation
import Metrics
import Primitives
package import Results
import Workload

/// `ikestorm run` in virtual time: from a workload to the run folder, the table and the exit code.
package struct SimulatedJob {
    package var prepared: PreparedWorkload
    package var workers: Int
    package var crypto: SimulatedOptions.Crypto
    /// The folder that the user named; nil for one under `runs/`.
    package var folder: String?
    package var writesJSON: Bool
    /// Whether the folder gets `events.ndjson`.
    package var keepsEvents: Bool
    package var capturesPackets: Bool

    package init(
        _ prepared: PreparedWorkload,
        workers: Int,
        crypto: SimulatedOptions.Crypto = .real,
        folder: String? = nil,
        writesJSON: Bool = false,
        keepsEvents: Bool = true,
        capturesPackets: Bool = false
    ) {
        self.prepared = prepared
        self.workers = workers
        self.crypto = crypto
        self.folder = folder
        self.writesJSON = writesJSON
        self.keepsEvents = keepsEvents
        self.capturesPackets = capturesPackets
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let workload = prepared.workload
        try checkRequest()
        for warning in prepared.warnings { console.errors(warning + "\n") }
        let startedAt = ThisMachine.secondsSince1970
        let files = try openFiles(startedAt)
        let start = ThisMachine.stopwatch
        let outcome = try simulate(files, console, start)
        let host = Results.Host(
            workers: workers,
            memoryBytes: Results.Host.peakMemoryBytes(),
            cryptoBackend: ThisMachine.cryptoBackend(crypto),
            wallClock: ThisMachine.stopwatch - start,
            startedAt: startedAt,
            machine: .current()
        )
        var record = RunRecord(prepared, mode: .simulated, host: host)
        record.digest = outcome.digest
        record.measurements = outcome.measurements
        record.series = outcome.series
        let result = RunResult(record, steadyState: workload.steadyState, thresholds: workload.thresholds)
        let errors = files.finish(result, outcome.windowLog)
        report(result, files.folder, on: console)
        guard outcome.violations.isEmpty else { throw Self.ownMistake(outcome.violations, prepared) }
        guard errors.isEmpty else {
            throw JobFailure(.cannotWrite, errors.map { "error: \($0)" }.joined(separator: "\n"))
        }
        return result.exitCode
    }

    private func checkRequest() throws(JobFailure) {
        if let gateway = prepared.workload.gateways.first(where: { $0.simulated == nil }) {
            throw JobFailure(
                .badWorkload,
                "\(prepared.path): error: the gateway `\(gateway.name)` has no `simulated` model; "
                    + "give it one, or name a real gateway with --target"
            )
        }
        guard !(capturesPackets && crypto == .modelled) else {
            throw JobFailure(
                .usage,
                "error: --capture wants --crypto real: modelled messages are not encrypted, "
                    + "and nothing could decode them"
            )
        }
    }

    private func openFiles(_ startedAt: Int64) throws(JobFailure) -> RunFiles {
        let workload = prepared.workload
        do throws(ResultError) {
            let place: RunFolder
            if let folder {
                place = try RunFolder.create(at: folder)
            } else {
                place = try RunFolder.create(name: workload.name, seed: workload.seed, startedAt: startedAt)
            }
            return try RunFiles(place, workload, keepsEvents: keepsEvents, capturesPackets: capturesPackets)
        } catch {
            throw JobFailure(writing: error)
        }
    }

    private func simulate(
        _ files: RunFiles,
        _ console: Console,
        _ start: Duration
    ) throws(JobFailure) -> SimulatedOutcome {
        let workload = prepared.workload
        var options = SimulatedOptions()
        options.workers = workers
        options.crypto = crypto
        var view = LiveView(name: workload.name, terminal: console.terminal, write: console.errors)
        defer { view.finish() }
        do {
            return try SimulatedRun(workload, options: options, sinks: files.sinks).run { progress in
                view.show(LiveSnapshot(progress, workload), wallClock: ThisMachine.stopwatch - start)
            }
        } catch {
            throw JobFailure(.ownMistake, "error: the workers cannot be started: \(error); try --workers 1")
        }
    }

    private func report(_ result: RunResult, _ folder: RunFolder, on console: Console) {
        if writesJSON {
            console.output(JSONReport.text(of: result))
        } else {
            console.output(TextReport.text(of: result, style: console.outputStyle, folder: folder.path))
        }
    }

    private static func ownMistake(_ violations: [String], _ prepared: PreparedWorkload) -> JobFailure {
        let shown = violations.prefix(10).map { "  " + $0 }
        let more = violations.count > shown.count ? ["  and \(violations.count - shown.count) more"] : []
        let lines = ["error: this run broke what holds in every run, which is a mistake of ikestorm and not yours:"]
        let repetition =
            "please report it with the workload and this command: " + prepared.command.joined(separator: " ")
        return JobFailure(.ownMistake, (lines + shown + more + [repetition]).joined(separator: "\n"))
    }
}

extension LiveSnapshot {
    init(_ progress: RunProgress, _ workload: Workload) {
        self.init(
            time: progress.time,
            duration: progress.duration,
            phase: progress.time < .zero + workload.run.warmUp ? .warmUp : .running
        )
        offered = UInt64(clamping: progress.offered)
        established = UInt64(clamping: progress.established)
        failed = UInt64(clamping: progress.failed)
        retransmissions = UInt64(clamping: progress.retransmissions)
        childRekeys = UInt64(clamping: progress.childRekeys)
        ikeRekeys = UInt64(clamping: progress.ikeRekeys)
        tunnelsUp = UInt64(clamping: progress.up)
        tunnelsWanted = UInt64(clamping: progress.wanted)
        p50 = progress.p50.map { UInt64(clamping: $0.nanoseconds) }
        p99 = progress.p99.map { UInt64(clamping: $0.nanoseconds) }
        let now = progress.time
        faults = workload.faults.filter { .zero + $0.at <= now && now < .zero + $0.end }.map(\.name)
    }
}

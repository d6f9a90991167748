import Foundation
import Metrics
import Primitives
package import Results
package import Workers
import Workload

/// `ikestorm run` in virtual time: from a workload to the run folder, the table and the exit code.
package struct SimulatedJob {
    package var prepared: PreparedWorkload
    package var workers: Int
    package var placement: Placement
    package var crypto: SimulatedOptions.Crypto
    package var library: PublicKeyLibrary
    /// The folder that the user named; nil for one under `runs/`.
    package var folder: String?
    package var writesJSON: Bool
    /// Whether the folder gets `events.ndjson`.
    package var keepsEvents: Bool
    package var capturesPackets: Bool

    package init(
        _ prepared: PreparedWorkload,
        workers: Int,
        placement: Placement = .spread,
        crypto: SimulatedOptions.Crypto = .real,
        library: PublicKeyLibrary = .auto,
        folder: String? = nil,
        writesJSON: Bool = false,
        keepsEvents: Bool = true,
        capturesPackets: Bool = false
    ) {
        self.prepared = prepared
        self.workers = workers
        self.placement = placement
        self.crypto = crypto
        self.library = library
        self.folder = folder
        self.writesJSON = writesJSON
        self.keepsEvents = keepsEvents
        self.capturesPackets = capturesPackets
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        try checkRequest()
        try checkLibrary()
        for warning in prepared.warnings { console.errors(warning + "\n") }
        try checkMemory(on: console)
        PinnedNeighbour.warn(workers: workers, placement, on: console)
        let startedAt = ThisMachine.secondsSince1970
        let place = try createFolder(startedAt)
        guard prepared.workload.run.replications == 1 else {
            return try replicate(in: place, startedAt, on: console)
        }
        let (result, failure) = try carryOut(prepared, in: place, startedAt, title: prepared.workload.name, on: console)
        report(result, place, on: console)
        if let failure { throw failure }
        return result.exitCode
    }

    /// Runs the replications one after the other, each in a folder of its own below the run's.
    private func replicate(
        in place: RunFolder,
        _ startedAt: Int64,
        on console: Console
    ) throws(JobFailure) -> ExitCode {
        let workload = prepared.workload
        let count = workload.run.replications
        var replications = Replications(name: workload.name, version: IkestormVersion.text, seed: workload.seed)
        for index in 0..<count {
            let number = String(index + 1)
            let padding = String(repeating: "0", count: String(count).count - number.count)
            let folder = "replication-" + padding + number
            let own: RunFolder
            do throws(ResultError) {
                own = try RunFolder.create(at: place[folder])
            } catch {
                throw JobFailure(writing: error)
            }
            let one = prepared.replication(index)
            let title = "\(workload.name) \(number)/\(count)"
            let (result, failure) = try carryOut(one, in: own, startedAt, title: title, on: console)
            if let failure { throw failure }
            replications.add(result, folder: folder)
            if result.verdict == .interrupted { break }
        }
        do throws(ResultError) {
            try place.write(ReplicationsReport.markdown(of: replications), to: "summary.md")
            try place.write(ReplicationsReport.json(of: replications), to: ReplicationsReport.fileName)
            try place.finish()
        } catch {
            throw JobFailure(writing: error)
        }
        if writesJSON {
            console.output(ReplicationsReport.json(of: replications))
        } else {
            console.output(
                ReplicationsReport.text(of: replications, style: console.outputStyle, folder: place.path)
            )
        }
        return replications.verdict.exitCode
    }

    /// Runs one run and writes its folder; what went wrong besides the load comes with the result, to be told after it.
    private func carryOut(
        _ prepared: PreparedWorkload,
        in place: RunFolder,
        _ startedAt: Int64,
        title: String,
        on console: Console
    ) throws(JobFailure) -> (RunResult, JobFailure?) {
        let workload = prepared.workload
        let files: RunFiles
        do throws(ResultError) {
            files = try RunFiles(place, workload, keepsEvents: keepsEvents, capturesPackets: capturesPackets)
        } catch {
            throw JobFailure(writing: error)
        }
        let start = ThisMachine.stopwatch
        let memoryBefore = Results.Host.peakMemoryBytes()
        let cpuBefore = Results.Host.cpuTime()
        let outcome = try simulate(workload, files, title, console, start)
        var host = Results.Host(
            workers: workers,
            memoryBytes: Results.Host.peakMemoryBytes(),
            cpu: Results.Host.cpuTime() - cpuBefore,
            cryptoBackend: ThisMachine.cryptoBackend(
                options,
                outcome.batchCounts,
                hasTraffic: !workload.traffic.isEmpty
            ),
            wallClock: ThisMachine.stopwatch - start,
            startedAt: startedAt,
            machine: .current()
        )
        host.windows = outcome.windows
        host.nodes = outcome.nodes
        var record = RunRecord(prepared, mode: .simulated, host: host)
        if let time = outcome.interruptedAt {
            record.interruption = .drained
            record.duration = time - .zero
        } else {
            record.digest = outcome.digest
        }
        record.measurements = outcome.measurements
        record.series = outcome.series
        record.warnOfSetUpRates(workload)
        record.warnings += files.warnings
        record.shareCPU()
        // The memory of a replication is that of those before it.
        if self.prepared.workload.run.replications == 1 { record.shareMemory(since: memoryBefore) }
        let result = RunResult(record, steadyState: workload.steadyState, thresholds: workload.thresholds)
        let errors = files.finish(result, outcome.windowLog)
        if !outcome.violations.isEmpty { return (result, Self.ownMistake(outcome.violations, prepared)) }
        guard errors.isEmpty else {
            return (result, JobFailure(.cannotWrite, errors.map { "error: \($0)" }.joined(separator: "\n")))
        }
        return (result, nil)
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

    /// Refuses a library that is not there; `auto` takes what there is.
    private func checkLibrary() throws(JobFailure) {
        guard library == .cryptoMB, crypto == .real, let obstacle = PublicKeyLibrary.obstacle else { return }
        throw JobFailure(.usage, "error: --crypto-library crypto-mb: \(obstacle)")
    }

    /// Refuses what cannot fit into the machine's memory, before hours are lost to it, and warns of what hardly will.
    private func checkMemory(on console: Console) throws(JobFailure) {
        let clients = prepared.workload.populations.reduce(0) { $0 + UInt64($1.count) }
        let memory = Results.Host.Machine.current().memoryBytes
        guard memory > 0, clients * Self.bytesPerConnectedClient > memory else { return }
        let text =
            "\(Humane.count(clients)) clients take about \(Humane.bytes(clients * Self.bytesPerConnectedClient)) "
            + "once they are connected, and this machine has \(Humane.bytes(memory))"
        guard clients * Self.bytesPerClient <= memory else {
            throw JobFailure(.badWorkload, "\(prepared.path): error: \(text); write fewer clients")
        }
        console.errors("\(prepared.path): warning: \(text)\n")
    }

    /// What a client takes at least, and with both ends of its IKE SA (`make bench` prints the latter).
    private static let bytesPerClient: UInt64 = 1_024
    private static let bytesPerConnectedClient: UInt64 = 4_096

    private func createFolder(_ startedAt: Int64) throws(JobFailure) -> RunFolder {
        let workload = prepared.workload
        do throws(ResultError) {
            guard let folder else {
                return try RunFolder.create(name: workload.name, seed: workload.seed, startedAt: startedAt)
            }
            return try RunFolder.create(at: folder)
        } catch {
            throw JobFailure(writing: error)
        }
    }

    private var options: SimulatedOptions {
        var options = SimulatedOptions()
        options.workers = workers
        options.placement = placement
        options.crypto = crypto
        options.library = library
        return options
    }

    private func simulate(
        _ workload: Workload,
        _ files: RunFiles,
        _ title: String,
        _ console: Console,
        _ start: Duration
    ) throws(JobFailure) -> SimulatedOutcome {
        var view = LiveView(name: title, terminal: console.terminal, write: console.errors)
        defer { view.finish() }
        let interrupt = Interrupt()
        // The second Ctrl-C does not wait for the second to end: a window of many clients can take long.
        let signals = InterruptSignals {
            interrupt.request()
            if interrupt.requestCount > 1 { exit(Results.ExitCode.forced.rawValue) }
        }
        defer { signals.end() }
        let run = SimulatedRun(workload, options: options, sinks: files.sinks)
        do {
            return try run.run(interrupt: interrupt) { progress in
                let wallClock = ThisMachine.stopwatch - start
                guard view.wantsSnapshot(wallClock: wallClock, progress: progress.share) else { return }
                view.show(LiveSnapshot(progress, workload), wallClock: wallClock)
            }
        } catch {
            throw JobFailure(starting: error)
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

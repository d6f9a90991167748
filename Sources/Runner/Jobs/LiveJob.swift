import Foundation
package import Primitives
package import Results
package import Workers
import Workload

/// `ikestorm run --target`: a workload in real time, from the allowance to the run folder and the exit code.
package struct LiveJob {
    package var prepared: PreparedWorkload
    package var targets: [LiveTarget]
    package var options: LiveOptions
    package var folder: String?
    package var writesJSON: Bool
    /// Whether the folder gets `events.ndjson`.
    package var keepsEvents: Bool
    package var capturesPackets: Bool

    /// The words that say where the load goes and comes from.
    private let words: [String]

    /// - Throws: a usage error for what is no address.
    package init(
        _ prepared: PreparedWorkload,
        targets names: [String],
        allowed: [String],
        sources: [String] = [],
        workers: Int,
        placement: Placement = .spread,
        library: PublicKeyLibrary = .openSSL,
        batchWait: Duration = .zero,
        folder: String? = nil,
        writesJSON: Bool = false,
        records: Bool = false,
        keepsEvents: Bool = true,
        capturesPackets: Bool = false
    ) throws(JobFailure) {
        var options = LiveOptions()
        options.seed = prepared.workload.seed
        options.workers = workers
        options.placement = placement
        options.library = library
        options.batchWait = batchWait
        options.records = records
        for text in allowed {
            guard let address = IPAddress(text) else {
                throw JobFailure(.usage, "error: --allow-target \(text) is no address; write one such as 192.0.2.1")
            }
            options.allowedTargets.append(address)
        }
        for text in sources {
            guard let prefix = IPPrefix(text) else {
                throw JobFailure(.usage, "error: --sources \(text) is no prefix; write one such as 10.0.0.0/16")
            }
            options.sources.append(prefix)
        }
        targets = try Self.targets(names, prepared.workload)
        self.prepared = prepared.asOneRun
        self.options = options
        self.folder = folder
        self.writesJSON = writesJSON
        self.keepsEvents = keepsEvents
        self.capturesPackets = capturesPackets
        words =
            names.flatMap { ["--target", $0] } + allowed.flatMap { ["--allow-target", $0] }
            + sources.flatMap { ["--sources", $0] } + Self.words(batchWait)
    }

    private static func words(_ batchWait: Duration) -> [String] {
        batchWait == .zero ? [] : ["--batch-wait", "\(batchWait.nanoseconds)ns"]
    }

    /// One for each gateway, in the workload's order: as `GATEWAY=ADDRESS` in any order, or addresses alone.
    private static func targets(_ texts: [String], _ workload: Workload) throws(JobFailure) -> [LiveTarget] {
        let gateways = workload.gateways.map(\.name)
        var named: [String: LiveTarget] = [:]
        var unnamed: [LiveTarget] = []
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let target = LiveTarget(String(parts[parts.count - 1])) else {
                throw JobFailure(
                    .usage,
                    "error: --target \(text) has no address; write one such as 192.0.2.1, 127.0.0.1:1500:14500 with ports, "
                        + "or \(gateways[0])=192.0.2.1 where there are several gateways"
                )
            }
            guard parts.count == 2 else {
                unnamed.append(target)
                continue
            }
            let name = String(parts[0])
            guard gateways.contains(name) else {
                let known = gateways.joined(separator: ", ")
                throw JobFailure(.usage, "error: --target \(text): the workload has no gateway `\(name)`, but \(known)")
            }
            guard named.updateValue(target, forKey: name) == nil else {
                throw JobFailure(.usage, "error: --target \(text): the gateway `\(name)` has a target already")
            }
        }
        guard !named.isEmpty else { return unnamed }
        guard unnamed.isEmpty else {
            throw JobFailure(
                .usage,
                "error: of several --target either each names its gateway, as \(texts[0]), or none does"
            )
        }
        return try gateways.map { name throws(JobFailure) in
            guard let target = named[name] else {
                throw JobFailure(.usage, "error: the gateway `\(name)` has no target; add --target \(name)=ADDRESS")
            }
            return target
        }
    }

    /// What the run would touch, and what its allowance says; nothing is sent.
    package func dryRun(on console: Console) throws(JobFailure) {
        for warning in prepared.warnings { console.errors(warning + "\n") }
        do throws(LiveError) {
            console.output(try LiveRun(prepared.workload, targets: targets, options: options).dryRunText + "\n")
        } catch {
            throw JobFailure(error)
        }
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let workload = prepared.workload
        for warning in prepared.warnings { console.errors(warning + "\n") }
        PinnedNeighbour.warn(workers: options.workers, options.placement, on: console)
        let startedAt = ThisMachine.secondsSince1970
        let files = try openFiles(startedAt)
        let start = ThisMachine.stopwatch
        let memoryBefore = Results.Host.peakMemoryBytes()
        let cpuBefore = Results.Host.cpuTime()
        let live = try drive(files, console, start)
        let host = Results.Host(
            workers: options.workers,
            memoryBytes: Results.Host.peakMemoryBytes(),
            cpu: Results.Host.cpuTime() - cpuBefore,
            cryptoBackend: ThisMachine.cryptoBackend(live.lanes, hasTraffic: !workload.traffic.isEmpty),
            wallClock: ThisMachine.stopwatch - start,
            startedAt: startedAt,
            machine: .current()
        )
        var record = RunRecord(prepared, mode: .live, host: host)
        record.command += words
        record.measurements = live.measurements
        record.series = live.series
        record.shareCPU()
        record.shareMemory(since: memoryBefore)
        record.duration = live.duration
        record.generator = live.generator
        record.faults.removeAll { !live.faults.contains($0.name) }
        record.abort = live.abort
        record.interruption = live.interruption
        record.warnings += live.warnings + files.warnings
        if live.leftBehind > 0 {
            record.warnings.append(
                "\(live.leftBehind) clients still have an IKE SA; `ikestorm cleanup \(files.folder.path)` deletes them"
            )
        }
        if live.unanswered > 0 {
            record.warnings.append(
                "\(live.unanswered) clients had no answer to their Delete: a gateway that has deleted an IKE SA does not "
                    + "answer again; `ikestorm cleanup \(files.folder.path)` makes sure"
            )
        }
        let result = RunResult(record, steadyState: workload.steadyState, thresholds: workload.thresholds)
        let errors = files.finish(result, nil)
        if writesJSON {
            console.output(JSONReport.text(of: result))
        } else {
            console.output(TextReport.text(of: result, style: console.outputStyle, folder: files.folder.path))
        }
        guard errors.isEmpty else {
            throw JobFailure(.cannotWrite, errors.map { "error: \($0)" }.joined(separator: "\n"))
        }
        return result.exitCode
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
            return try RunFiles(
                place,
                workload,
                keepsEvents: keepsEvents,
                capturesPackets: capturesPackets,
                targets: targets
            )
        } catch {
            throw JobFailure(writing: error)
        }
    }

    /// Offers the load. Ctrl-C drains it, and a second one ends it where it stands.
    private func drive(_ files: RunFiles, _ console: Console, _ start: Duration) throws(JobFailure) -> LiveResult {
        let workload = prepared.workload
        var options = options
        let interrupt = Interrupt()
        options.interrupt = interrupt
        options.folder = files.folder.path
        let signals = InterruptSignals { interrupt.request() }
        defer { signals.end() }
        var view = LiveView(name: workload.name, terminal: console.terminal, write: console.errors)
        defer { view.finish() }
        do throws(LiveError) {
            let run = try LiveRun(workload, targets: targets, options: options)
            return try run.run(sinks: files.sinks) { progress in
                let wallClock = ThisMachine.stopwatch - start
                guard view.wantsSnapshot(wallClock: wallClock, progress: progress.share) else { return }
                view.show(LiveSnapshot(progress, workload), wallClock: wallClock)
            }
        } catch {
            if error.isBeforeLoad { files.discard() }
            throw JobFailure(error)
        }
    }
}

extension LiveError {
    /// Whether the run ended before it began, so that there is nothing to keep of it.
    fileprivate var isBeforeLoad: Bool {
        switch self {
        case .noTarget, .notAllowed, .unreadableAllowance, .unreachable, .canaryFailed: true
        case .system, .cannotWrite: false
        }
    }
}

extension JobFailure {
    package init(_ error: LiveError) {
        self.init(error.exitCode, "error: \(error)")
    }
}

import Foundation
package import Primitives
package import Results
import Workload

/// `ikestorm capacity`: runs a workload with one value of a setting after the other, and finds the largest that passes.
package struct CapacityJob {
    /// Where the runs take place.
    package enum World {
        case simulated(SimulatedOptions.Crypto)
        case live(targets: [String], allowed: [String], sources: [String])
    }

    package var path: String
    package var variation: Variation
    package var world: World
    package var workers: Int
    package var overrides: [String] = []
    package var seed: UInt64?
    /// What a run has to keep, in place of the workload's own thresholds.
    package var until: [String] = []
    package var resolution = Probability.percent(2)
    /// How many runs each value has to pass, each with a seed of its own.
    package var replications = 1
    package var folder: String?
    package var writesJSON = false
    /// What repeats the search.
    package var command: [String] = []

    package init(path: String, variation: Variation, world: World, workers: Int) {
        self.path = path
        self.variation = variation
        self.world = world
        self.workers = workers
    }

    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        // Both ends of the range are workloads, before hours go by with what lies between them.
        let prepared = try prepared(variation.low)
        _ = try self.prepared(variation.high)
        let workload = prepared.workload
        guard !workload.thresholds.isEmpty || !workload.steadyState.isEmpty else {
            throw JobFailure(
                .usage,
                "error: \(path) has no thresholds, so that every run passes; add --until, such as "
                    + "--until 'handshake.success > 99%'"
            )
        }
        for warning in prepared.warnings { console.errors(warning + "\n") }
        let place = try createFolder(workload)
        var search = CapacitySearch(low: variation.low, high: variation.high, resolution: resolution)
        var result = begin(workload)
        var late: Set<Int64> = []
        // A run that drains, or has ended, takes no notice of it any more.
        let interrupt = Interrupt()
        let signals = InterruptSignals { interrupt.request() }
        defer { signals.end() }
        var ending: CapacityResult.Answer?
        while ending == nil, let value = search.next {
            let trial = try attempt(value, number: result.trials.count + 1, in: place)
            result.trials.append(trial)
            console.errors(Self.line(trial))
            switch trial.verdict {
            case .passed: search.note(value, passes: true)
            case .steadyStateFailed, .thresholdsFailed: search.note(value, passes: false)
            case .degraded, .invalid:
                late.insert(value)
                search.note(value, passes: false)
            // Whoever aborts a run wants no other one behind it.
            case .aborted: ending = .aborted(passes: search.passes.map(variation.text), at: trial.value)
            case .interrupted, .forced: ending = .interrupted
            }
            if ending == nil, interrupt.requestCount > 0, search.next != nil { ending = .interrupted }
        }
        result.answer = ending ?? answer(of: search, late)
        try finish(result, place, on: console)
        return result.exitCode
    }

    private func answer(of search: CapacitySearch, _ late: Set<Int64>) -> CapacityResult.Answer {
        let passes = search.passes.map(variation.text)
        guard let fails = search.fails else { return .aboveRange }
        if late.contains(fails) { return .inconclusive(passes: passes, late: variation.text(fails)) }
        return passes.map { .between(passes: $0, fails: variation.text(fails)) } ?? .belowRange
    }

    private func prepared(_ value: Int64) throws(JobFailure) -> PreparedWorkload {
        // As `--set` reads it: a list of quoted texts.
        let quoted = until.map { "\"\($0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        let thresholds = until.isEmpty ? [] : ["thresholds=[\(quoted.joined(separator: ", "))]"]
        return try PreparedWorkload(
            path: path,
            overrides: overrides + thresholds + [variation.override(value)],
            seed: seed
        )
    }

    private func begin(_ workload: Workload) -> CapacityResult {
        var mode = RunRecord.Mode.simulated
        if case .live = world { mode = .live }
        return CapacityResult(
            name: workload.name,
            version: IkestormVersion.text,
            mode: mode,
            seed: workload.seed,
            setting: variation.setting,
            low: variation.text(variation.low),
            high: variation.text(variation.high),
            resolution: resolution,
            replications: replications,
            command: command
        )
    }

    /// Runs the workload with a value, as often as it has to pass, or until it does not.
    private func attempt(
        _ value: Int64,
        number: Int,
        in place: RunFolder
    ) throws(JobFailure) -> CapacityResult.Trial {
        let prepared = try prepared(value)
        var trial = CapacityResult.Trial(value: variation.text(value), verdict: .passed, reasons: [], folders: [])
        for index in 0..<replications {
            let folder = "trial-\(number)" + (replications > 1 ? "-\(index + 1)" : "")
            trial.folders.append(folder)
            let result = try run(prepared.replication(index), in: place[folder])
            guard result.verdict != .passed else { continue }
            trial.verdict = result.verdict
            trial.reasons = result.failures
            break
        }
        return trial
    }

    /// Runs once, and reads what the run has left behind.
    private func run(_ one: PreparedWorkload, in folder: String) throws(JobFailure) -> RunResult {
        let silent = Console(output: { _ in }, errors: { _ in })
        switch world {
        case .simulated(let crypto):
            let job = SimulatedJob(one, workers: workers, crypto: crypto, folder: folder, keepsEvents: false)
            _ = try job.run(on: silent)
        case .live(let targets, let allowed, let sources):
            let job = try LiveJob(
                one,
                targets: targets,
                allowed: allowed,
                sources: sources,
                workers: workers,
                folder: folder,
                keepsEvents: false
            )
            _ = try job.run(on: silent)
        }
        let file = folder + "/result.json"
        do {
            let octets = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
            return try JSONReport.result(from: octets, file: file)
        } catch {
            throw JobFailure(.cannotWrite, "error: \(file), which this run has just written: \(error)")
        }
    }

    private func createFolder(_ workload: Workload) throws(JobFailure) -> RunFolder {
        do throws(ResultError) {
            if let folder { return try RunFolder.create(at: folder) }
            return try RunFolder.create(
                name: workload.name,
                seed: workload.seed,
                startedAt: ThisMachine.secondsSince1970
            )
        } catch {
            throw JobFailure(writing: error)
        }
    }

    private func finish(_ result: CapacityResult, _ place: RunFolder, on console: Console) throws(JobFailure) {
        do throws(ResultError) {
            try place.write(CapacityReport.json(of: result), to: CapacityReport.fileName)
            try place.write(CapacityReport.markdown(of: result), to: "summary.md")
            try place.finish()
        } catch {
            throw JobFailure(writing: error)
        }
        console.output(
            writesJSON
                ? CapacityReport.json(of: result)
                : CapacityReport.text(of: result, style: console.outputStyle, folder: place.path)
        )
    }

    private static func line(_ trial: CapacityResult.Trial) -> String {
        let reason = trial.reasons.first.map { "  \($0)" } ?? ""
        return "\(trial.value)  \(trial.verdict.rawValue)\(reason)\n"
    }
}

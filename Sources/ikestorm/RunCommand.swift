import ArgumentParser
import Foundation
import Metrics
import Results
import Runner
import Workload

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a workload against the simulated gateway in virtual time, or against a real one."
    )

    @Argument(help: "The workload file.")
    var workload: String

    @Option(help: "The seed; the workload's own when it is not given.")
    var seed: UInt64?

    @Option(help: "How many threads compute the run: a number, or auto for one per allowed core.")
    var workers = "auto"

    @Option(help: "real computes every operation, modelled only their lengths and outcomes.")
    var crypto = "real"

    @Option(name: .customLong("set"), help: "Sets a value of the workload, as in run.duration=1m.")
    var overrides: [String] = []

    func run() throws {
        let loaded = try WorkloadFile(contentsOf: workload, overrides: overrides).validated()
        var options = SimulatedOptions()
        options.seed = seed
        options.workers = Int(workers) ?? 1
        options.crypto = crypto == "modelled" ? .modelled : .real
        let outcome = try SimulatedRun(loaded, options: options).run { progress in
            FileHandle.standardError.write(Data("\(progress)\n".utf8))
        }
        print(outcome.digest, outcome.eventCount, outcome.violations.prefix(5))
        for measurement in outcome.measurements.prefix(1) {
            for (name, counter) in measurement.counters { print(name.rawValue, counter.total, counter.byReason) }
            for (name, latency) in measurement.latencies {
                print(name.rawValue, latency.count, latency.p50, latency.p99, latency.maximum)
            }
        }
    }
}

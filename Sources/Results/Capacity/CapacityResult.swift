package import Primitives

/// The largest value of one setting with which a workload's runs pass, and how it was found (`capacity.json`).
package struct CapacityResult: Hashable, Sendable {
    package let name: String
    package let version: String
    package let mode: RunRecord.Mode
    package let seed: UInt64
    /// The path of the setting in the workload.
    package let setting: String
    package let low: String
    package let high: String
    /// How far apart the values on either side of the answer may be, as a share of the larger one.
    package let resolution: Probability
    /// How many runs each value has to pass.
    package let replications: Int
    package let command: [String]
    package var trials: [Trial] = []
    package var answer = Answer.interrupted

    /// What runs with one value came to.
    package struct Trial: Hashable, Sendable {
        package var value: String
        /// That of the first run that did not pass, or `passed`.
        package var verdict: Verdict
        /// The expectations that did not hold, each with what was measured.
        package var reasons: [String]
        /// Where the runs' own files are, below the folder of the search.
        package var folders: [String]

        package init(value: String, verdict: Verdict, reasons: [String], folders: [String]) {
            self.value = value
            self.verdict = verdict
            self.reasons = reasons
            self.folders = folders
        }
    }

    package enum Answer: Hashable, Sendable {
        /// Runs pass with the one value, and do not with the other one.
        case between(passes: String, fails: String)
        /// Runs do not pass even with the lowest value.
        case belowRange
        /// Runs pass even with the highest value.
        case aboveRange
        /// The generator was late with a value, so that nothing is known from there on; runs pass with the other one.
        case inconclusive(passes: String?, late: String)
        /// Safety ended a run with a value, and the search with it; runs pass with the other one.
        case aborted(passes: String?, at: String)
        case interrupted
    }

    package init(
        name: String,
        version: String,
        mode: RunRecord.Mode,
        seed: UInt64,
        setting: String,
        low: String,
        high: String,
        resolution: Probability,
        replications: Int,
        command: [String]
    ) {
        self.name = name
        self.version = version
        self.mode = mode
        self.seed = seed
        self.setting = setting
        self.low = low
        self.high = high
        self.resolution = resolution
        self.replications = replications
        self.command = command
    }

    package var exitCode: ExitCode {
        switch answer {
        case .between, .aboveRange: .pass
        case .belowRange: .threshold
        case .inconclusive: .inconclusive
        case .aborted: .safetyAbort
        case .interrupted: .interrupted
        }
    }
}

extension RunResult {
    /// The expectations that do not hold, each with what was measured; what ended the run where something did.
    package var failures: [String] {
        let abort = record.abort.map { ["aborted: \($0.condition)"] } ?? []
        return abort
            + (steadyState + thresholds).filter { !$0.passed }.map {
                "\($0.expectation): \(Humane.measured($0.measured))"
            }
    }
}

package import Metrics
package import Primitives

/// A run with its expectations judged: what every report shows, and what `result.json` holds.
package struct RunResult: Hashable, Sendable {
    package var record: RunRecord
    package var steadyState: [ExpectationOutcome]
    package var thresholds: [ExpectationOutcome]
    package var recoveries: [Recovery]
    package var verdict: Verdict

    /// Judges a run by the workload's expectations.
    package init(_ record: RunRecord, steadyState: [Expectation], thresholds: [Expectation]) {
        let judge = Judge(record)
        self.record = record
        for index in record.measurements.indices where record.measurements[index].hasRatios {
            for metric in MetricName.allCases where metric.kind == .ratio {
                let population = record.measurements[index].scope.population
                self.record.measurements[index].ratios[metric] = judge.ratio(metric, population: population)
            }
        }
        self.steadyState = steadyState.map(judge.outcome)
        self.thresholds = thresholds.map(judge.outcome)
        recoveries = judge.recoveries(for: steadyState + thresholds)
        verdict = Verdict(of: record, steadyState: self.steadyState, thresholds: self.thresholds)
    }

    /// A result as it was judged before.
    init(
        record: RunRecord,
        steadyState: [ExpectationOutcome],
        thresholds: [ExpectationOutcome],
        recoveries: [Recovery],
        verdict: Verdict
    ) {
        self.record = record
        self.steadyState = steadyState
        self.thresholds = thresholds
        self.recoveries = recoveries
        self.verdict = verdict
    }

    package var exitCode: ExitCode { verdict.exitCode }
}

/// What an expectation came to.
package struct ExpectationOutcome: Hashable, Sendable {
    /// The expectation as the workload's grammar writes it.
    package var expectation: String
    package var metric: MetricName
    package var measured: Measured
    package var passed: Bool
    /// The start of the window that decided, for what is judged in windows.
    package var window: Instant?

    package init(
        expectation: String,
        metric: MetricName,
        measured: Measured,
        passed: Bool,
        window: Instant? = nil
    ) {
        self.expectation = expectation
        self.metric = metric
        self.measured = measured
        self.passed = passed
        self.window = window
    }

    package enum Measured: Hashable, Sendable {
        /// In the unit of the expectation's limit.
        case value(Expectation.Limit)
        /// Nothing of the kind happened, or no whole window fits: never a pass.
        case noSamples
        /// The condition did not hold at the end of the run, or when the next fault came.
        case notRecovered
    }
}

/// How long after a fault's start a condition held again.
package struct Recovery: Hashable, Sendable {
    package var fault: String
    /// The condition as the workload's grammar writes it.
    package var condition: String
    package var outcome: Outcome

    package init(fault: String, condition: String, outcome: Outcome) {
        self.fault = fault
        self.condition = condition
        self.outcome = outcome
    }

    package enum Outcome: Hashable, Sendable {
        /// Zero where the fault never broke the condition.
        case after(Duration)
        case never
        /// The run ended before the fault, or nobody wanted a tunnel behind it.
        case noSamples
    }
}

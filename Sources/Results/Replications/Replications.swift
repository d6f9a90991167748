package import Metrics
import Primitives

/// Runs of one workload, each with a seed of its own, and what they say together (`replications.json`).
///
/// Figures have the names and the units of `result.json`. Of each run no more is kept than its figures, since there may
/// be thousands.
package struct Replications: Hashable, Sendable {
    package let name: String
    package let version: String
    /// The seed that the runs' own seeds follow from.
    package let seed: UInt64
    package private(set) var runs: [Run] = []
    package private(set) var figures: [Figure] = []

    /// One of the runs.
    package struct Run: Hashable, Sendable {
        package var seed: UInt64
        package var digest: String?
        package var verdict: Verdict
        package var command: [String]
        /// Where its own files are, below the folder of them all.
        package var folder: String
    }

    /// A figure of each run that has it.
    package struct Figure: Hashable, Sendable {
        package var metric: MetricName
        /// The key in the metric's object: `total`, `p99`, `mean`.
        package var field: String
        /// Of `recovery.time`: after which fault, by which condition.
        package var recovery: RecoveryName?
        package var values: [Double]

        package struct RecoveryName: Hashable, Sendable {
            package var fault: String
            package var condition: String
        }

        package var estimate: Estimate? { Estimate(values) }
    }

    package init(name: String, version: String, seed: UInt64) {
        self.name = name
        self.version = version
        self.seed = seed
    }

    /// Adds a run whose files are in `folder`.
    package mutating func add(_ result: RunResult, folder: String) {
        let record = result.record
        runs.append(
            Run(
                seed: record.seed,
                digest: record.digest,
                verdict: result.verdict,
                command: record.command,
                folder: folder
            )
        )
        // What half a run came to would spoil the means.
        guard result.verdict != .interrupted else { return }
        let total = record.measurements()
        for metric in MetricName.allCases {
            switch metric.kind {
            case .counter: add(metric, "total", Double(total.counter(metric).total))
            case .ratio:
                for (name, path) in RatioRecord.fields {
                    add(metric, name, total.ratio(metric)[keyPath: path].map { Double($0.partsPerBillion) / 1e9 })
                }
            case .latency:
                let latency = total.latency(metric)
                for (name, path) in LatencyRecord.fields {
                    let isKnown = latency.count > 0 || name == "count"
                    add(metric, name, isKnown ? Double(latency[keyPath: path]) : nil)
                }
            case .recovery:
                for recovery in result.recoveries {
                    var time: Double?
                    if case .after(let duration) = recovery.outcome { time = Double(duration.nanoseconds) }
                    let name = Figure.RecoveryName(fault: recovery.fault, condition: recovery.condition)
                    add(metric, "time", time, name)
                }
            }
        }
    }

    private mutating func add(
        _ metric: MetricName,
        _ field: String,
        _ value: Double?,
        _ recovery: Figure.RecoveryName? = nil
    ) {
        let index =
            figures.firstIndex { $0.metric == metric && $0.field == field && $0.recovery == recovery }
            ?? {
                figures.append(Figure(metric: metric, field: field, recovery: recovery, values: []))
                return figures.count - 1
            }()
        if let value { figures[index].values.append(value) }
    }

    /// That of the first run that did not pass, in the order of ``Verdict``: replications pass when each of them does.
    package var verdict: Verdict {
        Verdict.allCases.first { verdict in runs.contains { $0.verdict == verdict } } ?? .passed
    }

    package var passedCount: Int { runs.count { $0.verdict == .passed } }

    package func figure(_ metric: MetricName, _ field: String) -> Figure? {
        figures.first { $0.metric == metric && $0.field == field }
    }
}

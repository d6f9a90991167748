package import Primitives

/// What a threshold, a steady state or an abort condition says of one metric: `handshake.latency p99 < 500ms`.
///
/// Populations, flows and faults are named as in the workload, so that a verdict can quote the line it judges.
package struct Expectation: Hashable, Sendable {
    package var metric: MetricName
    /// The population that it speaks of, or nil for all.
    package var population: String?
    /// The flow that it speaks of, in place of a population: `calls`, or one way of it, `calls/up`.
    package var flow: String?
    /// What counts as recovered, for `recovery.time` alone.
    package var recovered: Condition?
    package var aggregation: Aggregation
    /// The sliding window of `min(30s)` or `rate(1m)`: the expectation holds in every window of this length.
    package var window: Duration?
    package var comparison: Comparison
    package var limit: Limit
    /// The fault after which it is measured; nil means from the end of the warm-up, or after each fault for
    /// `recovery.time`.
    package var after: String?

    package init(
        metric: MetricName,
        population: String? = nil,
        flow: String? = nil,
        recovered: Condition? = nil,
        aggregation: Aggregation,
        window: Duration? = nil,
        comparison: Comparison,
        limit: Limit,
        after: String? = nil
    ) {
        self.metric = metric
        self.population = population
        self.flow = flow
        self.recovered = recovered
        self.aggregation = aggregation
        self.window = window
        self.comparison = comparison
        self.limit = limit
        self.after = after
    }

    /// The name of its population or its flow.
    package var subject: String? { population ?? flow }

    /// A share that must be reached and kept, as in `tunnels.up > 99%`.
    package struct Condition: Hashable, Sendable {
        package var metric: MetricName
        package var population: String?
        package var comparison: Comparison
        package var limit: Probability

        package init(metric: MetricName, population: String?, comparison: Comparison, limit: Probability) {
            self.metric = metric
            self.population = population
            self.comparison = comparison
            self.limit = limit
        }
    }

    /// Which number of a metric is compared.
    package enum Aggregation: String, CaseIterable, Hashable, Sendable {
        /// The metric's own single number: a counter's total, a ratio over the whole run, a recovery's time.
        case value
        case min
        case max
        case mean
        case p50
        case p90
        case p99
        case p999 = "p99.9"
        case p9999 = "p99.99"
        /// The last value of a ratio.
        case last
        /// The number of samples of a latency.
        case count
        /// A counter's events per second, or a ratio within a window.
        case rate
    }

    package enum Comparison: String, CaseIterable, Hashable, Sendable {
        case below = "<"
        case atMost = "<="
        case above = ">"
        case atLeast = ">="

        /// Whether the comparison holds between two numbers of one unit.
        package func holds<Number: Comparable>(_ value: Number, _ limit: Number) -> Bool {
            switch self {
            case .below: value < limit
            case .atMost: value <= limit
            case .above: value > limit
            case .atLeast: value >= limit
            }
        }
    }

    package enum Limit: Hashable, Sendable {
        case time(Duration)
        case share(Probability)
        case count(UInt64)
        /// Events per second, in thousandths.
        case rate(perSecondThousandths: UInt64)
    }
}

extension Expectation: CustomStringConvertible {
    /// The expectation as the workload's grammar writes it.
    package var description: String {
        var text = metric.rawValue
        if let recovered {
            text += "(\(recovered))"
        } else if let subject {
            text += "(\(subject))"
        }
        if aggregation != .value { text += " " + aggregation.rawValue }
        if let window { text += "(\(window))" }
        text += " \(comparison.rawValue) \(limit)"
        if let after { text += " after \(after)" }
        return text
    }
}

extension Expectation.Condition: CustomStringConvertible {
    package var description: String {
        metric.rawValue + (population.map { "(\($0))" } ?? "") + " \(comparison.rawValue) \(limit)"
    }
}

extension Expectation.Limit: CustomStringConvertible {
    package var description: String {
        switch self {
        case .time(let time): return "\(time)"
        case .share(let share): return "\(share)"
        case .count(let count): return "\(count)"
        case .rate(let thousandths):
            var fraction = String(thousandths % 1000 + 1000).dropFirst()
            while fraction.last == "0" { fraction.removeLast() }
            return "\(thousandths / 1000)" + (fraction.isEmpty ? "" : "." + fraction) + "/s"
        }
    }
}

package import Metrics
package import Primitives

/// Whose measurements, and since when.
package struct MeasurementScope: Hashable, Sendable {
    /// nil is everybody.
    package var population: String?
    /// The flow, in place of a population.
    package var flow: String?
    /// The fault after whose end it begins; nil begins at the end of the warm-up.
    package var after: String?

    package init(population: String? = nil, flow: String? = nil, after: String? = nil) {
        self.population = population
        self.flow = flow
        self.after = after
    }

    /// What an expectation speaks of.
    package init(of expectation: Expectation) {
        self.init(population: expectation.population, flow: expectation.flow, after: expectation.after)
    }

    /// The scopes that a run must keep so that every expectation can be judged, each once: everybody first, then each
    /// population and each flow, then what `after` asks for.
    package static func needed(
        populations: [String],
        flows: [String] = [],
        for expectations: [Expectation]
    ) -> [MeasurementScope] {
        var scopes = [MeasurementScope()] + populations.map { MeasurementScope(population: $0) }
        scopes += flows.map { MeasurementScope(flow: $0) }
        for expectation in expectations where expectation.metric.kind != .recovery {
            let scope = MeasurementScope(of: expectation)
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes
    }
}

/// The totals and the histograms of one scope.
package struct Measurements: Hashable, Sendable {
    package var scope: MeasurementScope
    /// When measuring began: what happened at this instant counts.
    package var start: Instant
    package var counters: [MetricName: CounterRecord] = [:]
    package var latencies: [MetricName: LatencyRecord] = [:]
    /// Made of the counters and the series when the run is judged.
    package internal(set) var ratios: [MetricName: RatioRecord] = [:]

    package init(scope: MeasurementScope, start: Instant) {
        self.scope = scope
        self.start = start
    }

    /// A counter's total; one that nothing counted is zero.
    package func counter(_ name: MetricName) -> CounterRecord { counters[name] ?? CounterRecord(total: 0) }

    package func latency(_ name: MetricName) -> LatencyRecord { latencies[name] ?? LatencyRecord() }

    package func ratio(_ name: MetricName) -> RatioRecord { ratios[name] ?? RatioRecord() }

    /// Whether results name a metric: what is of a feature only where it happened.
    package func shows(_ metric: MetricName) -> Bool {
        if scope.flow != nil, !metric.isPerFlow { return false }
        switch metric {
        case .trafficOffered where scope.flow != nil: return true
        // That nothing was lost is what users of traffic look for.
        case .trafficReceived, .trafficLost:
            return scope.flow != nil || counter(.trafficOffered).total > 0 || counter(metric).total > 0
        default: return !metric.isOfFeature || counter(metric).total > 0 || latency(metric).count > 0
        }
    }

    /// Flows have no ratios, and what `after` asks for is judged by itself.
    var hasRatios: Bool { scope.after == nil && scope.flow == nil }

    /// Established out of the attempts that ended either way; nil when none ended.
    package var handshakeSuccess: Probability? {
        let established = counter(.handshakeEstablished).total
        return Probability(established, outOf: established + counter(.handshakeFailed).total)
    }
}

/// A total, and what it is made of where the metric tells reasons apart.
package struct CounterRecord: Hashable, Sendable {
    package var total: UInt64
    /// By name, so that equal counters are written alike.
    package private(set) var byReason: [Reason]

    package struct Reason: Hashable, Sendable {
        package var name: String
        package var count: UInt64

        package init(name: String, count: UInt64) {
            self.name = name
            self.count = count
        }
    }

    package init(total: UInt64) {
        self.total = total
        byReason = []
    }

    /// Reasons may come in any order, and one of them more than once; those that never happened are left out.
    package init(byReason reasons: [Reason]) {
        total = 0
        var sums: [String: UInt64] = [:]
        for reason in reasons where reason.count > 0 {
            total += reason.count
            sums[reason.name, default: 0] += reason.count
        }
        byReason = sums.map { Reason(name: $0.key, count: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// A share over the whole of a scope, and what it was second by second; nil where there was nothing to have a share of.
package struct RatioRecord: Hashable, Sendable {
    package var value: Probability?
    package var min: Probability?
    package var max: Probability?
    package var mean: Probability?
    package var last: Probability?

    package init() {}

    /// The numbers by the names that `result.json` gives them, in its order.
    static var fields: [(name: String, path: WritableKeyPath<RatioRecord, Probability?>)] {
        [("value", \.value), ("min", \.min), ("max", \.max), ("mean", \.mean), ("last", \.last)]
    }
}

extension Probability {
    /// `part / whole`, rounded down, so that 100 % means all; nil when there is no whole.
    package init?(_ part: UInt64, outOf whole: UInt64) {
        guard whole > 0 else { return nil }
        let (high, low) = min(part, whole).multipliedFullWidth(by: 1_000_000_000)
        self.init(partsPerBillion: UInt32(whole.dividingFullWidth((high, low)).quotient))
    }
}

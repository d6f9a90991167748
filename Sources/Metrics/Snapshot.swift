import Primitives

/// What was measured up to a moment, or since one: the sum of what many recorders have.
///
/// All of it adds up exactly, in any order: counts, histograms, reasons.
package struct Snapshot<Reason: Comparable & Sendable>: Sendable, Equatable {
    package let populationCount: Int
    private var counts: [UInt64]
    private var latencies: [LatencyHistogram?]
    private var reasons: [Tally<Reason>]

    package init(populationCount: Int) {
        let metricCount = MetricName.allCases.count
        self.populationCount = populationCount
        counts = Array(repeating: 0, count: populationCount * metricCount)
        latencies = Array(repeating: nil, count: populationCount * metricCount)
        reasons = Array(repeating: Tally(), count: populationCount * metricCount)
    }

    /// Adds what a recorder holds; the recorder is drained when every snapshot that wants it has it.
    package mutating func add(_ recorder: borrowing Recorder<Reason>) {
        precondition(recorder.populationCount == populationCount, "a snapshot is of its recorders' populations")
        for index in counts.indices { counts[index] += recorder.counts[index] }
        for sample in recorder.samples {
            record(sample.latency, at: Int(sample.population) * MetricName.allCases.count + Int(sample.metric))
        }
        for entry in recorder.failures.entries {
            reasons[entry.key.population * MetricName.allCases.count + entry.key.metric]
                .add(entry.count, to: entry.key.reason)
        }
    }

    /// Adds another snapshot of other recorders, or of another time.
    package mutating func merge(_ other: Snapshot) {
        precondition(other.populationCount == populationCount, "snapshots of one run have the same populations")
        for index in counts.indices {
            counts[index] += other.counts[index]
            reasons[index].merge(other.reasons[index])
            guard let latency = other.latencies[index] else { continue }
            if latencies[index] == nil { latencies[index] = latency } else { latencies[index]?.merge(latency) }
        }
    }

    /// A counter of one population, or of all.
    package func count(_ metric: MetricName, population: Int? = nil) -> UInt64 {
        populations(population).reduce(0) { $0 + counts[place(metric, $1)] }
    }

    /// The latencies of one population, or of all.
    package func latency(_ metric: MetricName, population: Int? = nil) -> LatencyHistogram {
        var merged: LatencyHistogram?
        for one in populations(population) {
            guard let latency = latencies[place(metric, one)] else { continue }
            if merged == nil { merged = latency } else { merged?.merge(latency) }
        }
        return merged ?? LatencyHistogram()
    }

    /// The failures of one population, or of all, by reason.
    package func failures(_ metric: MetricName, population: Int? = nil) -> Tally<Reason> {
        var merged = Tally<Reason>()
        for one in populations(population) { merged.merge(reasons[place(metric, one)]) }
        return merged
    }

    private func populations(_ population: Int?) -> Range<Int> {
        population.map { $0..<($0 + 1) } ?? 0..<populationCount
    }

    private func place(_ metric: MetricName, _ population: Int) -> Int {
        population * MetricName.allCases.count + metric.ordinal
    }

    private mutating func record(_ latency: Duration, at place: Int) {
        if latencies[place] == nil { latencies[place] = LatencyHistogram() }
        latencies[place]?.record(latency)
    }
}

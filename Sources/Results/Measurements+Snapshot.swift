package import Metrics
package import Primitives

extension Measurements {
    /// The measurements of one population, or of all, as a snapshot has them that was begun at `start`.
    ///
    /// `name` is what results call a reason; reasons of one name are counted together.
    package init<Reason>(
        scope: MeasurementScope,
        start: Instant,
        snapshot: Snapshot<Reason>,
        population: Int?,
        name: (Reason) -> String
    ) {
        self.init(scope: scope, start: start)
        for metric in MetricName.allCases {
            switch metric.kind {
            case .counter where metric.hasReasons:
                let failures = snapshot.failures(metric, population: population)
                counters[metric] = CounterRecord(
                    byReason: failures.entries.map { CounterRecord.Reason(name: name($0.key), count: $0.count) }
                )
            case .counter: counters[metric] = CounterRecord(total: snapshot.count(metric, population: population))
            case .latency:
                latencies[metric] = LatencyRecord(snapshot.latency(metric, population: population))
            case .ratio, .recovery: continue
            }
        }
    }
}

extension LatencyRecord {
    package init(_ histogram: LatencyHistogram) {
        self.init(
            buckets: histogram.buckets.map {
                Bucket(highest: UInt64($0.upTo.nanoseconds), count: $0.count)
            },
            minimum: histogram.minimum.map { UInt64($0.nanoseconds) },
            maximum: histogram.maximum.map { UInt64($0.nanoseconds) },
            mean: histogram.mean.map { UInt64($0.nanoseconds) }
        )
    }
}

extension SeriesTable.Column {
    package init(name: SeriesName, subject: String? = nil, series: TimeSeries) {
        self.init(name: name, subject: subject, values: series.values.map { $0 })
    }
}

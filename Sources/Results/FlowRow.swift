import Metrics
import Primitives

/// A flow in a table: how many packets were offered and lost, how long they took one way or there and back, and the
/// jitter.
struct FlowRow {
    let cells: [String]

    init(_ flow: RunRecord.Flow, in record: RunRecord) {
        let measured = record.measurements(ofFlow: flow.name)
        let (oneWay, roundTrip) = (measured.latency(.trafficLatency), measured.latency(.trafficRoundTrip))
        let latency = roundTrip.count > 0 ? roundTrip : oneWay
        let jitter = measured.latency(.trafficJitter)
        let times = [latency.p50, latency.p99, latency.maximum].map { latency.count > 0 ? Humane.time($0) : "-" }
        cells =
            [MetricName.trafficOffered, .trafficLost].map { Humane.count(measured.counter($0).total) }
            + [latency.count == 0 ? "" : roundTrip.count > 0 ? "round trip" : "one way"] + times
            + [jitter.count > 0 ? Humane.time(jitter.p99) : "-"]
    }
}

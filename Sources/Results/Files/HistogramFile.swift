package import Metrics
import Primitives

/// `histograms/*.json`: one latency of one population or flow, with every bucket that holds something.
package struct HistogramFile: Hashable, Sendable {
    package static var schema: String { "ikestorm-histogram-1" }

    package var metric: MetricName
    /// nil is everybody.
    package var population: String?
    /// In place of a population.
    package var flow: String?
    package var latency: LatencyRecord

    package init(metric: MetricName, population: String?, flow: String? = nil, latency: LatencyRecord) {
        self.metric = metric
        self.population = population
        self.flow = flow
        self.latency = latency
    }

    /// The histograms that a run has, in order: everybody's, each population's and each flow's.
    package static func all(of record: RunRecord) -> [HistogramFile] {
        record.measurements.filter { $0.scope.after == nil }.flatMap { measurements in
            MetricName.allCases.filter { $0.kind == .latency && measurements.latency($0).count > 0 }.map { metric in
                HistogramFile(
                    metric: metric,
                    population: measurements.scope.population,
                    flow: measurements.scope.flow,
                    latency: measurements.latency(metric)
                )
            }
        }
    }

    /// The buckets are pairs of the highest value and the count, in rising order.
    package var text: String {
        var members = [
            JSONValue.Member(key: "schema", value: .string(Self.schema)),
            JSONValue.Member(key: "metric", value: .string(metric.rawValue)),
            flow.map { JSONValue.Member(key: "flow", value: .string($0)) }
                ?? JSONValue.Member(key: "population", value: population.map(JSONValue.string) ?? .null),
            JSONValue.Member(key: "unit", value: .string(metric.unit)),
        ]
        if case .object(let numbers) = JSONReport.value(of: latency) { members += numbers }
        let buckets = latency.buckets.map { JSONValue.array([.integer($0.highest), .integer($0.count)]) }
        members.append(JSONValue.Member(key: "buckets", value: .array(buckets)))
        return JSONValue.object(members).text
    }

    /// Reads a histogram, whose numbers must be those of its buckets.
    package init(from bytes: [UInt8], file: String) throws(ResultError) {
        var object = try JSONObject.document(bytes, file: file)
        let schema = try object.string("schema")
        guard schema == Self.schema else {
            throw object.problem("schema", "it is \"\(schema)\", and this version of ikestorm reads \"\(Self.schema)\"")
        }
        metric = try object.name("metric")
        guard metric.kind == .latency else { throw object.problem("metric", "it is no latency") }
        flow = try object.has("flow") ? object.string("flow") : nil
        population = try object.has("population") ? object.string("population") : nil
        guard try object.string("unit") == metric.unit else { throw object.problem("unit", "it is not the metric's") }
        let summary = try JSONReport.latency(from: &object)
        var buckets: [LatencyRecord.Bucket] = []
        for pair in try object.pairs("buckets") {
            guard pair.1 > 0, pair.0 > buckets.last?.highest ?? 0 || buckets.isEmpty else {
                throw object.problem("buckets", "they are not in rising order, or one is empty")
            }
            buckets.append(LatencyRecord.Bucket(highest: pair.0, count: pair.1))
        }
        latency = LatencyRecord(
            buckets: buckets,
            minimum: summary.minimum,
            maximum: summary.maximum,
            mean: summary.mean
        )
        for (name, path) in LatencyRecord.fields where latency[keyPath: path] != summary[keyPath: path] {
            throw object.problem(name, "it is not what the buckets say: \(latency[keyPath: path])")
        }
        try object.finish()
    }
}

package import Metrics
package import Primitives

/// The run second by second, warm-up included: a column per metric and population or flow.
package struct SeriesTable: Hashable, Sendable {
    /// What one row stands for; the last row may be shorter.
    package var interval: Duration = .seconds(1)
    package var columns: [Column] = []

    package init() {}

    package struct Column: Hashable, Sendable {
        package var name: SeriesName
        /// The population or the flow, or the gateway of a gateway's column; nil for all.
        package var subject: String?
        /// What happened in each interval, or what was so at its end; nil where nothing was measured.
        package var values: [UInt64?]

        package init(name: SeriesName, subject: String? = nil, values: [UInt64?]) {
            self.name = name
            self.subject = subject
            self.values = values
        }
    }

    package subscript(name: SeriesName, of subject: String? = nil) -> [UInt64?]? {
        columns.first { $0.name == name && $0.subject == subject }?.values
    }

    package var rowCount: Int { columns.reduce(0) { max($0, $1.values.count) } }
}

/// What a column of the series holds.
package enum SeriesName: Hashable, Sendable {
    /// A counter's events in the interval.
    case counter(MetricName)
    /// A number at the end of the interval.
    case gauge(Gauge)
    /// A percentile of the latencies that ended in the interval, in nanoseconds.
    case latency(MetricName, Percentile)

    package enum Gauge: String, CaseIterable, Hashable, Sendable {
        /// Clients with an established IKE SA.
        case tunnelsUp = "tunnels.count"
        /// Clients that want one.
        case tunnelsWanted = "tunnels.wanted"
        /// IKE SAs between IKE_SA_INIT and IKE_AUTH, as the gateway counts them.
        case halfOpen = "gateway.half-open"
        /// The share of the gateway's cores that was busy, in parts of a billion.
        case gatewayCPU = "gateway.cpu"
        /// The share of the cores of the gateway's ESP pool that was busy, in parts of a billion.
        case gatewayESP = "gateway.esp"
        /// The most packets that waited for one of them at once.
        case gatewayESPQueue = "gateway.esp-queue"

        /// Whether its values are parts of a billion.
        var isShare: Bool { self == .gatewayCPU || self == .gatewayESP }
    }

    package enum Percentile: String, CaseIterable, Hashable, Sendable {
        case p50
        case p99
        case max
    }
}

extension SeriesName {
    /// Whether its values are parts of a billion.
    var isShare: Bool {
        switch self {
        case .gauge(let gauge): gauge.isShare
        case .counter, .latency: false
        }
    }
}

extension SeriesName: RawRepresentable {
    package var rawValue: String {
        switch self {
        case .counter(let metric): metric.rawValue
        case .gauge(let gauge): gauge.rawValue
        case .latency(let metric, let percentile): "\(metric.rawValue).\(percentile.rawValue)"
        }
    }

    package init?(rawValue: String) {
        if let gauge = Gauge(rawValue: rawValue) {
            self = .gauge(gauge)
        } else if let metric = MetricName(rawValue: rawValue), metric.kind == .counter {
            self = .counter(metric)
        } else if let dot = rawValue.lastIndex(of: "."),
            let metric = MetricName(rawValue: String(rawValue[..<dot])), metric.kind == .latency,
            let percentile = Percentile(rawValue: String(rawValue[rawValue.index(after: dot)...]))
        {
            self = .latency(metric, percentile)
        } else {
            return nil
        }
    }
}

package import Metrics

/// The name of one number of a result: `handshake.latency p99`, `traffic.lost(calls/up) nat`, `handshake.offered`.
package struct FigureName: Hashable, Sendable {
    package var metric: MetricName
    /// The population, or the flow, whose it is; nil is everybody.
    package var subject: Subject?
    /// The key in the metric's object of `result.json`: `total`, `p99`, `mean`; of a count by reason, the reason.
    package var field: String
    /// Of `recovery.time`: after which fault, by which condition.
    package var recovery: Replications.Figure.RecoveryName?

    package enum Subject: Hashable, Sendable {
        case population(String)
        case flow(String)

        package var name: String {
            switch self {
            case .population(let name), .flow(let name): name
            }
        }
    }

    package init(
        _ metric: MetricName,
        _ field: String,
        subject: Subject? = nil,
        recovery: Replications.Figure.RecoveryName? = nil
    ) {
        self.metric = metric
        self.field = field
        self.subject = subject
        self.recovery = recovery
    }

    /// As reports and the words of a command write it. The total of a count has no field.
    package var text: String {
        var text = metric.rawValue
        if let subject { text += "(\(subject.name))" }
        if let recovery { return text + " after \(recovery.fault) (\(recovery.condition))" }
        return field == "total" ? text : text + " " + field
    }
}

extension FigureName {
    /// What the numbers are: whole nanoseconds, billionths of all, or a count.
    package enum Unit: String, Hashable, Sendable {
        case time = "ns"
        case share = "ratio"
        case count
    }

    package var unit: Unit {
        switch metric.kind {
        case .counter: .count
        case .ratio: .share
        case .latency: field == "count" ? .count : .time
        case .recovery: .time
        }
    }

    /// Which of two values is better.
    package var preference: MetricName.Preference {
        guard metric.kind == .latency, field == "count" else { return metric.preference }
        return metric.samples?.preference ?? .neither
    }

    /// What two counts must have had equally many of, for one of them to be better.
    var occasions: FigureName? {
        let counter = metric.kind == .latency && field == "count" ? metric.samples : metric
        return counter?.occasions.map { FigureName($0, "total", subject: subject) }
    }
}

extension MetricName {
    /// The counter whose events a histogram has a sample of each.
    fileprivate var samples: MetricName? {
        switch self {
        case .handshakeLatency: .handshakeEstablished
        case .childRekeyLatency: .childRekeyEstablished
        case .ikeRekeyLatency: .ikeRekeyEstablished
        case .reauthenticationLatency: .reauthenticationEstablished
        case .mobikeLatency: .mobikeUpdates
        case .trafficLatency, .trafficRoundTrip: .trafficReceived
        default: nil
        }
    }
}

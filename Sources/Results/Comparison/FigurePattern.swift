package import Metrics

/// Figures as the words of a command name them: `handshake.latency`, `handshake.latency p99`,
/// `handshake.latency(laptops).p99`.
package struct FigurePattern: Hashable, Sendable {
    package var metric: MetricName
    /// The name of a population or a flow; nil where none is named.
    package var subject: String?
    /// nil is every field.
    package var field: String?

    /// What is wrong with the words, for a message that names what was probably meant.
    package enum Problem: Error, Hashable, Sendable {
        case unknownMetric(String)
        /// The metric has other fields: these.
        case unknownField(String, of: MetricName, known: [String])
        case unclosedSubject
    }

    package init(_ text: String) throws(Problem) {
        guard let metric = Self.metric(at: text) else {
            throw .unknownMetric(String(text.prefix { $0 != " " && $0 != "(" }))
        }
        self.metric = metric
        var rest = text.dropFirst(metric.rawValue.count)
        if rest.first == "(" {
            guard let end = rest.lastIndex(of: ")") else { throw .unclosedSubject }
            subject = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        }
        let field = rest.drop { $0 == " " || $0 == "." }
        guard !field.isEmpty else { return }
        guard let known = Self.field(String(field), of: metric) else {
            throw .unknownField(String(field), of: metric, known: Self.fields(of: metric))
        }
        self.field = known
    }

    /// Whether a figure is meant. A pattern that names no population and no flow means everybody's figures alone where
    /// `ofEverybody`, and otherwise those of all.
    package func matches(_ name: FigureName, ofEverybody: Bool = false) -> Bool {
        guard name.metric == metric, field == nil || name.field == field else { return false }
        guard let subject else { return !ofEverybody || name.subject == nil }
        return name.subject?.name == subject
    }

    /// The longest metric that the text begins with: `traffic.lost` is no other metric's field.
    private static func metric(at text: String) -> MetricName? {
        MetricName.allCases
            .filter { metric in
                guard text.hasPrefix(metric.rawValue) else { return false }
                let next = text.dropFirst(metric.rawValue.count).first
                return next == nil || next == " " || next == "." || next == "("
            }
            .max { $0.rawValue.count < $1.rawValue.count }
    }

    /// Percentiles may be written as workloads write them, `p99.9`. Any word may be a reason.
    private static func field(_ text: String, of metric: MetricName) -> String? {
        if metric.hasReasons { return text }
        let known = fields(of: metric)
        if known.contains(text) { return text }
        let plain = text.replacing(".", with: "")
        return text.hasPrefix("p") && known.contains(plain) ? plain : nil
    }

    private static func fields(of metric: MetricName) -> [String] {
        switch metric.kind {
        case .counter: ["total"]
        case .ratio: RatioRecord.fields.map(\.name)
        case .latency: LatencyRecord.fields.map(\.name)
        case .recovery: ["time"]
        }
    }
}

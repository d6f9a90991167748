import Metrics
import Results
import Testing

@Suite("Figures as a command names them")
struct FigurePatternTests {
    @Test(
        "a metric, whose it is, and a field",
        arguments: [
            ("handshake.latency", "handshake.latency p99", true),
            ("handshake.latency p99", "handshake.latency p99", true),
            ("handshake.latency.p99", "handshake.latency p99", true),
            ("handshake.latency p99.9", "handshake.latency p999", true),
            ("handshake.latency p50", "handshake.latency p99", false),
            ("handshake.latency(laptops) p99", "handshake.latency p99", false),
            ("traffic.lost", "traffic.lost nat", true), ("traffic.lost nat", "traffic.lost nat", true),
            ("traffic.lost timeout", "traffic.lost nat", false), ("recovery.time", "handshake.latency p99", false),
        ]
    )
    func matches(words: String, name: String, isMatch: Bool) throws {
        let names: [String: FigureName] = [
            "handshake.latency p99": FigureName(.handshakeLatency, "p99"),
            "handshake.latency p999": FigureName(.handshakeLatency, "p999"),
            "traffic.lost nat": FigureName(.trafficLost, "nat"),
        ]
        let figure = try #require(names[name])
        #expect(figure.text == name)
        #expect(try FigurePattern(words).matches(figure) == isMatch)
    }

    @Test("without a population or a flow it means everybody's figures, or those of all")
    func meansEverybody() throws {
        let calls = FigureName(.trafficLost, "total", subject: .flow("calls/up"))
        #expect(calls.text == "traffic.lost(calls/up)")
        #expect(try FigurePattern("traffic.lost").matches(calls))
        #expect(try !FigurePattern("traffic.lost").matches(calls, ofEverybody: true))
        #expect(try FigurePattern("traffic.lost(calls/up)").matches(calls, ofEverybody: true))
    }

    @Test("what is no figure says what it is instead")
    func refuses() {
        #expect(throws: FigurePattern.Problem.unknownMetric("handshake.latancy")) {
            try FigurePattern("handshake.latancy p99")
        }
        #expect(throws: FigurePattern.Problem.unclosedSubject) { try FigurePattern("traffic.lost(calls") }
        let fields = ["value", "min", "max", "mean", "last"]
        #expect(throws: FigurePattern.Problem.unknownField("p99", of: .tunnelsUp, known: fields)) {
            try FigurePattern("tunnels.up p99")
        }
    }

    @Test("a metric says which value is better, and a count of what can fail has its occasions")
    func preferences() {
        for metric in MetricName.allCases {
            switch metric.kind {
            case .ratio: #expect(metric.preference == .higher)
            case .recovery: #expect(metric.preference == .lower)
            // The generator's own are nobody's fault but its own.
            case .latency:
                #expect((metric.preference == .lower) == ![.generatorLag, .trafficClockError].contains(metric))
            case .counter: #expect((metric.preference == .neither) == (metric.occasions == nil), "\(metric)")
            }
        }
        #expect(FigureName(.handshakeLatency, "count").preference == .higher)
        #expect(FigureName(.natOutage, "count").preference == .neither)
    }
}

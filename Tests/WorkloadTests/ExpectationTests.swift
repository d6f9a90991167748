import Metrics
import Primitives
import Testing
import Workload

@Suite("Expectations")
struct ExpectationTests {
    static let names = ExpectationParser.Names(
        populations: ["laptops", "phones"],
        traffic: [
            .init("calls", population: "phones", hasBothWays: true),
            .init("pings", population: "laptops", hasBothWays: false),
            .init("phones", population: "phones", hasBothWays: true),
        ],
        faults: ["restart", "loss-burst"]
    )

    @Test(
        "an expectation reads back from its own text",
        arguments: [
            "handshake.latency p99 < 500ms", "handshake.latency p99.9 <= 2s", "handshake.latency(laptops) max < 10s",
            "handshake.latency count > 100", "tunnels.up(laptops) min(30s) > 99%", "tunnels.up last >= 99.5%",
            "handshake.success > 99%", "handshake.success rate(60s) < 50%", "handshake.failed < 10",
            "handshake.established rate(30s) > 400/s", "retransmissions rate(1s) < 0.5/s",
            "recovery.time(tunnels.up > 99%) < 300s after restart", "recovery.time(tunnels.up(phones) >= 90%) < 20s",
            "generator.lag p99 < 5ms", "child.rekey.latency(phones) p50 < 100ms after loss-burst", "clipped <= 0",
            "traffic.lost(calls) <= 0", "traffic.lost(calls/down) rate(5s) < 2/s",
            "traffic.round-trip(pings) p99 < 5ms",
            "traffic.jitter(calls/up) p99 < 5ms after restart", "child.rekey.outage(calls) max < 1s",
            "traffic.lost(laptops) <= 0", "traffic.lost(phones/up) <= 0", "handshake.failed(phones) < 5",
        ]
    )
    func roundTrip(_ text: String) throws {
        #expect(try ExpectationParser.parse(text, names: Self.names).description == text)
    }

    @Test("spaces are free, and units are read exactly")
    func readsFreely() throws {
        let expectation = try ExpectationParser.parse("tunnels.up( laptops )min( 1m )>99%", names: Self.names)
        let expected = Expectation(
            metric: .tunnelsUp,
            population: "laptops",
            aggregation: .min,
            window: .minutes(1),
            comparison: .above,
            limit: .share(.percent(99))
        )
        #expect(expectation == expected)
    }

    @Test("a name is a population's or a flow's, and only what is known of flows can be a flow's")
    func subjects() throws {
        let names = Self.names
        for (text, population, flow) in [
            ("traffic.lost(laptops) <= 0", "laptops", nil), ("traffic.lost(pings) <= 0", nil, "pings"),
            ("traffic.lost(calls/up) <= 0", nil, "calls/up"), ("handshake.failed(phones) <= 0", "phones", nil),
            ("esp.dropped(phones) <= 0", "phones", nil), ("traffic.lost <= 0", nil, nil),
        ] as [(String, String?, String?)] {
            let read = try ExpectationParser.parse(text, names: names)
            #expect(read.population == population && read.flow == flow)
        }
        for metric in MetricName.allCases where metric.kind != .recovery {
            let (aggregation, limit) =
                switch metric.kind {
                case .counter: ("", "5")
                case .ratio: ("", "50%")
                default: ("max ", "5s")
                }
            let read = try? ExpectationParser.parse("\(metric.rawValue)(calls) \(aggregation)< \(limit)", names: names)
            #expect((read?.flow == "calls") == metric.isPerFlow, "\(metric)")
        }
    }

    @Test("every metric can be asked for something")
    func everyMetric() throws {
        for metric in MetricName.allCases {
            for aggregation in ExpectationParser.aggregations(of: metric) {
                let limit =
                    switch (metric.kind, aggregation) {
                    case (_, .count), (.counter, .value): "5"
                    case (.counter, _): "5/s"
                    case (.ratio, _): "50%"
                    default: "5s"
                    }
                let name = metric.kind == .recovery ? "\(metric.rawValue)(tunnels.up > 99%)" : metric.rawValue
                let middle =
                    aggregation == .value ? "" : aggregation == .rate ? " rate(30s)" : " \(aggregation.rawValue)"
                let read = try ExpectationParser.parse("\(name)\(middle) < \(limit)", names: Self.names)
                #expect(read.metric == metric)
                #expect(read.aggregation == aggregation)
            }
        }
    }

    @Test("what is wrong has its place and its message")
    func messages() throws {
        let wrong = [
            "", "handshake", "handshake.latency", "handshake.latency < 5ms", "handshake.latency p99",
            "handshake.latency p99 <",
            "handshake.latency p99 = 5ms", "handshake.latency p99 == 5ms", "handshake.latency p99 != 5ms",
            "handshake.latency p99 < 5", "handshake.latency p99 < 5%", "handshake.latency p99(30s) < 5ms",
            "handshake.latency rate(30s) < 5ms", "handshake.latency p99 < 5ms 6ms", "handshake.latency p99 < 5ms after",
            "handshake.latency p99 < 5ms after reboot", "handshake.latency(laptop) p99 < 5ms",
            "handshake.latency(laptops p99 < 5ms",
            "handshake.failed rate < 5/s", "handshake.failed rate(30) < 5/s", "handshake.failed rate(1ms) < 5/s",
            "handshake.failed < 5%", "handshake.failed max < 5", "tunnels.up > 99", "tunnels.up > 101%",
            "tunnels.up p99 > 99%",
            "recovery.time < 5s", "recovery.time(tunnels.up) < 5s", "recovery.time(handshake.latency > 5s) < 5s",
            "handshake.latency(calls) p99 < 5ms", "esp.dropped(calls/up) < 5", "tunnels.up(pings) > 5%",
            "traffic.lost(phones) <= 0", "traffic.lost(pings/up) <= 0", "traffic.lost(calls/left) <= 0",
            "traffic.lost(cals) <= 0", "traffic.lost(laptop) <= 0", "traffic.lost() <= 0",
            "traffic.lost(laptops/up) <= 0",
            "recovery.time(tunnels.up(calls) > 5%) < 5s", "recovery.time(tunnels.up < 5%) < 5s",
            "recovery.time(tunnels.up > 99% < 5s", "()", "<<<", "((((((((",
        ]
        let lines = wrong.map { text in
            do throws(ExpectationProblem) {
                return "\(text)\n    is read as \(try ExpectationParser.parse(text, names: Self.names))"
            } catch {
                let pointer = String(repeating: " ", count: error.offset) + "^"
                return "\(text)\n\(pointer)\n    \(error.problem)" + (error.remedy.map { "; \($0)" } ?? "")
            }
        }
        try Golden.check(lines.joined(separator: "\n") + "\n", "expectations.txt")
        #expect(!lines.contains { $0.contains("is read as") })
    }

    @Test("without a fault nothing can recover")
    func needsFault() {
        let names = ExpectationParser.Names(populations: [], faults: [])
        #expect(throws: ExpectationProblem.self) {
            try ExpectationParser.parse("recovery.time(tunnels.up > 99%) < 5s", names: names)
        }
    }

    @Test(
        "a comparison holds as written",
        arguments: [
            ("<", true, false, false), ("<=", true, true, false), (">", false, false, true), (">=", false, true, true),
        ]
    )
    func comparisons(_ text: String, _ below: Bool, _ equal: Bool, _ above: Bool) throws {
        let comparison = try #require(Expectation.Comparison(rawValue: text))
        #expect(comparison.holds(1, 2) == below)
        #expect(comparison.holds(2, 2) == equal)
        #expect(comparison.holds(3, 2) == above)
    }
}

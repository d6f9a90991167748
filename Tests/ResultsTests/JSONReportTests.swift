import Metrics
import Primitives
import Results
import Testing

@Suite("result.json")
struct JSONReportTests {
    @Test("a result is written as reviewed")
    func golden() throws {
        try Golden.check(JSONReport.text(of: SampleRun.result), "result.json")
    }

    @Test("what is written is read, and written again byte for byte", arguments: Variant.all)
    func roundTrip(_ variant: Variant) throws {
        let text = JSONReport.text(of: variant.result)
        let read = try JSONReport.result(from: Array(text.utf8), file: "result.json")
        #expect(JSONReport.text(of: read) == text)
        #expect(read.verdict == variant.result.verdict)
        #expect(read.thresholds == variant.result.thresholds)
        #expect(read.record.seed == variant.result.record.seed)
    }

    @Test("a result of version 0.1.0, which did not count the tunnels that were lost, is read without them")
    func readsOlder() throws {
        let own = /"tunnels.lost": \{[^{}]*\{[^{}]*\}\s*\},\s*/
        let text = JSONReport.text(of: SampleRun.result)
        let older = text.replacing(own, with: "")
        #expect(older.count < text.count)
        let read = try JSONReport.result(from: Array(older.utf8), file: "r.json")
        #expect(read.record.measurements().counter(.tunnelsLost).total == 0)
    }

    @Test("each flow has what is known of flows, and nothing else")
    func flows() throws {
        let text = JSONReport.text(of: SampleRun.withFlows)
        var object = try JSONObject.document(Array(text.utf8), file: "result.json")
        var flows = try object.object("flows")
        #expect(flows.keys == ["calls", "calls/up", "calls/down", "pings"])
        for (name, time) in [("calls/up", "traffic.latency"), ("pings", "traffic.round-trip")] {
            var flow = try flows.object(name)
            #expect(try flow.string("population") == "phones")
            #expect(
                try flow.object("metrics").keys
                    == ["traffic.offered", "traffic.received", "traffic.lost", time, "traffic.jitter"]
            )
        }
        let read = try JSONReport.result(from: Array(text.utf8), file: "result.json")
        #expect(read.record.flows == SampleRun.withFlows.record.flows)
        #expect(read.record.measurements(ofFlow: "calls").counter(.trafficLost).byReason.map(\.count) == [12])
        #expect(read.record.measurements(of: "calls").counter(.trafficLost).total == 0)
        // A run in which nothing flows has none, as results of older versions have.
        #expect(!JSONReport.text(of: SampleRun.result).contains("\"flows\""))
    }

    @Test("a flow in whose tunnels nothing was due has its zeros")
    func idleFlow() throws {
        var result = SampleRun.result
        result.record.flows = [RunRecord.Flow(name: "calls", population: "phones")]
        let text = JSONReport.text(of: result)
        var object = try JSONObject.document(Array(text.utf8), file: "result.json")
        var flows = try object.object("flows")
        var flow = try flows.object("calls")
        #expect(try flow.object("metrics").keys == ["traffic.offered", "traffic.received", "traffic.lost"])
        let read = try JSONReport.result(from: Array(text.utf8), file: "result.json")
        #expect(JSONReport.text(of: read) == text)
    }

    @Test(
        "every metric is a key of metrics by its own name, what is of a feature where it happened, and nothing else is"
    )
    func names() throws {
        var result = SampleRun.result
        var keys = MetricName.allCases.filter { !$0.isOfFeature }.map(\.rawValue)
        var object = try JSONObject.document(Array(JSONReport.text(of: result).utf8), file: "result.json")
        #expect(try object.object("metrics").keys == keys)
        for metric in MetricName.allCases where metric.isOfFeature && metric.kind == .counter {
            result.record.measurements[0].counters[metric] = CounterRecord(byReason: [.init(name: "x", count: 1)])
        }
        for metric in MetricName.allCases where metric.isOfFeature && metric.kind == .latency {
            result.record.measurements[0].latencies[metric] = LatencyRecord(
                buckets: [LatencyRecord.Bucket(highest: 5, count: 1)]
            )
        }
        keys = MetricName.allCases.map(\.rawValue)
        let text = JSONReport.text(of: result)
        object = try JSONObject.document(Array(text.utf8), file: "result.json")
        #expect(try object.object("metrics").keys == keys)
        let read = try JSONReport.result(from: Array(text.utf8), file: "result.json")
        #expect(read.record.measurements().counter(.reauthenticationFailed).total == 1)
        #expect(JSONReport.text(of: read) == text)
    }

    @Test("only host differs between hosts")
    func host() throws {
        var other = SampleRun.result
        other.record.host.workers = 16
        other.record.host.wallClock = .seconds(9)
        let lines = zip(
            JSONReport.text(of: SampleRun.result).split(separator: "\n"),
            JSONReport.text(of: other).split(separator: "\n")
        )
        let different = lines.filter { $0 != $1 }.map { String($0.0).replacing(" ", with: "") }
        #expect(different == ["\"workers\":2,", "\"wallClock\":4213000000,"])
    }

    struct Variant: CustomTestStringConvertible {
        var testDescription: String
        var result: RunResult

        static var all: [Variant] {
            var live = SampleRun.record
            live.mode = .live
            live.digest = nil
            live.generator = .invalid("the generator was 3 s late")
            live.interruption = .drained
            live.host.bytesPerTunnel = nil
            (live.host.cpu, live.host.cpuPerTunnel) = (nil, nil)
            live.abort = RunRecord.SafetyAbort(condition: "handshake.success rate(1m) < 50%", time: .zero + .seconds(3))
            var empty = live
            empty.measurements = []
            empty.series = SeriesTable()
            let rate = Expectation(
                metric: .handshakeOffered,
                aggregation: .rate,
                window: .seconds(7),
                comparison: .above,
                limit: .rate(perSecondThousandths: 1_500)
            )
            return [
                Variant(testDescription: "simulated", result: SampleRun.result),
                Variant(
                    testDescription: "live",
                    result: RunResult(live, steadyState: [rate], thresholds: SampleRun.thresholds)
                ),
                Variant(
                    testDescription: "empty",
                    result: RunResult(empty, steadyState: SampleRun.steadyState, thresholds: SampleRun.thresholds)
                ),
                Variant(testDescription: "hostile names", result: SampleRun.hostile),
                Variant(testDescription: "flows", result: SampleRun.withFlows),
            ]
        }
    }
}

@Suite("Reading a damaged result.json")
struct DamagedResultTests {
    struct Damage: CustomTestStringConvertible {
        var find: String
        var replace: String
        var message: String
        var testDescription: String { message }

        init(_ find: String, _ replace: String, _ message: String) {
            self.find = find
            self.replace = replace
            self.message = message
        }
    }

    @Test(
        "an error says the file, the place and what is wrong",
        arguments: [
            Damage(
                "ikestorm-result-1",
                "ikestorm-result-9",
                "r.json: schema: it is \"ikestorm-result-9\", and this version of ikestorm reads \"ikestorm-result-1\""
            ),
            Damage(
                "\"seed\": 18446744073709551615",
                "\"seed\": -1",
                "r.json: seed: a whole number that is not negative is wanted"
            ),
            Damage(
                "\"p99\": 44199000",
                "\"p99\": 1.5",
                "r.json: metrics.handshake.latency.p99: a whole number that is not negative is wanted"
            ),
            Damage("\"retransmissions\": ", "\"retransmission\": ", "r.json: metrics.retransmissions: it is missing"),
            Damage(
                "\"warmUp\": 5000000000",
                "\"warmup\": 5, \"warmUp\": 5",
                "r.json: warmup: this version does not know it"
            ),
            Damage("\"warmUp\": 5000000000", "\"seed\": 5", "r.json: line 17: the key \"seed\" comes twice"),
            Damage("\"passed\": false", "\"passed\": 0", "r.json: thresholds[2].passed: true or false is wanted"),
            Damage(
                "\"verdict\": \"thresholds-failed\"",
                "\"verdict\": \"passed\"",
                "r.json: exitCode: it is not the one of the verdict \"passed\""
            ),
            Damage(
                "\"timeout\": 3",
                "\"timeout\": 4",
                "r.json: metrics.handshake.failed.byReason: it does not add up to 4"
            ),
            Damage(
                "\"value\": 0.982608695",
                "\"value\": 1.982608695",
                "r.json: metrics.handshake.success.value: a share between 0 and 1 is wanted"
            ),
            Damage("\n}\n", "", "r.json: line 313: it ends before it is complete"),
            Damage("\n}\n", "\n}\n{}\n", "r.json: line 315: there is something behind the value"),
        ]
    )
    func damage(_ damage: Damage) throws {
        let text = JSONReport.text(of: SampleRun.result)
        let damaged = text.replacing(damage.find, with: damage.replace, maxReplacements: 1)
        #expect(damaged != text)
        #expect(throws: ResultError.self) {
            do {
                _ = try JSONReport.result(from: Array(damaged.utf8), file: "r.json")
            } catch {
                #expect("\(error)" == damage.message)
                throw error
            }
        }
    }

    @Test("a result that is cut short is refused, wherever")
    func prefixes() {
        let bytes = Array(JSONReport.text(of: SampleRun.result).utf8)
        for length in Array(0..<300) + Array(stride(from: 300, to: bytes.count - 1, by: 101)) {
            #expect(throws: ResultError.self) {
                _ = try JSONReport.result(from: Array(bytes[..<length]), file: "r.json")
            }
        }
    }

    @Test(
        "text that is no JSON is refused",
        arguments: [
            "", "nul", "01", "1.", "+1", "[1,]", "{\"a\":1,}", "{a:1}", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
            "\"\u{1}\"", "[1] 2", "NaN", String(repeating: "[", count: 100_000),
        ]
    )
    func noJSON(_ text: String) {
        #expect(throws: JSONProblem.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("strings survive: quotes, control characters, everything beyond ASCII")
    func strings() throws {
        let text = "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{7F}\u{9B}\u{202E}é\u{1F600}\u{E0001}"
        let line = JSONValue.string(text).line
        #expect(try JSONParser.parse(Array(line.utf8)) == .string(text))
        #expect(!line.unicodeScalars.contains { $0.isUnsafeToPrint })
    }
}

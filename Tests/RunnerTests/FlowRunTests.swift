import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// What is known of each flow by itself, where several go through the tunnels of one population.
@Suite("Flows by themselves, in virtual time")
struct FlowRunTests {
    /// 30 clients with a flow both ways, one up alone and one that is echoed.
    private static func text(path: String, more: String = "", policy: String = "subnets: []") -> String {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 15s, jitter: 10% }")
        (setting.path, setting.more, setting.policy) = (path, more, policy)
        (setting.up, setting.down) = ("{ packets: 10/s, size: 200B }", "{ packets: 25/s, size: 1200B }")
        let others = """
              calls: { population: laptops, pattern: poisson, up: { packets: 15/s, size: 100B } }
              pings: { population: laptops, protocol: icmp, echo: true, up: { packets: 5/s, size: 300B } }
              office: {
            """
        return setting.text.replacing("  office: {", with: others)
    }

    private static let names = ["calls", "pings", "office", "office/up", "office/down"]

    private static func measured(_ outcome: SimulatedOutcome) -> [String: Measurements] {
        Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                outcome.measurements.first { $0.scope == MeasurementScope(flow: name) }.map { (name, $0) }
            }
        )
    }

    /// Nothing is on its way at the end, when the path has been down for longer than anything is held back.
    private static let dark = "dark: { kind: path-down, at: 55s, for: 5s, path: way }"

    struct Trouble: CustomTestStringConvertible {
        var path: String
        var faults = ""
        var policy = "subnets: []"
        /// Beside `path-down`.
        var reasons: [String]
        var testDescription: String { "\(reasons)" }
    }

    @Test(
        "every packet of a flow is received or lost as its own, whatever loses it",
        arguments: [
            Trouble(path: "one-way-delay: 20ms, loss: { random: 5% }, duplication: 10%", reasons: ["lost"]),
            Trouble(path: "one-way-delay: 20ms, mtu: 1000, over-mtu: drop", reasons: ["over-mtu"]),
            Trouble(
                path: "one-way-delay: 20ms, bandwidth: { rate: 200kbit/s, queue: 4KB }",
                reasons: ["queue-full"]
            ),
            Trouble(
                path: "one-way-delay: 20ms, nat: { preset: linux-conntrack }, duplication: 20%",
                faults: "rebind: { kind: nat-rebind, at: 30s, path: way, share: 50% }",
                reasons: ["nat"]
            ),
            Trouble(
                path: "one-way-delay: 20ms",
                faults: "restart: { at: 20s, gateway: gw, down: 1s, keeps-state: false }",
                policy: "unknown-spis: 100",
                reasons: ["gateway-down", "no-tunnel", "unknown-spi"]
            ),
            Trouble(
                path: "one-way-delay: 20ms, reordering: { share: 2%, extra-delay: 4s }, duplication: 5%",
                faults: "replay: { at: 10s, for: 30s, path: way, after: 1s }",
                reasons: ["too-old"]
            ),
        ]
    )
    func accounts(_ trouble: Trouble) throws {
        let faults = "faults: { \([trouble.faults, Self.dark].filter { !$0.isEmpty }.joined(separator: ", ")) }"
        let text = Self.text(path: trouble.path, more: faults, policy: trouble.policy)
        let outcome = try simulate(text, endsMidFlight: true)
        let total = try #require(outcome.measurements.first)
        let flows = Self.measured(outcome)
        #expect(flows.count == Self.names.count)
        for name in Self.names {
            let flow = try #require(flows[name])
            let offered = flow.counter(.trafficOffered).total
            let ended = flow.counter(.trafficReceived).total + flow.counter(.trafficLost).total
            #expect(offered > 4_000 && offered == ended, "\(name): \(offered) offered, \(ended) ended")
            #expect(
                flow.latency(.trafficRoundTrip).count + flow.latency(.trafficLatency).count
                    == flow.counter(.trafficReceived).total
            )
        }
        expectSum(of: ["office/up", "office/down"].compactMap { flows[$0] }, flows["office"])
        expectSum(of: ["calls", "pings", "office"].compactMap { flows[$0] }, total)
        let reasons = Set(total.counter(.trafficLost).byReason.map(\.name))
        #expect(reasons.isSuperset(of: trouble.reasons + ["path-down"]), "\(reasons)")
    }

    private func expectSum(of parts: [Measurements], _ whole: Measurements?, _ at: SourceLocation = #_sourceLocation) {
        guard let whole else { return #expect(whole != nil, sourceLocation: at) }
        for metric in MetricName.allCases where metric.isPerFlow {
            let counts = parts.map { $0.counter(metric).total }.reduce(0, +)
            let samples = parts.map { $0.latency(metric).count }.reduce(0, +)
            #expect(counts == whole.counter(metric).total, "\(metric)", sourceLocation: at)
            #expect(samples == whole.latency(metric).count, "\(metric)", sourceLocation: at)
        }
        var reasons: [String: UInt64] = [:]
        for reason in parts.flatMap({ $0.counter(.trafficLost).byReason }) {
            reasons[reason.name, default: 0] += reason.count
        }
        let wanted = Dictionary(uniqueKeysWithValues: whole.counter(.trafficLost).byReason.map { ($0.name, $0.count) })
        #expect(reasons == wanted, sourceLocation: at)
    }

    @Test("what concerns one flow shows in that flow alone")
    func tellsApart() throws {
        // Only the 1200 octets of one way are over the MTU.
        let outcome = try simulate(Self.text(path: "one-way-delay: 20ms, mtu: 1000, over-mtu: drop"))
        let flows = Self.measured(outcome)
        for (name, flow) in flows {
            let isLost = name == "office" || name == "office/down"
            #expect((flow.counter(.trafficLost).total > 0) == isLost, "\(name)")
            #expect((flow.latency(.trafficRoundTrip).count > 0) == (name == "pings"), "\(name)")
        }
        #expect(flows["office/down"]?.counter(.trafficReceived).total == 0)
        // 30 clients for a minute, of which they come in the first one and a half seconds; bursts of chance differ.
        for (name, rate) in [("calls", 15), ("pings", 5), ("office/up", 10), ("office/down", 25)] as [(String, Double)]
        {
            let offered = Double(flows[name]?.counter(.trafficOffered).total ?? 0)
            #expect(abs(offered / (30 * 59.2 * rate) - 1) < 0.03, "\(name): \(offered)")
        }
        // The way there and back has two of the delays that one way has.
        #expect(flows["pings"].map { $0.latency(.trafficRoundTrip).minimum >= 40_000_000 } == true)
        #expect(flows["calls"].map { $0.latency(.trafficLatency).maximum < 30_000_000 } == true)
        // A rekey is over for each flow of each client: the echoed one counts once.
        let counts = ["calls", "pings", "office/up"].map { flows[$0]?.latency(.childRekeyOutage).count }
        #expect(Set(counts).count == 1 && (counts[0] ?? 0) >= 80)
    }

    @Test("an expectation of a flow is held against that flow alone")
    func isJudged() throws {
        let expected = [
            ("traffic.lost(office/up) <= 0", true), ("traffic.lost(office) <= 0", false),
            ("traffic.lost(office/down) <= 0", false), ("traffic.lost(calls) <= 0", true),
            ("traffic.lost(laptops) <= 0", false), ("traffic.round-trip(pings) p99 < 45ms", true),
            ("traffic.round-trip(calls) count > 0", false), ("traffic.latency(calls) max < 25ms", true),
            ("traffic.lost(office/down) rate(5s) > 700/s", true), ("traffic.lost(calls) rate(5s) < 1/s", true),
            ("traffic.offered(calls) rate(5s) > 600/s", false), ("traffic.offered(calls) rate(5s) > 350/s", true),
            ("traffic.lost(office/up) <= 0 after hiccup", true), ("traffic.lost(office) <= 0 after hiccup", false),
            ("traffic.offered(calls) < 16000", false), ("traffic.offered(calls) < 16000 after hiccup", true),
        ]
        let faults = "faults: { hiccup: { kind: loss-burst, at: 30s, for: 1ms, path: way, loss: none } }"
        let more = faults + "\nthresholds: [\(expected.map(\.0).joined(separator: ", "))]"
        let path = "one-way-delay: 20ms, mtu: 1000, over-mtu: drop"
        let text = Self.text(path: path, more: more).replacing("duration: 60s", with: "duration: 60s, warm-up: 5s")
        let read = try WorkloadFile(text: text, path: "test.yaml").validated()
        let result = RunResult(try Self.record(of: read), steadyState: [], thresholds: read.thresholds)
        for (outcome, expected) in zip(result.thresholds, expected) {
            #expect(outcome.expectation == expected.0 && outcome.passed == expected.1, "\(outcome)")
        }
        #expect(result.thresholds.count == expected.count)
    }

    private static func record(of workload: Workload) throws -> RunRecord {
        let outcome = try simulate(workload)
        let machine = Host.Machine(system: "", processor: "", cores: 1, memoryBytes: 0)
        var record = RunRecord(
            name: "flows",
            mode: .simulated,
            seed: workload.seed,
            version: "",
            digest: outcome.digest,
            workloadHash: "",
            command: [],
            duration: workload.run.duration,
            plannedDuration: workload.run.duration,
            host: Host(workers: 1, memoryBytes: 0, cryptoBackend: "", wallClock: .zero, startedAt: 0, machine: machine)
        )
        record.warmUp = workload.run.warmUp
        record.measurements = outcome.measurements
        record.series = outcome.series
        record.faults = workload.faults.map {
            RunRecord.Fault(name: $0.name, kind: "loss-burst", start: .zero + $0.at, end: .zero + $0.end)
        }
        return record
    }

    @Test("that nothing is lost in any second is so where nothing is lost at all")
    func ratesOfNothing() throws {
        let more = "thresholds: [traffic.lost(calls) rate(5s) < 1/s, traffic.reordered rate(5s) < 1/s]"
        let read = try WorkloadFile(text: Self.text(path: "one-way-delay: 20ms", more: more), path: "test.yaml")
            .validated()
        let result = RunResult(try Self.record(of: read), steadyState: [], thresholds: read.thresholds)
        #expect(result.thresholds.map(\.passed) == [true, true], "\(result.thresholds)")
    }

    @Test("leave no trace of workers, shards and windows", arguments: [2, 5])
    func isDeterministic(workers: Int) throws {
        let path = "one-way-delay: 20ms, loss: { random: 2% }, duplication: 5%, nat: { preset: linux-conntrack }"
        try expectNoTrace(of: workers, in: Self.text(path: path))
    }
}

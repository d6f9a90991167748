import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// What is not echoed, in real time: the host behind our responder says what has come to it, and sends what is ordered.
@Suite("One-way flows, in real time over loopback", .serialized)
struct LiveOneWayTests {
    private func measure(_ values: LoopbackWorkload) throws -> Measurements {
        try #require(try measureAll(values).first)
    }

    private func measureAll(_ values: LoopbackWorkload) throws -> [Measurements] {
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        #expect(result.leftBehind == 0)
        return result.measurements
    }

    @Test("come whole, up and down, over rekeys of both kinds, and their latency is one way's")
    func comeWhole() throws {
        var values = LoopbackWorkload(
            count: 20,
            rate: "100/s",
            duration: "5s",
            ike: "{ rekey: 3s }",
            child: "{ rekey: 1s }"
        )
        values.traffic =
            "traffic: { both: { population: laptops, up: { packets: 50/s, size: 200B }, "
            + "down: { packets: 100/s, size: { mix: { 72B: 7, 576B: 4, 1400B: 1 } } } }, "
            + "talk: { population: laptops, target: 10.4.5.6, pattern: poisson, "
            + "up: { packets: 20/s, size: { uniform: [72B, 200B] } } } }"
        let measured = try measure(values)
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > 20 * 160 * 4)
        #expect(measured.counter(.trafficReceived).total == offered)
        #expect(measured.counter(.trafficLost).byReason == [])
        let latency = measured.latency(.trafficLatency)
        // The path has a millisecond, of which a round trip has two.
        #expect(latency.count == offered && latency.minimum >= 1_000_000)
        #expect(measured.latency(.trafficRoundTrip).count == 0)
        #expect(measured.latency(.trafficClockError).count == 60 && measured.latency(.trafficClockError).maximum == 0)
        #expect(measured.counter(.childRekeyEstablished).total >= 60)
        #expect(measured.latency(.childRekeyOutage).count >= 180 && measured.latency(.childRekeyOutage).maximum == 0)
        // Two round trips of 2 ms, and a way of 1 ms.
        let first = measured.latency(.trafficFirstPacket)
        #expect(first.count == 20 && first.minimum >= 5_000_000 && first.maximum < 2_000_000_000, "\(first)")
    }

    @Test("say what was lost on the way, of either direction", arguments: ["up", "down"])
    func lose(direction: String) throws {
        var values = LoopbackWorkload(
            count: 10,
            rate: "100/s",
            duration: "4s",
            path: "{ one-way-delay: 1ms, loss: { random: 10% } }"
        )
        values.traffic = "traffic: { flow: { population: laptops, \(direction): { packets: 100/s, size: 200B } } }"
        let measured = try measure(values)
        let offered = measured.counter(.trafficOffered).total
        let lost = measured.counter(.trafficLost)
        #expect(offered > 10 * 100 * 2)
        #expect(measured.counter(.trafficReceived).total + lost.total == offered)
        #expect(lost.byReason.map(\.name) == ["lost"])
        #expect((0.06...0.14).contains(Double(lost.total) / Double(offered)))
    }

    @Test("are known each by itself, up, down and beside what is echoed")
    func areToldApart() throws {
        var values = LoopbackWorkload(
            count: 10,
            rate: "100/s",
            duration: "4s",
            path: "{ one-way-delay: 1ms, loss: { random: 10% } }"
        )
        values.traffic =
            "traffic: { both: { population: laptops, up: { packets: 50/s, size: 200B }, down: { packets: 100/s, size: imix } }, "
            + "pings: { population: laptops, echo: true, up: { packets: 60/s, size: 100B } } }"
        let measured = try measureAll(values)
        func flow(_ name: String) throws -> Measurements {
            try #require(measured.first { $0.scope == MeasurementScope(flow: name) })
        }
        for (name, reason, share) in [
            ("both/up", "lost", 0.06...0.14), ("both/down", "lost", 0.06...0.14), ("pings", "unanswered", 0.05...0.14),
        ] {
            let own = try flow(name)
            let (offered, lost) = (own.counter(.trafficOffered).total, own.counter(.trafficLost))
            #expect(offered > 10 * 50 * 2)
            #expect(own.counter(.trafficReceived).total + lost.total == offered)
            let late = lost.byReason.first { $0.name == reason }?.count ?? 0
            #expect(share.contains(Double(late) / Double(offered)), "\(name): \(lost)")
            #expect(own.latency(.trafficRoundTrip).count == (name == "pings" ? own.counter(.trafficReceived).total : 0))
        }
        #expect(try flow("both/down").counter(.trafficOffered).total > flow("both/up").counter(.trafficOffered).total)
        #expect(try flow("both/up").latency(.trafficClockError).count == 10)
        #expect(try flow("pings").latency(.trafficClockError).count == 0)
        for metric in MetricName.allCases where metric.isPerFlow {
            let (both, up, down) = (try flow("both"), try flow("both/up"), try flow("both/down"))
            let (pings, total) = (try flow("pings"), try #require(measured.first))
            #expect(up.counter(metric).total + down.counter(metric).total == both.counter(metric).total)
            #expect(both.counter(metric).total + pings.counter(metric).total == total.counter(metric).total)
            #expect(both.latency(metric).count + pings.latency(metric).count == total.latency(metric).count)
        }
    }

    @Test("count once what a path doubles, and see what it reorders, up and down", arguments: ["up", "down"])
    func seeOrder(direction: String) throws {
        var values = LoopbackWorkload(
            count: 10,
            rate: "100/s",
            duration: "4s",
            path: "{ one-way-delay: 1ms, duplication: 10%, reordering: { share: 10%, extra-delay: 30ms } }"
        )
        values.traffic = "traffic: { flow: { population: laptops, \(direction): { packets: 100/s, size: 200B } } }"
        let measured = try measure(values)
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > 10 * 100 * 2 && measured.counter(.trafficReceived).total == offered)
        // The second of two is dropped by the anti-replay window before anybody sees it.
        #expect(measured.counter(.trafficDuplicated).total == 0)
        // The responder drops those of a flow up, of which only its own word comes down: four times a second to each.
        let replayed = measured.counter(.espDropped).byReason.first { $0.name == "replayed" }?.count ?? 0
        #expect(direction == "up" ? replayed > 0 : (0.06...0.15).contains(Double(replayed) / Double(offered)))
        #expect((0.05...0.25).contains(Double(measured.counter(.trafficReordered).total) / Double(offered)))
    }
}

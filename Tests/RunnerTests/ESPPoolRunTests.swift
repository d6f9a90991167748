import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// A gateway whose work on ESP takes time.
@Suite("A gateway's ESP pool, in virtual time")
struct ESPPoolRunTests {
    /// 30 clients, and F of 1 ms.
    private static func text(
        _ esp: String,
        _ flow: String,
        _ change: (inout TrafficRunTests.Setting) -> Void = { _ in }
    ) -> String {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }")
        setting.path = "one-way-delay: 10ms"
        setting.flow = flow
        change(&setting)
        return setting.text.replacing("cores: 2,", with: "cores: 2, esp: { \(esp) },")
    }

    private static func sum(_ column: [UInt64?]?, _ seconds: Range<Int>) throws -> UInt64 {
        try #require(column)[seconds].reduce(0) { $0 + ($1 ?? 0) }
    }

    @Test(
        "that is asked for too much does as much as its cores can, and loses the rest at its queue",
        arguments: [
            // 600 packets a second, of which 400 have a core.
            ("cores: 1, per-packet: 2500us", "up: { packets: 20/s, size: 200B }"),
            ("cores: 2, per-packet: 5ms", "up: { packets: 20/s, size: { uniform: [72B, 1400B] } }"),
            (
                "cores: 1, per-packet: 2500us, queue: { packets: 5 }",
                "pattern: poisson, down: { packets: 20/s, size: imix }"
            ),
            // Sealed packets are priced by what is inside.
            ("cores: 3, per-packet: 500us, per-kilobyte: 35ms", "down: { packets: 20/s, size: 200B }"),
        ]
    )
    func saturates(esp: String, flow: String) throws {
        let outcome = try simulate(Self.text(esp, flow))
        let measured = try #require(outcome.measurements.first)
        let received = try Self.sum(outcome.series[.counter(.trafficReceived)], 10..<50)
        // A long queue holds no more than 2.6 s, and is full by then.
        #expect((15_840...16_160).contains(received), "\(received)")
        let lost = measured.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["gateway-queue-full"])
        #expect(measured.counter(.trafficReceived).total + lost.total <= measured.counter(.trafficOffered).total)
        let busy = try Self.sum(outcome.series[.gauge(.gatewayESP), of: "gw"], 10..<50)
        #expect(busy > 40 * 990_000_000 && busy <= 40 * 1_000_000_000)
        let queue = try #require(outcome.series[.gauge(.gatewayESPQueue), of: "gw"])
        #expect(queue[10..<50].allSatisfy { $0 == (esp.contains("queue") ? 5 : 1_024) })
    }

    @Test("that has enough cores loses nothing, and adds what it takes and twice F, exactly")
    func adds() throws {
        let esp = "cores: 60, per-packet: 3ms, per-kilobyte: 10ms"
        // 1,000 octets come as ESP packets of 8 + 8 + 1,004 + 16.
        let up = try simulate(Self.text(esp, "up: { packets: 5/s, size: 1000B }"))
        let down = try simulate(Self.text(esp, "down: { packets: 5/s, size: 1000B }"))
        let echo = try simulate(Self.text(esp, "echo: true, up: { packets: 5/s, size: 1000B }"))
        for (outcome, metric, latency) in [
            (up, MetricName.trafficLatency, 10_000_000 + 2_000_000 + 3_000_000 + 10_360_000),
            (down, .trafficLatency, 10_000_000 + 2_000_000 + 3_000_000 + 10_000_000),
            (echo, .trafficRoundTrip, 20_000_000 + 4_000_000 + 6_000_000 + 20_360_000),
        ] as [(SimulatedOutcome, MetricName, UInt64)] {
            let measured = try #require(outcome.measurements.first)
            #expect(measured.counter(.trafficLost).byReason == [])
            #expect(measured.counter(.trafficReceived).total > 8_000)
            let times = measured.latency(metric)
            #expect(times.minimum == latency && times.maximum == latency)
        }
        // An echoed packet has a core twice, that on its way up for a little longer.
        let busy = try Self.sum(echo.series[.gauge(.gatewayESP), of: "gw"], 10..<50) * 60
        let expected: UInt64 = 40 * 150 * 26_360_000
        #expect(busy > expected / 100 * 99 && busy < expected / 100 * 101)
    }

    private static let troubles: @Sendable (inout TrafficRunTests.Setting) -> Void = { setting in
        setting.child = "{ rekey: 15s, jitter: 10% }"
        setting.gatewayLifetimes = "{ ike: { rekey: 35s }, child: { rekey: 20s } }"
        setting.path =
            "one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }, "
            + "loss: { random: 2% }, duplication: 20%, reordering: { share: 10%, extra-delay: 20ms }, "
            + "nat: { preset: linux-conntrack }"
        setting.profile = "children: 1\n    liveness: { every: 5s }"
        setting.more = """
            faults:
              restart: { at: 30s, gateway: gw, down: 3s, keeps-state: true }
              crash: { kind: restart, at: 40s, gateway: gw, down: 2s, keeps-state: false }
            """
    }

    private static let flows = [
        "pattern: poisson, up: { packets: 5/s, size: imix }, down: { packets: 10/s, size: imix }",
        "pattern: poisson, echo: true, up: { packets: 8/s, size: imix }",
    ]

    @Test("loses and receives no packet twice, whatever else goes wrong", arguments: flows)
    func keepsAccount(flow: String) throws {
        let esp = "cores: 2, per-packet: 3ms, per-kilobyte: 1ms, queue: { packets: 20 }"
        let outcome = try simulate(Self.text(esp, flow, Self.troubles), endsMidFlight: true)
        let measured = try #require(outcome.measurements.first)
        let (offered, received) = (measured.counter(.trafficOffered).total, measured.counter(.trafficReceived).total)
        let lost = measured.counter(.trafficLost)
        #expect(received + lost.total <= offered && received + lost.total >= offered - 30 * 12)
        #expect(received > offered / 2)
        let reasons = lost.byReason.map(\.name)
        #expect(reasons.contains("gateway-queue-full") && reasons.contains("gateway-down"))
        // The path has doubled them.
        #expect(measured.counter(.espDropped).byReason.contains { $0.name == "replayed" })
    }

    @Test("leaves no trace of workers, shards and windows", arguments: flows, [2, 3])
    func sameWithAnyWorkers(flow: String, workers: Int) throws {
        let esp = "cores: 2, per-packet: 3ms, per-kilobyte: 1ms, queue: { packets: 20 }"
        try expectNoTrace(of: workers, in: Self.text(esp, flow, Self.troubles), endsMidFlight: true)
    }

    @Test("of many cores says when all of them are busy")
    func saturatesManyCores() throws {
        let outcome = try simulate(
            Self.text("cores: 24, per-packet: 200ms, queue: { packets: 50 }", "up: { packets: 20/s, size: 200B }"),
            endsMidFlight: true
        )
        let shares = try #require(outcome.series[.gauge(.gatewayESP), of: "gw"])
        #expect(shares.compactMap(\.self).max() == 1_000_000_000)
    }

    @Test("of any size does not touch IKE, and one that is not asked for leaves no column")
    func leavesIKEAlone() throws {
        let flow = "up: { packets: 20/s, size: 200B }"
        let slow = try simulate(Self.text("cores: 1, per-packet: 10ms", flow))
        let none = try simulate(
            Self.text("cores: 1, per-packet: 10ms", flow).replacing("esp: { cores: 1, per-packet: 10ms },", with: "")
        )
        let (with, without) = (try #require(slow.measurements.first), try #require(none.measurements.first))
        #expect(with.counter(.handshakeEstablished) == without.counter(.handshakeEstablished))
        #expect(with.latency(.handshakeLatency) == without.latency(.handshakeLatency))
        #expect(with.counter(.trafficLost).total > 5_000 && without.counter(.trafficLost).total == 0)
        #expect(none.series[.gauge(.gatewayESP), of: "gw"] == nil)
    }
}

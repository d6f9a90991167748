import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// What a `loss-burst` takes, beside the same run without it.
@Suite("A simulated run with a burst of loss")
struct LossBurstRunTests {
    private static func burst(_ share: String, at start: String, for lasting: String, on path: String) -> String {
        "faults: { burst: { kind: loss-burst, at: \(start), for: \(lasting), path: \(path), loss: { random: \(share) } } }"
    }

    private static func sum(_ outcome: SimulatedOutcome, _ metric: MetricName, _ seconds: Range<Int>) throws -> UInt64 {
        try #require(outcome.series[.counter(metric)])[seconds].reduce(0) { $0 + ($1 ?? 0) }
    }

    /// 40 clients in two seconds, who send again after 0.5, 1, 2 and 4 seconds, and give up after another 8.
    @Test("of everything establishes nobody while it lasts, and everybody by the first request after it")
    func handshakes() throws {
        let text = LifeCycleRunTests.text(faults: Self.burst("100%", at: "0s", for: "6s", on: "lan"))
        let outcome = try simulate(text)
        let measured = try #require(outcome.measurements.first)
        // The requests of 0, 0.5, 1.5 and 3.5 seconds after their arrivals are lost, those of 7.5 seconds are not.
        #expect(try Self.sum(outcome, .handshakeEstablished, 0..<7) == 0)
        #expect(try Self.sum(outcome, .handshakeEstablished, 7..<10) == 40)
        let latency = measured.latency(.handshakeLatency)
        #expect(latency.minimum > 7_500_000_000 && latency.maximum < 7_650_000_000)
        #expect(try Self.sum(outcome, .retransmissions, 0..<10) == 40 * 4)
        #expect(measured.counter(.handshakeFailed).total == 0 && measured.counter(.tunnelsLost).total == 0)
        #expect(measured.counter(.handshakeOffered).total == 40)
    }

    @Test("of everything that outlasts the retransmissions has every attempt fail, and those that follow it succeed")
    func outlasts() throws {
        // Given up 15.5 s after each arrival, and tried again within 8 s of the burst's end.
        let text = LifeCycleRunTests.text(faults: Self.burst("100%", at: "0s", for: "20s", on: "lan"))
        let outcome = try simulate(text)
        let measured = try #require(outcome.measurements.first)
        let failed = measured.counter(.handshakeFailed)
        #expect(failed.total == 40 && failed.byReason.map(\.name) == ["timeout"])
        #expect(try Self.sum(outcome, .handshakeFailed, 15..<18) == 40)
        #expect(try Self.sum(outcome, .handshakeEstablished, 0..<20) == 0)
        #expect(measured.counter(.handshakeEstablished).total == 40)
        #expect(try #require(outcome.series[.gauge(.tunnelsUp)]).last == 40)
    }

    /// Child SAs are rekeyed 40 s after their IKE SAs came to be, between 40 and 43 s; there is nothing else then.
    @Test("keeps who is there waiting, and loses nobody", arguments: [("50%", 80...200), ("100%", 160...160)])
    func established(share: String, retransmissions: ClosedRange<UInt64>) throws {
        func text(_ faults: String) -> String {
            LifeCycleRunTests.text(faults: faults).replacing("rekey: 40s", with: "rekey: 40s, jitter: 0%")
        }
        let without = try simulate(text(""))
        #expect(try Self.sum(without, .retransmissions, 0..<240) == 0)
        #expect(try Self.sum(without, .childRekeyEstablished, 40..<43) == 40)
        // The requests of 0, 0.5, 1.5 and 3.5 seconds after they are due meet it, those of 7.5 seconds do not.
        let outcome = try simulate(text(Self.burst(share, at: "39s", for: "8s", on: "lan")))
        #expect(retransmissions.contains(try Self.sum(outcome, .retransmissions, 0..<240)))
        let rekeyed = try Self.sum(outcome, .childRekeyEstablished, 39..<47)
        #expect(share == "100%" ? rekeyed == 0 : (10..<40).contains(rekeyed))
        #expect(try Self.sum(outcome, .childRekeyEstablished, 39..<52) == 40)
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.tunnelsLost).total == 0 && measured.counter(.childRekeyFailed).total == 0)
    }

    @Test(
        "takes its share of the packets that are sent meanwhile, and no other",
        arguments: [(10, 120), (50, 240), (100, 0)] as [(UInt64, UInt64)]
    )
    func packets(percent: UInt64, deviation: UInt64) throws {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }")
        setting.path = "one-way-delay: 10ms"
        setting.flow = "up: { packets: 20/s, size: 200B }"
        setting.more = Self.burst("\(percent)%", at: "20s", for: "10s", on: "way")
        let outcome = try simulate(setting.text)
        // 30 clients with 20 packets a second, for 10 seconds.
        let lost = try #require(outcome.measurements.first).counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["lost"])
        #expect((60 * percent - deviation...60 * percent + deviation).contains(lost.total), "\(lost.total)")
        // What was sent in the burst's first milliseconds is missed in the same second.
        #expect(try Self.sum(outcome, .trafficLost, 20..<31) == lost.total)
    }
}

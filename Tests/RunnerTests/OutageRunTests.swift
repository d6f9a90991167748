import Metrics
import Primitives
import Results
import Testing

/// RFC 6201 and RFC 2544 for what happens to a tunnel: what each event costs its flows.
@Suite("What events cost packets, in virtual time")
struct OutageRunTests {
    private static let idle = "{ rekey: 24h }"
    /// Every packet takes as long as any other.
    private static let steady = "one-way-delay: 20ms"

    private func setting(_ faults: String = "", path: String = Self.steady) -> TrafficRunTests.Setting {
        var setting = TrafficRunTests.Setting(ike: Self.idle, child: Self.idle)
        setting.path = path
        setting.up = "{ packets: 10/s, size: 200B }"
        setting.down = "{ packets: 20/s, size: 200B }"
        setting.more = faults
        return setting
    }

    /// The sum of a metric's samples.
    private func sum(_ latency: LatencyRecord) -> Double { Double(latency.mean) * Double(latency.count) }

    @Test("a rekey of either kind costs none of its flows anything, and the gap is that between any two packets")
    func rekeys() throws {
        var setting = setting()
        setting.child = "{ rekey: 15s, jitter: 10% }"
        setting.ike = "{ rekey: 20s, jitter: 10% }"
        let measured = try setting.measured()
        for (established, outage, gap) in [
            (MetricName.childRekeyEstablished, MetricName.childRekeyOutage, MetricName.childRekeyGap),
            (.ikeRekeyEstablished, .ikeRekeyOutage, .ikeRekeyGap),
        ] {
            let rekeys = measured.counter(established).total
            #expect(rekeys >= 60)
            // Two flows each.
            #expect(measured.latency(outage).count == 2 * rekeys)
            #expect(measured.latency(outage).maximum == 0)
            #expect(measured.latency(gap).count == 2 * rekeys)
            #expect(measured.latency(gap).maximum <= 100_000_000)
            #expect(measured.latency(gap).minimum >= 49_999_999)
        }
        // Nothing else happens.
        for metric in [MetricName.natOutage, .mobikeOutage, .restartOutage, .reauthenticationOutage] {
            #expect(measured.latency(metric).count == 0)
        }
        #expect(measured.latency(.trafficJitter).maximum == 0)
        #expect(measured.counter(.espDropped).byReason == [])
    }

    @Test("a NAT that takes other ports costs what is on its way to the old ones, and no more")
    func rebinding() throws {
        let path = Self.steady + ", nat: { preset: linux-conntrack }"
        let faults = "faults: { rebind: { kind: nat-rebind, at: 30s, path: way, share: 50% } }"
        let measured = try setting(faults, path: path).measured()
        let outage = measured.latency(.natOutage)
        // Both flows of about half of 30 clients.
        #expect(outage.count >= 16 && outage.count <= 44 && outage.count % 2 == 0)
        let lost = measured.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["nat"])
        // Each lost packet is a twentieth of a second of its flow down; the mean is rounded.
        #expect(abs(sum(outage) - Double(lost.total) * 50_000_000) <= Double(outage.count))
        #expect(outage.minimum == 0 && outage.maximum <= 250_000_000)
        #expect(measured.latency(.natGap).maximum >= outage.maximum)
    }

    @Test("a gateway that is down and comes back with its SAs costs the time that it is down")
    func restart() throws {
        let faults = "faults: { crash: { kind: restart, at: 20s, gateway: gw, down: 3s, keeps-state: true } }"
        let measured = try setting(faults).measured()
        let outage = measured.latency(.restartOutage)
        #expect(outage.count == 60)
        #expect(outage.minimum >= 2_900_000_000 && outage.maximum <= 3_100_000_000)
        let gap = measured.latency(.restartGap)
        #expect(gap.minimum >= 3_000_000_000 && gap.maximum <= 3_200_000_000)
        // Some 30 packets a second for each of 30 clients.
        #expect(abs(Int(measured.counter(.trafficLost).total) - 30 * 30 * 3) <= 60)
    }

    @Test("one that comes back without them costs the time until its clients have come again")
    func restartWithoutState() throws {
        var setting = setting(
            "faults: { crash: { kind: restart, at: 20s, gateway: gw, down: 1s, keeps-state: false } }"
        )
        setting.policy = "unknown-spis: 100"
        let measured = try setting.measured()
        #expect(measured.counter(.handshakeEstablished).total == 60)
        let outage = measured.latency(.restartOutage)
        // A client asks whether the gateway is there, for 15.5 s in vain.
        #expect(outage.count == 60 && outage.minimum > 15_000_000_000 && outage.maximum < 25_000_000_000)
        #expect(measured.counter(.espDropped).byReason.map(\.name) == ["unknown-spi"])
        // The first time and again.
        #expect(measured.latency(.trafficFirstPacket).count == 60)
    }

    @Test("a reauthentication that breaks before it makes costs packets, and the other order none")
    func reauthentication() throws {
        for order in ["break-before-make", "make-before-break"] {
            var setting = setting()
            setting.profile = "reauthentication: { every: 20s, jitter: 10%, order: \(order) }"
            let measured = try setting.measured()
            let outage = measured.latency(.reauthenticationOutage)
            #expect(measured.counter(.reauthenticationEstablished).total >= 60)
            #expect(outage.count >= 120)
            if order == "make-before-break" {
                #expect(outage.maximum == 0)
            } else {
                #expect(outage.maximum > 0 && outage.maximum < 500_000_000)
                // A packet is a tenth of a second of one flow, and a twentieth of the other.
                let lost = Double(measured.counter(.trafficLost).total)
                #expect((0.05...0.1).contains(sum(outage) / 1_000_000_000 / lost))
            }
            #expect(measured.latency(.trafficFirstPacket).count == 30)
        }
    }

    @Test(
        "a move with MOBIKE costs what is on its way to the old address; without, what is due until there is a tunnel"
    )
    func move() throws {
        func run(mobike: Bool) throws -> Measurements {
            var setting = setting(
                "faults: { train: { kind: move, at: 20s, over: 10s, population: laptops, to: way } }"
            )
            setting.profile = "mobike: \(mobike)"
            setting.policy = "mobike: \(mobike)"
            return try setting.measured(endsMidFlight: true)
        }
        let (moved, anew) = (try run(mobike: true), try run(mobike: false))
        for measured in [moved, anew] {
            #expect(measured.counter(.mobikeMoves).total == 30)
            #expect(measured.latency(.mobikeOutage).count == 60)
            #expect(measured.latency(.mobikeOutage).maximum <= measured.latency(.mobikeGap).maximum)
        }
        // There and back, and once down: 60 ms, in which two packets of a flow are due at most.
        #expect(moved.latency(.mobikeOutage).maximum <= 100_000_000)
        #expect(sum(anew.latency(.mobikeOutage)) > 1.5 * sum(moved.latency(.mobikeOutage)))
    }

    @Test("what comes twice, late or out of order is counted for that")
    func order() throws {
        let path = Self.steady + ", duplication: 100%, reordering: { share: 10%, extra-delay: 70ms }"
        let measured = try setting(path: path).measured()
        let received = measured.counter(.trafficReceived).total
        let dropped = measured.counter(.espDropped)
        #expect(dropped.byReason.map(\.name) == ["replayed"])
        // Each a second time, but for what is on its way at the end.
        #expect(received - dropped.total <= 60)
        #expect(measured.counter(.trafficDuplicated).total == 0)
        // Of the flow down each that is late comes behind the next one.
        let reordered = Double(measured.counter(.trafficReordered).total)
        #expect((0.05...0.12).contains(reordered / Double(received)))
        #expect(measured.latency(.trafficJitter).maximum == 70_000_000)
        #expect(measured.counter(.trafficLost).byReason == [])
    }

    @Test("what they cost is the same for every number of workers, and with modelled cryptography")
    func isDeterministic() throws {
        var setting = setting("faults: { rebind: { kind: nat-rebind, at: 30s, path: way, share: 50% } }")
        setting.child = "{ rekey: 15s, jitter: 10% }"
        setting.path += ", loss: { random: 1% }, nat: { preset: linux-conntrack }"
        try expectNoTrace(of: 3, in: setting.text)
    }
}

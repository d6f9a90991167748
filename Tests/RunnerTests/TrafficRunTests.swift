import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 4303 in a run: flows through the tunnels of its clients.
@Suite("Traffic through tunnels, in virtual time")
struct TrafficRunTests {
    struct Setting {
        var ike = "{ rekey: 40s, jitter: 10% }"
        var child = "{ rekey: 15s, jitter: 10% }"
        var gatewayLifetimes = "{ ike: { rekey: 24h }, child: { rekey: 8h } }"
        var proposal = "aes128gcm16"
        var profile = "children: 1"
        var policy = "subnets: []"
        var path = "one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 1ms } } }"
        var more = ""
        var up = "{ packets: 10/s, size: 200B }"
        var down = "{ packets: 20/s, size: imix }"
        /// In place of both.
        var flow: String?
        var pool = "pool: [10.128.0.0/16]"

        var text: String {
            """
            version: 1
            name: traffic
            seed: 11
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: { psk: test-only }
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [\(proposal)] }
                  lifetimes: \(gatewayLifetimes)
                  half-open: { cookies-above-per-source: never, refuse-above-per-source: never }
                  \(pool)
                  \(policy)
                simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
            profiles:
              laptop:
                identity: "user%05d@example.org"
                authentication: { psk: test-only }
                proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [\(proposal)] }
                lifetimes: { ike: \(ike), child: \(child) }
                retransmission: { first: 500ms, factor: 2, tries: 4 }
                reconnect: { after: [timeout, delete, refused], wait: { from: 1s, factor: 2, at-most: 4s } }
                \(profile)
            paths:
              way: { \(path) }
            populations:
              laptops: { count: 30, profile: laptop, path: way, gateway: gw, sources: [198.18.0.0/16] }
            arrivals:
              morning: { population: laptops, constant: 20/s }
            traffic:
              office: { population: laptops, \(flow ?? "up: \(up), down: \(down)") }
            \(more)
            run: { duration: 60s }
            """
        }

        func measured(endsMidFlight: Bool = false) throws -> Measurements {
            let outcome = try simulate(text, endsMidFlight: endsMidFlight)
            return try #require(outcome.measurements.first)
        }
    }

    /// What is on its way at the end is neither received nor lost.
    private func expectAccount(_ measured: Measurements, _ location: SourceLocation = #_sourceLocation) {
        let offered = measured.counter(.trafficOffered).total
        let ended = measured.counter(.trafficReceived).total + measured.counter(.trafficLost).total
        #expect(offered >= ended && offered <= ended + 30 * 12, sourceLocation: location)
        #expect(measured.latency(.trafficLatency).count == measured.counter(.trafficReceived).total)
    }

    @Test(
        "loses nothing over rekeys of either kind, whoever begins them",
        arguments: [
            ("{ rekey: 15s, jitter: 10% }", "{ ike: { rekey: 24h }, child: { rekey: 8h } }"),
            ("{ rekey: 8h }", "{ ike: { rekey: 25s, jitter: 10% }, child: { rekey: 10s, jitter: 10% } }"),
        ]
    )
    func survivesRekeys(client: String, gateway: String) throws {
        for proposal in [
            "aes128gcm16", "chacha20poly1305-x25519", "aes256-sha256", "aes128gcm16-esn", "aes128gcm16iiv-aes128gcm16",
        ] {
            let setting = Setting(child: client, gatewayLifetimes: gateway, proposal: proposal)
            let measured = try setting.measured()
            expectAccount(measured)
            #expect(measured.counter(.childRekeyEstablished).total > 80)
            #expect(measured.counter(.ikeRekeyEstablished).total >= 30)
            // Some 30 packets a second for each of 30 clients, for a minute.
            #expect(measured.counter(.trafficReceived).total > 50_000)
            #expect(measured.counter(.trafficLost).byReason == [])
            #expect(measured.latency(.trafficLatency).maximum < 90_000_000)
        }
    }

    @Test("loses nothing over rekeys that the gateway begins, in transport mode behind a NAT at either end")
    func survivesRekeysBehindNATs() throws {
        var setting = Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }")
        (setting.profile, setting.policy) = ("mode: transport", "mode: transport")
        setting.gatewayLifetimes = "{ ike: { rekey: 24h }, child: { rekey: 5s, jitter: 10% } }"
        setting.path += ", nat: { preset: linux-conntrack }"
        let text = setting.text.replacing("cores: 2,", with: "cores: 2, behind-nat: 10.0.0.9,")
        let measured = try #require(try simulate(text).measurements.first)
        expectAccount(measured)
        #expect(measured.counter(.childRekeyEstablished).total >= 30 * 9)
        for metric in [MetricName.childRekeyFailed, .tunnelsLost, .trafficLost] {
            #expect(measured.counter(metric).byReason == [])
        }
    }

    /// By use: 20 packets in a second to each client, of 150 B of data, and 10 from it.
    @Test(
        "rekeys a Child SA that has carried what it may, in either direction, and loses nothing",
        arguments: [
            // 200 packets of one direction, or as many bytes, headers included: every 10 s from the first packet on.
            ("{ rekey: never, jitter: 0%, packets: 200 }", "{ rekey: 8h }", 150...150),
            ("{ rekey: never, jitter: 0%, bytes: 35600B }", "{ rekey: 8h }", 150...150),
            ("{ rekey: 8h, jitter: 0%, bytes: 1GiB, packets: 200 }", "{ rekey: 8h }", 150...150),
            // What the gateway's own clock books comes a little later.
            ("{ rekey: 8h }", "{ rekey: never, jitter: 0%, packets: 200 }", 150...150),
            // Up to a half is drawn and taken off.
            ("{ rekey: never, jitter: 50%, packets: 200 }", "{ rekey: 8h }", 180...260),
            ("{ rekey: 8h }", "{ rekey: never, jitter: 50%, bytes: 35600B }", 180...260),
        ]
    )
    func rekeysByUse(client: String, gateway: String, expected: ClosedRange<UInt64>) throws {
        var setting = Setting(ike: "{ rekey: 24h }", child: client)
        setting.gatewayLifetimes = "{ ike: { rekey: 24h }, child: \(gateway) }"
        (setting.up, setting.down) = ("{ packets: 10/s, size: 178B }", "{ packets: 20/s, size: 178B }")
        let measured = try setting.measured()
        expectAccount(measured)
        #expect(expected.contains(measured.counter(.childRekeyEstablished).total))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.trafficLost).byReason == [])
    }

    @Test("says why packets are lost: by the path, and for want of a tunnel")
    func loses() throws {
        var setting = Setting(ike: "{ rekey: 24h }", child: "{ rekey: 15s, jitter: 10%, over: 20s }")
        setting.path += ", loss: { random: 2% }, mtu: 1000"
        setting.more = "faults: { dark: { kind: path-down, at: 30s, for: 5s, path: way } }"
        let measured = try setting.measured()
        expectAccount(measured)
        let reasons = Dictionary(
            uniqueKeysWithValues: measured.counter(.trafficLost).byReason.map { ($0.name, $0.count) }
        )
        let offered = Double(measured.counter(.trafficOffered).total)
        // 5 of 60 seconds; 2 % of the rest, of which the long ones go in two IP fragments.
        #expect((0.07...0.10).contains(Double(reasons["path-down"] ?? 0) / offered))
        #expect((0.016...0.024).contains(Double(reasons["lost"] ?? 0) / offered))
        #expect(reasons.keys.sorted() == ["lost", "path-down"])
    }

    @Test("is not counted twice where a path doubles it, and out of order where a path does that")
    func isCountedOnce() throws {
        var setting = Setting()
        setting.path += ", duplication: 100%, reordering: { share: 10%, extra-delay: 20ms }"
        let measured = try setting.measured()
        expectAccount(measured)
        #expect(measured.counter(.trafficLost).byReason == [])
    }

    @Test("goes on behind a NAT that takes other ports: the gateway follows what is authentic")
    func followsNAT() throws {
        var setting = Setting()
        setting.path += ", nat: { preset: linux-conntrack }"
        setting.more = "faults: { rebind: { kind: nat-rebind, at: 30s, path: way, share: 50% } }"
        let measured = try setting.measured()
        expectAccount(measured)
        #expect(measured.counter(.tunnelsLost).total == 0)
        // What is on its way to the old ports, until the first packet from the new ones has come.
        let lost = measured.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["nat"])
        #expect(lost.total > 15 && lost.total < 15 * 20)
    }

    @Test("flows in transport mode between the ends themselves")
    func transport() throws {
        let setting = Setting(profile: "mode: transport", policy: "mode: transport", pool: "liveness: { every: 1m }")
        let measured = try setting.measured()
        expectAccount(measured)
        #expect(measured.counter(.trafficReceived).total > 50_000)
        #expect(measured.counter(.trafficLost).byReason == [])
    }

    @Test(
        "is measured there and back where its target sends it back",
        arguments: [
            "echo: true, up: { packets: 20/s, size: imix }",
            "echo: true, protocol: icmp, target: 10.9.8.7, pattern: poisson, up: { packets: 20/s, size: 200B }",
        ]
    )
    func isEchoed(flow: String) throws {
        for isTransport in [false, true] {
            var setting = Setting(flow: flow)
            setting.path = "one-way-delay: 20ms"
            if isTransport {
                setting.profile = "mode: transport"
                setting.policy = "mode: transport"
                setting.pool = "liveness: { every: 1m }"
                setting.flow = flow.replacing("target: 10.9.8.7, ", with: "")
            }
            let measured = try setting.measured()
            let offered = measured.counter(.trafficOffered).total
            let returned = measured.counter(.trafficReceived).total
            // For 30 clients for a minute; what is on its way at the end is not back.
            #expect(offered > 30_000 && offered - returned < 60)
            #expect(measured.counter(.trafficLost).byReason == [])
            let roundTrip = measured.latency(.trafficRoundTrip)
            #expect(roundTrip.count == returned && roundTrip.minimum >= 40_000_000 && roundTrip.maximum < 42_000_000)
            #expect(measured.latency(.trafficLatency).count == 0)
        }
    }

    @Test(
        "has its first packet once the handshake is over, the packet is due and its way is gone",
        arguments: [("up: { packets: 10/s, size: 200B }", 20), ("echo: true, up: { packets: 10/s, size: 200B }", 40)]
    )
    func firstPacket(flow: String, milliseconds: UInt64) throws {
        var setting = Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }", flow: flow)
        setting.path = "one-way-delay: 20ms"
        let measured = try setting.measured()
        let (handshake, first) = (measured.latency(.handshakeLatency), measured.latency(.trafficFirstPacket))
        // Two round trips, and by the cost table 0.37 ms for IKE_SA_INIT and 0.89 ms for IKE_AUTH; nobody has to wait.
        #expect(handshake.count == 30 && first.count == 30)
        #expect(handshake.minimum >= 81_261_425 && handshake.maximum < 90_000_000, "\(handshake)")
        // A flow of ten packets a second begins anywhere in its first tenth, in the middle of it on average.
        let way = milliseconds * 1_000_000
        #expect(first.minimum >= handshake.minimum + way, "\(first)")
        #expect(first.maximum <= handshake.maximum + way + 100_000_000, "\(first)")
        // Within four standard errors of 30 samples: 5.3 ms each.
        let wait = Double(first.mean) - Double(handshake.mean) - Double(way)
        #expect((28_000_000...72_000_000).contains(wait), "\(wait) ns")
    }

    @Test("counts an echoed packet once, whichever way loses it")
    func losesEchoes() throws {
        var setting = Setting(flow: "echo: true, up: { packets: 20/s, size: 200B }")
        setting.path = "one-way-delay: 20ms, loss: { random: 5% }, duplication: 10%"
        let measured = try setting.measured()
        let offered = measured.counter(.trafficOffered).total
        let lost = measured.counter(.trafficLost)
        let returned = measured.counter(.trafficReceived).total
        #expect(lost.byReason.map(\.name) == ["lost"])
        #expect(offered >= returned + lost.total && offered - returned - lost.total < 60)
        // Two ways of 5 % each.
        #expect((0.085...0.11).contains(Double(lost.total) / Double(offered)))
    }

    @Test("finds out that the gateway has lost its Child SAs, where the gateway says so")
    func unknownSPI() throws {
        func run(_ policy: String) throws -> (established: UInt64, told: UInt64, lost: UInt64) {
            var setting = Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }", policy: policy)
            setting.more = "faults: { restart: { at: 20s, gateway: gw, down: 1s, keeps-state: false } }"
            let measured = try setting.measured(endsMidFlight: policy == "subnets: []")
            expectAccount(measured)
            let lost = measured.counter(.trafficLost).byReason
            #expect(lost.contains { $0.name == "gateway-down" })
            return (
                measured.counter(.handshakeEstablished).total, measured.counter(.unknownESPSPI).total,
                lost.first { $0.name == "unknown-spi" }?.count ?? 0
            )
        }
        // Nobody asks whether the gateway is there, and what is sent is lost up to the end.
        let silent = try run("subnets: []")
        #expect(silent.established == 30 && silent.told == 0)
        // A client asks at once, gets no answer for 15.5 s, and comes again.
        let telling = try run("unknown-spis: 100")
        #expect(telling.established == 60 && telling.told > 30)
        #expect(telling.lost > 30 && silent.lost > 2 * telling.lost)
    }

    @Test("leaves no trace of workers, shards, windows and the kind of cryptography", arguments: [1, 2, 7])
    func isDeterministic(workers: Int) throws {
        var setting = Setting()
        setting.policy = "unknown-spis: 100"
        setting.path += ", loss: { random: 1% }, duplication: 1%, nat: { preset: linux-conntrack }"
        setting.more = "faults: { restart: { at: 30s, gateway: gw, down: 1s, keeps-state: false } }"
        try expectNoTrace(of: workers, in: setting.text)
    }
}

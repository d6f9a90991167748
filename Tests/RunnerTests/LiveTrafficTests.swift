import Foundation
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 4303 and RFC 3948 in real time: packets through the tunnels of clients, to our own responder and back.
@Suite("Traffic through tunnels, in real time over loopback", .serialized)
struct LiveTrafficTests {
    private func run(_ values: LoopbackWorkload) throws -> LiveResult {
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        return try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
    }

    @Test(
        "comes back whole, over rekeys of both kinds, in tunnel mode and in transport mode",
        arguments: [
            ("aes256gcm16", false), ("aes128-sha256", false), ("chacha20poly1305iiv", false),
            ("aes256gcm16-esn", false), ("aes256gcm16", true),
        ]
    )
    func comesBack(child: String, isTransport: Bool) throws {
        var values = LoopbackWorkload(
            count: 20,
            rate: "100/s",
            duration: "5s",
            ike: "{ rekey: 3s }",
            child: "{ rekey: 1s }"
        )
        values.childProposal = child
        // In transport mode nothing is behind the gateway.
        let target = isTransport ? "" : "target: 10.4.5.6, "
        if isTransport { (values.policy, values.selectors) = ("mode: transport", "mode: transport") }
        values.traffic =
            "traffic: { calls: { population: laptops, echo: true, up: { packets: 50/s, size: 200B } }, "
            + "pings: { population: laptops, echo: true, protocol: icmp, \(target)up: { packets: 10/s, size: 100B } } }"
        let result = try run(values)
        let measured = try #require(result.measurements.first)
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > 20 * 60 * 4)
        #expect(measured.counter(.trafficReceived).total == offered)
        #expect(measured.counter(.trafficLost).byReason == [])
        #expect(measured.counter(.childRekeyEstablished).total >= 60)
        #expect(measured.counter(.ikeRekeyEstablished).total >= 20)
        let roundTrip = measured.latency(.trafficRoundTrip)
        // The path has a millisecond either way.
        #expect(roundTrip.count == offered && roundTrip.minimum >= 2_000_000)
        // What rekeys cost two flows of each client: nothing.
        for (established, outage) in [
            (MetricName.childRekeyEstablished, MetricName.childRekeyOutage), (.ikeRekeyEstablished, .ikeRekeyOutage),
        ] {
            #expect(measured.latency(outage).count >= measured.counter(established).total)
            #expect(measured.latency(outage).maximum == 0)
        }
        // Two round trips, and that of the packet, of 2 ms each.
        let first = measured.latency(.trafficFirstPacket)
        #expect(first.count == 20 && first.minimum >= 6_000_000 && first.maximum < 2_000_000_000, "\(first)")
        #expect(measured.latency(.trafficJitter).count == offered - 40)
        #expect(measured.counter(.espDropped).byReason == [])
    }

    @Test(
        "rekeys a Child SA that has carried what it may, by either end, and a recording knows of it",
        arguments: [true, false]
    )
    func rekeysByUse(byClients: Bool) throws {
        var values = LoopbackWorkload(count: 10, rate: "100/s", duration: "5s")
        let lifetime = "{ rekey: never, jitter: 0%, packets: 100 }"
        if byClients { values.child = lifetime } else { values.gatewayChild = lifetime }
        values.traffic = "traffic: { calls: { population: laptops, echo: true, up: { packets: 100/s, size: 200B } } }"
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        let folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = LiveOptions()
        options.folder = folder.path
        options.records = true
        let result = try LiveRun(workload, targets: [gateway.target], options: options).run()
        let measured = try #require(result.measurements.first)
        // Every second, from the first packet on.
        #expect((30...50).contains(measured.counter(.childRekeyEstablished).total))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.trafficReceived).total == measured.counter(.trafficOffered).total)
        let replayed = try RecordedRun(folder: folder.path).replay()
        #expect(replayed.divergence == nil && !replayed.isCutShort && replayed.clients == 10)
    }

    @Test("looks alike with padding, there and back, and with dummies that nobody answers or misses")
    func hides() throws {
        var values = LoopbackWorkload(count: 10, rate: "100/s", duration: "3s")
        values.settings = "replay-window: 4096"
        values.policy = "replay-window: 32"
        values.traffic =
            "traffic: { calls: { population: laptops, echo: true, padding: 1400B, dummies: 5, "
            + "up: { packets: 50/s, size: { uniform: [72B, 1400B] } } } }"
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        let port = gateway.target.encapsulatedPort
        var lengths: Set<Int> = []
        var (up, down): (UInt64, UInt64) = (0, 0)
        let sinks = RunSinks(packet: { packet in
            let isESP = packet.octets.count > 4 && !packet.octets.starts(with: [0, 0, 0, 0])
            guard isESP, packet.destination.port == port || packet.source.port == port else { return }
            lengths.insert(packet.octets.count)
            if packet.destination.port == port { up += 1 } else { down += 1 }
        })
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run(sinks: sinks)
        let measured = try #require(result.measurements.first)
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > 10 * 50 * 2)
        #expect(measured.counter(.trafficReceived).total == offered && down == offered)
        #expect(measured.counter(.trafficLost).byReason == [] && measured.counter(.espDropped).byReason == [])
        // An inner packet of 1,400 octets with header, IV, padding and integrity value.
        #expect(lengths == [8 + 8 + 1_404 + 16])
        // Each of ten flows may be short of its next dummy.
        #expect((up - offered) * 5 <= offered && (up - offered) * 5 + 10 * 5 > offered)
    }

    @Test("says what a path has lost, and what did not come back")
    func loses() throws {
        var values = LoopbackWorkload(
            count: 10,
            rate: "100/s",
            duration: "4s",
            path: "{ one-way-delay: 1ms, loss: { random: 10% } }"
        )
        values.traffic = "traffic: { calls: { population: laptops, echo: true, up: { packets: 100/s, size: imix } } }"
        let result = try run(values)
        let measured = try #require(result.measurements.first)
        let offered = measured.counter(.trafficOffered).total
        let lost = measured.counter(.trafficLost)
        #expect(measured.counter(.trafficReceived).total + lost.total == offered)
        #expect(lost.byReason.map(\.name).sorted() == ["lost", "unanswered"])
        for reason in lost.byReason { #expect((0.06...0.14).contains(Double(reason.count) / Double(offered))) }
    }

    @Test("goes on behind a NAT that takes other ports, with MOBIKE and without", arguments: [false, true])
    func followsNAT(mobike: Bool) throws {
        var values = LoopbackWorkload(
            count: 10,
            rate: "100/s",
            duration: "4s",
            path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }"
        )
        values.mobike = mobike
        values.faults = "faults: { rebind: { kind: nat-rebind, at: 2s, path: home, share: 50% } }"
        values.traffic = "traffic: { calls: { population: laptops, echo: true, up: { packets: 100/s, size: 200B } } }"
        let result = try run(values)
        let measured = try #require(result.measurements.first)
        let offered = measured.counter(.trafficOffered).total
        let outage = measured.latency(.natOutage)
        #expect(outage.count >= 1 && outage.count <= 9 && outage.maximum <= 200_000_000)
        #expect(measured.latency(.natGap).count == outage.count)
        // Our responder follows the first packet from the new port; what was on its way to the old one is lost.
        #expect(measured.counter(.trafficLost).total <= 20)
        #expect(measured.counter(.trafficReceived).total + measured.counter(.trafficLost).total == offered)
        #expect(measured.counter(.tunnelsLost).total == 0)
    }
}

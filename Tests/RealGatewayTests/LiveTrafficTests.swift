import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// RFC 4303 against the ESP of somebody else: strongSwan's libipsec, with a sink behind it.
@Suite("Traffic through strongSwan", .serialized)
struct LiveTrafficTests {
    /// Both flows of a client: datagrams to the sink, and pings to the host that it runs on.
    private static let flows = """
        traffic:
          calls: { population: laptops, echo: true, target: 10.200.0.1, up: { packets: 5/s, size: 200B } }
          pings: { population: laptops, echo: true, protocol: icmp, target: 10.200.0.1, up: { packets: 1/s, size: 84B } }
        """

    /// Runs a workload with a sink behind the gateway, and returns what the sink has counted too.
    private func run(
        _ parts: LiveWorkload,
        _ knobs: [String: String] = [:],
        sinkPorts: [String] = [],
        late: LatePackets? = nil,
        at moment: Int64 = 0,
        _ action: @escaping @Sendable (RealGateway) -> Void = { _ in }
    ) throws -> (measured: Measurements, sink: String, dropped: ClosedRange<UInt64>) {
        let gateway = try RealGateway.start(knobs: knobs)
        // What is to leave by a tunnel waits here for charon, which has one thread for all that comes.
        let queue = try gateway.rig.run(["ip", "link", "set", "dev", "ipsec0", "txqueuelen", "10000"], on: .gateway)
        #expect(queue.status == 0, "\(queue.errors)")
        let sink = try gateway.rig.start(
            [Rig.ikestorm, "sink", "--address", "10.200.0.1", "--allow", "10.128.0.0/10"] + sinkPorts,
            on: .gateway
        )
        let workload = try parts.validated()
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: LiveOptions()).run(sinks: RunSinks(packet: late?.look)) { progress in
                if progress.time == .zero + .seconds(moment) { action(gateway) }
            }
        }
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
        let dropped = try Self.droppedCount(gateway)
        sink.interrupt()
        let outcome = try sink.wait(atMost: 10)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        return (try #require(result.measurements.first), outcome.output + outcome.errors, dropped)
    }

    /// How many packets of flows the gateway says that it had no room for: those that its queue before the tunnels has
    /// dropped, and up to as many more as datagrams, of whatever kind, found the socket of its one thread full.
    private static func droppedCount(_ gateway: RealGateway) throws -> ClosedRange<UInt64> {
        let queue = try gateway.rig.run(["cat", "/sys/class/net/ipsec0/statistics/tx_dropped"], on: .gateway)
        let udp = try gateway.rig.run(["grep", "^Udp:", "/proc/net/snmp"], on: .gateway)
        // A line of names, and one of numbers.
        let lines = udp.output.split(separator: "\n").map { $0.split(separator: " ") }
        let overflow = try #require(zip(lines[0], lines[1]).first { $0.0 == "RcvbufErrors" })
        let unsent = try #require(UInt64(queue.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        return unsent...unsent + (try #require(UInt64(overflow.1)))
    }

    @Test("200 tunnels lose nothing over three rekeys of each Child SA and one of each IKE SA")
    func survivesRekeys() throws {
        let count = 200
        let run = try run(
            LiveWorkload(
                count: count,
                rate: "100/s",
                duration: "16s",
                ike: "{ rekey: 9s, jitter: 10%, over: 30s }",
                child: "{ rekey: 3s, jitter: 10%, over: 30s }",
                traffic: Self.flows
            )
        )
        let measured = run.measured
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(3 * count))
        #expect(measured.counter(.ikeRekeyEstablished).total >= UInt64(count))
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > UInt64(count * 6 * 13))
        let lost = measured.counter(.trafficLost).total
        #expect(measured.counter(.trafficReceived).total == offered - lost)
        #expect(measured.latency(.trafficRoundTrip).count == offered - lost)
        // Nothing, or else exactly what the gateway says that it had no room for.
        #expect(run.dropped.contains(lost))
        #expect(run.sink.contains("; 0 missing,"), "\(run.sink)")
    }

    @Test("of one way lose nothing either, up to the sink and down from it, and each has its own latency")
    func flowsOneWay() throws {
        let count = 50
        let flows = """
            traffic:
              talk: { population: laptops, target: 10.200.0.1, up: { packets: 10/s, size: 200B }, down: { packets: 10/s, size: 400B } }
            """
        let run = try run(
            LiveWorkload(
                count: count,
                rate: "50/s",
                duration: "8s",
                ike: "{ rekey: 5s, jitter: 10%, over: 30s }",
                child: "{ rekey: 2s, jitter: 10%, over: 30s }",
                traffic: flows
            )
        )
        let measured = run.measured
        let offered = measured.counter(.trafficOffered).total
        #expect(offered > UInt64(count * 20 * 5))
        let lost = measured.counter(.trafficLost).total
        #expect(measured.counter(.trafficReceived).total == offered - lost)
        #expect(run.dropped.contains(lost), "\(measured.counter(.trafficLost).byReason)")
        #expect(measured.latency(.trafficLatency).count == offered - lost)
        #expect(measured.latency(.trafficClockError).count > 0 && measured.latency(.trafficClockError).maximum == 0)
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(2 * count))
        #expect(run.sink.contains("; 0 missing,"), "\(run.sink)")
    }

    @Test("of one way are unreported where no sink says what has come")
    func isUnreported() throws {
        let flows = """
            traffic:
              talk: { population: laptops, target: 10.200.0.1, up: { packets: 10/s, size: 200B }, down: { packets: 10/s, size: 200B } }
            """
        let parts = LiveWorkload(count: 10, rate: "50/s", duration: "5s", traffic: flows)
        let measured = try run(parts, sinkPorts: ["--flow-port", "10009"]).measured
        #expect(measured.counter(.trafficReceived).total == 0)
        #expect(measured.counter(.trafficLost).byReason.map(\.name) == ["unreported"])
        // What nobody can be told to send is not offered.
        #expect(measured.counter(.trafficLost).total == measured.counter(.trafficOffered).total)
        #expect((300...500).contains(measured.counter(.trafficOffered).total))
    }

    @Test("nor over three rekeys of each Child SA and one of each IKE SA that strongSwan begins")
    func survivesTheirRekeys() throws {
        let count = 200
        // By its own lifetimes, so that no two clients' are due at once: asked for all of them together, charon has no
        // room for the answers.
        let run = try run(
            LiveWorkload(count: count, rate: "100/s", duration: "19s", traffic: Self.flows),
            ["CHILD_REKEY": "4s", "IKE_REKEY": "14s"]
        )
        let measured = run.measured
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(3 * count))
        #expect(measured.counter(.ikeRekeyEstablished).total >= UInt64(count))
        let (offered, lost) = (measured.counter(.trafficOffered).total, measured.counter(.trafficLost).total)
        #expect(offered > UInt64(count * 6 * 15))
        #expect(measured.counter(.trafficReceived).total == offered - lost)
        // Nothing, or else exactly what the gateway says that it had no room for.
        #expect(run.dropped.contains(lost), "\(measured.counter(.trafficLost).byReason)")
    }

    @Test("a gateway's crash costs each flow its time, and all go on with the IKE SAs that they make anew")
    func survivesCrash() throws {
        let count = 20
        let run = try run(
            LiveWorkload(
                count: count,
                rate: "40/s",
                duration: "10s",
                retransmission: "{ first: 300ms, factor: 1.5, tries: 3 }",
                faults: "faults: { crash: { kind: restart, at: 3s, gateway: gw, down: 1s, keeps-state: false } }",
                traffic: Self.flows,
                settings: """
                    traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
                        liveness: { every: 1s }
                        reconnect: { after: [timeout], wait: { from: 200ms, factor: 1 } }
                    """
            ),
            at: 3
        ) { gateway in
            Thread.detachNewThread { try? gateway.restart() }
        }
        let measured = run.measured
        #expect(measured.counter(.handshakeEstablished).total == UInt64(2 * count))
        let (offered, lost) = (measured.counter(.trafficOffered).total, measured.counter(.trafficLost).total)
        #expect(lost > 0 && measured.counter(.trafficReceived).total + lost == offered)
        // It takes a liveness check with its retransmissions to find out, and a handshake to go on.
        let (outage, gap) = (measured.latency(.restartOutage), measured.latency(.restartGap))
        #expect(outage.count == UInt64(2 * count) && gap.count == outage.count)
        #expect(outage.minimum >= 1_000_000_000 && outage.maximum <= 7_000_000_000, "\(outage)")
        #expect(gap.maximum >= outage.mean)
    }

    @Test(
        "a NAT gives half of the clients other ports: what that loses is counted, and all go on",
        arguments: [false, true]
    )
    func followsNAT(mobike: Bool) throws {
        let late = LatePackets(from: .zero + .seconds(8))
        let run = try run(
            LiveWorkload(
                count: 40,
                rate: "40/s",
                duration: "10s",
                path: "{ one-way-delay: 1ms, nat: { preset: linux-conntrack } }",
                faults: "faults: { rebind: { kind: nat-rebind, at: 4s, path: home, share: 50% } }",
                traffic: Self.flows,
                mobike: mobike,
                settings: """
                    traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
                        liveness: { every: 1s }
                    """
            ),
            late: late
        )
        let measured = run.measured
        #expect(measured.counter(.tunnelsLost).total == 0)
        let (offered, lost) = (measured.counter(.trafficOffered).total, measured.counter(.trafficLost).total)
        #expect(measured.counter(.trafficReceived).total + lost == offered)
        // The time of it, for both flows of about half of 40 clients.
        let (outage, gap) = (measured.latency(.natOutage), measured.latency(.natGap))
        #expect(outage.count >= 20 && outage.count <= 60 && gap.count == outage.count)
        // libipsec sends to the old port until an IKE message has come from the new one: the next liveness check, which
        // is due within a second. Six packets a second of each client, and what a shared machine adds.
        #expect(lost >= outage.count && lost <= outage.count / 2 * 12, "\(measured.counter(.trafficLost).byReason)")
        #expect(outage.maximum >= 200_000_000 && outage.maximum <= 3_000_000_000, "\(outage)")
        // A flow that never recovered would have one of six seconds; of pings, one a second, one or two are lost.
        #expect(gap.maximum >= outage.mean && gap.maximum <= 3_500_000_000, "\(gap)")
        // Each client, whatever its port: ten calls and two pings come back in two seconds.
        #expect(late.counts.count == 40 && late.counts.values.allSatisfy { (6...18).contains($0) }, "\(late.counts)")
    }
}

/// How many ESP packets come to each client late in a run.
private final class LatePackets: Sendable {
    private let start: Instant
    private let found = Mutex<[UInt32: Int]>([:])

    init(from start: Instant) { self.start = start }

    /// By client.
    var counts: [UInt32: Int] { found.withLock { $0 } }

    @Sendable
    func look(at packet: RunSinks.Packet) {
        // RFC 3948 section 2: four octets of zero are before IKE, and a keepalive is one octet.
        guard packet.time >= start, packet.source.address == IPAddress(Rig.gatewayAddress), packet.source.port == 4500,
            packet.octets.count > 4, !packet.octets.starts(with: [0, 0, 0, 0]), let client = packet.client
        else { return }
        found.withLock { $0[client, default: 0] += 1 }
    }
}

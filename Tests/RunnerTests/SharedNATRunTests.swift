import Metrics
import Primitives
import Results
import Runner
import Simulation
import Synchronization
import Testing
import Workload

/// RFC 6888 in a run: clients that share a carrier's addresses.
@Suite("A simulated run behind a shared NAT")
struct SharedNATRunTests {
    /// 40 clients; each comes alone, some leave early.
    private static func text(portsPerClient: Int, arrival: String = "constant: 20/s", more: String = "") -> String {
        """
        version: 1
        name: shared
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 30s, jitter: 10% }, child: { rekey: 12s, jitter: 10% } }
              half-open: { cookies-above-per-source: never, refuse-above-per-source: never }
              liveness: { every: 6s }
              retransmission: { first: 500ms, factor: 2, tries: 3 }
              pool: [10.128.0.0/16]
              mobike: true
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          phone:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 30s, jitter: 10% }, child: { rekey: 12s, jitter: 10% } }
            retransmission: { first: 500ms, factor: 2, tries: 3 }
            reconnect: { after: [timeout], wait: { from: 1s, factor: 2, at-most: 4s } }
            liveness: { every: 5s }
            nat-keepalive: 4s
            mobike: true
        paths:
          carrier:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }
            loss: { random: 1% }
            nat:
              preset: cisco-cgn
              timeout: { one-way: 8s, two-way: 8s }
              shared: { addresses: [203.0.113.8/31], ports-per-client: \(portsPerClient) }
          home: { one-way-delay: 5ms }
        populations:
          phones: { count: 40, profile: phone, path: carrier, gateway: gw, sources: [198.18.0.0/16] }
        arrivals:
          morning: { population: phones, \(arrival) }
        \(more)
        run: { duration: 60s }
        """
    }

    private struct Drive {
        var outcome: SimulatedOutcome
        /// Where packets came from, outside.
        var sources: Set<UDPEndpoint>
    }

    private func drive(_ text: String, _ change: (inout SimulatedOptions) -> Void = { _ in }) throws -> Drive {
        let sources = Mutex<Set<UDPEndpoint>>([])
        let gateway = IPAddress(v4: 0xC000_0201)
        let sinks = RunSinks(packet: { packet in
            if packet.source.address != gateway { sources.withLock { _ = $0.insert(packet.source) } }
        })
        let outcome = try simulate(text, sinks: sinks, change)
        return Drive(outcome: outcome, sources: sources.withLock { $0 })
    }

    @Test("everybody has room: two addresses, and ports that no two clients have at once")
    func hasRoom() throws {
        let run = try drive(Self.text(portsPerClient: 512))
        let measured = try #require(run.outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total >= 40)
        #expect(measured.counter(.natExhausted).total == 0)
        #expect(Set(run.sources.map { "\($0.address)" }) == ["203.0.113.8", "203.0.113.9"])
        // 20 clients on each address, in blocks of their own.
        for address in Set(run.sources.map(\.address)) {
            let blocks = Set(run.sources.filter { $0.address == address }.map { (Int($0.port) - 1_024) / 512 })
            #expect(blocks == Set(0..<20))
        }
    }

    @Test("ports for 16 of 40: the others are lost, and counted")
    func isExhausted() throws {
        let run = try drive(Self.text(portsPerClient: 8_000))
        let measured = try #require(run.outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 16)
        #expect(measured.counter(.natExhausted).total > 24 * 4)
        #expect(measured.counter(.handshakeFailed).byReason.map(\.name) == ["timeout"])
    }

    @Test("who leaves makes room for others, once its mappings have ended")
    func makesRoom() throws {
        let run = try drive(Self.text(portsPerClient: 8_000, arrival: "constant: 20/s, stay: 10s"))
        let measured = try #require(run.outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total > 2 * 16)
        #expect(measured.counter(.natExhausted).total > 0)
        let later = try drive(Self.text(portsPerClient: 8_000, arrival: "constant: 1/s, stay: 5s"))
        let all = try #require(later.outcome.measurements.first)
        #expect(all.counter(.handshakeEstablished).total >= 40)
        #expect(all.counter(.natExhausted).total == 0)
    }

    @Test("who moves to another network leaves its ports behind, and keeps its IKE SA")
    func movesAway() throws {
        let leave = "faults: { leave: { kind: move, at: 20s, over: 5s, population: phones, to: home } }"
        let run = try drive(Self.text(portsPerClient: 512, more: leave))
        let measured = try #require(run.outcome.measurements.first)
        #expect(measured.counter(.mobikeUpdates).total >= 40)
        #expect(measured.counter(.mobikeRestarts).total == 0)
    }

    @Test("workers, shards, windows and the kind of crypto leave no trace in it", arguments: [1, 2, 3, 7, 16])
    func isDeterminate(workers: Int) throws {
        let leave = "faults: { leave: { kind: move, at: 20s, over: 9s, population: phones, to: home, share: 50% } }"
        let text = Self.text(
            portsPerClient: 4_000,
            arrival: "constant: 5/s, stay: { exponential: { mean: 9s } }",
            more: leave
        )
        let one = try drive(text)
        let other = try drive(text) { options in
            options.workers = workers
            options.crypto = workers % 2 == 0 ? .modelled : .real
            options.overrides = SimulationOverrides(
                window: workers == 3 ? .microseconds(330) : nil,
                shardCount: workers == 1 ? nil : UInt32(5 * workers)
            )
        }
        #expect(one.outcome.digest == other.outcome.digest)
        #expect(one.outcome.measurements == other.outcome.measurements)
        #expect(one.sources == other.sources)
    }
}

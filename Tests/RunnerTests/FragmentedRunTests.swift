import Metrics
import Primitives
import Results
import Runner
import Simulation
import Testing
import Workload

/// RFC 7383 in a run: each fragment is a datagram of its own, with its own luck.
@Suite("A simulated run with fragments")
struct FragmentedRunTests {
    /// Clients and a gateway whose identities make IKE_AUTH long, over a path that drops larger packets than its MTU.
    private static func text(fragmentation: String, loss: String = "2%", identityByteCount: Int = 7_000) -> String {
        let name = String(repeating: "a", count: identityByteCount)
        return """
            version: 1
            name: fragments
            seed: 7
            gateways:
              gw:
                identity: "gw-\(name)"
                policy:
                  authentication: { psk: test-only }
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
                  lifetimes: { ike: { rekey: 20s, jitter: 10% }, child: { rekey: 9s, jitter: 10% } }
                  retransmission: { first: 500ms, factor: 1.5, tries: 8 }
                  pool: [10.128.0.0/16]
                  fragmentation: \(fragmentation)
                simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
            profiles:
              laptop:
                identity: "user%05d-\(name)"
                authentication: { psk: test-only }
                proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
                lifetimes: { ike: { rekey: 20s, jitter: 10% }, child: { rekey: 9s, jitter: 10% } }
                retransmission: { first: 500ms, factor: 1.5, tries: 8 }
                liveness: { every: 10s }
                fragmentation: \(fragmentation)
            paths:
              lte:
                one-way-delay:
                  per-client: { uniform: [8ms, 60ms] }
                  jitter: { exponential: { mean: 3ms } }
                  keep-order: false
                loss: { random: \(loss) }
                duplication: 2%
                mtu: 1400
                over-mtu: drop
                nat: { preset: linux-conntrack }
            populations:
              laptops: { count: 40, profile: laptop, path: lte, gateway: gw, sources: [198.18.0.0/16] }
            arrivals:
              morning: { population: laptops, constant: 20/s }
            run: { duration: 40s }
            """
    }

    @Test("an IKE_AUTH of 14 kB passes a path of MTU 1400 that loses packets, and without fragments nobody passes")
    func carriesMuch() throws {
        let watcher = WireWatcher()
        let outcome = try simulate(Self.text(fragmentation: "path-mtu"), sinks: watcher.sinks)
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 40)
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.counter(.childRekeyEstablished).total > 80)
        #expect(measured.counter(.ikeRekeyEstablished).total > 20)
        // 11 of the request and 6 of the answer, and again where one was lost.
        #expect(watcher.fragmentCount > 40 * 17)
        let without = try simulate(Self.text(fragmentation: "never"))
        #expect(without.measurements.first?.counter(.handshakeEstablished).total == 0)
    }

    @Test("workers, shards, windows and the kind of cryptography leave no trace in it", arguments: [1, 2, 7])
    func isDeterministic(workers: Int) throws {
        let text = Self.text(fragmentation: "200", identityByteCount: 300)
        try expectNoTrace(of: workers, in: text)
    }

    @Test("fragments are counted and timed as the messages that they are of")
    func countsMessages() throws {
        let whole = try simulate(Self.text(fragmentation: "never", loss: "0%", identityByteCount: 300))
        let cut = try simulate(Self.text(fragmentation: "200", loss: "0%", identityByteCount: 300))
        for name in [MetricName.handshakeOffered, .handshakeEstablished, .handshakeFailed] {
            #expect(whole.measurements.first?.counter(name) == cut.measurements.first?.counter(name), "\(name)")
        }
        let (before, after) = (whole.measurements[0], cut.measurements[0])
        let rekeys = (before.counter(.childRekeyOffered).total, after.counter(.childRekeyOffered).total)
        #expect(rekeys.0 > 80 && rekeys.1 < rekeys.0 * 5 / 4 && rekeys.1 > rekeys.0 * 3 / 4)
    }
}

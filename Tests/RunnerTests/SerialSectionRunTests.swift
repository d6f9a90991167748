import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// Amdahl's law: of work whose share s only one core at a time can do, n cores do at most 1/s times what one does.
@Suite("A gateway with a serial section, in virtual time")
struct SerialSectionRunTests {
    /// 400 clients come at once, and each takes 10 ms of a core: 5 for IKE_SA_INIT and its key exchange, 5 for
    /// IKE_AUTH.
    static func text(_ model: String) -> String {
        let free = CostTableFile.Operation.allCases.filter { ![.ikeSAInit, .ikeAuthPSK].contains($0) }
            .map { "\($0.rawValue): { base-ns: 0 }" }.joined(separator: ", ")
        let costs = """
            schema: ikestorm-cost-table/1, name: even, provenance: { source: made for a test, kind: estimate },
            valid-range: { active-sas: [0, 1000], set-ups-per-second: [1, 1000] },
            operations: { ike-sa-init: { base-ns: 3000000 }, ike-auth-psk: { base-ns: 5000000 }, \(free) },
            key-exchanges: { x25519: { base-ns: 2000000 } }
            """.replacing("\n", with: " ")
        return """
            version: 1
            name: serial
            seed: 3
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: { psk: test-only }
                  proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16] }
                  half-open: { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never }
                  pool: [10.128.0.0/16]
                simulated: { \(model), costs: { \(costs) } }
            profiles:
              laptop:
                identity: "user%05d@example.org"
                authentication: { psk: test-only }
                proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16] }
                retransmission: { first: 30s, factor: 1, tries: 1 }
            paths: { lan: { one-way-delay: 1ms } }
            populations: { laptops: { count: 400, profile: laptop, path: lan, gateway: gw, sources: [198.18.0.0/16] } }
            arrivals: { all: { population: laptops, spike: { clients: 400, over: 1ms } } }
            run: { duration: 6s }
            """
    }

    @Test(
        "does at saturation what its cores can do beside each other, and no more than its section lets through",
        arguments: [
            (1, "0%", 1), (1, "50%", 1), (4, "0%", 4), (4, "25%", 4), (4, "40%", 2.5), (4, "50%", 2), (4, "100%", 1),
        ] as [(Int, String, Double)]
    )
    func saturates(cores: Int, serial: String, times: Double) throws {
        let outcome = try simulate(Self.text("cores: \(cores), serial: \(serial)")) { $0.crypto = .modelled }
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 400)
        // The last is up when all of the work is done: 4 s on one core.
        let end = Double(measured.latency(.handshakeLatency).maximum) / 1e9
        #expect((4 / times...4 / times + 0.03).contains(end), "\(end)")
    }

    @Test("that is nothing is the same run as one that is not written")
    func none() throws {
        let outcomes = try ["cores: 4", "cores: 4, serial: 0%"].map { model in
            try simulate(Self.text(model)) { $0.crypto = .modelled }
        }
        #expect(outcomes[0].digest == outcomes[1].digest)
    }

    @Test("leaves no trace of workers, shards and windows", arguments: [2, 3])
    func sameWithAnyWorkers(workers: Int) throws {
        let text = LifeCycleRunTests.text().replacing("cores: 2,", with: "cores: 2, serial: 30%,")
        try expectNoTrace(of: workers, in: text)
    }
}

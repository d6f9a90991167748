import Metrics
import Primitives
import Results
import Runner
import Simulation
import Testing
import Workload

/// RFC 9242 and RFC 9370 in a run.
@Suite("A simulated run with ML-KEM")
struct PostQuantumRunTests {
    private static func text(
        _ methods: String,
        fragmentation: String = "path-mtu",
        overMTU: String = "drop",
        loss: String = "2%"
    ) -> String {
        """
        version: 1
        name: post-quantum
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-\(methods)], child: [aes128gcm16-\(methods)] }
              lifetimes: { ike: { rekey: 20s, jitter: 10% }, child: { rekey: 9s, jitter: 10% } }
              retransmission: { first: 500ms, factor: 1.5, tries: 8 }
              pool: [10.128.0.0/16]
              fragmentation: \(fragmentation)
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-\(methods)], child: [aes128gcm16-\(methods)] }
            lifetimes: { ike: { rekey: 20s, jitter: 10% }, child: { rekey: 9s, jitter: 10% } }
            retransmission: { first: 500ms, factor: 1.5, tries: 8 }
            fragmentation: \(fragmentation)
        paths:
          lte:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] } }
            loss: { random: \(loss) }
            duplication: 2%
            mtu: 1280
            over-mtu: \(overMTU)
        populations:
          laptops: { count: 20, profile: laptop, path: lte, gateway: gw, sources: [198.18.0.0/16] }
        arrivals:
          morning: { population: laptops, constant: 20/s }
        run: { duration: 40s }
        """
    }

    private static func run(_ text: String) throws -> SimulatedOutcome { try simulate(text) { $0.crypto = .modelled } }

    @Test("sets up, and rekeys from both ends, over a path that loses, doubles and drops what is too long")
    func goesOn() throws {
        let outcome = try Self.run(Self.text("x25519-ke1_mlkem768-ke2_mlkem1024"))
        let measured = try #require(outcome.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.counter(.childRekeyEstablished).total > 20)
        #expect(measured.counter(.ikeRekeyEstablished).total > 10)
    }

    @Test("workers, shards, windows and the kind of cryptography leave no trace in it", arguments: [1, 2, 7])
    func isDeterministic(workers: Int) throws {
        let text = Self.text("x25519-ke1_mlkem768")
        try expectNoTrace(of: workers, in: text)
    }

    @Test("alone in IKE_SA_INIT it goes in IP fragments, and where these are dropped nobody is served")
    func goesAlone() throws {
        let fragmented = try Self.run(Self.text("mlkem1024", overMTU: "fragment"))
        #expect(fragmented.measurements.first?.counter(.handshakeEstablished).total == 20)
        let dropped = try Self.run(Self.text("mlkem1024"))
        #expect(dropped.measurements.first?.counter(.handshakeEstablished).total == 0)
    }

    @Test("behind another key exchange it needs fragments of IKE's own where IP's are dropped")
    func needsFragments() throws {
        let without = try Self.run(Self.text("x25519-ke1_mlkem1024", fragmentation: "never"))
        #expect(without.measurements.first?.counter(.handshakeEstablished).total == 0)
    }
}

/// The same in real time, against our own responder.
@Suite("A live run with ML-KEM", .serialized)
struct LivePostQuantumTests {
    @Test("sets up and rekeys", arguments: ["x25519-ke1_mlkem768", "mlkem1024", "ecp256-ke1_mlkem1024-ke2_x25519"])
    func goesOn(_ methods: String) throws {
        var loopback = LoopbackWorkload(
            count: 20,
            duration: "4s",
            ike: "{ rekey: 2s, over: 20s }",
            child: "{ rekey: 1s, over: 20s }"
        )
        loopback.methods = methods
        let workload = try loopback.validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.childRekeyEstablished).total >= 20)
        #expect(measured.counter(.ikeRekeyEstablished).total >= 20)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.ikeRekeyFailed).byReason == [])
        #expect(result.leftBehind == 0)
    }
}

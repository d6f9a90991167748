import Metrics
import Primitives
import Results
import Runner
import Simulation
import Testing
import Workload

@Suite("A simulated run is a function of workload, seed and version")
struct DeterminismTests {
    private static let workload = """
        version: 1
        name: small
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 40s, jitter: 10% }, child: { rekey: 15s, jitter: 10% } }
              pool: [10.128.0.0/16]
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 40s, jitter: 10% }, child: { rekey: 15s, jitter: 10% } }
            retransmission: { first: 1s, factor: 2, tries: 4 }
            liveness: { every: 10s }
        paths:
          lte:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }
            loss: { random: 2% }
            duplication: 1%
            nat: { preset: linux-conntrack }
        populations:
          laptops: { count: 60, profile: laptop, path: lte, gateway: gw, sources: [198.18.0.0/16] }
        arrivals:
          morning: { population: laptops, constant: 20/s }
        faults:
          down: { kind: path-down, path: lte, at: 20s, for: 4s }
        run: { duration: 60s }
        """

    private func run(workers: Int = 1, _ change: (inout SimulatedOptions) -> Void = { _ in }) throws -> SimulatedOutcome
    {
        try simulate(Self.workload) { options in
            options.workers = workers
            change(&options)
        }
    }

    @Test("workers, shards and windows leave no trace in it", arguments: [1, 2, 3, 7, 16])
    func sameWithAnyWorkers(workers: Int) throws {
        let one = try run()
        let other = try run(workers: workers) { options in
            options.overrides = SimulationOverrides(
                window: .microseconds(Int64(1000 / workers)),
                shardCount: UInt32(workers)
            )
        }
        #expect(one.digest == other.digest)
        #expect(one.series == other.series)
    }

    @Test("a run says what its windows had in them, and how long its workers waited for each other")
    func saysWhatWindowsHad() throws {
        let (one, three) = (try run().windows, try run(workers: 3).windows)
        #expect(one.count > 1_000)
        #expect(one.events > one.count)
        #expect(one.busiestPartEvents < one.events)
        #expect(one.atBarriers == .zero, "a worker alone waits for nobody")
        #expect(three.atBarriers > .zero)
        #expect(three.count == one.count)
        #expect(three.events == one.events)
        #expect(three.busiestPartEvents == one.busiestPartEvents)
    }

    // Machines with several nodes are scripts/numa's.
    @Test("a run says on which nodes its workers were, and where their memory is")
    func saysWhereMemoryIs() throws {
        #expect(try run().nodes == nil, "a worker alone is not placed")
        let nodes = try #require(try run(workers: 3).nodes)
        #expect(nodes.map(\.number) == Array(Set(nodes.map(\.number))).sorted())
        #expect(nodes.map(\.workers).reduce(0, +) == 3)
        #expect(nodes.map(\.places).reduce(0, +) == 60, "a place for each client")
        #expect(nodes.allSatisfy { $0.memoryBytes > 0 || $0.workers == 0 })
        #expect(nodes.count > 1 || nodes[0].placesHere == nodes[0].places)
    }

    @Test("real and modelled cryptography have the same trajectory")
    func sameWithModelledCrypto() throws {
        let real = try run()
        let modelled = try run { $0.crypto = .modelled }
        #expect(real.digest == modelled.digest)
        #expect(real.measurements == modelled.measurements)
    }

    @Test(
        "real and modelled cryptography have the same trajectory with every algorithm, priced or not",
        arguments: [
            ("aes192gcm16-prfsha384-modp4096", "aes192gcm16-ecp521"),
            ("aes256gcm12-prfsha512-x448", "aes256gcm12-esn"),
            ("aes128gcm8-prfsha1-modp2048s256", "aes128gcm8-x448"),
            ("aes192-sha1-ecp192", "aes192-sha1-modp2048s256"),
            ("aes256-sha512-ecp521", "aes256-sha512-modp4096-esn"),
        ]
    )
    func sameWithEveryAlgorithm(ike: String, child: String) throws {
        let text = Self.workload
            .replacing("ike: [aes128gcm16-prfsha256-x25519]", with: "ike: [\(ike)]")
            .replacing("child: [aes128gcm16-x25519]", with: "child: [\(child)]")
            .replacing("count: 60", with: "count: 4")
        let outcomes = try SimulatedOptions.Crypto.allCases.map { crypto in try simulate(text) { $0.crypto = crypto } }
        #expect(outcomes[0].digest == outcomes[1].digest)
        #expect(outcomes[0].measurements == outcomes[1].measurements)
        let measured = try #require(outcomes[0].measurements.first)
        #expect(measured.counter(.handshakeEstablished).total >= 4)
        #expect(measured.counter(.childRekeyEstablished).total > 0)
        #expect(measured.counter(.ikeRekeyEstablished).total > 0)
    }

    @Test("another seed is another run, and the log names the first second that differs")
    func otherSeedDiffers() throws {
        let one = try run()
        let other = try run { $0.seed = 8 }
        #expect(one.digest != other.digest)
        #expect(one.windowLog.firstDifference(from: other.windowLog) != nil)
        #expect(one.windowLog.firstDifference(from: one.windowLog) == nil)
    }

    @Test("a client that reads a clock is found out")
    func clockIsFoundOut() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let reads: @Sendable () -> UInt64 = { UInt64(start.duration(to: clock.now).components.attoseconds) }
        let one = try run { $0.overrides.disturbance = reads }
        let other = try run { $0.overrides.disturbance = reads }
        #expect(one.digest != other.digest)
    }
}

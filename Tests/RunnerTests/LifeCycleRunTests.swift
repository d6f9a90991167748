import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// How IKE SAs begin and end, in virtual time.
@Suite("A simulated run whose clients' IKE SAs begin and end in all ways")
struct LifeCycleRunTests {
    /// 40 clients for four minutes.
    static func text(
        profile: String = "",
        policy: String = "",
        pool: String = "10.128.0.0/16",
        faults: String = "",
        loss: String = "0%"
    ) -> String {
        """
        version: 1
        name: life
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication: { psk: test-only }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              lifetimes: { ike: { rekey: 4h }, child: { rekey: 1h } }
              pool: [\(pool)]
              \(policy)
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          laptop:
            identity: "user%05d@example.org"
            authentication: { psk: test-only }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            lifetimes: { ike: { rekey: 70s }, child: { rekey: 40s } }
            retransmission: { first: 500ms, factor: 2, tries: 4 }
            reconnect: { after: [timeout, delete, expired], wait: { from: 1s, factor: 2, at-most: 8s } }
            liveness: { every: 10s }
            \(profile)
        paths:
          lan: { one-way-delay: { per-client: { uniform: [2ms, 20ms] } }, loss: { random: \(loss) } }
        populations:
          laptops: { count: 40, profile: laptop, path: lan, gateway: gw, sources: [198.18.0.0/16] }
        arrivals:
          morning: { population: laptops, constant: 20/s }
        \(faults)
        run: { duration: 4m }
        """
    }

    static func run(
        _ text: String,
        isOneSided: Bool = false,
        _ change: (inout SimulatedOptions) -> Void = { _ in }
    ) throws -> SimulatedOutcome {
        let outcome = try simulate(text, endsMidFlight: isOneSided, change)
        #expect(outcome.oneSided.isEmpty != isOneSided)
        return outcome
    }

    static func reauthentication(_ order: String) -> String {
        "reauthentication: { every: 50s, jitter: 20%, order: \(order) }"
    }

    /// How far the count of clients that are up ever falls after the last has come.
    private static func fewestUp(_ outcome: SimulatedOutcome) -> UInt64? {
        let column = outcome.series.columns.first { $0.name == .gauge(.tunnelsUp) && $0.subject == nil }
        return column?.values.dropFirst(5).compactMap(\.self).min()
    }

    @Test("reauthentication takes place, and with make before break nobody is ever without an IKE SA")
    func reauthenticates() throws {
        for order in ["break-before-make", "make-before-break"] {
            let outcome = try Self.run(Self.text(profile: Self.reauthentication(order)))
            let measured = try #require(outcome.measurements.first)
            let count = measured.counter(.reauthenticationEstablished).total
            #expect(count >= 40 * 4 && count <= 40 * 6)
            #expect(measured.counter(.reauthenticationFailed).total == 0)
            #expect(measured.counter(.handshakeOffered).total == 40)
            #expect(measured.counter(.handshakeEstablished).total == 40)
            #expect(measured.latency(.reauthenticationLatency).count == count)
            #expect(measured.counter(.childRekeyFailed).total == 0)
            if order == "make-before-break" { #expect(Self.fewestUp(outcome) == 40) }
        }
    }

    @Test(
        "under loss, with rekeys of both kinds meanwhile, both ends stay of one mind",
        arguments: [1, 2, 3, 4] as [UInt64]
    )
    func survivesLoss(seed: UInt64) throws {
        for order in ["break-before-make", "make-before-break"] {
            let text = Self.text(
                profile: Self.reauthentication(order) + "\n    initial-contact: true",
                policy: "liveness: { every: 15s }",
                loss: "6%"
            )
            let outcome = try Self.run(text) { $0.seed = seed }
            let measured = try #require(outcome.measurements.first)
            #expect(measured.counter(.reauthenticationEstablished).total > 120)
        }
    }

    @Test("workers, shards, windows and the kind of cryptography leave no trace in it", arguments: [1, 2, 7])
    func isDeterministic(workers: Int) throws {
        let text = Self.text(
            profile: Self.reauthentication("make-before-break")
                + "\n    initial-contact: true\n    children: 3\n    window: 4\n    childless: prefer\n    unknown-spis: 3",
            policy: "authentication-lifetime: 90s\n      window: 3\n      childless: allow\n      unknown-spis: 5",
            faults: "faults: { restart: { at: 100s, gateway: gw, down: 3s, keeps-state: false } }",
            loss: "2%"
        )
        let one = try Self.run(text)
        let other = try Self.run(text) { options in
            options.workers = workers
            options.crypto = .modelled
            options.overrides = SimulationOverrides(
                window: .microseconds(Int64(1000 / workers)),
                shardCount: UInt32(workers)
            )
        }
        #expect(one.digest == other.digest)
        #expect(one.measurements == other.measurements)
    }

    @Test("transport mode is agreed to, kept by rekeys under loss, and the end of an attempt where it is declined")
    func transport() throws {
        let policy = "mode: transport"
        let agreed = try Self.run(Self.text(profile: policy + "\n    children: 2", policy: policy, loss: "2%"))
        let measured = try #require(agreed.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 40)
        #expect(measured.counter(.childRekeyEstablished).total > 400)
        #expect(measured.counter(.childRekeyFailed).total == 0)
        // No address of the pool was asked for.
        let other = try Self.run(Self.text(profile: policy, policy: policy, pool: ""))
        #expect(other.measurements.first?.counter(.handshakeEstablished).total == 40)
        let declined = try Self.run(Self.text(profile: policy, pool: ""))
        let refused = try #require(declined.measurements.first)
        #expect(refused.counter(.handshakeEstablished).total == 0)
        #expect(refused.counter(.handshakeFailed).byReason.map(\.name) == ["refused:USE_TRANSPORT_MODE"])
    }

    @Test("AUTH_LIFETIME makes clients reauthenticate that would not have done so")
    func obeysLifetime() throws {
        let outcome = try Self.run(Self.text(policy: "authentication-lifetime: 60s"))
        let measured = try #require(outcome.measurements.first)
        // After 54 s each.
        #expect(measured.counter(.reauthenticationEstablished).total == 40 * 4)
        #expect(measured.counter(.handshakeOffered).total == 40)
    }

    @Test("requests overlap where both ends take more than one, and Child SAs are there sooner")
    func windows() throws {
        func run(_ size: Int, loss: String, fragmentation: String = "never") throws -> Measurements {
            let text = Self.text(
                profile: "children: 5\n    window: \(size)\n    fragmentation: \(fragmentation)",
                policy: "window: \(size)\n      fragmentation: \(fragmentation)",
                loss: loss
            )
            let measured = try #require(try Self.run(text).measurements.first)
            #expect(measured.counter(.handshakeEstablished).total == 40)
            #expect(measured.counter(.childRekeyFailed).byReason == [])
            #expect(measured.counter(.childRekeyEstablished).total >= 40 * 5 * 4)
            return measured
        }
        // What waits for a window counts from when it was due.
        let (narrow, wide) = (try run(1, loss: "0%"), try run(8, loss: "0%"))
        #expect(wide.latency(.childRekeyLatency).p99 < narrow.latency(.childRekeyLatency).p99)
        _ = try run(3, loss: "4%")
        // Messages in fragments overlap as well, each of them joined by itself.
        let (first, three) = (
            try run(1, loss: "4%", fragmentation: "160"), try run(3, loss: "4%", fragmentation: "160")
        )
        #expect(three.latency(.childRekeyLatency).p99 < first.latency(.childRekeyLatency).p99)
        #expect(three.counter(.retransmissions).total * 10 < first.counter(.retransmissions).total * 12)
    }

    @Test("a restarted gateway tells clients that it does not know them, at a price and so many in a second")
    func unknownSPIs() throws {
        let faults = "faults: { restart: { at: 100s, gateway: gw, down: 2s, keeps-state: false } }"
        func count(_ policy: String) throws -> UInt64 {
            let measured = try #require(try Self.run(Self.text(policy: policy, faults: faults)).measurements.first)
            #expect(measured.counter(.handshakeEstablished).total == 80)
            return measured.counter(.unknownIKESPI).total
        }
        #expect(try count("subnets: []") == 0)
        let few = try count("unknown-spis: 1")
        let many = try count("unknown-spis: 1000")
        #expect(few > 0 && few < many)
        // Each client's request is answered, and each of its retransmissions.
        #expect(many >= 80 && many <= 40 * 5)
    }

    @Test("a gateway refuses the share of its clients' rekeys of Child SAs that its policy says, and nothing else")
    func refusedRekeys() throws {
        let measured = try #require(
            try Self.run(Self.text(policy: "refused-child-rekeys: 25%")).measurements.first
        )
        let refused = measured.counter(.childRekeyFailed)
        #expect(refused.byReason.map(\.name) == ["refused:TS_UNACCEPTABLE"])
        let offered = measured.counter(.childRekeyOffered).total
        #expect(offered > 100 && (15...35).contains(refused.total * 100 / offered))
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.counter(.ikeRekeyFailed).total == 0)
    }

    @Test("childless initiation has every client up as soon as its CREATE_CHILD_SA is done")
    func childless() throws {
        let text = Self.text(profile: "childless: force", policy: "childless: allow")
        let measured = try #require(try Self.run(text).measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 40)
        let usual = try #require(try Self.run(Self.text()).measurements.first)
        #expect(measured.latency(.handshakeLatency).p50 > usual.latency(.handshakeLatency).p50)
        let refused = try #require(try Self.run(Self.text(profile: "childless: force")).measurements.first)
        #expect(refused.counter(.handshakeFailed).byReason.map(\.name) == ["childless-unsupported"])
    }

    @Test("INITIAL_CONTACT frees at once what a client that comes back has left behind")
    func initialContact() throws {
        // The gateway hears nothing of it that the clients gave up: it has one address for each.
        let faults = "faults: { dark: { kind: path-down, at: 60s, for: 40s, path: lan } }"
        func outcome(_ profile: String, isOneSided: Bool) throws -> Measurements {
            let text = Self.text(profile: profile, pool: "10.128.0.0/26", faults: faults)
            return try #require(try Self.run(text, isOneSided: isOneSided).measurements.first)
        }
        let without = try outcome("children: 1", isOneSided: true)
        #expect(without.counter(.initialContactReplaced).total == 0)
        #expect(without.counter(.handshakeFailed).byReason.contains { $0.name == "refused:INTERNAL_ADDRESS_FAILURE" })
        let with = try outcome("initial-contact: true", isOneSided: false)
        #expect(with.counter(.initialContactReplaced).total == 40)
        #expect(!with.counter(.handshakeFailed).byReason.contains { $0.name == "refused:INTERNAL_ADDRESS_FAILURE" })
    }
}

/// The same in real time, against our own responder.
@Suite("A live run whose clients' IKE SAs begin and end in all ways", .serialized)
struct LifeCycleLiveTests {
    private func run(
        _ settings: String,
        policy: String = "subnets: []",
        path: String = "{ one-way-delay: 1ms }",
        child: String = "{ rekey: 1s, over: 20s }"
    ) throws -> LiveResult {
        let workload = try LoopbackWorkload(
            count: 20,
            duration: "6s",
            child: child,
            path: path,
            settings: settings,
            policy: policy
        ).validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        #expect(result.leftBehind == 0)
        return result
    }

    @Test("childless initiation makes the Child SA by an exchange of its own")
    func childless() throws {
        let result = try run("childless: force", policy: "childless: allow")
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == 20)
        #expect(result.measurements.first?.counter(.handshakeFailed).total == 0)
    }

    @Test(
        "clients reauthenticate in both orders, or when AUTH_LIFETIME asks for it",
        arguments: [
            "reauthentication: { every: 2s, order: make-before-break }",
            "reauthentication: { every: 2s, order: break-before-make }",
            "",
        ]
    )
    func reauthenticates(_ settings: String) throws {
        let result =
            settings.isEmpty
            ? try run("children: 1", policy: "authentication-lifetime: 3s") : try run(settings)
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.reauthenticationEstablished).total >= 20)
        #expect(measured.counter(.reauthenticationFailed).byReason == [])
        #expect(measured.counter(.handshakeOffered).total == 20)
        #expect(measured.counter(.handshakeFailed).total == 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
    }

    @Test("a gateway refuses a share of their rekeys of Child SAs")
    func refusedRekeys() throws {
        let measured = try #require(try run("children: 2", policy: "refused-child-rekeys: 50%").measurements.first)
        let refused = measured.counter(.childRekeyFailed).byReason
        #expect(refused.map(\.name) == ["refused:TS_UNACCEPTABLE"] && refused.allSatisfy { $0.count >= 20 })
        #expect(measured.counter(.childRekeyEstablished).total >= 20)
        #expect(measured.counter(.handshakeFailed).total == 0)
    }

    @Test("requests overlap where both ends take more than one, and rekeys that are due together are done sooner")
    func windows() throws {
        // Five Child SAs each, 200 ms away, which live 750 ms to 1,500 ms: one behind the other, many rekeys wait for
        // others, and four at a time hardly any.
        let latencies = try [1, 4].map { size in
            let window = "window: \(size)"
            let child = "{ rekey: 1500ms, jitter: 50%, over: 20s }"
            let path = "{ one-way-delay: 100ms }"
            let result = try run("children: 5\n    \(window)", policy: window, path: path, child: child)
            let measured = try #require(result.measurements.first)
            #expect(measured.counter(.handshakeEstablished).total == 20)
            #expect(measured.counter(.childRekeyEstablished).total >= 20 * 5 * 2)
            #expect(measured.counter(.childRekeyFailed).byReason == [])
            return measured.latency(.childRekeyLatency).p99
        }
        #expect(latencies[1] < latencies[0], "\(latencies)")
    }
}

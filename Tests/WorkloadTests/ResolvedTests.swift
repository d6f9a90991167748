import Foundation
import Primitives
import Testing
import Workload

@Suite("Resolved workloads, schema and overrides")
struct ResolvedTests {
    /// A workload that uses what the shipped ones leave out.
    static let everything = BaseWorkload.text
        .replacing(
            "lifetimes: strongswan",
            with: "lifetimes: { ike: { rekey: never }, child: { rekey: 90s, over: 1m } }"
        )
        .replacing("addresses: [192.0.2.10]", with: "addresses: [192.0.2.10, \"::1\"]")
        .replacing("  home: { one-way-delay: 10ms }\n", with: path)
        .replacing("arrivals:\n", with: "arrivals:\n" + arrivals)
        .replacing("run: {", with: load + "run: { epoch: 2030-06-01T12:00:00Z, replications: 3, warm-up: 10s,")

    private static let path = """
          home:
            one-way-delay:
              per-client: { normal: { mean: 9ms, deviation: 2ms, minimum: 1ms, maximum: 1s } }
              jitter: { empirical: { p0: 0s, p50: 1.5ms, p99_9: 9ms, p100: 10ms } }
              keep-order: false
            mtu: 1400
            over-mtu: drop
            bandwidth: { rate: 1.5Mbit/s, shared: true }
            reordering: { share: 1%, extra-delay: 5ms }

        """

    private static let arrivals = """
          spike:
            population: laptops
            at: 5s
            stay: { exponential: { mean: 1m, minimum: 1s } }
            spike: { clients: 10, over: 1s }
          trace: { population: laptops, trace: [{ when: 1s, until: 90s, who: 3 }, { when: 2s }] }
          slow: { population: laptops, poisson: { rate: 5/m, for: 90s } }

        """

    private static let load = """
        traffic:
          speech: { population: laptops, pattern: on-off, burst: 1s, pause: 1.5s, up: { packets: 50/s, size: 200B } }
        floods:
          cookie-flood: { gateway: gw, at: 1m, for: 10s, rate: 1000/s, sources: ["2001:db8::/64"] }
        safety:
          allow-targets: [192.0.2.10/32]
          allow-inner: [10.0.0.0/8]
          allow-identities: ["user*"]
          allow-kinds: [cookie-flood]
          at-most: { set-ups: 0.5/s, half-open: 800 }
          abort-when: [handshake.success rate(1m) < 50%]
          on-abort: [drain]
        steady-state: [tunnels.up min(30s) > 99%]

        """

    @Test(
        "a resolved workload loads again to an equal value, and resolves to the same text",
        arguments: ShippedWorkloads.names
    )
    func shippedRoundTrip(_ name: String) throws {
        let workload = try Workload.load(ShippedWorkloads.path(name))
        let text = workload.resolved()
        let again = try WorkloadFile(text: text, path: "resolved.yaml").validated()
        #expect(again == workload)
        #expect(again.resolved() == text)
    }

    @Test("so does one that uses every key")
    func roundTrip() throws {
        let workload = try BaseWorkload.workload(Self.everything)
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
    }

    @Test(
        "so does what says whether messages are sent in fragments, and how large",
        arguments: [("standard", Workload.Fragmentation.standard), ("path-mtu", .pathMTU(1400)), ("900", .size(900))]
    )
    func fragmentation(_ written: String, _ read: Workload.Fragmentation) throws {
        let text = BaseWorkload.text
            .replacing("home: { one-way-delay: 10ms }", with: "home: { one-way-delay: 10ms, mtu: 1400 }")
            .replacing("lifetimes: strongswan", with: "lifetimes: strongswan\n    fragmentation: \(written)")
        let workload = try BaseWorkload.workload(text)
        #expect(workload.profiles.map(\.fragmentation) == [read])
        #expect(workload.gateways.map(\.policy.fragmentation) == [.never])
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
    }

    @Test("so does what says how IKE SAs begin and end")
    func lifeCycle() throws {
        let text = BaseWorkload.text
            .replacing(
                "pool: [10",
                with:
                    "initial-contact: ignore\n      childless: allow\n      unknown-spis: 5\n      refused-child-rekeys: 12.5%\n      window: 8\n      authentication-lifetime: 90m\n      pool: [10"
            )
            .replacing(
                "lifetimes: strongswan",
                with:
                    "lifetimes: strongswan\n    initial-contact: true\n    childless: prefer\n    unknown-spis: 7\n    window: 9\n"
                    + "    reauthentication: { every: 1h, jitter: 5%, order: make-before-break }"
            )
        let workload = try BaseWorkload.workload(text)
        #expect(workload.profiles[0].lifeCycle.initialContact)
        #expect(workload.profiles[0].lifeCycle.reauthentication?.every == .hours(1))
        #expect(workload.profiles[0].lifeCycle.reauthentication?.order == .makeBeforeBreak)
        #expect(workload.profiles[0].lifeCycle.childless == .prefer)
        #expect(workload.profiles[0].lifeCycle.windowSize == 9)
        #expect(workload.gateways[0].policy.lifeCycle.windowSize == 8)
        #expect(workload.profiles[0].lifeCycle.unknownSPIAnswers == 7)
        #expect(workload.gateways[0].policy.lifeCycle.unknownSPIAnswers == 5)
        #expect(workload.gateways[0].policy.lifeCycle.acceptsChildless)
        #expect(workload.gateways[0].policy.lifeCycle.refusedChildRekeys == Probability(partsPerBillion: 125_000_000))
        #expect(workload.gateways[0].policy.lifeCycle.obeysInitialContact == false)
        #expect(workload.gateways[0].policy.lifeCycle.authenticationLifetime == .minutes(90))
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
    }

    @Test(
        "so do lifetimes, in time and in volume",
        arguments: [
            ("{ rekey: never, packets: 1000 }", nil, 1000, nil),
            ("{ rekey: never, jitter: 5%, bytes: 64KiB }", nil, nil, 65536),
            ("{ rekey: 1h, packets: never, bytes: never }", Duration.hours(1), nil, nil),
            ("{ rekey: 1h, packets: 5, bytes: 1GiB }", .hours(1), 5, 1 << 30),
        ] as [(String, Duration?, UInt64?, UInt64?)]
    )
    func lifetimes(written: String, rekey: Duration?, packets: UInt64?, bytes: UInt64?) throws {
        let text = BaseWorkload.text.replacing(
            "lifetimes: strongswan",
            with: "lifetimes: { ike: { rekey: 2h }, child: \(written) }"
        )
        let workload = try BaseWorkload.workload(text)
        let child = workload.profiles[0].lifetimes.child
        #expect(child.rekey == rekey && child.packets == packets && child.bytes == bytes)
        #expect(child.jitter == .percent(written.contains("5%") ? 5 : 10))
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
    }

    @Test(
        "so do the sizes of packets, fixed or drawn",
        arguments: [
            ("72B", .fixed(72)), ("imix", .imix), ("{ uniform: [72B, 9000B] }", .uniform(from: 72, to: 9000)),
            ("{ uniform: [1KiB, 1KiB] }", .uniform(from: 1024, to: 1024)),
            (
                "{ mix: { 1KiB: 1, 72B: 1000000 } }",
                .mix([.init(byteCount: 72, weight: 1_000_000), .init(byteCount: 1024, weight: 1)])
            ),
        ] as [(String, Workload.Traffic.Size)]
    )
    func packetSizes(written: String, read: Workload.Traffic.Size) throws {
        let flow = "traffic: { flow: { population: laptops, down: { packets: 5/s, size: \(written) } } }\nrun: {"
        let workload = try BaseWorkload.workload(BaseWorkload.replacing("run: {", with: flow))
        #expect(workload.traffic.map(\.down?.size) == [read])
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
    }

    @Test("a weight of a mix is a setting like others")
    func overridesWeight() throws {
        let stream = "{ packets: 5/s, size: { mix: { 72B: 7, 576B: 4 } } }"
        let flow = "traffic: { x: { population: laptops, up: \(stream) } }\nrun: {"
        let text = BaseWorkload.replacing("run: {", with: flow)
        let workload = try BaseWorkload.workload(text, overrides: ["traffic.x.up.size.mix.576B=9"])
        #expect(
            workload.traffic.first?.up?.size
                == .mix([.init(byteCount: 72, weight: 7), .init(byteCount: 576, weight: 9)])
        )
    }

    @Test("so does a gateway's ESP pool")
    func espPool() throws {
        let esp = "esp: { cores: 2, per-packet: 1.5us, per-kilobyte: 250ns, queue: { packets: 9 } }"
        let workload = try BaseWorkload.workload(BaseWorkload.replacing("cores: 4,", with: "cores: 4, \(esp),"))
        let pool = try #require(workload.gateways.first?.simulated?.esp)
        #expect(pool.cores == 2 && pool.queuePackets == 9)
        #expect(pool.perPacket == .nanoseconds(1_500) && pool.perKilobyte == .nanoseconds(250))
        let again = try WorkloadFile(text: workload.resolved(), path: "resolved.yaml").validated()
        #expect(again == workload)
        let added = try BaseWorkload.workload(
            BaseWorkload.text,
            overrides: ["gateways.gw.simulated.esp={ cores: 3, per-packet: 2us }"]
        )
        let least = try #require(added.gateways.first?.simulated?.esp)
        #expect(least.cores == 3 && least.perKilobyte == .zero && least.queuePackets == 1_024)
        #expect(try BaseWorkload.workload(BaseWorkload.text).gateways.allSatisfy { $0.simulated?.esp == nil })
    }

    @Test("the resolved text of the quickstart is as it was")
    func golden() throws {
        try Golden.check(Workload.load(ShippedWorkloads.path("quickstart.yaml")).resolved(), "quickstart-resolved.yaml")
    }

    @Test(
        "a user's text survives, whatever it is made of",
        arguments: ["a\"b\\c", "no", "10:30", "é\u{2028}\u{7F}\t\n", "%%", "😀", "# x", ": y"]
    )
    func quotes(_ text: String) throws {
        let document = YAMLValue.map([("key", .quoted(text)), ("list", .list([.quoted(text)]))]).document
        let node = try YAMLDocument.compose(document, file: "x")
        #expect(node.entry("key")?.value.scalar == text)
        #expect(node.entry("list")?.value.elements.first?.scalar == text)
    }

    @Test("a key exchange without a price costs a multiple of another's, and nothing can be said without that")
    func scaledPrices() throws {
        var table = try CostTableFile(text: ShippedWorkloads.text("costs/strongswan-5.9.json"), file: "costs.json")
        let fingerprint = table.fingerprint
        let own = try #require(table.cost(ofKeyExchange: "modp3072"))
        #expect(table.price(ofKeyExchange: "modp3072")?.cost == own)
        #expect(table.price(ofKeyExchange: "modp3072")?.scale == nil)
        let price = try #require(table.price(ofKeyExchange: "modp4096"))
        let scale = try #require(price.scale)
        #expect(scale.method == "modp3072")
        #expect(price.cost.baseNanoseconds == own.baseNanoseconds * scale.percent / 100)
        #expect(price.cost.baseNanoseconds > own.baseNanoseconds)
        #expect(price.cost.interval == nil)
        for method in ["ecp521", "x448", "modp2048s256", "ecp192"] {
            #expect(table.price(ofKeyExchange: method)?.scale != nil)
        }
        #expect(table.fingerprint == fingerprint)
        table.keyExchanges.removeAll { $0.method == "modp3072" }
        #expect(table.price(ofKeyExchange: "modp4096") == nil)
        #expect(table.price(ofKeyExchange: "modp3072") == nil)
    }

    @Test("a cost table survives being written as JSON")
    func costTable() throws {
        let table = try CostTableFile(text: ShippedWorkloads.text("costs/strongswan-5.9.json"), file: "costs.json")
        #expect(try CostTableFile(text: table.json(), file: "again.json") == table)
        #expect(try JSONSerialization.jsonObject(with: Data(table.json().utf8)) is [String: Any])
        #expect(try CostTableFile(text: table.json(), file: "again.json").fingerprint == table.fingerprint)
        #expect(table.signatures == nil)
        var signing = table.json()
        signing.replace(
            "\"key-exchanges\"",
            with: """
                "signatures": { "sign": { "base-ns": 7 }, "verify": { "base-ns": 9, "per-active-sa-ps": 1 } },
                "key-exchanges"
                """
        )
        let priced = try CostTableFile(text: signing, file: "signing.json")
        #expect(priced.signatures?.verify.baseNanoseconds == 9)
        #expect(try CostTableFile(text: priced.json(), file: "again.json") == priced)
        #expect(priced.fingerprint != table.fingerprint)
        var other = table
        other.operations[0].baseNanoseconds += 1
        #expect(other.fingerprint != table.fingerprint)
        #expect(table.cost(ofKeyExchange: "x25519") != nil)
        #expect(table[.ikeAuthPSK].baseNanoseconds > 0)
    }

    @Test(
        "an override replaces a value that the schema and the file know",
        arguments: [
            ("run.duration=7m", "7m"), ("run.warm-up=7m", "7m"), ("profiles.laptop.liveness.every=7m", "7m"),
            ("gateways.gw.policy.half-open.timeout=7m", "7m"), ("populations.laptops.count=420", "420"),
            ("thresholds=[handshake.failed < 420]", "420"),
        ]
    )
    func overrides(_ override: String, _ value: String) throws {
        let text = BaseWorkload.text.replacing("duration: 5m", with: "duration: 10m")
        let workload = try BaseWorkload.workload(text, overrides: [override])
        #expect(workload != (try BaseWorkload.workload(text)))
        #expect(workload.resolved().contains(value))
    }

    @Test("what cannot be overridden says why")
    func refusesOverrides() throws {
        let wrong = [
            "run.duration", "=5", "run.duration=", "run.duraton=5m", "run.duration=5", "run.duration=10:30",
            "populations.laptop.count=5",
            "populations.laptops.count.more=5", "safety.allow-targets=[0.0.0.0/0]", "safety={}", "version=2",
            "profiles.laptop.lifetimes.child.rekey=5m", "thresholds.0=x", "gateways.new.identity=x", "run=5m",
            "nothing=1", "run..x=1",
            "run.duration=[", "run.duration={ a: 1, a: 2 }",
        ]
        let lines = wrong.map { "\($0)\n    " + BaseWorkload.messages(BaseWorkload.text, overrides: [$0]) }
        try Golden.check(lines.joined(separator: "\n") + "\n", "overrides.txt")
        #expect(lines.allSatisfy { !$0.hasSuffix("\n    ") })
    }
}

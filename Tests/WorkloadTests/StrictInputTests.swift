import Testing
import Workload

/// A workload with one mistake.
struct Broken {
    var name: String
    var old: String
    var new: String

    init(_ name: String, _ old: String, _ new: String) {
        self.name = name
        self.old = old
        self.new = new
    }
}

@Suite("Strict input")
struct StrictInputTests {
    static let broken = [
        Broken("an unknown key", "count: 100", "coutn: 100"),
        Broken("an ESP pool without a price", "cores: 4,", "cores: 4, esp: { cores: 2 },"),
        Broken("an ESP pool without a core", "cores: 4,", "cores: 4, esp: { cores: 0, per-packet: 1us },"),
        Broken("ESP that takes no time", "cores: 4,", "cores: 4, esp: { cores: 2, per-packet: 0us },"),
        Broken(
            "ESP that takes too much",
            "cores: 4,",
            "cores: 4, esp: { cores: 2, per-packet: 2s, per-kilobyte: 1001ms, queue: { packets: 0 } },"
        ),
        Broken("a missing unit", "nat-keepalive: 20s", "nat-keepalive: 20"),
        Broken("a wrong unit", "over: 10s", "over: 10sec"),
        Broken("a duration in base 60", "duration: 5m", "duration: 10:30"),
        Broken("a boolean for a word", "nat-keepalive: 20s", "nat-keepalive: no"),
        Broken("yes for a boolean", "keeps-state: false", "keeps-state: no"),
        Broken("an address that starts with ::", "addresses: [192.0.2.10]", "addresses: [::1]"),
        Broken("a key that is written twice", "seed: 7", "seed: 7\nname: again"),
        Broken("a merge key", "    nat-keepalive: 20s", "    <<: { nat-keepalive: 20s }"),
        Broken("an unknown profile", "profile: laptop,", "profile: labtop,"),
        Broken("an unknown path in a mix", "lte: 70%", "let: 70%"),
        Broken("an unknown gateway", "gateway: gw, down", "gateway: gateway, down"),
        Broken("an unknown population", "population: laptops", "population: laptop"),
        Broken("an unknown preset", "lifetimes: strongswan", "lifetimes: strongswann"),
        Broken("an unknown NAT preset", "preset: linux-conntrack", "preset: linux"),
        Broken("a metric that does not exist", "handshake.latency p99", "handshake.latncy p99"),
        Broken("a metric that is close to one", "handshake.latency p99 < 500ms", "child.outage max < 2s"),
        Broken("an aggregation that a metric has not", "handshake.latency p99", "handshake.latency p95"),
        Broken("a limit without its unit", "p99 < 500ms", "p99 < 500"),
        Broken("an unknown fault", "after restart", "after restrat"),
        Broken(
            "a move to an unknown path",
            "  restart: { at",
            "  move: { at: 1m, population: laptops, to: hom }\n  restart: { at"
        ),
        Broken(
            "a move without a population",
            "  restart: { at",
            "  leave: { kind: move, at: 1m, to: home }\n  restart: { at"
        ),
        Broken(
            "a move to a family that the gateway has no address of",
            "  restart: { at",
            "  move: { at: 1m, population: laptops, to: home, sources: [\"2001:db8::/64\"] }\n  restart: { at"
        ),
        Broken("an unknown use of port 4500", "nat-keepalive: 20s", "encapsulation: always"),
        Broken("shares that are not everything", "home: 30%", "home: 20%"),
        Broken(
            "an unknown algorithm",
            "child: [aes256gcm16-x25519] }\n      lifetimes",
            "child: [aes256gcm-x52519] }\n      lifetimes"
        ),
        Broken(
            "an algorithm of a later version",
            "ike: [aes256gcm16-prfsha384-x25519]",
            "ike: [aes256gcm16-prfsha384-mlkem512]"
        ),
        Broken(
            "a key exchange that is too weak for anybody",
            "ike: [aes256gcm16-prfsha384-x25519]",
            "ike: [aes256gcm16-prfsha384-modp1024s160]"
        ),
        Broken("a cipher that is too old", "child: [aes256gcm16-x25519]", "child: [3des-sha1-x25519]"),
        Broken("a proposal that lacks something", "ike: [aes256gcm16-prfsha384-x25519]", "ike: [aes256gcm16-x25519]"),
        Broken("a missing key", "identity: gw.example.org\n", "\n"),
        Broken("a distribution without a minimum", ", minimum: 8ms", ""),
        Broken("fragments of a path whose MTU nobody said", "nat-keepalive: 20s", "fragmentation: path-mtu"),
        Broken("fragments without room", "nat-keepalive: 20s", "fragmentation: 159"),
        Broken("yes for fragments", "nat-keepalive: 20s", "fragmentation: yes"),
        Broken("a delay of nothing", "minimum: 8ms", "minimum: 0s"),
        Broken(
            "a threshold of a flow for what is none's",
            "- handshake.latency p99 < 500ms",
            "- handshake.latency(office) p99 < 500ms\ntraffic:"
                + "\n  office: { population: laptops, up: { packets: 5/s, size: 84B } }\nsteady-state:"
        ),
        Broken(
            "a threshold of a name that a population and a traffic have",
            "- handshake.latency p99 < 500ms",
            "- traffic.lost(laptops) <= 0\ntraffic:"
                + "\n  laptops: { population: laptops, up: { packets: 5/s, size: 84B } }\nsteady-state:"
        ),
        Broken("traffic that flows nowhere", "run: {", "traffic: { office: { population: laptops } }\nrun: {"),
        Broken(
            "traffic without packets",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 0/s, size: 200B } } }\nrun: {"
        ),
        Broken(
            "bursts without their lengths",
            "run: {",
            "traffic: { x: { population: laptops, pattern: on-off, burst: 0s, up: { packets: 5/s, size: 90B } } }\nrun: {"
        ),
        Broken(
            "bursts of a pattern that has none",
            "run: {",
            "traffic: { x: { population: laptops, pause: 1s, up: { packets: 5/s, size: 90B } } }\nrun: {"
        ),
        Broken(
            "an echo that comes down by itself",
            "run: {",
            "traffic: { x: { population: laptops, echo: true, up: { packets: 5/s, size: 90B }, "
                + "down: { packets: 5/s, size: 90B } } }\nrun: {"
        ),
        Broken(
            "pings without an answer",
            "run: {",
            "traffic: { x: { population: laptops, protocol: icmp, up: { packets: 5/s, size: 90B } } }\nrun: {"
        ),
        Broken(
            "a target that no tunnel leads to",
            "nat-keepalive: 20s\n",
            """
            traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
            traffic: { x: { population: laptops, target: 192.0.2.7, up: { packets: 5/s, size: 90B } } }

            """
        ),
        Broken(
            "packets that are too small",
            "run: {",
            "traffic: { office: { population: laptops, down: { packets: 5/s, size: 60B } } }\nrun: {"
        ),
        Broken(
            "drawn packets that are too small",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { uniform: [60B, 1400B] } } } }\nrun: {"
        ),
        Broken(
            "packets from more to less",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { uniform: [1400B, 72B] } } } }\nrun: {"
        ),
        Broken(
            "packets between three sizes",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { uniform: [72B, 576B, 1400B] } } } }\nrun: {"
        ),
        Broken(
            "a mix of what is no size",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { 72B: 7, long: 1 } } } } }\nrun: {"
        ),
        Broken(
            "a mix with a size twice",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { 1000B: 7, 1KB: 1 } } } } }\nrun: {"
        ),
        Broken(
            "a mix with a size too large",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { 72B: 7, 9001B: 1 } } } } }\nrun: {"
        ),
        Broken(
            "a mix with a weight of nothing",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { 72B: 7, 576B: 0 } } } } }\nrun: {"
        ),
        Broken(
            "a mix of too much",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { "
                + (100...164).map { "\($0)B: 1" }.joined(separator: ", ") + " } } } } }\nrun: {"
        ),
        Broken(
            "a mix of nothing",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: {} } } } }\nrun: {"
        ),
        Broken(
            "sizes in two ways",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { mix: { 72B: 7 }, uniform: [72B, 576B] } } } }\nrun: {"
        ),
        Broken(
            "a size of a kind that nobody knows",
            "run: {",
            "traffic: { office: { population: laptops, up: { packets: 5/s, size: { normal: { mean: 576B } } } } }\nrun: {"
        ),
        Broken(
            "a certificate without its key",
            "authentication: { psk: test-only }",
            "authentication: { certificate: gw.pem }"
        ),
        Broken("no proof at all", "authentication: { psk: test-only }", "authentication: { authorities: ca.pem }"),
        Broken(
            "nothing for the other end to prove itself by",
            "authentication: { psk: test-only }",
            "authentication: { certificates: gw.pem }"
        ),
        Broken(
            "two kinds of shared key",
            "authentication: { psk: test-only }",
            "authentication: { psk: test-only, psk-derived: secret }"
        ),
        Broken(
            "a signature that is none",
            "authentication: { psk: test-only }",
            "authentication: { certificates: gw.pem, authorities: ca.pem, signatures: [rsa-pss-sha1] }"
        ),
        Broken(
            "a certificate without a private key",
            "authentication: { psk: test-only }",
            "authentication: { certificates: ca.pem, authorities: ca.pem }"
        ),
        Broken(
            "an authority's file without a certificate",
            "authentication: { psk: test-only }",
            "authentication: { psk: test-only, authorities: clients.csv }"
        ),
        Broken(
            "PEM that is not base 64",
            "authentication: { psk: test-only }",
            "authentication: { psk: test-only, authorities: broken.pem }"
        ),
        Broken(
            "a file of keys that lacks one",
            "authentication: { psk: test-only }",
            "authentication: { psk-file: keyless.csv }"
        ),
        Broken(
            "a file with an identity that comes twice",
            "identity: \"user%05d@example.org\"",
            "identity: { file: twice.csv }"
        ),
        Broken(
            "a file of identities with a quotation mark too few",
            "identity: \"user%05d@example.org\"",
            "identity: { file: quote.csv }"
        ),
        Broken(
            "a file of identities with a column too many",
            "identity: \"user%05d@example.org\"",
            "identity: { file: columns.csv }"
        ),
        Broken(
            "a key of nobody",
            "authentication: { psk: test-only }",
            "authentication: { psk-file: nobody.csv }"
        ),
        Broken(
            "a file with an identity that stands for many",
            "identity: \"user%05d@example.org\"",
            "identity: { file: numbered.csv }"
        ),
        Broken(
            "a file without an identity",
            "identity: \"user%05d@example.org\"",
            "identity: { file: empty.csv }"
        ),
        Broken(
            "more clients than identities",
            "identity: \"user%05d@example.org\"",
            "identity: { file: clients.csv }"
        ),
        Broken("a prefix with bits behind it", "10.128.0.0/10", "10.129.0.0/10"),
        Broken("a list for a value", "count: 100", "count: [100]"),
        Broken("a value for a list", "pool: [10.128.0.0/10]", "pool: 10.128.0.0/10"),
        Broken("two ways to arrive", "ramp: {", "constant: 5/s, ramp: {"),
        Broken("a fault without its kind", "restart: { at", "crash: { at"),
        Broken("a key that means nothing for a fault", "down: 20s", "down: 20s, for: 1m"),
        Broken("a number for text", "psk: test-only", "psk: 12345"),
        Broken("one identity for all", "user%05d@", "user@"),
        Broken(
            "a flood that safety does not allow",
            "thresholds:",
            """
            floods:
              cookie-flood: { gateway: gw, at: 1m, for: 10s, rate: 1000/s, sources: [198.19.0.0/16] }
            thresholds:
            """
        ),
        Broken("a cost table that is not there", "costs: costs.json", "costs: cost.json"),
        Broken("waits that grow for ever", ", at-most: 5m", ""),
        Broken("a warm-up as long as the run", "duration: 5m", "duration: 5m, warm-up: 5m"),
        Broken("a jitter of everything", "rekey: 1m }", "rekey: 1m, jitter: 100% }"),
        Broken("a Child SA that may carry nothing", "rekey: 1m }", "rekey: 1m, bytes: 0B }"),
        Broken("a share of rekeys without a unit", "pool: [10", "refused-child-rekeys: 5\n      pool: [10"),
        Broken("an octal number", "seed: 7", "seed: 0123"),
        Broken("a share without its sign", "random: 1%", "random: 0.01"),
        Broken("a tab", "  gw:", "\tgw:"),
        Broken("no version", "version: 1\n", ""),
        Broken("another version", "version: 1", "version: 2"),
        Broken(
            "an MTU that IPv6 does not allow",
            "home: { one-way-delay: 10ms }\npopulations:",
            """
            home: { one-way-delay: 10ms, mtu: 1279 }
            populations:
              six: { count: 1, profile: laptop, path: home, gateway: gw, sources: ["2001:db8::/64"] }
            """
        ),
        Broken("more clients than numbers", "count: 100", "count: 9223372036854775807"),
        Broken("a first client beyond all numbers", "count: 100", "count: 100, first-identity: 9223372036854775807"),
        Broken("a delay of a century", "home: { one-way-delay: 10ms }", "home: { one-way-delay: 36500d }"),
        Broken("a shared link in no time", "10ms }", "2ns, bandwidth: { rate: 1Mbit/s, shared: true } }"),
        Broken("a ramp of a century", "over: 10s", "over: 36500d"),
        Broken("lists in lists in lists", "seed: 7", "seed: " + String(repeating: "[", count: 2_000)),
        Broken("an alias of nothing", "pool: [10.128.0.0/10]", "pool: *pool"),
    ]

    @Test("every mistake has its exact message, with its place and what to write instead")
    func messages() throws {
        let messages = Self.broken.map { broken in
            "# \(broken.name)\n" + BaseWorkload.messages(BaseWorkload.replacing(broken.old, with: broken.new)) + "\n"
        }
        try Golden.check(messages.joined(separator: "\n"), "errors.txt")
    }

    @Test("every broken workload is refused", arguments: broken.map(\.name))
    func isRefused(_ name: String) throws {
        let broken = try #require(Self.broken.first { $0.name == name })
        let text = BaseWorkload.replacing(broken.old, with: broken.new)
        let error = #expect(throws: WorkloadErrors.self) { try BaseWorkload.workload(text) }
        #expect(try #require(error).errors.isEmpty == false)
    }

    @Test("the workload that all of them break is right, and nothing is said of it")
    func baseIsRight() { #expect(BaseWorkload.messages(BaseWorkload.text) == "") }

    @Test("all mistakes of a file are reported at once, in the order of its lines")
    func reportsAll() throws {
        var text = BaseWorkload.text
        for broken in Self.broken
        where ["an unknown key", "a missing unit", "an unknown preset", "an unknown fault"].contains(broken.name) {
            text = text.replacing(broken.old, with: broken.new)
        }
        let errors = try #require(#expect(throws: WorkloadErrors.self) { try BaseWorkload.workload(text) }).errors
        #expect(errors.count >= 4)
        #expect(errors.map(\.mark.line) == errors.map(\.mark.line).sorted())
    }

    @Test("sources and pools of all addresses are counted")
    func countsAllAddresses() {
        let sources = BaseWorkload.replacing("[198.18.0.0/15]", with: "[\"::/0\"]")
        #expect(BaseWorkload.messages(sources) == "")
        let pools = ["[\"::/0\", 0.0.0.0/0]", "[\"::/0\", 10.0.0.0/8]"]
        for pool in pools {
            #expect(BaseWorkload.messages(BaseWorkload.replacing("[10.128.0.0/10]", with: pool)) == "")
        }
    }

    @Test("a pool has addresses of the families that clients ask for, and who asks for none has no settings")
    func countsEachFamily() {
        let keepalive = "nat-keepalive: 20s"
        let both = BaseWorkload.replacing(keepalive, with: "configuration: { addresses: [ipv4, ipv6] }")
        #expect(
            BaseWorkload.messages(both)
                == "base.yaml:7:5: warning: the pool has 0 IPv6 addresses for the 100 clients that ask for one"
        )
        #expect(BaseWorkload.messages(both.replacing("[10.128.0.0/10]", with: "[10.128.0.0/10, \"fd00::/64\"]")) == "")
        let fixed = BaseWorkload.replacing(
            keepalive,
            with: "traffic-selectors: { local: [10.1.0.0/16] }\n    configuration: { settings: [subnets] }"
        )
        #expect(
            BaseWorkload.messages(fixed).contains("`settings` has no meaning for a client that asks for no address")
        )
    }

    @Test("anchors and aliases are read")
    func readsAliases() throws {
        let text = BaseWorkload.text
            .replacing(
                "      authentication: { psk: test-only }",
                with: "      authentication: &psk { psk: test-only }"
            )
            .replacing("\n    authentication: { psk: test-only }", with: "\n    authentication: *psk")
        #expect(text.contains("*psk"))
        #expect(try BaseWorkload.workload(text) == BaseWorkload.workload(BaseWorkload.text))
    }

    @Test("aliases of aliases do not grow without end")
    func endsAliasBombs() {
        var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1...12 {
            let inner = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(inner)]\n"
        }
        #expect(BaseWorkload.messages(text).contains("more than 200,000 values"))
    }
}

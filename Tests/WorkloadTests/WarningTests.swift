import Testing
import Workload

@Suite("Warnings")
struct WarningTests {
    /// What stands between the number of clients and the rate at which they come.
    private static let clients =
        "profile: laptop, path: { lte: 70%, home: 30% }, gateway: gw, sources: [198.18.0.0/15] }\n"
        + "arrivals:\n  morning: { population: laptops, ramp"

    static let doubtful = [
        Broken("a run that is shorter than the lifetimes", "child: { rekey: 1m } }", "child: { rekey: 1h } }"),
        Broken("a fault behind the end", "at: 2m", "at: 20m"),
        Broken("a fault that outlasts the run", "down: 20s", "down: 20m"),
        Broken("arrivals that bring too few", "to: 10/s, over: 10s }", "to: 10/s, over: 10s, then: stop }"),
        Broken("arrivals behind the end", "population: laptops, ramp", "population: laptops, at: 1h, ramp"),
        Broken(
            "a population that nobody brings",
            "arrivals:",
            "  others: { count: 5, profile: laptop, path: home, gateway: gw }\narrivals:"
        ),
        Broken("a NAT that forgets too soon", "nat-keepalive: 20s", "nat-keepalive: never"),
        Broken("a NAT that forgets sooner than its client speaks", "nat-keepalive: 20s", "nat-keepalive: 5m"),
        Broken("proposals without an overlap", "ike: [aes256gcm16-prfsha384-x25519]", "ike: [aes128-sha256-modp2048]"),
        Broken("fragments that the gateway does not take", "nat-keepalive: 20s", "fragmentation: standard"),
        Broken(
            "SHA-1",
            "ike: [aes256gcm16-prfsha384-x25519]",
            "ike: [aes256gcm16-prfsha384-x25519, aes128-sha1-x25519, aes128gcm16-prfsha1-x25519]"
        ),
        Broken("SHA-1 for ESP", "child: [aes256gcm16-x25519]", "child: [aes256gcm16-x25519, aes256-sha-modp2048]"),
        Broken("short ICVs", "child: [aes256gcm16-x25519]", "child: [aes256gcm16-aes192gcm12-aes128gcm64-x25519]"),
        Broken(
            "a group whose subgroup is doubted",
            "ike: [aes256gcm16-prfsha384-x25519]",
            "ike: [aes256gcm16-prfsha384-x25519-modp2048s256]"
        ),
        Broken(
            "a curve that is too small, whose price is a multiple of another's",
            "ike: [aes256gcm16-prfsha384-x25519]",
            "ike: [aes256gcm16-prfsha384-x25519, aes256gcm8-prfsha384-ecp192]"
        ),
        Broken(
            "key exchanges that have no price of their own",
            "child: [aes256gcm16-x25519]",
            "child: [aes256gcm16-x25519-modp4096-ecp521-curve448]"
        ),
        Broken(
            "ML-KEM alone, which a packet of Ethernet is too small for",
            "ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }\n    lifetimes: strongswan",
            "ike: [aes256gcm16-prfsha384-x25519-mlkem768-mlkem1024], child: [aes256gcm16-x25519] }\n    lifetimes: strongswan"
        ),
        Broken(
            "ML-KEM behind another key exchange, with no fragments to send it in",
            "ike: [aes256gcm16-prfsha384-x25519], child: [aes256gcm16-x25519] }\n    lifetimes: strongswan",
            "ike: [aes256gcm16-prfsha384-x25519-ke1_mlkem1024-ke1_none], child: [aes256gcm16-x25519] }\n    lifetimes: strongswan"
        ),
        Broken("different keys", "psk: test-only", "psk: test-other"),
        Broken("a pool that is too small", "10.128.0.0/10", "10.128.0.0/28"),
        Broken("addresses that many share", "sources: [198.18.0.0/15]", "sources: [198.18.0.0/29]"),
        Broken("more IKE SAs than the cost table is valid for", "count: 100,", "count: 2000,"),
        Broken(
            "more set-ups than the cost table is valid for",
            "count: 100, \(clients): { from: 0/s, to: 10/s,",
            "count: 1500, \(clients): { from: 900/s, to: 900/s,"
        ),
        Broken("a ceiling below the rate", "run: {", "safety: { at-most: { set-ups: 5/s } }\nrun: {"),
        Broken(
            "identities that are not allowed",
            "run: {",
            "safety: { allow-identities: [\"test*@example.org\"] }\nrun: {"
        ),
        Broken("a path without clients", "populations:", "  office: { one-way-delay: 1ms }\npopulations:"),
        Broken("a NAT fault without a NAT", "restart: { at", "nat-flush: { at: 1m, path: home }\n  restart: { at"),
        Broken("MOBIKE that the gateway does not speak", "nat-keepalive: 20s", "mobike: true"),
        Broken("a threshold without samples", "- handshake.latency p99 < 500ms", "- ike.rekey.latency p99 < 500ms"),
        Broken(
            "a time of a flow that has no such time",
            "- handshake.latency p99 < 500ms",
            "- traffic.latency(pings) p99 < 1s\n  - traffic.round-trip(office/up) p99 < 1s"
                + "\n  - traffic.latency(office) p99 < 1s\ntraffic:"
                + "\n  pings: { population: laptops, echo: true, up: { packets: 1/s, size: 84B } }"
                + "\n  office: { population: laptops, up: { packets: 1/s, size: 84B }, down: { packets: 1/s, size: 84B } }"
                + "\nsteady-state:"
        ),
        Broken("a window that is longer than the run", "- handshake.latency p99 < 500ms", "- tunnels.up min(1h) > 99%"),
    ]

    @Test("what cannot happen is said, with its place")
    func messages() throws {
        let messages = Self.doubtful.map { doubtful in
            "# \(doubtful.name)\n" + BaseWorkload.messages(BaseWorkload.replacing(doubtful.old, with: doubtful.new))
                + "\n"
        }
        try Golden.check(messages.joined(separator: "\n"), "warnings.txt")
        #expect(messages.allSatisfy { $0.contains("warning:") })
    }

    /// 100 clients, of 1 ms and 100 us for each 1,000 octets.
    @Test(
        "so is more traffic than a gateway's ESP pool can do, and no less",
        arguments: [
            ("up: { packets: 20/s, size: 1000B }", 2, "2.2 cores of ESP, and there are 2"),
            ("up: { packets: 20/s, size: 1000B }", 3, nil),
            (
                "up: { packets: 5/s, size: 1000B }, down: { packets: 5/s, size: 1000B }", 1,
                "1.1 cores of ESP, and there is 1"
            ),
            ("echo: true, up: { packets: 5/s, size: { uniform: [500B, 1500B] } }", 1, "1.1 cores of ESP"),
            ("pattern: on-off, burst: 1s, pause: 9s, up: { packets: 100/s, size: 1000B }", 1, "1.1 cores of ESP"),
            ("pattern: on-off, burst: 1s, pause: 10s, up: { packets: 100/s, size: 1000B }", 1, nil),
            ("up: { packets: 10/s, size: { mix: { 100B: 9, 1000B: 1 } } }", 1, "1.019 cores of ESP"),
            ("up: { packets: 9/s, size: imix }", 1, nil),
        ]
    )
    func espPool(flow: String, cores: Int, says: String?) {
        let esp = "esp: { cores: \(cores), per-packet: 1ms, per-kilobyte: 100us }"
        let text = BaseWorkload.text.replacing("cores: 4,", with: "cores: 4, \(esp),")
            .replacing("run: {", with: "traffic: { flow: { population: laptops, \(flow) } }\nrun: {")
        let said = BaseWorkload.messages(text).split(separator: "\n").filter { $0.contains("gateway-queue-full") }
        #expect(said.count == (says == nil ? 0 : 1))
        if let says { #expect(said.first?.contains(says) == true, "\(said)") }
        #expect(said.allSatisfy { $0.hasPrefix("base.yaml:12:") && $0.contains("warning:") })
    }

    @Test("of the shipped workloads only what their stories mean is said")
    func shipped() throws {
        let lines = try ShippedWorkloads.names.map { name in
            let warnings = try WorkloadFile(text: ShippedWorkloads.text(name), path: name)
                .validated { file throws(UnitProblem) in
                    guard file.hasSuffix(".pem") else { return BaseWorkload.costs ?? "" }
                    return (try? ShippedWorkloads.text(file)) ?? ""
                }
                .warnings()
            return ([name] + warnings.map { "    \($0)" }).joined(separator: "\n")
        }
        try Golden.check(lines.joined(separator: "\n") + "\n", "shipped-warnings.txt")
    }

    @Test(
        "a pattern of identities matches whole identities",
        arguments: [
            ("user1@x", "user*@x", true), ("user1@xy", "user*@x", false), ("a", "*", true), ("", "*", true),
            ("", "", true),
            ("abc", "a*b*c", true), ("aXbYc", "a*b*c", true), ("abab", "*ab", true), ("abc", "abc", true),
            ("abc", "ab", false),
            ("ab", "abc", false),
        ]
    )
    func glob(_ text: String, _ pattern: String, _ matches: Bool) {
        #expect(Glob.matches(text, pattern: pattern) == matches)
    }
}

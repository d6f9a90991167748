import Primitives

/// A small workload that a seed decides: its clients, paths, lifetimes and faults.
///
/// What was added later is drawn from streams of its own, so that earlier draws stay what they were.
struct RandomWorkload: CustomStringConvertible {
    let seed: UInt64
    private var stream: Draws
    /// What the gateway and the clients say of fragments.
    private(set) var fragmentation: [String] = []
    /// How the gateways and the clients authenticate.
    var authentication = Authentication()
    /// How many clients have credentials.
    var credentialCount = UInt64.max
    var identity = "\"user%05d@example.org\""
    /// Further lines of the policy of both gateways, of that of the first one, and of the clients' profile.
    var policy: [String] = []
    var firstPolicy: [String] = []
    var profile: [String] = []
    /// The proposals of the gateways and of the clients.
    var proposals = (gateway: "", client: "")
    var faults: [String] = []
    /// Why attempts may fail.
    var causes: [Cause] = []
    /// Clients that cannot show that they are who they say; nil where there are none.
    var strangers: Strangers?
    /// Whether the clients' lifetimes are those of their gateway, so that both ends rekey at once.
    var collides = false
    /// How many clients the gateway refuses their Child SA.
    var refusedCount: UInt64 = 0
    private var gatewayLifetimes = ""
    /// The way's delay, where it is a special one.
    var delay: String?
    /// How long SAs outlive the moment of their rekey.
    var over = ""
    /// Whether the first gateway has an address of each family.
    var hasBothFamilies = false
    /// What else is said of the first gateway's model.
    var simulated: [String] = []
    /// The pools of the first gateway and of the others.
    var pools = ["10.128.0.0/24", "10.129.0.0/24"]
    /// How many clients each further gateway has.
    var furtherCounts: [UInt64] = []
    /// What both ends propose for Child SAs, where that is something special.
    var childProposals: String?

    /// What each stands by: the first gateway, the other one, and the clients.
    struct Authentication {
        var gateway = "{ psk: test-only }"
        var other = "{ psk: test-only }"
        var client = "{ psk: test-only }"
        /// The kind of the keys of all certificates, and which end proves itself in IKE_AUTH by such a one.
        var kind = ""
        var gatewaySigns = false
        var clientSigns = false

        /// Whether pre-shared keys are all that there is.
        var isByKey: Bool { ["{ psk: test-only }", "{ psk-derived: secret }"].contains(client) }

        /// The same of all three, with other words.
        mutating func replace(_ words: String, with others: String) {
            gateway = gateway.replacing(words, with: others)
            other = other.replacing(words, with: others)
            client = client.replacing(words, with: others)
        }
    }

    struct Strangers {
        var count: UInt64
        var authentication: String
    }

    /// Whether both ends take fragments, and one end's are so small that an IKE_AUTH with a Child SA has several.
    var isFragmented: Bool {
        !fragmentation.contains("never") && fragmentation.contains("160") && !policy.contains("childless: allow")
    }

    /// How long an end takes at most to find out that its peer is gone: the longest liveness, and every sending.
    static let patience = Duration.seconds(20) + .milliseconds(15_500)

    init(seed: UInt64) {
        self.seed = seed
        stream = Draws(seed, entity: 1)
    }

    var description: String { "SEED=\(seed)" }

    /// So many clients; the later seeds have fewer, since there are more of them.
    private mutating func count(_ range: ClosedRange<UInt64>) -> UInt64 {
        let count = stream.pick(range)
        return min(credentialCount, seed > 200 ? max(1, count / 3) : count)
    }

    private mutating func lifetimes(_ jitters: Bool = true) -> String {
        func jitter() -> String { jitters ? ", jitter: \(stream.pick(0...30))%" : "" }
        return "{ ike: { rekey: \(stream.pick(12...60))s\(jitter())\(over) }, "
            + "child: { rekey: \(stream.pick(4...40))s\(jitter())\(over)\(volume) } }"
    }

    /// The workload's text; faults end early enough for everybody to come back, and for either end to find out that the
    /// other has no longer what it has.
    mutating func text() -> String {
        let child = stream.one(of: [
            "aes128gcm16", "aes128gcm16-x25519", "aes256gcm16-ecp256", "chacha20poly1305", "aes128-sha256",
            "aes192-sha1-esn",
            "aes128gcm8-x448", "chacha20poly1305iiv-aes128gcm16iiv-esn",
        ])
        let cipher = stream.one(of: [
            "aes128gcm16-prfsha256", "chacha20poly1305-prfsha384", "aes256-sha384-prfsha512", "aes192gcm12-prfsha1",
            "aes256-sha512",
        ])
        let group = stream.one(of: ["x25519", "ecp256", "ecp521"])
        let sources = stream.one(of: ["198.18.0.0/16", "198.18.0.0/16", "2001:db8:7::/64"])
        let cookies = stream.one(of: ["never", "0", "5"])
        var sizes = Draws(seed, entity: 2)
        fragmentation = (0..<2).map { _ in sizes.one(of: ["never", "160", "200", "standard"]) }
        var mobility = Draws(seed, entity: 3)
        let mobike = (0..<2).map { _ in mobility.pick(0...3) > 0 }
        let encapsulation = (0..<2).map { _ in mobility.pick(0...3) > 0 ? "when-needed" : "forced" }
        let shared = mobility.pick(0...1) == 0 ? drawPorts() : ""
        drawEAP()
        let methods = drawGroups(ike: group, child: child)
        drawRefusedRekeys()
        drawUnacceptableRekeys()
        drawProposals(ike: "\(cipher)-\(methods.ike)", child: methods.child)
        drawLifeCycle()
        drawCertificates()
        drawKeys()
        drawLists()
        drawRollover()
        drawStrangers()
        drawIdentity()
        drawTroubles()
        drawWay()
        drawMode(isMobile: mobike[1])
        drawESPPool()
        drawAddresses()
        drawConfiguration()
        drawGateways()
        let gateways = gateways(cookies, mobike[0], encapsulation[0])
        let profile = profiles(mobike[1], encapsulation[1])
        return """
            version: 1
            name: swarm
            \(gateways)
            \(profile)
            \(network(sources, shared))
            faults: { \(brokenThings().joined(separator: ", ")) }
            \(traffic)
            run: { duration: 110s }
            """
    }

    private mutating func gateways(_ cookies: String, _ isMobile: Bool, _ encapsulation: String) -> String {
        let first = lifetimes()
        gatewayLifetimes = first
        return """
            gateways:
              gw:
                identity: gw.example.org
                policy:
                  authentication: \(authentication.gateway)
                  proposals: \(proposals.gateway)
                  lifetimes: \(first)
                  half-open: { cookies-above: \(cookies), cookies-above-per-source: never, refuse-above-per-source: never }
                  liveness: { every: \(stream.pick(5...20))s }
                  retransmission: { first: 500ms, factor: 2, tries: 4 }
                  pool: [\(pools[0])]
                  fragmentation: \(fragmentation[0])
                  mobike: \(isMobile)
                  encapsulation: \(encapsulation)
            \(Self.lines(firstPolicy + policy, indent: 6))
                simulated: { \((["cores: \(stream.pick(1...3))", "costs: workloads/costs/strongswan-5.9.json"] + simulated).joined(separator: ", ")) }
              other:
                identity: other.example.org
                policy:
                  authentication: \(authentication.other)
                  proposals: \(proposals.gateway)
                  lifetimes: \(lifetimes(false))
                  liveness: { every: 15s }
                  retransmission: { first: 500ms, factor: 2, tries: 4 }
                  pool: [\(pools[1])]
            \(Self.lines(policy, indent: 6))
                simulated: { cores: 1, costs: workloads/costs/strongswan-5.9.json }
            \(furtherGateways(first))
            """
    }

    private mutating func profiles(_ isMobile: Bool, _ encapsulation: String) -> String {
        let own = lifetimes()
        let liveness = stream.pick(5...20)
        let children = stream.pick(1...3)
        func body(_ authentication: String) -> String {
            """
                identity: \(identity)
                authentication: \(authentication)
                proposals: \(proposals.client)
                lifetimes: \(collides ? gatewayLifetimes : own)
                retransmission: { first: 500ms, factor: 2, tries: 4 }
                reconnect: { after: [timeout, delete, expired, refused, authentication], wait: { from: 1s, factor: 2, at-most: 8s, jitter: full }, give-up: never }
                liveness: { every: \(liveness)s }
                nat-keepalive: 20s
                fragmentation: \(fragmentation[1])
                mobike: \(isMobile)
                encapsulation: \(encapsulation)
                children: \(children)
            \(Self.lines(profile, indent: 4))
            """
        }
        let usual = body(authentication.client)
        var all = "profiles:\n  p:\n\(usual)"
        if refusedCount > 0 {
            all += "\n  q:\n\(usual)\n    traffic-selectors: { local: [dynamic], remote: [192.168.0.0/16] }"
        }
        if let strangers { all += "\n  r:\n\(body(strangers.authentication))" }
        return all
    }

    private mutating func network(_ sources: String, _ shared: String) -> String {
        let refused = "  e: { count: \(refusedCount), profile: q, path: lan, gateway: gw, sources: [198.20.0.0/16] }"
        let strange = strangers.map {
            "  s: { count: \($0.count), profile: r, path: lan, gateway: gw, sources: [198.21.0.0/16] }"
        }
        let (longest, jitter, keepsOrder) = (
            stream.pick(2...80), stream.pick(1...5), stream.one(of: ["true", "false"])
        )
        let usual =
            "{ per-client: { uniform: [1ms, \(longest)ms] }, jitter: { exponential: { mean: \(jitter)ms } }, "
            + "keep-order: \(keepsOrder) }"
        return """
            paths:
              lan:
                one-way-delay: \(delay ?? usual)
                loss: { random: \(stream.pick(0...8))% }
                duplication: \(stream.pick(0...5))%
                \(stream.one(of: ["nat: { preset: linux-conntrack }", "mtu: 1400"]))
              wan: { one-way-delay: { per-client: { uniform: [1ms, 30ms] } }, nat: { preset: rfc4787-minimum\(shared) } }
            populations:
              c: { count: \(count(5...30)), profile: p, path: lan, gateway: gw, sources: ["\(sources)"] }
              d: { count: \(count(1...5)), profile: p, path: lan, gateway: other, sources: [198.19.0.0/16] }
            \(refusedCount > 0 ? refused : "")
            \(strange ?? "")
            \(furtherPopulations)
            arrivals:
              a: { population: c, constant: \(stream.pick(5...40))/s }
              b: { population: d, constant: 5/s }
            \(refusedCount > 0 ? "  e: { population: e, constant: 1/s }" : "")
            \(strange == nil ? "" : "  s: { population: s, constant: 1/s }")
            \(furtherArrivals)
            """
    }

    private mutating func brokenThings() -> [String] {
        let all = [
            "burst: { kind: loss-burst, at: \(stream.pick(2...12))s, for: \(stream.pick(1...8))s, path: lan, "
                + "loss: { random: \(stream.pick(20...90))% } }",
            "down: { kind: path-down, at: \(stream.pick(2...12))s, for: \(stream.pick(1...10))s, path: lan }",
            "flush: { kind: nat-flush, at: \(stream.pick(2...25))s, path: lan }",
            "rebind: { kind: nat-rebind, at: \(stream.pick(2...25))s, path: lan, share: \(stream.pick(10...100))% }",
            "restart: { kind: restart, at: \(stream.pick(5...20))s, gateway: gw, down: \(stream.pick(1...6))s, "
                + "keeps-state: \(stream.one(of: ["true", "false"])) }",
        ]
        return all.filter { _ in stream.pick(0...1) == 0 } + moves() + faults
    }

    static func lines(_ lines: [String], indent: Int) -> String {
        lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
    }

    /// By a stream of their own, as fragments.
    private func moves() -> [String] {
        var draws = Draws(seed, entity: 4)
        var sources = Draws(seed, entity: 26)
        return ["wan", "lan"].filter { _ in draws.pick(0...1) == 0 }.map { path in
            "to-\(path): { kind: move, at: \(draws.pick(2...20))s, population: c, to: \(path), "
                + "over: \(draws.pick(1...9))s, share: \(draws.pick(10...100))%\(moveSources(&sources)) }"
        }
    }
}

/// One stream of chance.
struct Draws {
    private var stream: RandomStream

    init(_ seed: UInt64, entity: UInt64) { stream = RandomStream(seed: seed, entity: entity, purpose: .test) }

    mutating func pick(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + stream.below(range.upperBound - range.lowerBound + 1)
    }

    mutating func one(of texts: [String]) -> String { texts[Int(stream.below(UInt64(texts.count)))] }

    /// True once in so many times.
    mutating func isOne(in count: UInt64) -> Bool { stream.below(count) == 0 }
}

import Primitives

// Where gateways are and what they give, each from a stream of its own.
extension RandomWorkload {
    /// A gateway of both families, which clients reach from either as they move, and one behind a NAT.
    mutating func drawAddresses() {
        var draws = Draws(seed, entity: 20)
        hasBothFamilies = draws.isOne(in: 3)
        if hasBothFamilies { simulated.append("addresses: [192.0.2.1, \"2001:db8::1\"]") }
        if draws.isOne(in: 4) { simulated.append("behind-nat: 10.0.0.9") }
    }

    /// Where the clients that go to another network come from then: from either family, or from where they are.
    func moveSources(_ draws: inout Draws) -> String {
        guard hasBothFamilies else { return "" }
        return draws.one(of: [", sources: [\"2001:db8:9::/64\"]", ", sources: [198.22.0.0/16]", ""])
    }

    /// What clients ask for beside an IPv4 address (RFC 7296 section 3.15), which goes neither with transport mode nor
    /// with the selectors of clients that are refused.
    mutating func drawConfiguration() {
        var draws = Draws(seed, entity: 21)
        guard draws.isOne(in: 3), refusedCount == 0, !profile.contains("mode: transport") else { return }
        pools = pools.map { $0 + ", \"fd00:\($0.contains("128") ? 7 : 8)::/112\"" }
        let families = draws.one(of: ["ipv4", "ipv6", "ipv4, ipv6", "ipv6, ipv4"])
        let settings = draws.one(of: ["", "name-servers", "subnets", "name-servers, subnets"])
        profile.append("configuration: { addresses: [\(families)], settings: [\(settings)] }")
        if draws.isOne(in: 2) { policy.append("name-servers: [10.200.0.53, \"fd00:200::53\"]") }
        if draws.isOne(in: 2) { policy.append("subnets: [10.200.0.0/16, \"fd00:200::/64\"]") }
    }

    /// Further key exchanges in the place of those of an earlier draw: the large groups, the old ones, and ML-KEM by
    /// itself.
    func drawGroups(ike: String, child: String) -> (ike: String, child: String) {
        var draws = Draws(seed, entity: 22)
        let groups = ["modp3072", "modp4096", "modp2048s256", "ecp192", "mlkem768", "mlkem1024"]
        let (first, second) = (draws.one(of: groups), draws.one(of: groups))
        let (changesIKE, changesChild) = (draws.isOne(in: 3), draws.isOne(in: 4))
        let hasGroup = ["x25519", "ecp256", "x448", "esn"].contains(where: child.hasSuffix)
        return (changesIKE ? first : ike, changesChild && !hasGroup ? "\(child)-\(second)" : child)
    }

    /// A carrier's NAT with room for few of the clients that come to it.
    func drawPorts() -> String {
        var draws = Draws(seed, entity: 23)
        guard draws.isOne(in: 2) else { return ", shared: { addresses: [203.0.113.0/30] }" }
        return ", shared: { addresses: [203.0.113.0/31], ports-per-client: \(draws.one(of: ["16000", "30000"])) }"
    }

    /// Gateways beside the first two, with a population each.
    mutating func drawGateways() {
        var draws = Draws(seed, entity: 24)
        // Where few clients have certificates, there are none left for further ones.
        guard draws.isOne(in: 2), credentialCount == .max else { return }
        furtherCounts = (0..<draws.pick(1...2)).map { _ in draws.pick(1...4) }
    }

    /// Both ends rekey Child SAs at once by key exchanges of two steps, which one end refuses or both do (RFC 7296
    /// section 2.25.1): where the request of one is lost, it refuses the other's alone.
    mutating func drawRefusedRekeys() {
        var draws = Draws(seed, entity: 25)
        guard draws.isOne(in: 6) else { return }
        let cipher = draws.one(of: ["aes128gcm16", "chacha20poly1305", "aes256-sha256"])
        childProposals = "\(cipher)-x25519-ke1_mlkem1024"
        collides = true
    }

    /// Both ends rekey Child SAs at once, and the gateway refuses some of its clients' requests with TS_UNACCEPTABLE
    /// (strongSwan #2477).
    mutating func drawUnacceptableRekeys() {
        var draws = Draws(seed, entity: 28)
        guard draws.isOne(in: 6) else { return }
        policy.append("refused-child-rekeys: \(draws.pick(10...60))%")
        collides = true
    }
}

// What is said of them.
extension RandomWorkload {
    /// The gateways beside the first two, none where none are drawn.
    func furtherGateways(_ lifetimes: String) -> String {
        furtherCounts.indices.map { index in
            """
              far-\(index):
                identity: other.example.org
                policy:
                  authentication: \(authentication.other)
                  proposals: \(proposals.gateway)
                  lifetimes: \(lifetimes)
                  liveness: { every: 12s }
                  retransmission: { first: 500ms, factor: 2, tries: 4 }
                  pool: [\(pools[1])]
            \(Self.lines(policy, indent: 6))
                simulated: { cores: \(index + 1), costs: workloads/costs/strongswan-5.9.json }
            """
        }.joined(separator: "\n")
    }

    var furtherPopulations: String {
        furtherCounts.enumerated().map { index, count in
            "  f\(index): { count: \(count), profile: p, path: wan, gateway: far-\(index), sources: [198.2\(index + 3).0.0/16] }"
        }.joined(separator: "\n")
    }

    var furtherArrivals: String {
        furtherCounts.indices.map { "  f\($0): { population: f\($0), constant: 2/s }" }.joined(separator: "\n")
    }
}

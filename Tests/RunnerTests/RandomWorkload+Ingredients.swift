import Primitives

// What else a seed decides, each from a stream of its own.
extension RandomWorkload {
    /// Whether clients authenticate by EAP, and who decides about that.
    mutating func drawEAP() {
        var draws = Draws(seed, entity: 5)
        guard draws.isOne(in: 3) else { return }
        let method = draws.one(of: ["mschapv2", "md5", "gtc", "[gtc, mschapv2]"])
        drawEAPProofs(method)
        let workers = draws.one(of: ["4", "16", "free"])
        let (sockets, latency) = (draws.pick(1...8), draws.pick(1...60))
        let (start, length) = (draws.pick(2...11), draws.pick(1...8))
        guard draws.pick(0...2) > 0 else { return }
        firstPolicy.append(
            "radius: { latency: { exponential: { mean: \(latency)ms } }, sockets: \(sockets), workers: \(workers), "
                + "waits: [1s, 1s] }"
        )
        faults.append("away: { kind: radius-outage, at: \(start)s, for: \(length)s, gateway: gw }")
        let hasNak = authentication.gateway.contains("[mschapv2, tls]")
        causes.append(.outage(from: start, until: start + length, hasNak: hasNak))
    }

    /// The proposals of both ends, which always have one in common: the key exchanges that follow the first, half of
    /// the time (RFC 9370), and others that only one end has, which may make the first KE payload one too many.
    mutating func drawProposals(ike: String, child: String) {
        var (ike, child) = (ike, child)
        var additional = Draws(seed, entity: 6)
        let further = ["", "", "-ke1_mlkem768", "-ke2_mlkem1024-ke5_ecp384"]
        let more = additional.one(of: further)
        if !ike.contains("mlkem") { ike += more }
        if ["x25519", "ecp256", "x448"].contains(where: child.hasSuffix) { child += additional.one(of: further) }
        var draws = Draws(seed, entity: 7)
        func list(_ common: String, _ others: [String]) -> String {
            guard draws.isOne(in: 2) else { return common }
            let other = draws.one(of: others)
            return draws.isOne(in: 2) ? "\(other), \(common)" : "\(common), \(other)"
        }
        let groups = ["aes256gcm16-prfsha512-ecp384", "aes128-sha1-modp2048", "aes128gcm16-prfsha256-x448"]
        let ciphers = ["aes192gcm16", "aes256-sha512-esn", "aes256gcm12-ecp384"]
        let gateway = (ike: list(ike, groups), child: list(child, ciphers))
        let client = (ike: list(ike, groups), child: list(child, ciphers))
        proposals.gateway = "{ ike: [\(gateway.ike)], child: [\(childProposals ?? gateway.child)] }"
        proposals.client = "{ ike: [\(client.ike)], child: [\(childProposals ?? client.child)] }"
    }

    /// How IKE SAs begin and end: windows, reauthentication, childless initiation, INITIAL_CONTACT, unknown SPIs.
    mutating func drawLifeCycle() {
        var windows = Draws(seed, entity: 8)
        for isGateway in [true, false] {
            let line = "window: \(windows.one(of: ["1", "1", "2", "3", "8"]))"
            if isGateway { policy.append(line) } else { profile.append(line) }
        }
        var renewal = Draws(seed, entity: 9)
        let order = renewal.one(of: ["break-before-make", "make-before-break", "", ""])
        let (every, jitter) = (renewal.pick(8...45), renewal.pick(0...50))
        if !order.isEmpty {
            profile.append("reauthentication: { every: \(every)s, jitter: \(jitter)%, order: \(order) }")
        }
        let lifetime = renewal.pick(15...60)
        if renewal.isOne(in: 4) { firstPolicy.append("authentication-lifetime: \(lifetime)s") }
        var beginning = Draws(seed, entity: 10)
        let childless = beginning.one(of: ["never", "never", "prefer", "force"])
        profile.append("childless: \(childless)")
        let isAllowed = beginning.isOne(in: 2) || childless == "force"
        policy.append("childless: \(isAllowed ? "allow" : "never")")
        profile.append("initial-contact: \(beginning.isOne(in: 2))")
        firstPolicy.append("initial-contact: \(beginning.one(of: ["obey", "obey", "ignore"]))")
        profile.append("unknown-spis: \(beginning.one(of: ["never", "3"]))")
        policy.append("unknown-spis: \(beginning.one(of: ["never", "20"]))")
    }

    /// What clients call themselves; a certificate and EAP have their own opinion about that.
    mutating func drawIdentity() {
        var draws = Draws(seed, entity: 12)
        let identity = draws.one(of: [
            self.identity, "\"user%03d.example.org\"", "\"O=swarm, CN=user%d\"", self.identity,
        ])
        if authentication.isByKey { self.identity = identity }
    }

    /// Trouble that others have published: rekeys from both ends at once with messages lost between them (strongSwan
    /// #1896), a way that is gone at a rekey while hard lifetimes end (strongSwan #3042), TS_UNACCEPTABLE for the first
    /// Child SA.
    mutating func drawTroubles() {
        var draws = Draws(seed, entity: 13)
        collides = draws.isOne(in: 3) || collides
        if draws.isOne(in: 3) { over = ", over: \(draws.pick(2...9))s" }
        let (start, period, length) = (draws.pick(8...16), draws.pick(4...8), draws.pick(300...1500))
        if draws.isOne(in: 3) {
            for number in 0..<3 {
                faults.append(
                    "again-\(number): { kind: loss-burst, at: \(start + UInt64(number) * period)s, for: \(length)ms, "
                        + "path: lan, loss: { random: \(draws.pick(40...100))% } }"
                )
            }
        }
        if draws.isOne(in: 5) {
            refusedCount = draws.pick(1...2)
            causes.append(.refusal)
            firstPolicy.append("traffic-selectors: [10.0.0.0/8]")
        }
    }
}

// The way and the Child SAs.
extension RandomWorkload {
    /// More published trouble: answers within half a millisecond (strongSwan #1458), and a peer whose next request, for
    /// the new SA, overtakes the answer that makes it known (Cisco CSCvx23833).
    mutating func drawWay() {
        var draws = Draws(seed, entity: 14)
        let (shortest, longest, jitter) = (draws.pick(20...80), draws.pick(100...220), draws.pick(20...150))
        guard draws.isOne(in: 4) else { return }
        delay =
            "{ per-client: { uniform: [\(shortest)us, \(longest)us] }, jitter: { exponential: { mean: \(jitter)us } }, "
            + "keep-order: false }"
    }

    /// Transport mode, which MOBIKE and traffic selectors of the clients' own do not go with.
    mutating func drawMode(isMobile: Bool) {
        var draws = Draws(seed, entity: 15)
        guard draws.isOne(in: 2), !isMobile, refusedCount == 0 else { return }
        profile.append("mode: transport")
        policy.append("mode: transport")
    }

    /// Work on ESP takes time at half of the gateways that traffic goes by, too much of it at some.
    mutating func drawESPPool() {
        var draws = Draws(seed, entity: 31)
        guard !traffic.isEmpty, draws.isOne(in: 2) else { return }
        let (cores, price) = (draws.pick(1...3), draws.one(of: ["20us", "500us", "15ms"]))
        simulated.append(
            "esp: { cores: \(cores), per-packet: \(price), per-kilobyte: 100us, queue: { packets: \(draws.pick(1...20)) } }"
        )
    }

    /// What a Child SA may carry besides, half of the time where something flows.
    var volume: String {
        var draws = Draws(seed, entity: 30)
        guard !traffic.isEmpty, draws.isOne(in: 2) else { return "" }
        return draws.isOne(in: 2) ? ", packets: \(draws.pick(10...100))" : ", bytes: \(draws.pick(4...40))KiB"
    }

    /// What flows through the tunnels of some of the clients; empty where nothing does.
    var traffic: String {
        var draws = Draws(seed, entity: 19)
        guard draws.isOne(in: 4) else { return "" }
        let flow = { (draws: inout Draws) in
            "{ packets: \(draws.pick(1...5))/s, size: \(draws.one(of: ["imix", "100B", "1300B"])) }"
        }
        let pattern = draws.one(of: ["constant", "poisson"])
        let ways = draws.one(of: ["up", "down", "up down"]).split(separator: " ")
        let flows = ways.map { "\($0): \(flow(&draws))" }.joined(separator: ", ")
        return "traffic: { flow: { population: c, pattern: \(pattern), \(flows) } }"
    }
}

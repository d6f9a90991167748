import Primitives

extension WorkloadReader {
    mutating func profile(_ name: String, _ view: RecordView) -> Workload.Profile {
        let selectors = view.view("traffic-selectors")
        let local: [Workload.TrafficSelectors.Selector] = selectors.elements("local").compactMap { node in
            if node.scalar == "dynamic" { return .dynamic }
            return node.read(or: nil) { text throws(UnitProblem) in .prefix(try Addresses.prefix(text)) }
        }
        let remote = selectors.prefixes("remote")
        let configuration = configuration(
            view.view("configuration"),
            dynamic: !selectors.has("local") || local.contains(.dynamic)
        )
        return Workload.Profile(
            name: name,
            identity: identity(view),
            authentication: authentication(view),
            proposals: proposals(view),
            lifetimes: lifetimes(view),
            retransmission: retransmission(view),
            reconnect: reconnect(view),
            liveness: liveness(view),
            natKeepalive: view.optionalDuration("nat-keepalive"),
            lifeCycle: lifeCycle(view),
            trafficSelectors: Workload.TrafficSelectors(
                local: selectors.has("local") ? local : [.dynamic],
                remote: selectors.has("remote") ? remote : Self.everything(of: configuration)
            ),
            configuration: configuration,
            children: view.count("children"),
            mode: mode(view),
            replayWindow: replayWindow(view)
        )
    }

    private mutating func configuration(_ view: RecordView, dynamic isDynamic: Bool) -> Workload.Configuration {
        if !isDynamic {
            for key in ["addresses", "settings"] where view.has(key) {
                fail(
                    view.mark(key),
                    "`\(key)` has no meaning for a client that asks for no address",
                    "add `dynamic` to `traffic-selectors.local`, or remove it"
                )
            }
        }
        return Workload.Configuration(
            addresses: view.has("addresses")
                ? view.keywords("addresses", as: Workload.Configuration.Family.self) : [.ipv4],
            settings: view.keywords("settings", as: Workload.Configuration.Setting.self)
        )
    }

    private static func everything(of configuration: Workload.Configuration) -> [IPPrefix] {
        configuration.addresses.map { family in
            IPPrefix(address: family == .ipv4 ? IPAddress(v4: 0) : .unspecified, length: 0)
        }
    }

    private mutating func reconnect(_ view: RecordView) -> Workload.Reconnect {
        if let name = view.value("reconnect")?.scalar {
            let never = Workload.Reconnect(after: [], waits: [.zero], jitter: .zero, giveUpAfter: nil)
            return Presets.reconnect.first { $0.name == name }?.value ?? never
        }
        let explicit = view.view("reconnect")
        let wait = explicit.view("wait")
        return Workload.Reconnect(
            after: explicit.has("after")
                ? explicit.keywords("after", as: Workload.Reconnect.Reason.self) : [.timeout, .delete],
            waits: reconnectWaits(wait),
            jitter: wait.percent("jitter"),
            giveUpAfter: explicit.optionalCount("give-up")
        )
    }

    private mutating func reconnectWaits(_ view: RecordView) -> [Duration] {
        if view.has("waits") {
            for key in ["from", "factor", "at-most"] where view.has(key) {
                fail(view.mark(key), "`\(key)` has no meaning beside `waits`", "remove it")
            }
            return view.durations("waits")
        }
        let first = view.duration("from")
        let factor = view.factorMillionths("factor")
        guard factor > 1_000_000, first > .zero else {
            if factor < 1_000_000 {
                fail(view.mark("factor"), "a factor below 1 makes waits shorter", "write 1 or more")
            }
            return [first]
        }
        guard let longest = view.optionalDuration("at-most") else {
            if !view.has("at-most"), view.has("from") {
                fail(view.node.mark, "waits that grow need an end", "add `at-most: 5m`, or write `factor: 1`")
            }
            return [first]
        }
        guard longest >= first else {
            fail(view.mark("at-most"), "`at-most` is shorter than `from`", "write \(first) or more")
            return [first]
        }
        var waits = [first]
        // A factor near 1 would make a list without end.
        while let last = waits.last, last < longest, waits.count < 1_000 {
            let next = Int128(last.nanoseconds) * Int128(factor) / 1_000_000
            waits.append(min(longest, Duration(nanoseconds: Int64(min(next, Int128(longest.nanoseconds))))))
        }
        return waits
    }

    mutating func populations(profiles: [Workload.Profile]) -> [Workload.Population] {
        var nextIdentity = [Int](repeating: 1, count: profiles.count)
        return root.views("populations").map { name, view in
            let profile = reference(view.value("profile"), to: .profiles)
            let count = view.count("count")
            var first = view.optionalCount("first-identity") ?? 1
            if profiles.indices.contains(profile) {
                if !view.has("first-identity") { first = nextIdentity[profile] }
                checkIdentity(profiles[profile], of: count, from: first, view)
                let end = first.addingReportingOverflow(count)
                if !end.overflow, end.partialValue <= Int(UInt32.max) {
                    nextIdentity[profile] = max(nextIdentity[profile], end.partialValue)
                } else {
                    fail(view.mark("count"), "the clients' numbers go beyond \(UInt32.max)", "write fewer clients")
                    first = 1
                }
            }
            return Workload.Population(
                name: name,
                count: count,
                profile: profile,
                paths: pathShares(view),
                gateway: reference(view.value("gateway"), to: .gateways),
                sources: view.has("sources") ? view.prefixes("sources") : Self.documentationSources,
                firstIdentity: first
            )
        }
    }

    private mutating func checkIdentity(
        _ profile: Workload.Profile,
        of count: Int,
        from first: Int,
        _ view: RecordView
    ) {
        if let file = profile.identity.file {
            guard first - 1 > file.entries.count - count else { return }
            fail(
                view.mark("count"),
                "\(count) clients from number \(first) on do not find their identities in `\(file.path)`, which has "
                    + "\(file.entries.count)",
                "write fewer clients"
            )
            return
        }
        guard count > 1, profile.identity.digits == nil else { return }
        fail(
            view.mark("count"),
            "\(count) clients would share the identity \"\(profile.identity.identity(1))\" "
                + "of the profile \"\(profile.name)\"",
            "put a number in it, such as %05d"
        )
    }

    private mutating func pathShares(_ view: RecordView) -> [Workload.Population.PathShare] {
        guard let node = view.value("path") else { return [] }
        guard case .map(let entries) = node.content else {
            return [.init(path: reference(node, to: .paths), share: .one)]
        }
        let shares = entries.map { entry in
            Workload.Population.PathShare(
                path: reference(entry.key, at: entry.keyMark, to: .paths),
                share: entry.value.read(or: .zero) { text throws(UnitProblem) in try Units.percent(text) }
            )
        }
        let total = shares.reduce(UInt64(0)) { $0 + UInt64($1.share.partsPerBillion) }
        // A share that could not be read was reported already.
        let areRead = entries.allSatisfy { entry in
            entry.value.read(or: false) { text throws(UnitProblem) in try Units.percent(text) >= .zero }
        }
        if areRead, total != 1_000_000_000 {
            let sum = Workload.percentText(partsPerBillion: total)
            fail(node.mark, "the shares of `\(view.path).path` add up to \(sum)", "make them 100%")
        }
        return shares.filter { $0.share > .zero }
    }

    private static let documentationSources = [IPPrefix(address: IPAddress(v4: 0xC633_6400), length: 24)]
}

extension Workload {
    /// A share in percent, which may be more than everything.
    static func percentText(partsPerBillion: UInt64) -> String {
        let (whole, rest) = partsPerBillion.quotientAndRemainder(dividingBy: 10_000_000)
        var fraction = String(rest + 10_000_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole)" + (fraction.isEmpty ? "" : "." + fraction) + "%"
    }
}

import Primitives

extension WorkloadReader {
    mutating func path(_ name: String, _ view: RecordView) -> Workload.Path {
        let bandwidth = view.view("bandwidth")
        let reordering = view.view("reordering")
        let delay = delay(view)
        let path = Workload.Path(
            name: name,
            delay: delay,
            loss: loss(view),
            duplication: view.percent("duplication"),
            reordering: view.has("reordering")
                ? Workload.Reordering(
                    share: reordering.percent("share"),
                    extraDelay: reordering.duration("extra-delay")
                ) : nil,
            bandwidth: view.has("bandwidth") ? self.bandwidth(bandwidth) : nil,
            mtu: view.optionalCount("mtu").map {
                Workload.MTU(byteCount: $0, overMTU: view.keyword("over-mtu", or: .fragment))
            },
            nat: nat(view)
        )
        if path.hasSharedLink, delay.minimum > .zero, delay.minimum < Self.shortestAroundLink {
            fail(
                view.mark("one-way-delay"),
                "a link that all clients share is in the middle of its path, which takes less than 3 ns",
                "write a least delay such as 3ms"
            )
        }
        return path
    }

    /// A nanosecond before the link, one until its clients know when it sends, and one behind it.
    private static let shortestAroundLink: Duration = .nanoseconds(3)

    private mutating func bandwidth(_ view: RecordView) -> Workload.Bandwidth {
        let rate = view.read("rate", or: 1) { text throws(UnitProblem) in try Units.bandwidth(text) }
        if rate == 0 {
            fail(view.mark("rate"), "a link without a rate carries nothing", "a `path-down` fault does that")
        }
        return Workload.Bandwidth(
            bitsPerSecond: rate,
            queueByteCount: view.read("queue", or: 1) { text throws(UnitProblem) in try Units.size(text) },
            isShared: view.boolean("shared")
        )
    }

    private mutating func delay(_ view: RecordView) -> Workload.Delay {
        guard let node = view.value("one-way-delay") else { return Self.someDelay }
        if node.scalar != nil {
            let constant = distribution(view, "one-way-delay") ?? Self.someDelay.perClient
            return Workload.Delay(perClient: constant, jitter: nil, keepsOrder: true)
        }
        let written = view.view("one-way-delay")
        let perClient = distribution(written, "per-client")
        let jitter = distribution(written, "jitter")
        let delay = Workload.Delay(
            perClient: perClient ?? Self.someDelay.perClient,
            jitter: jitter,
            keepsOrder: written.boolean("keep-order")
        )
        // A missing minimum was reported with the file's shape.
        let lacksMinimum = ["normal", "lognormal"].contains { shape in
            let inner = written.view("per-client")
            return inner.has(shape) && !inner.view(shape).has("minimum")
        }
        if perClient != nil, !lacksMinimum, delay.minimum <= .zero {
            fail(
                written.mark("per-client"),
                "a packet on this path could take no time at all",
                "virtual time needs a minimum above 0: add `minimum: 1ms`, or raise the least value"
            )
        }
        return delay
    }

    /// A drawn length of time; nil where it is not written or is wrong.
    mutating func distribution(_ view: RecordView, _ key: String) -> Workload.Distribution? {
        let drawn = anyDistribution(view, key)
        if let longest = drawn?.longest, longest > Self.longestDrawn {
            fail(view.mark(key), "a time of `\(key)` is too long", "the longest is 1d")
        }
        return drawn
    }

    private mutating func anyDistribution(_ view: RecordView, _ key: String) -> Workload.Distribution? {
        guard let node = view.node.entry(key)?.value else { return nil }
        if node.scalar != nil {
            return view.optionalDuration(key).map {
                Workload.Distribution(shape: .constant($0), minimum: $0, maximum: nil)
            }
        }
        guard let entry = node.entries.first else { return nil }
        let written = view.view(key)
        let inner = written.view(entry.key)
        func bounded(_ shape: Workload.Distribution.Shape) -> Workload.Distribution {
            Workload.Distribution(
                shape: shape,
                minimum: inner.optionalDuration("minimum") ?? .zero,
                maximum: inner.optionalDuration("maximum")
            )
        }
        var distribution: Workload.Distribution?
        switch entry.key {
        case "constant":
            distribution = written.optionalDuration("constant")
                .map { Workload.Distribution(shape: .constant($0), minimum: $0, maximum: nil) }
        case "uniform": distribution = uniform(written)
        case "normal":
            distribution = bounded(.normal(mean: inner.duration("mean"), deviation: inner.duration("deviation")))
        case "lognormal":
            let sigma = inner.factorMillionths("sigma")
            distribution = bounded(.lognormal(median: inner.duration("median"), sigmaMillionths: sigma))
            if sigma > 10_000_000 { fail(inner.mark("sigma"), "a sigma above 10 is no delay", "write one such as 0.4") }
        case "exponential": distribution = bounded(.exponential(mean: inner.duration("mean")))
        case "empirical": distribution = empirical(written)
        default: return nil
        }
        if let maximum = distribution?.maximum, let minimum = distribution?.minimum, maximum < minimum {
            fail(inner.mark("maximum"), "the maximum is below the minimum", "write \(minimum) or more")
        }
        return distribution
    }

    /// What the integer arithmetic of distributions holds, with room to spare.
    private static let longestDrawn: Duration = .hours(24)

    private mutating func uniform(_ view: RecordView) -> Workload.Distribution? {
        let bounds = view.durations("uniform")
        guard bounds.count == view.elements("uniform").count, bounds.count >= 2 else { return nil }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            fail(
                view.mark("uniform"),
                "a uniform distribution has two bounds, the smaller one first",
                "write [5ms, 25ms]"
            )
            return nil
        }
        return Workload.Distribution(shape: .uniform(from: bounds[0], to: bounds[1]), minimum: bounds[0], maximum: nil)
    }

    private mutating func empirical(_ view: RecordView) -> Workload.Distribution? {
        guard let node = view.node.entry("empirical")?.value else { return nil }
        var quantiles: [Workload.Distribution.Quantile] = []
        for entry in node.entries {
            guard let share = Self.quantile(entry.key) else {
                fail(entry.keyMark, "\"\(entry.key.abbreviated)\" is not a percentile", "write p0, p50, p99_9 or p100")
                return nil
            }
            guard
                let value = entry.value.read(
                    or: nil,
                    { text throws(UnitProblem) -> Duration? in try Units.duration(text) }
                )
            else { return nil }
            quantiles.append(.init(share: share, value: value))
        }
        let isSorted = zip(quantiles, quantiles.dropFirst()).allSatisfy { $0.share < $1.share && $0.value <= $1.value }
        guard isSorted, let first = quantiles.first, first.share == .zero, quantiles.last?.share == .one else {
            fail(
                node.mark,
                "percentiles rise from p0 to p100, and their values with them",
                "write { p0: 5ms, p50: 20ms, p100: 90ms }"
            )
            return nil
        }
        return Workload.Distribution(shape: .empirical(quantiles), minimum: first.value, maximum: nil)
    }

    /// `p99_9` is 99.9 %: a point would end a name in a dotted path.
    private static func quantile(_ name: String) -> Probability? {
        guard name.first == "p" else { return nil }
        let text = name.dropFirst().replacing("_", with: ".") + "%"
        do throws(UnitProblem) { return try Units.percent(String(text)) } catch { return nil }
    }

    mutating func loss(_ view: RecordView) -> Workload.Loss {
        let written = view.view("loss")
        if written.has("random") { return .random(written.percent("random")) }
        guard written.has("gilbert-elliott") else { return .none }
        let inner = written.view("gilbert-elliott")
        let toGood = inner.percent("to-good")
        if inner.has("to-good"), toGood == .zero, inner.text("to-good") == "0%" {
            fail(inner.mark("to-good"), "the bad state would never end", "write more than 0%")
        }
        return .gilbertElliott(
            toBad: inner.percent("to-bad"),
            toGood: toGood,
            inGood: inner.percent("in-good"),
            inBad: inner.percent("in-bad")
        )
    }

    private mutating func nat(_ view: RecordView) -> Workload.NAT? {
        guard view.has("nat"), view.value("nat")?.scalar == nil else { return nil }
        let written = view.view("nat")
        let timeout = written.view("timeout")
        let preset = Presets.nat.first { $0.name == written.text("preset") }?.value
        if !written.has("preset") {
            let missing = ["mapping", "filtering", "timeout", "ports"].filter { !written.has($0) }
            let missingTimes = ["one-way", "two-way"].filter { !timeout.has($0) && written.has("timeout") }
            if let key = missing.first ?? missingTimes.first.map({ "timeout.\($0)" }) {
                fail(
                    view.mark("nat"),
                    "a NAT without a preset needs all of its keys, and has no `\(key)`",
                    "add it, or `preset: linux-conntrack`"
                )
            }
        }
        return Workload.NAT(
            mapping: written.keyword("mapping", or: preset?.mapping ?? .endpointIndependent),
            filtering: written.keyword("filtering", or: preset?.filtering ?? .endpointIndependent),
            timeoutOneWay: timeout.optionalDuration("one-way") ?? preset?.timeoutOneWay ?? .seconds(1),
            timeoutTwoWay: timeout.optionalDuration("two-way") ?? preset?.timeoutTwoWay ?? .seconds(1),
            ports: written.keyword("ports", or: preset?.ports ?? .preserve),
            shared: written.has("shared") ? shared(written.view("shared")) : nil
        )
    }

    private mutating func shared(_ view: RecordView) -> Workload.NAT.Shared {
        let addresses = view.prefixes("addresses")
        if addresses.contains(where: { !$0.address.isIPv4 }) {
            fail(view.mark("addresses"), "a NAT is between IPv4 addresses", "write IPv4 prefixes")
        }
        return Workload.NAT.Shared(addresses: addresses, portsPerClient: max(1, view.count("ports-per-client")))
    }

    private static let someDelay = Workload.Delay(
        perClient: Workload.Distribution(shape: .constant(.milliseconds(1)), minimum: .milliseconds(1), maximum: nil),
        jitter: nil,
        keepsOrder: true
    )
}

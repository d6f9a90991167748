import Primitives

extension Workload {
    func value(_ path: Path) -> YAMLValue {
        var delay: [(key: String, value: YAMLValue)] = [("per-client", value(path.delay.perClient))]
        if let jitter = path.delay.jitter { delay.append(("jitter", value(jitter))) }
        delay.append(("keep-order", .plain(path.delay.keepsOrder)))
        var entries: [(key: String, value: YAMLValue)] = [
            ("one-way-delay", .map(delay)), ("loss", value(path.loss)), ("duplication", .plain(path.duplication)),
        ]
        if let reordering = path.reordering {
            let inner: [(key: String, value: YAMLValue)] = [
                ("share", .plain(reordering.share)), ("extra-delay", .plain(reordering.extraDelay)),
            ]
            entries.append(("reordering", .map(inner)))
        }
        if let bandwidth = path.bandwidth {
            let inner: [(key: String, value: YAMLValue)] = [
                ("rate", .plain(UnitText.bandwidth(bandwidth.bitsPerSecond))),
                ("queue", .plain(UnitText.size(bandwidth.queueByteCount))), ("shared", .plain(bandwidth.isShared)),
            ]
            entries.append(("bandwidth", .map(inner)))
        }
        if let mtu = path.mtu {
            entries.append(("mtu", .plain(mtu.byteCount)))
            entries.append(("over-mtu", .plain(mtu.overMTU.rawValue)))
        }
        entries.append(("nat", path.nat.map(value) ?? .plain("none")))
        return .map(entries)
    }

    private func value(_ nat: NAT) -> YAMLValue {
        guard let shared = nat.shared else { return .map(entries(of: nat)) }
        let addresses = YAMLValue.list(shared.addresses.map { .quoted($0.description) })
        let pool: [(key: String, value: YAMLValue)] = [
            ("addresses", addresses), ("ports-per-client", .plain(shared.portsPerClient)),
        ]
        return .map(entries(of: nat) + [("shared", .map(pool))])
    }

    private func entries(of nat: NAT) -> [(key: String, value: YAMLValue)] {
        [
            ("mapping", .plain(nat.mapping.rawValue)),
            ("filtering", .plain(nat.filtering.rawValue)),
            ("timeout", .map([("one-way", .plain(nat.timeoutOneWay)), ("two-way", .plain(nat.timeoutTwoWay))])),
            ("ports", .plain(nat.ports.rawValue)),
        ]
    }

    private func value(_ loss: Loss) -> YAMLValue {
        switch loss {
        case .none: .plain("none")
        case .random(let share): .map([("random", .plain(share))])
        case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
            .map([
                (
                    "gilbert-elliott",
                    .map([
                        ("to-bad", .plain(toBad)), ("to-good", .plain(toGood)), ("in-good", .plain(inGood)),
                        ("in-bad", .plain(inBad)),
                    ])
                )
            ])
        }
    }

    func value(_ distribution: Distribution) -> YAMLValue {
        func bounded(_ key: String, _ entries: [(key: String, value: YAMLValue)]) -> YAMLValue {
            var entries = entries + [("minimum", .plain(distribution.minimum))]
            if let maximum = distribution.maximum { entries.append(("maximum", .plain(maximum))) }
            return .map([(key, .map(entries))])
        }
        switch distribution.shape {
        case .constant(let duration): return .plain(duration)
        case .uniform(let from, let to): return .map([("uniform", .list([.plain(from), .plain(to)]))])
        case .normal(let mean, let deviation):
            return bounded("normal", [("mean", .plain(mean)), ("deviation", .plain(deviation))])
        case .lognormal(let median, let sigma):
            return bounded("lognormal", [("median", .plain(median)), ("sigma", .plain(UnitText.factor(sigma)))])
        case .exponential(let mean): return bounded("exponential", [("mean", .plain(mean))])
        case .empirical(let quantiles):
            let entries: [(key: String, value: YAMLValue)] = quantiles.map { quantile in
                let percent = quantile.share.description.dropLast().replacing(".", with: "_")
                return ("p" + String(percent), .plain(quantile.value))
            }
            return .map([("empirical", .map(entries))])
        }
    }

    func value(_ population: Population) -> YAMLValue {
        .map([
            ("count", .plain(population.count)),
            ("profile", .quoted(profiles[population.profile].name)),
            ("path", .map(population.paths.map { (paths[$0.path].name, .plain($0.share)) })),
            ("gateway", .quoted(gateways[population.gateway].name)),
            ("sources", .list(population.sources.map { .quoted($0.description) })),
            ("first-identity", .plain(population.firstIdentity)),
        ])
    }

    func value(_ arrival: Arrival) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("population", .quoted(populations[arrival.population].name)), ("at", .plain(arrival.start)),
        ]
        if let stay = arrival.stay { entries.append(("stay", value(stay))) }
        entries.append(value(arrival.pattern))
        return .map(entries)
    }

    private func value(_ pattern: Arrival.Pattern) -> (key: String, value: YAMLValue) {
        func steady(_ rate: Rate, _ lasting: Duration?) -> YAMLValue {
            guard let lasting else { return .plain(UnitText.rate(rate)) }
            return .map([("rate", .plain(UnitText.rate(rate))), ("for", .plain(lasting))])
        }
        switch pattern {
        case .constant(let rate, let lasting): return ("constant", steady(rate, lasting))
        case .poisson(let rate, let lasting): return ("poisson", steady(rate, lasting))
        case .ramp(let from, let to, let over, let holds):
            return (
                "ramp",
                .map([
                    ("from", .plain(UnitText.rate(from))), ("to", .plain(UnitText.rate(to))), ("over", .plain(over)),
                    ("then", .plain(holds ? "hold" : "stop")),
                ])
            )
        case .spike(let clients, let over):
            return ("spike", .map([("clients", .plain(clients)), ("over", .plain(over))]))
        case .trace(let entries):
            let values = entries.map { entry in
                var fields: [(key: String, value: YAMLValue)] = [("when", .plain(entry.at))]
                if let until = entry.until { fields.append(("until", .plain(until))) }
                if let client = entry.client { fields.append(("who", .plain(client))) }
                return YAMLValue.map(fields)
            }
            return ("trace", .list(values))
        }
    }

    func value(_ fault: Fault) -> YAMLValue {
        func names(_ indexes: [Int]) -> YAMLValue { .list(indexes.map { .quoted(paths[$0].name) }) }
        let more: [(key: String, value: YAMLValue)]
        let kind: FaultKind
        switch fault.effect {
        case .lossBurst(let paths, let loss, let lasting):
            (kind, more) = (.lossBurst, [("path", names(paths)), ("loss", value(loss)), ("for", .plain(lasting))])
        case .pathDown(let paths, let lasting):
            (kind, more) = (.pathDown, [("path", names(paths)), ("for", .plain(lasting))])
        case .natFlush(let paths): (kind, more) = (.natFlush, [("path", names(paths))])
        case .natRebind(let paths, let share):
            (kind, more) = (.natRebind, [("path", names(paths)), ("share", .plain(share))])
        case .move(let population, let share, let path, let over, let sources):
            var entries: [(key: String, value: YAMLValue)] = [
                ("population", .quoted(populations[population].name)), ("share", .plain(share)),
                ("to", .quoted(paths[path].name)),
            ]
            if over > .zero { entries.append(("over", .plain(over))) }
            if !sources.isEmpty { entries.append(("sources", .list(sources.map { .quoted($0.description) }))) }
            (kind, more) = (.move, entries)
        case .gatewayRestart(let gateway, let down, let keepsState):
            let name = YAMLValue.quoted(gateways[gateway].name)
            (kind, more) = (.restart, [("gateway", name), ("down", .plain(down)), ("keeps-state", .plain(keepsState))])
        case .radiusOutage(let gateway, let lasting):
            (kind, more) = (
                .radiusOutage, [("gateway", .quoted(gateways[gateway].name)), ("for", .plain(lasting))]
            )
        case .replay(let paths, let share, let delay, let lasting):
            (kind, more) = (
                .replay,
                [
                    ("path", names(paths)), ("share", .plain(share)), ("after", .plain(delay)),
                    ("for", .plain(lasting)),
                ]
            )
        case .certificateRollover(let rollover): (kind, more) = (.certificateRollover, entries(rollover))
        }
        return .map([("kind", .plain(kind.rawValue)), ("at", .plain(fault.at))] + more)
    }

    func value(_ flood: Flood) -> YAMLValue {
        .map([
            ("kind", .plain(flood.kind.rawValue)),
            ("gateway", .quoted(gateways[flood.gateway].name)),
            ("at", .plain(flood.at)),
            ("for", .plain(flood.lasting)),
            ("rate", .plain(UnitText.rate(flood.rate))),
            ("sources", .list(flood.sources.map { .quoted($0.description) })),
        ])
    }
}

extension CostTableFile {
    /// The table as a workload holds it within itself, and as `calibrate` writes it.
    var yaml: YAMLValue {
        func value(_ range: ClosedRange<some BinaryInteger>) -> YAMLValue {
            .list([.plain(range.lowerBound), .plain(range.upperBound)])
        }
        func value(_ cost: Cost) -> YAMLValue {
            var entries: [(key: String, value: YAMLValue)] = [("base-ns", .plain(cost.baseNanoseconds))]
            if cost.perActiveSAPicoseconds != 0 {
                entries.append(("per-active-sa-ps", .plain(cost.perActiveSAPicoseconds)))
            }
            if let interval = cost.interval { entries.append(("interval-ns", value(interval))) }
            return .map(entries)
        }
        var entries: [(key: String, value: YAMLValue)] = [
            ("schema", .quoted(Self.schema)),
            ("name", .quoted(name)),
            (
                "provenance",
                .map([("source", .quoted(provenance.source)), ("kind", .quoted(provenance.kind.rawValue))])
            ),
            (
                "valid-range",
                .map([
                    ("active-sas", value(validRange.activeSAs)),
                    ("set-ups-per-second", value(validRange.setUpsPerSecond)),
                ])
            ),
            ("operations", .map(Operation.allCases.map { ($0.rawValue, value(self[$0])) })),
            ("key-exchanges", .map(keyExchanges.map { ($0.method, value($0.cost)) })),
        ]
        if let signatures {
            entries.append(
                ("signatures", .map([("sign", value(signatures.sign)), ("verify", value(signatures.verify))]))
            )
        }
        if let eap { entries.append(("eap", value(eap))) }
        return .map(entries)
    }

    /// The table as the JSON file that `calibrate` writes, the same bytes for the same table.
    package func json() -> String { yaml.json + "\n" }
}

import Metrics
import Primitives

extension Workload {
    /// The workload as YAML with every default, preset and cost written out: it loads again to an equal value.
    package func resolved() -> String {
        let entries: [(key: String, value: YAMLValue)] = [
            ("version", .plain(Self.schemaVersion)),
            ("name", .quoted(name)),
            ("seed", .plain(seed)),
            ("gateways", .map(gateways.map { ($0.name, value($0)) })),
            ("profiles", .map(profiles.map { ($0.name, settings($0)) })),
            ("paths", .map(paths.map { ($0.name, value($0)) })),
            ("populations", .map(populations.map { ($0.name, value($0)) })),
            ("arrivals", .map(arrivals.map { ($0.name, value($0)) })),
            ("traffic", .map(traffic.map { ($0.name, value($0)) })),
            ("faults", .map(faults.map { ($0.name, value($0)) })),
            ("floods", .map(floods.map { ($0.name, value($0)) })),
            ("steady-state", expectations(steadyState)),
            ("thresholds", expectations(thresholds)),
            ("safety", safetyValue),
            (
                "run",
                .map([
                    ("duration", .plain(run.duration)),
                    ("warm-up", .plain(run.warmUp)),
                    ("replications", .plain(run.replications)),
                    ("epoch", .plain(Timestamps.text(run.epoch))),
                ])
            ),
        ]
        return YAMLValue.map(
            entries.filter { entry in
                switch entry.value {
                case .map(let inner): !inner.isEmpty
                case .list(let inner): !inner.isEmpty
                default: true
                }
            }
        ).document
    }

    private func expectations(_ expectations: [Expectation]) -> YAMLValue {
        .list(expectations.map { .quoted($0.description) })
    }

    private var safetyValue: YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("allow-targets", prefixes(safety.allowTargets)),
            ("allow-inner", prefixes(safety.allowInner)),
            ("allow-identities", .list(safety.allowIdentities.map { .quoted($0) })),
            ("allow-kinds", .list(safety.allowKinds.map { .plain($0.rawValue) })),
        ]
        var ceilings: [(key: String, value: YAMLValue)] = []
        if let rate = safety.setUpsAtMost { ceilings.append(("set-ups", .plain(UnitText.rate(rate)))) }
        if let count = safety.halfOpenAtMost { ceilings.append(("half-open", .plain(count))) }
        if !ceilings.isEmpty { entries.append(("at-most", .map(ceilings))) }
        entries.append(("abort-when", expectations(safety.abortWhen)))
        entries.append(("on-abort", .list(safety.onAbort.map { .plain($0.rawValue) })))
        return .map(entries)
    }

    private func settings(_ profile: Profile) -> YAMLValue {
        value(profile).adding(profile.fragmentation).adding(profile.lifeCycle).adding(profile.mobility)
            .adding(profile.mode).adding(profile.replayWindow)
    }

    private func settings(_ policy: Policy) -> YAMLValue {
        value(policy).adding(policy.fragmentation).adding(policy.lifeCycle).adding(policy.mobility)
            .adding(policy.mode).adding(policy.replayWindow)
    }

    private func value(_ gateway: Gateway) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("identity", .quoted(gateway.identity)),
            ("policy", settings(gateway.policy)),
        ]
        if let simulated = gateway.simulated { entries.append(("simulated", value(simulated))) }
        if !gateway.realAddresses.isEmpty {
            entries.append(("real", .map([("addresses", addresses(gateway.realAddresses))])))
        }
        return .map(entries)
    }

    private func value(_ policy: Policy) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = [
            ("authentication", value(policy.authentication)),
            ("proposals", value(policy.proposals)),
            ("lifetimes", value(policy.lifetimes)),
            (
                "half-open",
                .map([
                    ("cookies-above", orNever(policy.halfOpen.cookiesAbove)),
                    ("cookies-above-per-source", orNever(policy.halfOpen.cookiesAbovePerSource)),
                    ("refuse-above-per-source", orNever(policy.halfOpen.refuseAbovePerSource)),
                    ("refuse-above", orNever(policy.halfOpen.refuseAbove)),
                    ("timeout", .plain(policy.halfOpen.timeout)),
                ])
            ),
            ("pool", prefixes(policy.pool)),
            ("name-servers", addresses(policy.nameServers)),
            ("subnets", prefixes(policy.subnets)),
            ("liveness", liveness(policy.liveness)),
            ("retransmission", waits(policy.retransmission)),
            ("traffic-selectors", prefixes(policy.trafficSelectors)),
        ]
        if let radius = policy.radius { entries.append(("radius", value(radius))) }
        return .map(entries)
    }

    private func value(_ simulated: SimulatedGateway) -> YAMLValue {
        var entries = entries(of: simulated)
        if simulated.serialShare > .zero { entries.append(("serial", .plain(simulated.serialShare))) }
        if let esp = simulated.esp { entries.append(("esp", value(esp))) }
        if let inside = simulated.behindNAT { entries.append(("behind-nat", .quoted(inside.description))) }
        return .map(entries)
    }

    private func entries(of simulated: SimulatedGateway) -> [(key: String, value: YAMLValue)] {
        [
            ("model", .quoted(simulated.model)),
            ("cores", .plain(simulated.cores)),
            ("costs", simulated.costs.yaml),
            ("internal-latency", .plain(simulated.internalLatency)),
            (
                "queue",
                .map([
                    ("packets", .plain(simulated.queuePackets)),
                    ("bytes", .plain(UnitText.size(simulated.queueByteCount))),
                ])
            ),
            ("addresses", addresses(simulated.addresses)),
        ]
    }

    private func value(_ profile: Profile) -> YAMLValue {
        .map([
            ("identity", value(profile.identity)),
            ("authentication", value(profile.authentication)),
            ("proposals", value(profile.proposals)),
            ("lifetimes", value(profile.lifetimes)),
            ("retransmission", waits(profile.retransmission)),
            ("reconnect", value(profile.reconnect)),
            ("liveness", liveness(profile.liveness)),
            ("nat-keepalive", profile.natKeepalive.map { .plain($0) } ?? .plain("never")),
            (
                "traffic-selectors",
                .map([
                    ("local", .list(profile.trafficSelectors.local.map(value))),
                    ("remote", prefixes(profile.trafficSelectors.remote)),
                ])
            ),
            ("configuration", value(profile.configuration)),
            ("children", .plain(profile.children)),
        ])
    }

    private func value(_ configuration: Configuration) -> YAMLValue {
        .map([
            ("addresses", .list(configuration.addresses.map { .plain($0.rawValue) })),
            ("settings", .list(configuration.settings.map { .plain($0.rawValue) })),
        ])
    }

    private func value(_ selector: TrafficSelectors.Selector) -> YAMLValue {
        switch selector {
        case .dynamic: .plain("dynamic")
        case .prefix(let prefix): .quoted(prefix.description)
        }
    }

    private func value(_ authentication: Authentication) -> YAMLValue {
        var entries: [(key: String, value: YAMLValue)] = []
        entries += values(authentication.sharedKey, "psk")
        if let file = authentication.credentials { entries.append(("certificates", .quoted(file.path))) }
        if let file = authentication.authorities { entries.append(("authorities", .quoted(file.path))) }
        if authentication.signs, authentication.signatures != SignatureName.standard {
            entries.append(("signatures", .list(authentication.signatures.map { .plain($0.rawValue) })))
        }
        if let eap = authentication.eap { entries.append(("eap", value(eap))) }
        return .map(entries)
    }

    func values(_ sharedKey: SharedKey?, _ key: String) -> [(key: String, value: YAMLValue)] {
        switch sharedKey {
        case .one(let text): [(key, .quoted(text))]
        case .derived(let secret): [("\(key)-derived", .quoted(secret))]
        case .listed(let file): [("\(key)-file", .quoted(file.path))]
        case .none: []
        }
    }

    private func value(_ identity: IdentityTemplate) -> YAMLValue {
        guard let file = identity.file else { return .quoted(identity.description) }
        return .map([("file", .quoted(file.path))])
    }

    private func value(_ proposals: Proposals) -> YAMLValue {
        .map([
            ("ike", .list(proposals.ike.map { .plain($0) })), ("child", .list(proposals.child.map { .plain($0) })),
        ])
    }

    private func value(_ lifetimes: Lifetimes) -> YAMLValue {
        func value(_ lifetime: Lifetime) -> YAMLValue {
            var entries: [(key: String, value: YAMLValue)] = [
                ("rekey", lifetime.rekey.map { .plain($0) } ?? .plain("never"))
            ]
            if lifetime.rekey != nil || lifetime.hasVolume { entries.append(("jitter", .plain(lifetime.jitter))) }
            if lifetime.rekey != nil { entries.append(("over", .plain(lifetime.over))) }
            if let packets = lifetime.packets { entries.append(("packets", .plain(packets))) }
            if let bytes = lifetime.bytes { entries.append(("bytes", .plain(UnitText.size(Int(bytes))))) }
            return .map(entries)
        }
        return .map([("ike", value(lifetimes.ike)), ("child", value(lifetimes.child))])
    }

    private func value(_ reconnect: Reconnect) -> YAMLValue {
        guard !reconnect.after.isEmpty else { return .plain("never") }
        return .map([
            ("after", .list(reconnect.after.map { .plain($0.rawValue) })),
            (
                "wait",
                .map([
                    ("waits", .list(reconnect.waits.map { .plain($0) })), ("jitter", .plain(reconnect.jitter)),
                ])
            ),
            ("give-up", orNever(reconnect.giveUpAfter)),
        ])
    }

    private func waits(_ retransmission: Retransmission) -> YAMLValue {
        .map([("waits", .list(retransmission.waits.map { .plain($0) }))])
    }

    private func liveness(_ every: Duration?) -> YAMLValue {
        every.map { .map([("every", .plain($0))]) } ?? .plain("never")
    }

    private func orNever(_ value: (some CustomStringConvertible)?) -> YAMLValue {
        .plain(value?.description ?? "never")
    }

    private func prefixes(_ prefixes: [IPPrefix]) -> YAMLValue { .list(prefixes.map { .quoted($0.description) }) }

    private func addresses(_ addresses: [IPAddress]) -> YAMLValue { .list(addresses.map { .quoted($0.description) }) }
}

package import Primitives

extension Workload {
    /// What an end of an IKE SA does about NATs and about addresses that change.
    package struct Mobility: Hashable, Sendable {
        /// It takes part in MOBIKE, if its peer does (RFC 4555).
        package var isMobile = false
        /// It has everything go by UDP port 4500, as if it were behind a NAT (RFC 7296 section 2.23).
        package var forcesEncapsulation = false

        package init() {}
    }

    /// Whether addresses can change in a run, by a move or as MOBIKE tells of it.
    package var hasMobility: Bool {
        profiles.contains { $0.mobility.isMobile } || faults.contains { $0.movesClients }
    }

    /// The outer address that a client has after a move.
    ///
    /// Without sources of the move's own it is one of the population's, further on than those that its clients begin
    /// with, and for each move another.
    package func source(ofClient number: Int, after fault: Int) -> IPAddress {
        guard case .move(let index, _, _, _, let sources) = faults[fault].effect else {
            preconditionFailure("only a move gives a client another address")
        }
        let population = populations[index]
        guard sources.isEmpty else {
            var moved = population
            moved.sources = sources
            return moved.source(ofClient: number)
        }
        return population.source(ofClient: number + moveCount(upTo: fault) * population.count)
    }

    /// How many moves there are up to a fault, that one among them.
    package func moveCount(upTo fault: Int) -> Int { faults[...fault].count { $0.movesClients } }
}

extension Workload.Fault {
    /// Whether clients move to a path.
    func leads(to wanted: Int) -> Bool {
        if case .move(_, _, let path, _, _) = effect { path == wanted } else { false }
    }

    package var movesClients: Bool {
        if case .move = effect { true } else { false }
    }
}

extension YAMLValue {
    /// A map with further keys where they say something, so that what does not move resolves as ever.
    func adding(_ mobility: Workload.Mobility) -> YAMLValue {
        guard case .map(var entries) = self else { return self }
        if mobility.isMobile { entries.append(("mobike", .plain(true))) }
        if mobility.forcesEncapsulation { entries.append(("encapsulation", .plain("forced"))) }
        return .map(entries)
    }
}

extension WorkloadReader {
    /// Reads what profiles and gateways say of it.
    func readMobility(into profiles: inout [Workload.Profile], _ gateways: inout [Workload.Gateway]) {
        for (index, entry) in root.views("profiles").enumerated() {
            profiles[index].mobility = mobility(entry.view)
        }
        for (index, entry) in root.views("gateways").enumerated() {
            gateways[index].policy.mobility = mobility(entry.view.view("policy"))
        }
    }

    private func mobility(_ view: RecordView) -> Workload.Mobility {
        var mobility = Workload.Mobility()
        mobility.isMobile = view.boolean("mobike")
        mobility.forcesEncapsulation = view.text("encapsulation") == "forced"
        return mobility
    }

    mutating func move(_ view: RecordView) -> Workload.Fault.Effect {
        .move(
            population: reference(view.value("population"), to: .populations),
            share: view.has("share") ? view.percent("share") : .one,
            to: reference(view.value("to"), to: .paths),
            over: view.has("over") ? view.duration("over") : .zero,
            sources: view.has("sources") ? view.prefixes("sources") : []
        )
    }

    /// Clients can only move to where the gateway has an address of their family.
    mutating func checkMoves(
        _ faults: [Workload.Fault],
        _ populations: [Workload.Population],
        _ gateways: [Workload.Gateway]
    ) {
        for fault in faults {
            guard case .move(let population, _, _, _, let sources) = fault.effect,
                populations.indices.contains(population),
                gateways.indices.contains(populations[population].gateway),
                let simulated = gateways[populations[population].gateway].simulated
            else { continue }
            let gateway = gateways[populations[population].gateway]
            for source in sources where !simulated.addresses.contains(where: { $0.isIPv4 == source.address.isIPv4 }) {
                let family = source.address.isIPv4 ? "IPv4" : "IPv6"
                fail(
                    root.view("faults").node.entry(fault.name)?.value.entry("sources")?.value.mark ?? root.node.mark,
                    "the clients move to \(source), and \(gateway.name) has no \(family) address",
                    "add one to `addresses` in its `simulated`"
                )
            }
        }
    }
}

extension WarningCheck {
    /// Both ends have to speak MOBIKE, and somebody has to be there to move.
    mutating func checkMobility() {
        for population in workload.populations {
            let profile = workload.profiles[population.profile]
            let gateway = workload.gateways[population.gateway]
            if profile.mobility.isMobile, !gateway.policy.mobility.isMobile, gateway.simulated != nil {
                warn(
                    "profiles.\(profile.name).mobike",
                    "the policy of \(gateway.name) has no `mobike`: who moves begins anew"
                )
            }
        }
        for fault in workload.faults {
            guard case .move(let population, _, let path, _, let sources) = fault.effect else { continue }
            let moving = workload.populations[population]
            if moving.paths.allSatisfy({ $0.path == path }) {
                warn(
                    "faults.\(fault.name).to",
                    "the clients of \(moving.name) are on the path \(workload.paths[path].name) already"
                )
            }
            let room = moving.sources.reduce(UInt64(0)) { $0.addingReportingOverflow($1.count).partialValue }
            if sources.isEmpty, room <= UInt64(moving.count) {
                warn(
                    "faults.\(fault.name)",
                    "the sources of \(moving.name) have no addresses left: clients move to those of others"
                )
            }
        }
    }
}

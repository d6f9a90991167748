import Metrics
import Primitives

extension Workload {
    /// What the workload says and cannot come about, in the order of the file.
    package func warnings() -> [WorkloadWarning] {
        var check = WarningCheck(workload: self)
        check.checkRekeying()
        check.checkFaults()
        check.checkArrivals()
        check.checkNAT()
        check.checkMobility()
        check.checkRollovers()
        check.checkSharedNATs()
        check.checkAgreement()
        check.checkLifeCycle()
        check.checkAlgorithms()
        check.checkLongKeyExchanges()
        check.checkPrices()
        check.checkValidRanges()
        check.checkAddresses()
        check.checkESPPools()
        check.checkExpectations()
        check.checkUse()
        return check.warnings.enumerated()
            .sorted { ($0.element.mark.line, $0.offset) < ($1.element.mark.line, $1.offset) }
            .map(\.element)
    }
}

/// Looks for what cannot happen.
struct WarningCheck {
    let workload: Workload
    private(set) var warnings: [WorkloadWarning] = []

    init(workload: Workload) { self.workload = workload }

    var duration: Duration { workload.run.duration }
    var runEnd: String { UnitText.duration(duration) }

    mutating func warn(_ path: String, _ message: String) {
        let mark = workload.sources[path] ?? SourceMark(file: workload.name, line: 1, column: 1)
        let warning = WorkloadWarning(mark: mark, message: message)
        if !warnings.contains(warning) { warnings.append(warning) }
    }

    /// The first moment at which a client of the population may come, or nil if none does.
    func firstArrival(of population: Int) -> Duration? {
        workload.arrivals.filter { $0.population == population && $0.start < duration }.map(\.start).min()
    }

    /// Whether an SA of the population may be rekeyed in the run, by either end.
    func isRekeyed(_ place: Int, _ lifetime: KeyPath<Workload.Lifetimes, Workload.Lifetime>) -> Bool {
        guard let start = firstArrival(of: place) else { return false }
        let population = workload.populations[place]
        let both = [
            workload.profiles[population.profile].lifetimes, workload.gateways[population.gateway].policy.lifetimes,
        ]
        let isUsed = workload.traffic.contains { $0.population == place }
        return both.contains { lifetimes in
            if lifetimes[keyPath: lifetime].hasVolume, isUsed { return true }
            guard let earliest = earliestRekey(lifetimes[keyPath: lifetime]) else { return false }
            return start + earliest < duration
        }
    }

    func earliestRekey(_ lifetime: Workload.Lifetime) -> Duration? {
        guard let rekey = lifetime.rekey else { return nil }
        let cut = Int128(rekey.nanoseconds) * Int128(lifetime.jitter.partsPerBillion) / 1_000_000_000
        return rekey - Duration(nanoseconds: Int64(cut))
    }
}

extension WarningCheck {
    /// A run that is shorter than the lifetimes shows no rekeying.
    mutating func checkRekeying() {
        for (index, population) in workload.populations.enumerated() where firstArrival(of: index) != nil {
            let profile = workload.profiles[population.profile]
            guard !isRekeyed(index, \.child) else { continue }
            let reason =
                profile.lifetimes.child.rekey.map {
                    "the Child lifetime is \(UnitText.duration($0)) and the run \(runEnd)"
                } ?? "no Child lifetime is set"
            var message = "\(reason): no Child SA of \(population.name) is rekeyed"
            if !isRekeyed(index, \.ike) { message += ", and no IKE SA" }
            warn("profiles.\(profile.name).lifetimes", message)
        }
    }

    /// A fault behind the end of the run does nothing.
    mutating func checkFaults() {
        for fault in workload.faults {
            let path = "faults.\(fault.name)"
            if fault.at >= duration {
                warn(
                    "\(path).at",
                    "the fault starts at \(UnitText.duration(fault.at)), and the run ends at \(runEnd)"
                )
            } else if fault.end >= duration {
                warn(
                    path,
                    "the fault lasts until \(UnitText.duration(fault.end)), and the run ends at \(runEnd): "
                        + "no recovery can be seen"
                )
            }
            for index in affectedPaths(fault)
            where !workload.populations.contains(where: { $0.paths.contains { $0.path == index } })
                && !workload.faults.contains(where: { $0.leads(to: index) })
            {
                warn(path, "no client is on the path \(workload.paths[index].name)")
            }
            if case .radiusOutage(let gateway, _) = fault.effect, workload.gateways[gateway].policy.radius == nil {
                warn(path, "\(workload.gateways[gateway].name) asks no RADIUS server: the fault does nothing")
            }
            if isNATFault(fault), affectedPaths(fault).allSatisfy({ workload.paths[$0].nat == nil }) {
                warn(path, "there is no NAT on the paths of this fault")
            }
        }
        for flood in workload.floods where flood.at >= duration {
            warn(
                "floods.\(flood.name).at",
                "the flood starts at \(UnitText.duration(flood.at)), and the run ends at \(runEnd)"
            )
        }
    }

    private func affectedPaths(_ fault: Workload.Fault) -> [Int] {
        switch fault.effect {
        case .lossBurst(let paths, _, _), .pathDown(let paths, _), .natFlush(let paths), .natRebind(let paths, _),
            .replay(let paths, _, _, _):
            paths
        case .gatewayRestart, .radiusOutage, .move, .certificateRollover: []
        }
    }

    private func isNATFault(_ fault: Workload.Fault) -> Bool {
        switch fault.effect {
        case .natFlush, .natRebind: true
        case .lossBurst, .pathDown, .gatewayRestart, .radiusOutage, .move, .certificateRollover, .replay: false
        }
    }

    /// A NAT that forgets sooner than anybody speaks cuts its clients off.
    mutating func checkNAT() {
        for population in workload.populations {
            let profile = workload.profiles[population.profile]
            let spoken = [profile.natKeepalive, profile.liveness].compactMap(\.self).min()
            let index = workload.populations.firstIndex(of: population)
            let moved = workload.faults.compactMap { fault -> Int? in
                guard case .move(let moving, _, let path, _, _) = fault.effect, moving == index else { return nil }
                return path
            }
            for place in population.paths.map(\.path) + moved {
                let path = workload.paths[place]
                guard let timeout = path.nat?.timeoutTwoWay, spoken ?? timeout >= timeout else { continue }
                let pace = spoken.map { "speaks every \(UnitText.duration($0))" } ?? "never speaks by itself"
                warn(
                    "profiles.\(profile.name)" + (profile.natKeepalive == nil ? ".nat-keepalive" : ""),
                    "the NAT of the path \(path.name) forgets an idle client after \(UnitText.duration(timeout)), "
                        + "and an idle client of \(population.name) \(pace)"
                )
            }
        }
    }
}

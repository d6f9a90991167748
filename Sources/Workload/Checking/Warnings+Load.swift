import Primitives

extension WarningCheck {
    /// Arrivals that bring fewer clients than the population has, or more than a ceiling lets through.
    mutating func checkArrivals() {
        for arrival in workload.arrivals {
            let path = "arrivals.\(arrival.name)"
            if arrival.start >= duration {
                warn(
                    "\(path).at",
                    "the arrivals start at \(UnitText.duration(arrival.start)), and the run ends at \(runEnd)"
                )
            }
            if let ceiling = workload.safety.setUpsAtMost, let peak = peak(arrival.pattern),
                peak.perSecondThousandths > ceiling.perSecondThousandths
            {
                warn(path, "they reach \(UnitText.rate(peak)), and `safety` clips at \(UnitText.rate(ceiling))")
            }
        }
        for (index, population) in workload.populations.enumerated() {
            let arrivals = workload.arrivals.filter { $0.population == index }
            guard !arrivals.isEmpty else {
                warn("populations.\(population.name)", "no arrival brings the clients of \(population.name)")
                continue
            }
            let brought = arrivals.reduce(Int128(0)) { $0 + $1.clients(until: duration) }
            if brought < Int128(population.count), arrivals.contains(where: { $0.start < duration }) {
                warn(
                    "arrivals.\(arrivals[0].name)",
                    "the arrivals bring \(brought) of the \(population.count) clients of \(population.name) in the run"
                )
            }
        }
    }

    private func peak(_ pattern: Workload.Arrival.Pattern) -> Workload.Rate? {
        switch pattern {
        case .constant(let rate, _), .poisson(let rate, _): rate
        case .ramp(let from, let to, _, _): from.perSecondThousandths > to.perSecondThousandths ? from : to
        case .spike, .trace: nil
        }
    }

    /// Both ends have to agree, or every set-up is refused.
    mutating func checkAgreement() {
        for population in workload.populations {
            let profile = workload.profiles[population.profile]
            let gateway = workload.gateways[population.gateway]
            let path = "profiles.\(profile.name)"
            if !Proposals.overlap(profile.proposals.ike, gateway.policy.proposals.ike, .ike) {
                warn(
                    "\(path).proposals",
                    "\(profile.name) and \(gateway.name) have no IKE proposal in common: every set-up is refused"
                )
            } else if !Proposals.overlap(profile.proposals.child, gateway.policy.proposals.child, .child) {
                warn("\(path).proposals", "\(profile.name) and \(gateway.name) have no Child proposal in common")
            }
            checkProofs(profile, gateway)
            checkFragmentation(profile, gateway)
            let allowed = workload.safety.allowIdentities
            let first = profile.identity.identity(population.firstIdentity)
            if !allowed.isEmpty, !allowed.contains(where: { Glob.matches(first, pattern: $0) }) {
                warn(
                    "safety.allow-identities",
                    "the identities of \(population.name), such as \(first), are not allowed in real time"
                )
            }
        }
    }

    private mutating func checkPool(
        of gateway: Workload.Gateway,
        _ family: Workload.Configuration.Family,
        _ populations: [Workload.Population]
    ) {
        let asking = populations.filter { population in
            let profile = workload.profiles[population.profile]
            return profile.requestsAddress && profile.configuration.addresses.contains(family)
        }.reduce(0) { $0 + $1.count }
        let prefixes = gateway.policy.pool.filter { $0.address.isIPv4 == (family == .ipv4) }
        let pool = prefixes.reduce(UInt64(0)) {
            $0.addingReportingOverflow($1.leasableCount).overflow ? .max : $0 + $1.leasableCount
        }
        guard asking > 0, pool < UInt64(asking) else { return }
        warn(
            "gateways.\(gateway.name).policy",
            "the pool has \(pool) \(family == .ipv4 ? "" : "IPv6 ")addresses for the \(asking) clients that ask for one"
        )
    }

    /// Addresses that run out.
    mutating func checkAddresses() {
        for (index, gateway) in workload.gateways.enumerated() {
            let populations = workload.populations.filter { $0.gateway == index }
            for family in Workload.Configuration.Family.allCases { checkPool(of: gateway, family, populations) }
            for population in populations {
                let sources = population.sources.reduce(UInt64(0)) {
                    $0.addingReportingOverflow($1.count).overflow ? .max : $0 + $1.count
                }
                let whole = UInt64(population.count).quotientAndRemainder(dividingBy: max(1, sources))
                let clients = whole.quotient + (whole.remainder > 0 ? 1 : 0)
                if let limit = gateway.policy.halfOpen.refuseAbovePerSource, clients > UInt64(limit) {
                    warn(
                        "populations.\(population.name)",
                        "\(clients) clients of \(population.name) share each source address, and \(gateway.name) "
                            + "drops requests above \(limit) half-open IKE SAs of one"
                    )
                }
            }
        }
    }

    /// Things that nothing refers to.
    mutating func checkUse() {
        for (index, gateway) in workload.gateways.enumerated()
        where !workload.populations.contains(where: { $0.gateway == index })
            && !workload.floods.contains(where: { $0.gateway == index })
        {
            warn("gateways.\(gateway.name)", "no population goes to the gateway \(gateway.name)")
        }
        for (index, profile) in workload.profiles.enumerated()
        where !workload.populations.contains(where: { $0.profile == index }) {
            warn("profiles.\(profile.name)", "no population has the profile \(profile.name)")
        }
        for (index, path) in workload.paths.enumerated()
        where !workload.populations.contains(where: { $0.paths.contains { $0.path == index } })
            && !workload.faults.contains(where: { $0.leads(to: index) })
        {
            warn("paths.\(path.name)", "no population uses the path \(path.name)")
        }
    }
}

/// Patterns of identities: `*` stands for any characters.
package enum Glob {
    package static func matches(_ text: String, pattern: String) -> Bool {
        let text = Array(text.utf8)
        let pattern = Array(pattern.utf8)
        var (place, step) = (0, 0)
        var retry: (place: Int, step: Int)?
        while place < text.count {
            if step < pattern.count, pattern[step] == UInt8(ascii: "*") {
                retry = (place, step)
                step += 1
            } else if step < pattern.count, pattern[step] == text[place] {
                place += 1
                step += 1
            } else if let last = retry {
                retry = (last.place + 1, last.step)
                (place, step) = (last.place + 1, last.step + 1)
            } else {
                return false
            }
        }
        return pattern[step...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

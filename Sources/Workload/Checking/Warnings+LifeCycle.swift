import Primitives

extension WarningCheck {
    /// Whether a client of the population may reauthenticate in the run, by its own will or by its gateway's.
    func isReauthenticated(_ population: Int) -> Bool {
        guard let start = firstArrival(of: population) else { return false }
        let population = workload.populations[population]
        let profile = workload.profiles[population.profile]
        let gateway = workload.gateways[population.gateway]
        let own = profile.lifeCycle.reauthentication.flatMap {
            earliestRekey(Workload.Lifetime(rekey: $0.every, jitter: $0.jitter, over: .zero))
        }
        let asked = gateway.policy.lifeCycle.authenticationLifetime
        guard let earliest = [own, asked].compactMap(\.self).min() else { return false }
        return start + earliest < duration
    }

    func saysInitialContact(_ population: Int) -> Bool {
        firstArrival(of: population) != nil
            && workload.profiles[workload.populations[population].profile].lifeCycle.initialContact
    }

    /// Whether a gateway, one that is not simulated included, may tell the population of an unknown IKE SA.
    func isToldOfUnknown(_ population: Int) -> Bool {
        let gateway = workload.gateways[workload.populations[population].gateway]
        return gateway.policy.lifeCycle.unknownSPIAnswers > 0 || gateway.simulated == nil
    }

    /// What is asked for and cannot come about, between a profile and its gateway.
    mutating func checkLifeCycle() {
        for (index, population) in workload.populations.enumerated() {
            let profile = workload.profiles[population.profile]
            let gateway = workload.gateways[population.gateway]
            let path = "profiles.\(profile.name)"
            if profile.lifeCycle.initialContact, gateway.simulated != nil, !gateway.policy.lifeCycle.obeysInitialContact
            {
                warn("\(path).initial-contact", "the policy of \(gateway.name) ignores INITIAL_CONTACT")
            }
            if profile.lifeCycle.childless != .never, gateway.simulated != nil,
                !gateway.policy.lifeCycle.acceptsChildless
            {
                warn(
                    "\(path).childless",
                    "the policy of \(gateway.name) has no `childless: allow`: "
                        + (profile.lifeCycle.childless == .force ? "every set-up fails" : "IKE_AUTH makes the Child SA")
                )
            }
            if profile.mode == .transport, gateway.simulated != nil, gateway.policy.mode == .tunnel {
                warn(
                    "\(path).mode",
                    "the policy of \(gateway.name) has no `mode: transport`: it makes Child SAs in tunnel mode, "
                        + "and every set-up fails"
                )
            }
            if gateway.simulated != nil, (profile.lifeCycle.windowSize > 1) != (gateway.policy.lifeCycle.windowSize > 1)
            {
                warn(
                    "\(path).window",
                    "only one of \(profile.name) and \(gateway.name) has a `window` above 1: requests never overlap"
                )
            }
            guard let reauthentication = profile.lifeCycle.reauthentication else { continue }
            if firstArrival(of: index) != nil, !isReauthenticated(index) {
                warn(
                    "\(path).reauthentication",
                    "the run lasts \(runEnd), and no client of \(population.name) reauthenticates in it"
                )
            }
            if let hard = profile.lifetimes.ike.hard, profile.lifetimes.ike.rekey == nil, hard < reauthentication.every
            {
                warn("\(path).reauthentication", "the IKE SA has expired before")
            }
            checkRoom(population, profile, gateway)
        }
    }

    /// With the new IKE SA beside the old one a client has two inner addresses for a while.
    private mutating func checkRoom(
        _ population: Workload.Population,
        _ profile: Workload.Profile,
        _ gateway: Workload.Gateway
    ) {
        guard profile.lifeCycle.reauthentication?.order == .makeBeforeBreak, profile.requestsAddress else { return }
        for family in profile.configuration.addresses {
            let room = gateway.policy.pool.filter { $0.address.isIPv4 == (family == .ipv4) }.reduce(UInt64(0)) {
                $0.addingReportingOverflow($1.leasableCount).overflow ? .max : $0 + $1.leasableCount
            }
            guard room == UInt64(population.count) else { continue }
            warn(
                "profiles.\(profile.name).reauthentication",
                "the pool of \(gateway.name) has one address for each client of \(population.name), and none for a "
                    + "second IKE SA beside the first"
            )
        }
    }
}

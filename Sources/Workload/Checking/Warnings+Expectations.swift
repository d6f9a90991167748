import Metrics
import Primitives

extension WarningCheck {
    /// Thresholds, steady states and abort conditions for which no event can give a sample.
    mutating func checkExpectations() {
        let lists = [
            ("thresholds", workload.thresholds), ("steady-state", workload.steadyState),
            ("safety.abort-when", workload.safety.abortWhen),
        ]
        for (section, expectations) in lists {
            for (index, expectation) in expectations.enumerated() {
                if let reason = reasonForNoSamples(expectation) {
                    warn("\(section).\(index)", "`\(expectation)` can have no samples: \(reason)")
                }
            }
        }
    }

    private func reasonForNoSamples(_ expectation: Expectation) -> String? {
        if let window = expectation.window, window > duration - workload.run.warmUp {
            return "its window of \(UnitText.duration(window)) is longer than what is measured"
        }
        if let name = expectation.after, let fault = workload.faults.first(where: { $0.name == name }),
            fault.end >= duration
        {
            return "the fault \(name) ends after the run"
        }
        let flow = expectation.flow.flatMap { name in workload.flows.first { $0.name == name } }
        let traffic = flow.map { [workload.traffic[$0.traffic]] } ?? workload.traffic
        let populations = workload.populations.indices.filter { index in
            if let flow { return workload.traffic[flow.traffic].population == index }
            return expectation.population.map { workload.populations[index].name == $0 } ?? true
        }
        switch expectation.metric {
        case .recoveryTime:
            return workload.faults.allSatisfy { $0.end >= duration } ? "no fault ends before the run" : nil
        case .childRekeyOffered, .childRekeyEstablished, .childRekeyFailed, .childRekeyLatency:
            return populations.contains { isRekeyed($0, \.child) } ? nil : "no Child SA lives long enough to be rekeyed"
        case .ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed, .ikeRekeyLatency:
            return populations.contains { isRekeyed($0, \.ike) } ? nil : "no IKE SA lives long enough to be rekeyed"
        case .handshakeOffered, .handshakeEstablished, .handshakeFailed, .handshakeSuccess, .handshakeLatency,
            .tunnelsUp, .tunnelsLost, .retransmissions:
            return populations.contains { firstArrival(of: $0) != nil } ? nil : "nobody arrives"
        case .reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed, .reauthenticationLatency:
            return populations.contains { isReauthenticated($0) } ? nil : "no client reauthenticates in the run"
        case .initialContactReplaced:
            return populations.contains { saysInitialContact($0) } ? nil : "no client says INITIAL_CONTACT"
        case .mobikeMoves, .mobikeUpdates, .mobikeRestarts, .mobikeLatency:
            return workload.hasMobility ? nil : "no client moves, and none has `mobike`"
        case .unknownIKESPI:
            return populations.contains { isToldOfUnknown($0) } ? nil : "no gateway answers messages of unknown IKE SAs"
        case .natExhausted: return workload.hasSharedNAT ? nil : "no path has a NAT that is shared"
        case .trafficOffered, .trafficReceived, .trafficLost, .unknownESPSPI, .trafficReordered, .trafficDuplicated,
            .trafficJitter, .trafficFirstPacket, .espDropped:
            let hasTraffic = workload.traffic.contains { populations.contains($0.population) }
            return hasTraffic ? nil : "nothing flows through tunnels"
        case .trafficLatency, .trafficClockError, .trafficRoundTrip:
            let isEchoed = expectation.metric == .trafficRoundTrip
            let hasTraffic = traffic.contains {
                populations.contains($0.population) && $0.isEchoed == isEchoed
            }
            return hasTraffic ? nil : "nothing flows through tunnels that \(isEchoed ? "is" : "is not") echoed"
        case .childRekeyOutage, .childRekeyGap, .ikeRekeyOutage, .ikeRekeyGap, .reauthenticationOutage,
            .reauthenticationGap, .mobikeOutage, .mobikeGap, .natOutage, .natGap, .restartOutage, .restartGap:
            return reasonForNoOutage(expectation.metric, of: populations)
        case .generatorLag, .arrivalsSkipped, .clipped: return nil
        }
    }
}

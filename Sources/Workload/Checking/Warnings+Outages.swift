import Metrics

// The events that cost flows packets.
extension WarningCheck {
    /// Why no event of an outage's kind can happen to a flow, if none can.
    func reasonForNoOutage(_ metric: MetricName, of populations: [Int]) -> String? {
        let populations = populations.filter { index in workload.traffic.contains { $0.population == index } }
        guard !populations.isEmpty else { return "nothing flows through tunnels" }
        switch metric {
        case .childRekeyOutage, .childRekeyGap:
            return populations.contains { isRekeyed($0, \.child) } ? nil : "no Child SA lives long enough to be rekeyed"
        case .ikeRekeyOutage, .ikeRekeyGap:
            return populations.contains { isRekeyed($0, \.ike) } ? nil : "no IKE SA lives long enough to be rekeyed"
        case .reauthenticationOutage, .reauthenticationGap:
            return populations.contains { isReauthenticated($0) } ? nil : "no client reauthenticates in the run"
        case .mobikeOutage, .mobikeGap:
            return hasFault { if case .move = $0 { true } else { false } } ? nil : "no client moves"
        case .natOutage, .natGap:
            return hasFault {
                switch $0 {
                case .natFlush, .natRebind: true
                default: false
                }
            } ? nil : "no NAT loses its mappings by a fault"
        case .restartOutage, .restartGap:
            return hasFault { if case .gatewayRestart = $0 { true } else { false } } ? nil : "no gateway restarts"
        default: return nil
        }
    }

    private func hasFault(_ isMeant: (Workload.Fault.Effect) -> Bool) -> Bool {
        workload.faults.contains { isMeant($0.effect) }
    }
}

extension WarningCheck {
    /// More IKE SAs or set-ups than a gateway's cost table was fitted with: its prices are a guess there.
    mutating func checkValidRanges() {
        for (index, gateway) in workload.gateways.enumerated() {
            guard let costs = gateway.simulated?.costs else { continue }
            let load = ArrivingLoad(at: index, of: workload)
            let path = "gateways.\(gateway.name).simulated.costs"
            if load.clients > Int128(costs.validRange.activeSAs.upperBound) {
                warn(
                    path,
                    "the cost table \(costs.name) is valid up to \(costs.validRange.activeSAs.upperBound) IKE SAs, and "
                        + "\(gateway.name) gets up to \(load.clients): what they cost is extrapolated"
                )
            }
            if load.setUpsPerSecond > costs.validRange.setUpsPerSecond.upperBound {
                warn(path, costs.excess(ofSetUps: load.setUpsPerSecond, at: gateway.name))
            }
        }
    }
}

extension CostTableFile {
    /// What to say of a gateway that is asked for more set-ups a second than its table is valid for.
    package func excess(ofSetUps perSecond: Int, at gateway: String) -> String {
        "the cost table \(name) is valid up to \(validRange.setUpsPerSecond.upperBound) set-ups a second, and \(gateway) "
            + "gets up to \(perSecond): how long they take is extrapolated"
    }
}

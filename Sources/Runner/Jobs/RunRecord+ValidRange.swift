import Metrics
package import Results
package import Workload

extension RunRecord {
    /// Warns where more clients asked a gateway for an IKE SA in a second than its cost table is valid for.
    ///
    /// That arrivals are too many was known before the run; here are those that came back together.
    package mutating func warnOfSetUpRates(_ workload: Workload) {
        for (index, gateway) in workload.gateways.enumerated() {
            guard let costs = gateway.simulated?.costs else { continue }
            let valid = costs.validRange.setUpsPerSecond.upperBound
            guard ArrivingLoad(at: index, of: workload).setUpsPerSecond <= valid else { continue }
            var asked = [UInt64](repeating: 0, count: series.rowCount)
            for population in workload.populations where population.gateway == index {
                let column = series[.counter(.handshakeOffered), of: population.name] ?? []
                for (second, value) in column.enumerated() { asked[second] += value ?? 0 }
            }
            let most = Int(clamping: asked.max() ?? 0)
            if most > valid { warnings.append(costs.excess(ofSetUps: most, at: gateway.name)) }
        }
    }
}

package import Workload

/// A cost table out of a fit.
package struct MeasuredCosts: Sendable {
    package var table: CostTableFile
    /// Operations and key exchanges whose price is still the one of the table that it began with.
    package var unmeasured: [String]

    /// - Parameters:
    ///   - base: where prices come from that were not measured.
    ///   - origin: what was measured, how, when and where, as sentences.
    package init(
        _ fit: CostFit,
        base: CostTableFile,
        name: String,
        origin: String,
        activeSAs: ClosedRange<Int>,
        setUpsPerSecond: ClosedRange<Int>
    ) {
        var table = base
        var unmeasured: [String] = []
        table.name = name
        for (place, operation) in CostTableFile.Operation.allCases.enumerated() {
            if let price = fit[.operation(operation)] {
                table.operations[place] = price.cost
            } else {
                unmeasured.append(operation.rawValue)
                table.operations[place].interval = nil
            }
        }
        for place in table.keyExchanges.indices {
            if let price = fit[.keyExchange(table.keyExchanges[place].method)] {
                table.keyExchanges[place].cost = price.cost
            } else {
                unmeasured.append(table.keyExchanges[place].method)
                table.keyExchanges[place].cost.interval = nil
            }
        }
        // What the base does not know.
        for method in CalibrationTrial.keyExchanges where table.cost(ofKeyExchange: method) == nil {
            guard let price = fit[.keyExchange(method)] else { continue }
            table.keyExchanges.append(CostTableFile.KeyExchangeCost(method: method, cost: price.cost))
        }
        table.provenance.kind = .measured
        table.provenance.source = origin
        if !unmeasured.isEmpty {
            table.provenance.source +=
                " Not measured, and so without an interval, but taken over from another table: "
                + unmeasured.joined(separator: ", ") + "."
        }
        let bounded = fit.prices.filter(\.isBelowZero).map(\.work.name)
        if !bounded.isEmpty {
            table.provenance.source +=
                " Cheaper than the rest of what they were measured with, and so zero without an interval: "
                + bounded.joined(separator: ", ") + "."
        }
        table.validRange.activeSAs = activeSAs
        table.validRange.setUpsPerSecond = setUpsPerSecond
        self.table = table
        self.unmeasured = unmeasured
    }
}

extension CostTableFile {
    /// What a set-up with PSK takes of one core while there are so many SAs.
    package func setUpNanoseconds(keyExchange: String, activeSAs: Int) -> Int64 {
        let parts = [self[.ikeSAInit], self[.ikeAuthPSK], price(ofKeyExchange: keyExchange)?.cost].compactMap { $0 }
        return parts.reduce(0) { $0 + $1.baseNanoseconds + $1.perActiveSAPicoseconds * Int64(activeSAs) / 1_000 }
    }
}

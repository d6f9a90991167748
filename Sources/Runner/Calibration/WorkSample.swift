package import Workload

/// Something that a gateway does and that has a price of its own.
package enum PricedWork: Hashable, Sendable {
    case operation(CostTableFile.Operation)
    /// A key pair and its agreement, by strongSwan's keyword.
    case keyExchange(String)

    /// Whether it may take longer the more SAs there are.
    ///
    /// A key exchange touches no SA, and neither does the start of one or its refusal.
    var mayDependOnActiveSAs: Bool {
        switch self {
        case .operation(.ikeAuthPSK), .operation(.createChildSA), .operation(.rekeyIKESA), .operation(.informational),
            .operation(.delete):
            true
        default: false
        }
    }

    package var name: String {
        switch self {
        case .operation(let operation): operation.rawValue
        case .keyExchange(let method): method
        }
    }
}

/// What a gateway did during a stretch of time, and the CPU time that it took for it.
package struct WorkSample: Sendable {
    package struct Count: Hashable, Sendable {
        package var work: PricedWork
        package var times: Double

        package init(_ work: PricedWork, _ times: Double) {
            self.work = work
            self.times = times
        }
    }

    package var label: String
    package var counts: [Count]
    /// IKE SAs that there were, on average, while the work was done.
    package var activeSAs: Double
    package var seconds: Double
    /// CPU time of all of the gateway's threads.
    package var nanoseconds: Double

    package init(_ label: String, _ counts: [Count], activeSAs: Double, seconds: Double, nanoseconds: Double) {
        self.label = label
        self.counts = counts
        self.activeSAs = activeSAs
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The sample without work whose price is known.
    package func without(_ known: [PricedWork], at prices: CostTableFile) -> WorkSample {
        var sample = self
        for count in counts where known.contains(count.work) {
            let cost: CostTableFile.Cost? =
                switch count.work {
                case .operation(let operation): prices[operation]
                case .keyExchange(let method): prices.price(ofKeyExchange: method)?.cost
                }
            guard let cost else { continue }
            sample.counts.removeAll { $0 == count }
            let each = Double(cost.baseNanoseconds) + Double(cost.perActiveSAPicoseconds) * activeSAs / 1_000
            sample.nanoseconds = max(0, sample.nanoseconds - each * count.times)
        }
        return sample
    }
}

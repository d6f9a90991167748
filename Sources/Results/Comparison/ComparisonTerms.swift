import Metrics

/// How two sides are compared.
package struct ComparisonTerms: Hashable, Sendable {
    /// How many of all jobs that compare equal sides may say *worse* or *better* of any figure of measured runs.
    package var falseAlarms = 0.05
    /// The least difference that matters, as a share of the first side's median: of times and of counts.
    package var minimumEffect = 0.05
    /// The same for what is a share itself, and for counts as a share of their occasions.
    package var minimumShareEffect = 0.001
    /// Least differences of single figures; of several that match the last one counts. They are shares of the first
    /// side's median, and of figures that are shares themselves, shares of all.
    package var minimumEffects: [FigureEffect] = []
    /// What is compared; empty is everything of simulated runs, and of measured ones what is chosen for them.
    package var figures: [FigurePattern] = []
    /// What may change: it is named, and decides nothing.
    package var allowed: [FigurePattern] = []
    /// Whether the digests of simulated runs whose figures are all the same may differ.
    package var allowsDigest = false
    /// Whether simulated figures may change for the better.
    package var allowsBetter = false
    /// What may differ between the sides beside the gateway.
    package var across: Set<Difference> = []
    /// How often samples are drawn anew for an interval.
    package var resamples = 10_000

    package struct FigureEffect: Hashable, Sendable {
        package var pattern: FigurePattern
        package var share: Double

        package init(_ pattern: FigurePattern, share: Double) {
            self.pattern = pattern
            self.share = share
        }
    }

    /// What makes sides incomparable unless the user says that they are to be compared all the same.
    package enum Difference: String, CaseIterable, Hashable, Sendable {
        case workload
        case machine
    }

    package init() {}

    /// What is wrong where a figure that the user names was never measured: that is no sameness.
    ///
    /// A reason that never was the case is a count of 0, and so is one that no metric has.
    func missing(_ isMeasured: (FigurePattern) -> Bool) -> String? {
        figures.first { !$0.metric.hasReasons && !isMeasured($0) }.map { pattern in
            let subject = pattern.subject.map { "(\($0))" } ?? ""
            let field = pattern.field.map { " " + $0 } ?? ""
            return "nothing was measured of \(pattern.metric.rawValue)\(subject)\(field)"
        }
    }

    func isAllowed(_ name: FigureName) -> Bool { allowed.contains { $0.matches(name) } }

    /// The least difference of a figure that matters, in its unit, where the first side has these medians.
    func effect(of name: FigureName, base: Double, occasions: Double?) -> Double {
        let own = minimumEffects.last { $0.pattern.matches(name) }?.share
        guard name.unit != .share else { return (own ?? minimumShareEffect) * 1e9 }
        guard own == nil, let occasions else { return (own ?? minimumEffect) * base }
        return max(minimumEffect * base, minimumShareEffect * occasions)
    }
}

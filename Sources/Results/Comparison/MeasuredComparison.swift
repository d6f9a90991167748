import Metrics
import Primitives

/// Compares live runs: a figure is a sample on each side, with a value of each run.
///
/// A figure is *worse* or *better* where Mann and Whitney's test says so, after Holm's correction for all figures of
/// all sides, and the medians differ by what matters at least. It is the *same* where the whole interval of the
/// difference is below what matters. Of anything else the runs do not say.
struct MeasuredComparison {
    private let base: MeasuredSide
    private let terms: ComparisonTerms

    static func compare(_ others: inout [Comparison.Other], with side: ComparedSide, _ terms: ComparisonTerms) {
        let comparison = MeasuredComparison(base: MeasuredSide(side), terms: terms)
        let sides = others.map { MeasuredSide($0.side) }
        for index in others.indices { others[index].figures = comparison.untested(sides[index]) }
        comparison.correct(&others)
        let testCount = others.reduce(0) { $0 + $1.figures.count { comparison.isTested($0) } }
        for index in others.indices { comparison.judge(&others[index], testCount: testCount) }
    }

    /// The figures of a side with what they are, before anything is said of them.
    private func untested(_ other: MeasuredSide) -> [ComparedFigure] {
        let known = Set(base.names)
        return (base.names + other.names.filter { !known.contains($0) }).compactMap { name in
            let (ours, theirs) = (base.values(of: name), other.values(of: name))
            guard isWanted(name, ours, theirs, other) else { return nil }
            let median = ours.isEmpty ? nil : MedianDifference.median(of: ours)
            let occasions = name.occasions.map { base.values(of: $0) }
            let difference =
                ours.isEmpty || theirs.isEmpty
                ? nil
                : MedianDifference(
                    from: ours,
                    to: theirs,
                    confidence: 1 - terms.falseAlarms,
                    resamples: terms.resamples,
                    stream: name.stream
                )
            let measured = ComparedFigure.Measured(
                baseCount: ours.count,
                otherCount: theirs.count,
                base: median,
                other: theirs.isEmpty ? nil : MedianDifference.median(of: theirs),
                difference: difference,
                effect: terms.effect(
                    of: name,
                    base: median ?? 0,
                    occasions: occasions.flatMap { $0.isEmpty ? nil : MedianDifference.median(of: $0) }
                ),
                isConstant: Set(ours + theirs).count <= 1,
                p: MannWhitney(ours, theirs).p,
                adjustedP: 1
            )
            return ComparedFigure(
                name: name,
                answer: .inconclusive,
                isAllowed: terms.isAllowed(name),
                evidence: .measured(measured)
            )
        }
    }

    /// The figures that the user names, or those that say how a gateway does: shares, what failed, medians and tails.
    private func isWanted(_ name: FigureName, _ ours: [Double], _ theirs: [Double], _ other: MeasuredSide) -> Bool {
        guard !ours.isEmpty || !theirs.isEmpty else { return false }
        guard terms.figures.isEmpty else {
            return terms.figures.contains { $0.matches(name, ofEverybody: true) }
        }
        guard name.subject == nil, name.preference != .neither else { return false }
        switch name.metric.kind {
        case .counter:
            // What failed of all attempts is in handshake.success, and what has not failed was established.
            return name.field == "total" && name.preference == .lower && name.metric != .handshakeFailed
                && (ours + theirs).contains { $0 > 0 }
        case .ratio: return name.field == "value"
        case .latency:
            // Below a hundred samples a 99th percentile is the greatest of them.
            let samples = FigureName(name.metric, "count")
            let least = (base.values(of: samples) + other.values(of: samples)).min() ?? 0
            return name.field == "p50" || name.field == "p99" && least >= 100
        case .recovery: return true
        }
    }

    /// Whether a figure belongs to the family whose false alarms are bounded: not where the user allows any change, and
    /// not where no data of these values, however they were dealt out, could give an alarm (Tarone 1990).
    private func isTested(_ figure: ComparedFigure) -> Bool {
        guard !figure.isAllowed, case .measured(let measured) = figure.evidence else { return false }
        return !measured.isConstant
    }

    private func correct(_ others: inout [Comparison.Other]) {
        var places: [(side: Int, figure: Int)] = []
        var probabilities: [Double] = []
        for side in others.indices {
            for index in others[side].figures.indices {
                guard case .measured(var measured) = others[side].figures[index].evidence else { continue }
                if isTested(others[side].figures[index]) {
                    places.append((side, index))
                    probabilities.append(measured.p)
                }
                measured.adjustedP = measured.p
                others[side].figures[index].evidence = .measured(measured)
            }
        }
        for (place, adjusted) in zip(places, Holm.adjusted(probabilities)) {
            guard case .measured(var measured) = others[place.side].figures[place.figure].evidence else { continue }
            measured.adjustedP = adjusted
            others[place.side].figures[place.figure].evidence = .measured(measured)
        }
    }

    private func judge(_ other: inout Comparison.Other, testCount: Int) {
        let bound = terms.falseAlarms / Double(max(1, testCount))
        let (ours, theirs) = (base.side.usable.count, other.side.usable.count)
        let isEnough = MannWhitney.smallestP(ours, theirs) <= bound
        if !isEnough {
            let least = MannWhitney.leastCount(for: bound)
            let figures = testCount > 1 ? "\(testCount) figures" : "a figure"
            other.obstacle =
                "\(ours) and \(theirs) usable runs are too few: for \(figures) with false alarms in at most "
                + "\(Humane.percent(terms.falseAlarms)) of all jobs each side needs at least \(least)"
        } else if other.figures.isEmpty {
            other.obstacle = "nothing was measured that could be compared"
        } else if let missing = terms.missing({ pattern in
            other.figures.contains { pattern.matches($0.name, ofEverybody: true) }
        }) {
            other.obstacle = missing
        } else if let cut = (base.side.leftOut + other.side.leftOut).first(where: \.isAbort) {
            other.obstacle = "\(cut.path) ended early, and it may be for the worse: \(cut.reason)"
        }
        for index in other.figures.indices {
            guard case .measured(let measured) = other.figures[index].evidence, let difference = measured.difference
            else { continue }
            let hasValues = MannWhitney.smallestP(measured.baseCount, measured.otherCount) <= bound
            guard isEnough, hasValues else { continue }
            other.figures[index].answer = answer(measured, difference, other.figures[index].name.preference)
        }
        noteLoad(of: &other)
    }

    private func answer(
        _ measured: ComparedFigure.Measured,
        _ difference: MedianDifference,
        _ preference: MetricName.Preference
    ) -> ComparisonAnswer {
        let isSignificant = measured.adjustedP <= terms.falseAlarms && difference.difference != 0
        if isSignificant, abs(difference.difference) >= measured.effect {
            switch preference {
            case .lower: return difference.difference > 0 ? .worse : .better
            case .higher: return difference.difference > 0 ? .better : .worse
            case .neither: return .changed
            }
        }
        let isSmall = difference.lower >= -measured.effect && difference.upper <= measured.effect
        return isSmall ? .same : .inconclusive
    }

    /// A gateway that was offered another load is another experiment.
    private func noteLoad(of other: inout Comparison.Other) {
        let theirs = MeasuredSide(other.side)
        for metric in [MetricName.handshakeOffered, .trafficOffered] {
            let name = FigureName(metric, "total")
            let values = (base.values(of: name), theirs.values(of: name))
            guard !values.0.isEmpty, !values.1.isEmpty else { continue }
            let medians = (MedianDifference.median(of: values.0), MedianDifference.median(of: values.1))
            guard abs(medians.1 - medians.0) > terms.minimumEffect * medians.0 else { continue }
            other.notes.append(
                "\(metric.rawValue) is \(name.humane(medians.0)) and \(name.humane(medians.1)): another load"
            )
        }
    }
}

/// The figures of a side's usable runs.
private struct MeasuredSide {
    let side: ComparedSide
    private let tables: [(table: FigureTable, duration: Double)]

    init(_ side: ComparedSide) {
        self.side = side
        tables = side.usable.map { run in
            (FigureTable(run.result), Double(run.result.record.duration.nanoseconds))
        }
    }

    var names: [FigureName] {
        var known: Set<FigureName> = []
        return tables.flatMap(\.table.names).filter { known.insert($0).inserted }
    }

    /// A value of each run that has one. What did not recover took as long as the run at least.
    func values(of name: FigureName) -> [Double] {
        tables.compactMap { table, duration in
            switch table[name] {
            case .number(let value): Double(value)
            case .none: nil
            case .notRecovered: duration
            }
        }
    }
}

extension FigureName {
    /// The chance of its intervals: of its name alone, so that other figures beside it change nothing.
    fileprivate var stream: RandomStream {
        // FNV-1a, which is the same everywhere.
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return RandomStream(seed: 1, entity: hash, purpose: .bootstrap)
    }
}

import Metrics
import Primitives

extension Comparison.Other {
    /// Compares every figure of simulated runs, run by run of one seed: any difference is a change.
    mutating func compareExactly(with base: ComparedSide, _ terms: ComparisonTerms) throws(ResultError) {
        let pairs = base.runs.compactMap { run in
            side.runs.first { $0.result.record.seed == run.result.record.seed }.map { (run.result, $0.result) }
        }
        guard !pairs.isEmpty else {
            let seeds = [base, side].map { String($0.runs[0].result.record.seed) }
            throw ResultError(
                file: "\(base.name) and \(side.name)",
                problem: "they have no seed in common (\(seeds[0]) and \(seeds[1])): simulated runs are compared seed "
                    + "by seed; repeat one side with --seed \(seeds[0])"
            )
        }
        pairCount = pairs.count
        for (name, alone) in [(base.name, base.runs.count - pairs.count), (side.name, side.runs.count - pairs.count)]
        where alone > 0 {
            notes.append("\(alone) of the runs of \(name) have a seed that the other side has not: they are left out")
        }
        obstacle = terms.missing { pattern in
            pairs.contains { ours, theirs in
                let tables = [FigureTable(ours), FigureTable(theirs)]
                return tables.contains { table in
                    table.names.contains { pattern.matches($0, ofEverybody: true) && table[$0] != .none }
                }
            }
        }
        var places: [FigureName: Int] = [:]
        for (ours, theirs) in pairs { add(ExactPair(ours, theirs, terms), places: &places) }
    }

    /// A figure that differs in several pairs is one: for the better, or for the worse, where all of them are.
    private mutating func add(_ pair: ExactPair, places: inout [FigureName: Int]) {
        for (figure, difference) in pair.figures {
            guard let index = places[figure.name] else {
                places[figure.name] = figures.count
                figures.append(figure)
                continue
            }
            guard case .exact(let earlier) = figures[index].evidence else { continue }
            figures[index].evidence = .exact(earlier + [difference])
            if figures[index].answer != figure.answer { figures[index].answer = .changed }
        }
        for fact in pair.facts {
            guard let index = facts.firstIndex(where: { $0.name == fact.name }) else {
                facts.append(fact)
                continue
            }
            facts[index].pairCount += 1
            if facts[index].answer != fact.answer { facts[index].answer = .changed }
        }
    }
}

/// How two simulated runs of one seed differ.
private struct ExactPair {
    private(set) var figures: [(figure: ComparedFigure, pair: ComparedFigure.Pair)] = []
    private(set) var facts: [ComparedFact] = []
    private let seed: UInt64

    init(_ base: RunResult, _ other: RunResult, _ terms: ComparisonTerms) {
        seed = base.record.seed
        let (ours, theirs) = (FigureTable(base), FigureTable(other))
        let known = Set(ours.names)
        for name in ours.names + theirs.names.filter({ !known.contains($0) }) {
            let isWanted =
                terms.figures.isEmpty
                ? !Self.isRepetition(name, base.record)
                : terms.figures.contains { $0.matches(name, ofEverybody: true) }
            guard isWanted, ours[name] != theirs[name] else { continue }
            // Of other numbers of occasions neither count is better.
            let isOfSameLoad = name.occasions.map { ours[$0] == theirs[$0] } ?? true
            let pair = ComparedFigure.Pair(seed: seed, base: ours[name], other: theirs[name])
            let figure = ComparedFigure(
                name: name,
                answer: Self.answer(ours[name], theirs[name], isOfSameLoad ? name.preference : .neither),
                isAllowed: terms.isAllowed(name),
                evidence: .exact([pair])
            )
            figures.append((figure, pair))
        }
        guard terms.figures.isEmpty else { return }
        compareAborts(base.record.abort, other.record.abort)
        compare(base.steadyState + base.thresholds, other.steadyState + other.thresholds, terms)
        // Whatever changes a figure changes the digest too: alone it says that something else did.
        if figures.isEmpty, facts.isEmpty, base.record.digest != other.record.digest {
            add(
                "digest",
                base.record.digest ?? "none",
                other.record.digest ?? "none",
                .changed,
                isAllowed: terms.allowsDigest
            )
        }
    }

    /// Whether a figure is of the only population or the only flow, and so everybody's too.
    private static func isRepetition(_ name: FigureName, _ record: RunRecord) -> Bool {
        switch name.subject {
        case .population?: record.populations.count == 1
        case .flow?: record.flows.count == 1
        case nil: false
        }
    }

    private static func answer(
        _ base: FigureValue,
        _ other: FigureValue,
        _ preference: MetricName.Preference
    ) -> ComparisonAnswer {
        switch (base, other) {
        case (.number(let base), .number(let other)): answer(isGreater: other > base, preference)
        case (.number, .notRecovered): .worse
        case (.notRecovered, .number): .better
        default: .changed
        }
    }

    private static func answer(isGreater: Bool, _ preference: MetricName.Preference) -> ComparisonAnswer {
        switch preference {
        case .lower: isGreater ? .worse : .better
        case .higher: isGreater ? .better : .worse
        case .neither: .changed
        }
    }

    private mutating func add(
        _ name: String,
        _ base: String,
        _ other: String,
        _ answer: ComparisonAnswer,
        isAllowed: Bool = false
    ) {
        facts.append(
            ComparedFact(name: name, seed: seed, base: base, other: other, answer: answer, isAllowed: isAllowed)
        )
    }

    private mutating func compareAborts(_ base: RunRecord.SafetyAbort?, _ other: RunRecord.SafetyAbort?) {
        guard base != other else { return }
        func text(_ abort: RunRecord.SafetyAbort?) -> String {
            abort.map { "at \(Humane.clock($0.time)) by \($0.condition)" } ?? "none"
        }
        let answer: ComparisonAnswer =
            switch (base, other) {
            case (nil, _): .worse
            case (_, nil): .better
            default: .changed
            }
        add("abort", text(base), text(other), answer)
    }

    /// Expectations that only one side has are of another workload, which is told by itself.
    private mutating func compare(
        _ base: [ExpectationOutcome],
        _ other: [ExpectationOutcome],
        _ terms: ComparisonTerms
    ) {
        for ours in base {
            guard let theirs = other.first(where: { $0.expectation == ours.expectation }),
                (ours.measured, ours.passed) != (theirs.measured, theirs.passed)
            else { continue }
            func text(_ outcome: ExpectationOutcome) -> String {
                outcome.mark + " " + Humane.measured(outcome.measured)
            }
            let answer: ComparisonAnswer
            if ours.passed != theirs.passed {
                answer = theirs.passed ? .better : .worse
            } else {
                answer = Self.answer(ours, theirs)
            }
            let isAllowed = terms.allowed.contains { $0.metric == ours.metric }
            add(ours.expectation, text(ours), text(theirs), answer, isAllowed: isAllowed)
        }
    }

    private static func answer(_ base: ExpectationOutcome, _ other: ExpectationOutcome) -> ComparisonAnswer {
        guard case .value(let ours) = base.measured, case .value(let theirs) = other.measured else { return .changed }
        switch (ours, theirs) {
        case (.time(let ours), .time(let theirs)): return answer(isGreater: theirs > ours, base.metric.preference)
        case (.share(let ours), .share(let theirs)): return answer(isGreater: theirs > ours, base.metric.preference)
        case (.count(let ours), .count(let theirs)) where base.metric.kind == .counter:
            return answer(isGreater: theirs > ours, base.metric.preference)
        case (.rate(let ours), .rate(let theirs)):
            return answer(isGreater: theirs > ours, base.metric.preference)
        default: return .changed
        }
    }
}

/// What a comparison comes to, of a figure and as a whole, in the order in which the first that applies wins.
package enum ComparisonAnswer: String, CaseIterable, Hashable, Sendable {
    /// A difference for the worse.
    case worse
    /// A difference of which neither value is better.
    case changed
    /// The runs do not say.
    case inconclusive
    /// A difference for the better.
    case better
    case same

    /// How the command ends; where it is strict a change for the better fails as any other does.
    package func exitCode(isStrict: Bool) -> ExitCode {
        switch self {
        case .worse, .changed: .regression
        case .inconclusive: .inconclusive
        case .better: isStrict ? .regression : .pass
        case .same: .pass
        }
    }
}

/// One side or several, each compared with the first one, which they are measured by.
///
/// Simulated runs are compared exactly, run by run of one seed. Of live ones each figure is a sample, with a value of
/// each run.
package struct Comparison: Sendable {
    package let base: ComparedSide
    package let terms: ComparisonTerms
    package private(set) var others: [Other]

    /// A side, and how it differs from the first one.
    package struct Other: Sendable {
        package let side: ComparedSide
        /// Of simulated runs those that differ; of measured ones all that were compared.
        package internal(set) var figures: [ComparedFigure] = []
        /// What differs of simulated runs beside figures: the digest, a safety abort, what an expectation came to.
        package internal(set) var facts: [ComparedFact] = []
        /// How many simulated runs had a partner of their seed.
        package internal(set) var pairCount = 0
        /// What makes this side's comparison say less than it seems to.
        package internal(set) var notes: [String] = []
        /// Why the runs can show nothing, or not everything; nil where they can.
        package internal(set) var obstacle: String?

        init(side: ComparedSide) { self.side = side }

        package var answer: ComparisonAnswer {
            var answers = figures.filter { !$0.isAllowed }.map(\.answer)
            answers += facts.filter { !$0.isAllowed }.map(\.answer)
            if obstacle != nil { answers.append(.inconclusive) }
            return ComparisonAnswer.allCases.first { answers.contains($0) } ?? .same
        }
    }

    /// Compares, where the sides can be compared.
    ///
    /// - Throws: ``ResultError`` that names both sides: where one is simulated and the other not, their workloads
    ///   differ or, of live runs, their machines, and the terms do not say that they may; where simulated runs have no
    ///   seed in common.
    package init(_ base: ComparedSide, with others: [ComparedSide], terms: ComparisonTerms) throws(ResultError) {
        self.base = base
        self.terms = terms
        self.others = []
        for side in others {
            var other = Other(side: side)
            other.notes = try base.differences(from: side, across: terms.across)
            self.others.append(other)
        }
        switch base.mode {
        case .simulated:
            for index in self.others.indices {
                try self.others[index].compareExactly(with: base, terms)
            }
        case .live: MeasuredComparison.compare(&self.others, with: base, terms)
        }
    }

    /// That of the side for which it is worst.
    package var answer: ComparisonAnswer {
        let answers = others.map(\.answer)
        return ComparisonAnswer.allCases.first { answers.contains($0) } ?? .same
    }

    package var exitCode: ExitCode { answer.exitCode(isStrict: isStrict) }

    /// Simulated figures are exact: any change that nobody has allowed is one that somebody has to look at.
    var isStrict: Bool { base.mode == .simulated && !terms.allowsBetter }
}

/// A figure of both sides.
package struct ComparedFigure: Hashable, Sendable {
    package var name: FigureName
    package var answer: ComparisonAnswer
    /// Whether the user said that it may change.
    package var isAllowed: Bool
    package var evidence: Evidence

    package enum Evidence: Hashable, Sendable {
        /// The runs of one seed that differ, one at least.
        case exact([Pair])
        case measured(Measured)
    }

    package struct Pair: Hashable, Sendable {
        package var seed: UInt64
        package var base: FigureValue
        package var other: FigureValue
    }

    /// In the figure's unit.
    package struct Measured: Hashable, Sendable {
        /// How many runs have the figure.
        package var baseCount: Int
        package var otherCount: Int
        /// The medians; nil where no run has it.
        package var base: Double?
        package var other: Double?
        /// What the difference of the medians may be; nil where a side has no value.
        package var difference: MedianDifference?
        /// The least difference that matters.
        package var effect: Double
        /// Whether all values of both sides are equal.
        package var isConstant: Bool
        /// By Mann and Whitney, of this figure alone.
        package var p: Double
        /// The same, corrected for all figures of all sides that were tested.
        package var adjustedP: Double
    }
}

/// Something of simulated runs that is no figure, and differs.
package struct ComparedFact: Hashable, Sendable {
    /// `digest`, `abort`, or an expectation as the workload writes it.
    package var name: String
    package var seed: UInt64
    package var base: String
    package var other: String
    package var answer: ComparisonAnswer
    package var isAllowed: Bool
    /// In how many pairs of runs it differs.
    package var pairCount = 1
}

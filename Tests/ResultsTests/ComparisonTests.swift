import Metrics
import Primitives
import Results
import Testing

@Suite("A comparison of simulated runs")
struct ExactComparisonTests {
    private func compare(
        _ change: (inout ComparedRuns.Figures) -> Void,
        _ terms: ComparisonTerms = ComparisonTerms()
    ) throws -> Comparison {
        var figures = ComparedRuns.Figures()
        let base = try ComparedRuns.simulated("a", [figures])
        change(&figures)
        return try Comparison(base, with: [ComparedRuns.simulated("b", [figures])], terms: terms)
    }

    private func answers(_ comparison: Comparison) -> [String: ComparisonAnswer] {
        Dictionary(uniqueKeysWithValues: comparison.others[0].figures.map { ($0.name.text, $0.answer) })
    }

    @Test("runs in which nothing differs are the same")
    func findsSame() throws {
        let comparison = try compare { _ in }
        #expect(comparison.answer == .same && comparison.exitCode == .pass)
        #expect(comparison.others[0].figures.isEmpty && comparison.others[0].facts.isEmpty)
    }

    @Test("the least change is named with both values")
    func namesLeastChange() throws {
        let comparison = try compare { $0.handshake.p99 += 1 }
        #expect(comparison.answer == .worse && comparison.exitCode == .regression)
        let named = answers(comparison)
        #expect(named["handshake.latency p99"] == .worse && named["handshake.latency max"] == .worse)
        #expect(named["handshake.latency p50"] == nil && named["child.rekey.latency p99"] == nil)
        let text = ComparisonReport.text(of: comparison)
        #expect(text.contains("60,000,000 ns  60,000,001 ns"))
    }

    @Test("a change for the better fails as any other, unless it is allowed")
    func findsBetter() throws {
        #expect(try compare { $0.rekey.p50 -= 1_000 }.answer == .better)
        #expect(try compare { $0.rekey.p50 -= 1_000 }.exitCode == .regression)
        var terms = ComparisonTerms()
        terms.allowsBetter = true
        #expect(try compare({ $0.rekey.p50 -= 1_000 }, terms).exitCode == .pass)
        #expect(try compare({ $0.rekey.p50 += 1_000 }, terms).exitCode == .regression)
    }

    @Test("fewer failures of as many attempts are better, and of fewer attempts they are another load")
    func looksAtOccasions() throws {
        let better = answers(try compare { $0.failed = 1 })
        #expect(better["handshake.failed"] == .better && better["handshake.established"] == .better)
        #expect(better["handshake.failed timeout"] == .better && better["handshake.success value"] == .better)
        let another = try compare {
            $0.failed = 1
            $0.offered = 999
        }
        #expect(answers(another)["handshake.failed"] == .changed && answers(another)["handshake.offered"] == .changed)
        #expect(another.exitCode == .regression)
    }

    @Test("what is allowed to change is named, and fails nothing")
    func allows() throws {
        var terms = ComparisonTerms()
        terms.allowed = [try FigurePattern("handshake.latency")]
        let comparison = try compare({ $0.handshake.p50 += 1 }, terms)
        #expect(comparison.answer == .same)
        #expect(comparison.others[0].figures.contains { $0.name.text == "handshake.latency p50" && $0.isAllowed })
        terms.allowed = [try FigurePattern("handshake.latency p99")]
        #expect(try compare({ $0.handshake.p50 += 1 }, terms).answer == .worse)
    }

    @Test("figures that are not asked for are not compared")
    func restricts() throws {
        var terms = ComparisonTerms()
        terms.figures = [try FigurePattern("child.rekey.latency p50")]
        #expect(try compare({ $0.handshake.p50 += 1 }, terms).answer == .same)
        #expect(try compare({ $0.rekey.p50 += 1 }, terms).answer == .worse)
    }

    @Test("a figure that is asked for and was never measured is not the same")
    func wantsSamples() throws {
        var terms = ComparisonTerms()
        terms.figures = [try FigurePattern("mobike.latency p50")]
        let comparison = try compare({ _ in }, terms)
        #expect(comparison.answer == .inconclusive)
        #expect(comparison.others[0].obstacle == "nothing was measured of mobike.latency p50")
        terms.figures = try [FigurePattern("traffic.lost nat"), FigurePattern("handshake.offered")]
        #expect(try compare({ _ in }, terms).answer == .same)
    }

    @Test("of several runs each is compared with that of its seed, and what goes both ways is a change")
    func comparesSeeds() throws {
        var figures = [ComparedRuns.Figures](repeating: .init(), count: 3)
        let base = try ComparedRuns.simulated("a", figures)
        figures[1].rekey.p50 += 9
        var comparison = try Comparison(base, with: [ComparedRuns.simulated("b", figures)], terms: .init())
        #expect(comparison.answer == .worse)
        guard case .exact(let pairs) = comparison.others[0].figures[0].evidence else {
            Issue.record("it is exact")
            return
        }
        #expect(pairs.map(\.seed) == [43])
        #expect(ComparisonReport.text(of: comparison).contains("1 of 3"))
        figures[2].rekey.p50 -= 9
        comparison = try Comparison(base, with: [ComparedRuns.simulated("b", figures)], terms: .init())
        #expect(comparison.answer == .changed)
        // Its first seed is the base's second.
        let later = try ComparedRuns.simulated("b", [ComparedRuns.Figures()], seed: 43)
        comparison = try Comparison(base, with: [later], terms: .init())
        #expect(comparison.answer == .same && comparison.others[0].notes.count == 1)
    }

    @Test("a digest that differs alone is a change of its own")
    func looksAtDigest() throws {
        let base = try ComparedRuns.simulated("a", [.init()])
        var record = ComparedRuns.record(.simulated, .init())
        record.digest = "v1:0001"
        let other = try ComparedSide(name: "b", runs: [ComparedRuns.run("b", record)])
        #expect(try Comparison(base, with: [other], terms: .init()).answer == .changed)
        var terms = ComparisonTerms()
        terms.allowsDigest = true
        #expect(try Comparison(base, with: [other], terms: terms).answer == .same)
    }

    @Test("an expectation that no longer holds, and a safety abort, are for the worse")
    func looksAtFacts() throws {
        let threshold = Expectation(
            metric: .retransmissions,
            aggregation: .value,
            comparison: .below,
            limit: .count(50)
        )
        func side(_ name: String, _ retransmissions: UInt64, abort: Bool = false) throws -> ComparedSide {
            var figures = ComparedRuns.Figures()
            figures.retransmissions = retransmissions
            var record = ComparedRuns.record(.simulated, figures)
            if abort { record.abort = .init(condition: "handshake.success < 50%", time: .zero + .seconds(9)) }
            let result = RunResult(record, steadyState: [], thresholds: [threshold])
            return try ComparedSide(
                name: name,
                runs: [ComparedRun(path: name, result: result, workload: ComparedRuns.workload)]
            )
        }
        let base = try side("a", 40)
        let failed = try Comparison(base, with: [side("b", 60)], terms: .init())
        #expect(failed.others[0].facts.map(\.name) == ["retransmissions < 50"])
        #expect(failed.others[0].facts.map(\.answer) == [.worse])
        let aborted = try Comparison(base, with: [side("b", 40, abort: true)], terms: .init())
        #expect(aborted.others[0].facts.map(\.name) == ["abort"] && aborted.answer == .worse)
    }
}

@Suite("A comparison of live runs")
struct MeasuredComparisonTests {
    private func figure(_ name: String, of comparison: Comparison, side: Int = 0) -> ComparedFigure? {
        comparison.others[side].figures.first { $0.name.text == name }
    }

    @Test("of 200 jobs with equal sides no more say worse than may, and without the correction more would")
    func boundsFalseAlarms() throws {
        var terms = ComparisonTerms()
        // What matters at least would hide false alarms: here everything matters.
        terms.minimumEffect = 0
        terms.minimumShareEffect = 0
        terms.resamples = 50
        var (worse, different, uncorrected) = (0, 0, 0)
        for job in 0..<200 {
            var stream = RandomStream(seed: 2_026, entity: UInt64(job), purpose: .test)
            let base = try ComparedRuns.live("a", ComparedRuns.noisy(8, &stream))
            let other = try ComparedRuns.live("b", ComparedRuns.noisy(8, &stream), start: 100)
            let comparison = try Comparison(base, with: [other], terms: terms)
            if comparison.answer == .worse { worse += 1 }
            let figures = comparison.others[0].figures
            if figures.contains(where: { $0.answer == .worse || $0.answer == .better }) { different += 1 }
            let isAlarm = figures.contains { figure in
                guard case .measured(let measured) = figure.evidence else { return false }
                return measured.p <= terms.falseAlarms
            }
            if isAlarm { uncorrected += 1 }
        }
        #expect(worse <= 10 && different <= 10, "\(worse) worse, \(different) different")
        #expect(uncorrected > 30, "\(uncorrected)")
    }

    @Test("a tenth more latency is found, and nothing else with it")
    func findsSlowdown() throws {
        var found = 0
        for job in 0..<40 {
            var stream = RandomStream(seed: 7, entity: UInt64(job), purpose: .test)
            let base = try ComparedRuns.live("a", ComparedRuns.noisy(8, &stream))
            let other = try ComparedRuns.live("b", ComparedRuns.noisy(8, slower: 1.1, &stream), start: 100)
            var terms = ComparisonTerms()
            terms.resamples = 500
            let comparison = try Comparison(base, with: [other], terms: terms)
            let worse = comparison.others[0].figures.filter { $0.answer == .worse }.map(\.name.text)
            if worse == ["handshake.latency p50"], comparison.exitCode == .regression { found += 1 }
            let turned = try Comparison(other, with: [base], terms: terms)
            #expect(turned.answer != .worse)
        }
        #expect(found >= 38, "\(found)")
    }

    @Test("a difference below what matters is the same, and one that may be above it is inconclusive")
    func looksAtEffect() throws {
        var stream = RandomStream(seed: 3, entity: 3, purpose: .test)
        let base = try ComparedRuns.live("a", ComparedRuns.noisy(12, &stream))
        let other = try ComparedRuns.live("b", ComparedRuns.noisy(12, slower: 1.1, &stream), start: 100)
        var terms = ComparisonTerms()
        terms.figures = [try FigurePattern("handshake.latency p50")]
        #expect(try Comparison(base, with: [other], terms: terms).answer == .worse)
        terms.minimumEffect = 0.2
        #expect(try Comparison(base, with: [other], terms: terms).answer == .same)
        terms.minimumEffects = [.init(terms.figures[0], share: 0.1)]
        #expect(try Comparison(base, with: [other], terms: terms).answer != .same)
        let equal = try ComparedRuns.live("c", ComparedRuns.noisy(12, &stream), start: 100)
        terms.minimumEffects = [.init(terms.figures[0], share: 0.002)]
        let doubtful = try Comparison(base, with: [equal], terms: terms)
        #expect(doubtful.answer == .inconclusive && doubtful.exitCode == .inconclusive)
    }

    @Test("failures count where they are more than one in a thousand attempts")
    func looksAtCounts() throws {
        func side(_ name: String, _ failed: UInt64) throws -> ComparedSide {
            try ComparedRuns.live(
                name,
                [ComparedRuns.Figures](repeating: ComparedRuns.Figures(failed: failed), count: 8),
                start: Int64(failed)
            )
        }
        #expect(try Comparison(side("a", 0), with: [side("b", 0)], terms: .init()).answer == .same)
        #expect(try Comparison(side("a", 0), with: [side("b", 9)], terms: .init()).answer == .worse)
        #expect(try Comparison(side("a", 9), with: [side("b", 0)], terms: .init()).answer == .better)
        var terms = ComparisonTerms()
        terms.minimumShareEffect = 0.01
        #expect(try Comparison(side("a", 0), with: [side("b", 9)], terms: terms).answer == .same)
    }

    @Test("with too few runs nothing is said but how many are needed")
    func wantsRuns() throws {
        var stream = RandomStream(seed: 5, entity: 5, purpose: .test)
        let base = try ComparedRuns.live("a", ComparedRuns.noisy(3, &stream))
        let other = try ComparedRuns.live("b", ComparedRuns.noisy(3, slower: 2.5, &stream), start: 100)
        let comparison = try Comparison(base, with: [other], terms: .init())
        #expect(comparison.answer == .inconclusive)
        #expect(comparison.others[0].obstacle?.contains("each side needs at least 6") == true)
        #expect(comparison.others[0].figures.allSatisfy { $0.answer == .inconclusive })
    }

    @Test("runs whose generator was late are left out, and one that safety ended forbids a good answer")
    func leavesOut() throws {
        var stream = RandomStream(seed: 6, entity: 6, purpose: .test)
        let figures = ComparedRuns.noisy(12, &stream)
        let base = try ComparedRuns.live("a", figures)
        func side(_ change: (inout RunRecord) -> Void) throws -> ComparedSide {
            var runs = try ComparedRuns.live("b", figures, start: 100).runs
            change(&runs[4].result.record)
            return try ComparedSide(name: "b", runs: runs)
        }
        var terms = ComparisonTerms()
        terms.minimumEffect = 0.5
        terms.minimumShareEffect = 0.5
        #expect(try Comparison(base, with: [side { _ in }], terms: terms).answer == .same)
        let late = try side { $0.generator = .invalid("5 ms late") }
        let comparison = try Comparison(base, with: [late], terms: terms)
        #expect(late.usable.count == 11 && comparison.answer == .same)
        #expect(comparison.others[0].notes == ["b/5 is left out: the generator was too late: 5 ms late"])
        let ended = try side { $0.abort = .init(condition: "handshake.success < 50%", time: .zero + .seconds(9)) }
        #expect(try Comparison(base, with: [ended], terms: terms).answer == .inconclusive)
        #expect(try Comparison(base, with: [side { $0.interruption = .drained }], terms: terms).answer == .same)
    }

    @Test("sides that did not take turns, and other loads, are told")
    func notes() throws {
        var stream = RandomStream(seed: 8, entity: 8, purpose: .test)
        let base = try ComparedRuns.live("a", ComparedRuns.noisy(6, &stream))
        let later = try ComparedRuns.live("b", ComparedRuns.noisy(6, &stream), start: 100_000)
        var notes = try Comparison(base, with: [later], terms: .init()).others[0].notes
        #expect(notes.count == 1 && notes[0].hasPrefix("every run of a was before those of b"))
        let fewer = (0..<6).map { _ in ComparedRuns.Figures(offered: 500) }
        notes = try Comparison(base, with: [ComparedRuns.live("b", fewer, start: 100)], terms: .init()).others[0].notes
        #expect(notes == ["handshake.offered is 1,000 and 500: another load"])
        var runs = try ComparedRuns.live("b", ComparedRuns.noisy(6, &stream), start: 100).runs
        runs[5].result.record.version = "0.2.0"
        notes = try Comparison(base, with: [ComparedSide(name: "b", runs: runs)], terms: .init()).others[0].notes
        #expect(notes == ["within b versions 0.1.0 and 0.2.0 of ikestorm made them"])
    }

    @Test("with more sides more evidence is wanted of each")
    func correctsForSides() throws {
        var stream = RandomStream(seed: 9, entity: 9, purpose: .test)
        let base = try ComparedRuns.live("a", ComparedRuns.noisy(8, &stream))
        let sides = try ["b", "c", "d"].map {
            try ComparedRuns.live($0, ComparedRuns.noisy(8, slower: $0 == "c" ? 1.2 : 1, &stream), start: 100)
        }
        let all = try Comparison(base, with: sides, terms: .init())
        let alone = try Comparison(base, with: [sides[1]], terms: .init())
        #expect(all.answer == .worse && all.others[1].answer == .worse)
        func adjusted(_ figure: ComparedFigure?) -> Double {
            guard case .measured(let measured)? = figure?.evidence else { return 0 }
            return measured.adjustedP
        }
        let name = "handshake.latency p50"
        #expect(adjusted(figure(name, of: all, side: 1)) > adjusted(figure(name, of: alone)))
        #expect(figure(name, of: all, side: 0)?.answer != .worse && figure(name, of: all, side: 2)?.answer != .worse)
    }
}

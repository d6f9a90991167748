import Metrics
import Primitives
import Results
import Testing

@Suite("The table of a comparison")
struct ComparisonReportTests {
    private func measured() throws -> Comparison {
        var stream = RandomStream(seed: 21, entity: 1, purpose: .test)
        let base = try ComparedRuns.live("runs/before", ComparedRuns.noisy(8, &stream))
        var slower = ComparedRuns.noisy(8, slower: 1.25, &stream)
        for index in slower.indices { slower[index].failed += 30 }
        var runs = try ComparedRuns.live("runs/after", slower, start: 100).runs
        runs[7].result.record.generator = .degraded("5.2 % of the starts were more than 10 ms late")
        var terms = ComparisonTerms()
        terms.resamples = 2_000
        terms.allowed = [try FigurePattern("retransmissions")]
        return try Comparison(base, with: [ComparedSide(name: "runs/after", runs: runs)], terms: terms)
    }

    private func exact() throws -> Comparison {
        var figures = ComparedRuns.Figures()
        let base = try ComparedRuns.simulated("results/baselines/main", [figures, figures])
        figures.handshake = (20_900_000, 59_999_999)
        figures.failed = 4
        figures.retransmissions = 0
        return try Comparison(
            base,
            with: [
                ComparedRuns.simulated("runs/a", [.init(), figures]),
                ComparedRuns.simulated("runs/b", [.init(), .init()]),
            ],
            terms: .init()
        )
    }

    @Test("looks as reviewed")
    func looks() throws {
        let comparisons = [try measured(), try exact()]
        let texts = comparisons.map { ComparisonReport.text(of: $0) }
        try Golden.check(texts.joined(separator: "\n\n"), "comparison.txt")
        try Golden.check(
            comparisons.map { ComparisonReport.json(of: $0, version: "0.1.0") }.joined(separator: "\n"),
            "comparison.json"
        )
        for line in texts.flatMap({ $0.split(separator: "\n") }) where !line.contains("left out") {
            #expect(line.count <= 100, "\(line)")
        }
    }

    @Test("is the same each time")
    func isRepeatable() throws {
        #expect(try ComparisonReport.text(of: measured()) == ComparisonReport.text(of: measured()))
    }

    @Test("has colours that change nothing but colours, and harmless names")
    func isHarmless() throws {
        let coloured = ComparisonReport.text(of: try measured(), style: TextStyle(hasColours: true))
        #expect(coloured.contains("\u{1B}["))
        #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == ComparisonReport.text(of: try measured()))
        let hostile = SampleRun.hostile
        var other = hostile
        other.record.measurements[1].counters[.retransmissions] = CounterRecord(total: 1)
        other.record.measurements[0].counters[.handshakeFailed] = CounterRecord(total: 0)
        let sides = try [hostile, other].map { result in
            try ComparedSide(
                name: "\u{1B}[2J",
                runs: [ComparedRun(path: "\u{1B}[2J", result: result, workload: ["a"])]
            )
        }
        let text = ComparisonReport.text(of: try Comparison(sides[0], with: [sides[1]], terms: .init()))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !$0.isUnsafeToPrint })
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 || $0.hasPrefix("\\u{1b}") })
    }
}

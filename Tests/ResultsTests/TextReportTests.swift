import Metrics
import Primitives
import Results
import Testing

@Suite("The table at the end of a run")
struct TextReportTests {
    @Test("a run that failed thresholds looks as reviewed")
    func failed() throws {
        try Golden.check(TextReport.text(of: SampleRun.result, folder: "runs/rekey-storm/x"), "failed.txt")
    }

    @Test("a run whose generator was late looks as reviewed")
    func inconclusive() throws {
        var record = SampleRun.record
        record.mode = .live
        record.digest = nil
        record.costTables = []
        record.populations.removeLast()
        record.generator = .degraded("5.2 % of the starts were more than 10 ms late")
        record.measurements[0].latencies[.generatorLag] = LatencyRecord(buckets: [
            LatencyRecord.Bucket(highest: 12_300_000, count: 230)
        ])
        record.measurements[0].counters[.clipped] = CounterRecord(total: 12)
        let result = RunResult(record, steadyState: [], thresholds: [SampleRun.thresholds[1]])
        try Golden.check(TextReport.text(of: result), "inconclusive.txt")
    }

    @Test("a run with traffic says what became of its packets, that none was lost too", arguments: [0, 3])
    func traffic(lost: UInt64) throws {
        var record = SampleRun.record
        record.measurements[0].counters[.trafficOffered] = CounterRecord(total: 12_000)
        record.measurements[0].counters[.trafficReceived] = CounterRecord(total: 12_000 - lost)
        if lost > 0 {
            record.measurements[0].counters[.trafficLost] = CounterRecord(
                byReason: [.init(name: "unanswered", count: lost)]
            )
        }
        let result = RunResult(record, steadyState: [], thresholds: [])
        let share = lost == 0 ? "0 %" : "0.02 %"
        let lines = TextReport.text(of: result).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(
            lines.contains {
                $0.joined(separator: " ") == "traffic 12,000 \(lost == 0 ? "12,000" : "11,997") \(lost) \(share)"
            }
        )
        #expect(MarkdownSummary.text(of: result).contains("| `traffic` | 12,000 | "))
        let read = try JSONReport.result(from: Array(JSONReport.text(of: result).utf8), file: "result.json")
        #expect(read.record.measurements().counters[.trafficLost]?.total == lost)
        #expect(TextReport.text(of: SampleRun.result).contains("Packets") == false)
    }

    @Test("a run with several flows has a line for each, and the summary too")
    func flows() throws {
        let text = TextReport.text(of: SampleRun.withFlows)
        try Golden.check(text + "\n" + MarkdownSummary.text(of: SampleRun.withFlows), "flows.txt")
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
        var single = SampleRun.withFlows
        single.record.flows = [single.record.flows[3]]
        #expect(!TextReport.text(of: single).contains("Flows") && text.contains("\nFlows\n"))
        #expect(JUnitReport.text(of: SampleRun.withFlows).contains("name=\"traffic.lost(calls/up) &lt;= 0\"/>"))
    }

    @Test("a run in which nothing happened has no numbers that stand for none")
    func empty() throws {
        var record = SampleRun.record
        record.measurements = []
        record.series = SeriesTable()
        let result = RunResult(record, steadyState: SampleRun.steadyState, thresholds: SampleRun.thresholds)
        try Golden.check(TextReport.text(of: result), "empty.txt")
    }

    @Test("no line is wider than 100 columns, whatever the names")
    func width() {
        let lines = TextReport.text(of: SampleRun.result).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 })
    }

    @Test("colours change nothing but colours")
    func colours() {
        let coloured = TextReport.text(of: SampleRun.result, style: TextStyle(hasColours: true))
        #expect(coloured.contains("\u{1B}["))
        #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == TextReport.text(of: SampleRun.result))
    }

    @Test(
        "colours are for terminals that want them",
        arguments: [
            (true, [:], true), (false, [:], false), (true, ["NO_COLOR": "1"], false), (true, ["NO_COLOR": ""], true),
            (true, ["TERM": "dumb"], false), (true, ["TERM": "xterm"], true),
        ] as [(Bool, [String: String], Bool)]
    )
    func detection(isTerminal: Bool, environment: [String: String], hasColours: Bool) {
        #expect(TextStyle(isTerminal: isTerminal, environment: environment).hasColours == hasColours)
    }

    @Test("a hostile name reaches the terminal as harmless text")
    func hostile() {
        let text = TextReport.text(of: SampleRun.hostile, style: .plain, folder: "runs/\u{1B}[2J")
        let bad = text.unicodeScalars.filter { $0 != "\n" && $0.isUnsafeToPrint }
        #expect(bad.isEmpty)
        #expect(text.contains("\\u{1b}]0;x\\u{7}<script>"))
    }
}

@Suite("Numbers as people read them")
struct HumaneTests {
    @Test(
        "times have three digits and a unit",
        arguments: [
            (0, "0 ms"), (1, "1 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (85_200, "85.2 µs"),
            (999_499, "999 µs"), (999_500, "1.00 ms"), (19_100_000, "19.1 ms"), (522_000_000, "522 ms"),
            (999_600_000, "1.00 s"), (1_310_000_000, "1.31 s"), (99_960_000_000, "100 s"),
            (119_400_000_000, "119 s"), (119_500_000_000, "2 min"), (165_000_000_000, "2 min 45 s"),
            (3_599_700_000_000, "1 h 0 min"), (5_430_000_000_000, "1 h 30 min"), (-19_100_000, "-19.1 ms"),
        ] as [(Int64, String)]
    )
    func times(nanoseconds: Int64, text: String) {
        #expect(Humane.time(Duration(nanoseconds: nanoseconds)) == text)
    }

    @Test(
        "shares are rounded down, so that only all is 100 %",
        arguments: [
            (0, "0 %"), (1, "< 0.01 %"), (50_000_000, "5 %"), (999_999_999, "99.99 %"), (1_000_000_000, "100 %"),
            (990_500_000, "99.05 %"),
        ] as [(UInt32, String)]
    )
    func shares(parts: UInt32, text: String) {
        #expect(Humane.share(Probability(partsPerBillion: parts)) == text)
    }

    @Test("counts, rates, sizes and clocks are grouped and named")
    func others() {
        #expect(
            [0, 999, 1_000, 227_418, 1_000_000].map(Humane.count) == ["0", "999", "1,000", "227,418", "1,000,000"]
        )
        #expect(
            [500, 12_340, 379_100, 4_500_000].map { Humane.rate(perSecondThousandths: $0) }
                == ["0.50/s", "12.3/s", "379/s", "4,500/s"]
        )
        #expect([512, 4_012, 48_234_496].map(Humane.bytes) == ["512 bytes", "3.92 KiB", "46.0 MiB"])
        #expect(
            [0, 61, 3_723].map { Humane.clock(.zero + .seconds($0)) } == ["0:00", "1:01", "1:02:03"]
        )
    }
}

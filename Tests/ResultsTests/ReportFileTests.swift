import Foundation
import Metrics
import Primitives
import Results
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("junit.xml and summary.md")
struct ReportFileTests {
    @Test("a failed run is written as reviewed")
    func golden() throws {
        try Golden.check(JUnitReport.text(of: SampleRun.result), "junit.xml")
        try Golden.check(MarkdownSummary.text(of: SampleRun.result), "summary.md")
    }

    @Test("a run that says nothing of the gateway is an error and not a failure")
    func invalid() throws {
        var record = SampleRun.record
        record.generator = .invalid("it was 3 s late")
        let text = JUnitReport.text(of: RunResult(record, steadyState: [], thresholds: []))
        #expect(text.contains("tests=\"1\" failures=\"0\" errors=\"1\""))
        #expect(text.contains("<error message=\"INVALID, the generator was too late: it was 3 s late\">"))
    }

    @Test("XML stays well-formed, whatever the names", arguments: [SampleRun.result, SampleRun.hostile])
    func wellFormed(_ result: RunResult) throws {
        let collector = Collector()
        let parser = XMLParser(data: Data(JUnitReport.text(of: result).utf8))
        parser.delegate = collector
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(collector.cases == 1 + result.steadyState.count + result.thresholds.count)
        #expect(
            collector.elements.isSubset(of: [
                "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
            ])
        )
    }

    private final class Collector: NSObject, XMLParserDelegate {
        var cases = 0
        var elements: Set<String> = []

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements.insert(name)
            if name == "testcase" { cases += 1 }
        }
    }

    @Test("no name becomes a tag, a heading, a link or a cell of the summary")
    func markdown() {
        let text = MarkdownSummary.text(of: SampleRun.hostile)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\u{FE0F}" || !$0.isUnsafeToPrint })
        // Within code a tag is text; outside of it none may stand.
        let outside = text.replacing(/(`+).*?[^`]\1(?!`)/, with: "")
        #expect(!outside.contains("<"))
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("#") }.count == 1)
        for line in text.split(separator: "\n") where line.hasPrefix("| ``") {
            #expect(line.replacing("\\|", with: "").count { $0 == "|" } == 4)
        }
    }
}

@Suite("series.csv and histograms")
struct SeriesFileTests {
    @Test("a series reads back as it was, gaps, shares and odd names included")
    func roundTrip() throws {
        var table = SampleRun.record.series
        table.columns.append(SampleRun.column(.gauge(.gatewayCPU), of: "gw \"a\", b") { UInt64($0) * 12_345_678 })
        table.columns.append(SampleRun.column(.latency(.childRekeyLatency, .max), of: "x(y)") { $0 == 7 ? 1 : nil })
        table.columns.append(SeriesTable.Column(name: .counter(.clipped), subject: "short", values: [1]))
        let text = SeriesFile.text(of: table)
        var read = try SeriesFile.table(from: Array(text.utf8), file: "series.csv")
        // A column that ends early reads back with the rest of its rows empty.
        #expect(read.columns.last?.values.count == 60)
        read.columns[read.columns.count - 1].values = [1]
        #expect(read == table)
        let lines = text.split(separator: "\n")
        #expect(
            lines[0]
                == "second,handshake.offered,handshake.established,handshake.failed,tunnels.count,tunnels.wanted,"
                + "handshake.latency.p99,\"gateway.cpu(gw \"\"a\"\", b)\",child.rekey.latency.max(x(y)),clipped(short)"
        )
        #expect(lines[8] == "7,10,9,1,200,200,500000000,0.086419746,1,")
    }

    @Test("every name of a column is read as what it is")
    func names() {
        var names = SeriesName.Gauge.allCases.map { SeriesName.gauge($0) }
        for metric in MetricName.allCases {
            if metric.kind == .counter { names.append(.counter(metric)) }
            guard metric.kind == .latency else { continue }
            names += SeriesName.Percentile.allCases.map { .latency(metric, $0) }
        }
        for name in names { #expect(SeriesName(rawValue: name.rawValue) == name) }
        for text in ["tunnels.up", "handshake.latency", "handshake.latency.p90", "x", ""] {
            #expect(SeriesName(rawValue: text) == nil)
        }
    }

    @Test(
        "a damaged series is refused with its line",
        arguments: [
            ("second,clipped\n0,x\n", "s.csv: line 2: \"x\" is no number of this column"),
            ("second,clipped\n0,1\n1\n", "s.csv: line 3: it has 1 fields, and the first line 2"),
            ("second,clip\n", "s.csv: line 1: \"clip\" is no column of this version"),
            ("time\n", "s.csv: line 1: the first column is not `second`"),
            ("second,clipped\n0,1", "s.csv: it ends before it is complete"),
            ("", "s.csv: it ends before it is complete"),
        ]
    )
    func damaged(_ text: String, _ message: String) {
        let error = #expect(throws: ResultError.self) {
            _ = try SeriesFile.table(from: Array(text.utf8), file: "s.csv")
        }
        #expect(error?.description == message)
    }

    @Test("a histogram reads back bucket by bucket")
    func histogram() throws {
        let histograms = HistogramFile.all(of: SampleRun.record)
        #expect(histograms.count == 6)
        for histogram in histograms {
            #expect(try HistogramFile(from: Array(histogram.text.utf8), file: "h.json") == histogram)
        }
        try Golden.check(histograms[0].text, "histogram.json")
    }
}

@Suite("events.ndjson")
struct EventLogTests {
    @Test("a line is an object with the time first, and lines below the level are left out")
    func lines() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/events.ndjson"
        var log = try EventLog(path, level: .exchange)
        log.append(EventLine(.zero + .milliseconds(5), "established", subject: "laptops/17"))
        log.append(EventLine(.zero, "keepalive", subject: "laptops/17", level: .datagram))
        log.append(
            EventLine(
                .zero + .seconds(1),
                "failed",
                subject: "\u{1B}[2J\n",
                level: .exchange,
                details: [EventLine.Detail("reason", .text("timeout")), EventLine.Detail("attempt", .number(3))]
            )
        )
        try log.finish()
        #expect(
            String(decoding: try AtomicFile.read(path), as: UTF8.self) == """
                {"time": 5000000, "level": "life-cycle", "event": "established", "subject": "laptops/17"}
                {"time": 1000000000, "level": "exchange", "event": "failed", "subject": "\\u001b[2J\\n", \
                "reason": "timeout", "attempt": 3}

                """
        )
    }

    @Test("levels have names")
    func levels() {
        for level in EventLevel.allCases { #expect(EventLevel(name: level.name) == level) }
        #expect(EventLevel(name: "all") == nil)
    }

    @Test(
        "wall times are the calendar's",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"), (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func calendar(seconds: Int64, text: String) {
        #expect(UTCTime.text(seconds) == text)
    }
}

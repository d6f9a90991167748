import Foundation
import Metrics
import Results
import Testing

@Suite("docs/results-format.md")
struct DocumentTests {
    private static func document() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/results-format.md"), encoding: .utf8)
    }

    @Test("it names every key of result.json, every metric, every verdict, every level and every gauge")
    func complete() throws {
        let document = try Self.document()
        let result = try JSONObject.document(Array(JSONReport.text(of: SampleRun.result).utf8), file: "result.json")
        let names =
            result.keys + MetricName.allCases.map(\.rawValue) + Verdict.allCases.map(\.rawValue)
            + EventLevel.allCases.map(\.name) + SeriesName.Gauge.allCases.map(\.rawValue)
            + ExitCode.allCases.filter { $0 != .pass }.map { String($0.rawValue) }
            + [JSONReport.schema, HistogramFile.schema, RunFolder.marker]
        for name in names {
            #expect(document.contains("`\(name)`") || document.contains(" \(name) "), "\(name) is missing")
        }
    }

    @Test("its table of verdicts has the exit codes that a run ends with")
    func exitCodes() throws {
        let document = try Self.document()
        for verdict in Verdict.allCases {
            #expect(document.contains("| `\(verdict.rawValue)` | \(verdict.exitCode.rawValue) |"))
        }
    }
}

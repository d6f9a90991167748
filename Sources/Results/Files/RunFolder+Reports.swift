import Foundation
import Metrics
import Primitives

extension RunFolder {
    /// Writes everything that a result is made into, and takes the marker away once all of it is there.
    ///
    /// An error ends nothing: what can be written is written, and the folder stays marked. `result.json` comes last,
    /// since scripts wait for it.
    package func writeReports(of result: RunResult) -> [ResultError] {
        var errors: [ResultError] = []
        func attempt(_ write: () throws(ResultError) -> Void) {
            do throws(ResultError) { try write() } catch { errors.append(error) }
        }
        attempt { () throws(ResultError) in try write(Self.environment(of: result.record), to: "environment.json") }
        attempt { () throws(ResultError) in try write(SeriesFile.text(of: result.record.series), to: "series.csv") }
        attempt { () throws(ResultError) in try writeHistograms(of: result.record) }
        attempt { () throws(ResultError) in try write(JUnitReport.text(of: result), to: "junit.xml") }
        attempt { () throws(ResultError) in try write(MarkdownSummary.text(of: result), to: "summary.md") }
        attempt { () throws(ResultError) in try write(JSONReport.text(of: result), to: "result.json") }
        if errors.isEmpty { attempt { () throws(ResultError) in try finish() } }
        return errors
    }

    private func writeHistograms(of record: RunRecord) throws(ResultError) {
        let folder = self["histograms"]
        guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else {
            throw ResultError(file: folder, errno: errno)
        }
        var names: Set<String> = []
        for histogram in HistogramFile.all(of: record) {
            let subject = (histogram.population ?? histogram.flow).map { "." + Self.fileName($0) } ?? ""
            let stem = histogram.metric.rawValue + subject
            var name = stem
            // Two whose names differ in what a file name cannot hold, or a population and a flow of one name.
            var number = 1
            while !names.insert(name).inserted {
                number += 1
                name = "\(stem)-\(number)"
            }
            try write(histogram.text, to: "histograms/\(name).json")
        }
    }

    /// Where the run was computed, in the words of `host` and with the start as people read it.
    private static func environment(of record: RunRecord) -> String {
        let value: JSONValue = [
            "schema": .string("ikestorm-environment-1"),
            "version": .string(record.version),
            "started": .string(UTCTime.text(record.host.startedAt)),
            "command": .strings(record.command),
            "host": JSONReport.value(of: record.host),
        ]
        return value.text
    }

    /// Reads a run back: `result.json`, and the series and the histograms where they are.
    ///
    /// An incomplete run is read when `allowsIncomplete`, as far as it has a `result.json`.
    package func read(allowsIncomplete: Bool = false) throws(ResultError) -> RunResult {
        guard allowsIncomplete || isComplete else {
            throw ResultError(
                file: path,
                problem: "the run is marked incomplete: it was killed, or it is still going on"
            )
        }
        guard !FileManager.default.fileExists(atPath: self[ReplicationsReport.fileName]) else {
            throw ResultError(
                file: path,
                problem: "it holds replications, each a run of its own: name one of them, \(path)/replication-N"
            )
        }
        let file = self["result.json"]
        var result = try JSONReport.result(from: AtomicFile.read(file), file: file)
        let series = self["series.csv"]
        if FileManager.default.fileExists(atPath: series) {
            result.record.series = try SeriesFile.table(from: AtomicFile.read(series), file: series)
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self["histograms"])) ?? []
        for name in names.sorted() where name.hasSuffix(".json") {
            try addHistogram(self["histograms/" + name], to: &result.record)
        }
        return result
    }

    private func addHistogram(_ file: String, to record: inout RunRecord) throws(ResultError) {
        let histogram = try HistogramFile(from: AtomicFile.read(file), file: file)
        let scope = MeasurementScope(population: histogram.population, flow: histogram.flow)
        guard let index = record.measurements.firstIndex(where: { $0.scope == scope }) else {
            throw histogram.flow == nil
                ? ResultError(file: file, place: "population", problem: "the run has no such population")
                : ResultError(file: file, place: "flow", problem: "the run has no such flow")
        }
        var known = record.measurements[index].latency(histogram.metric)
        known.takeBuckets(of: histogram.latency)
        guard known == histogram.latency else {
            throw ResultError(file: file, problem: "its numbers are not those of result.json")
        }
        record.measurements[index].latencies[histogram.metric] = known
    }
}

import Primitives

/// A trace of arrivals: CSV with the columns when, until and who, the last two optional.
package enum TraceFile {
    package static func entries(
        of text: String,
        file: String
    ) -> (entries: [(entry: Workload.Arrival.TraceEntry, mark: SourceMark)], errors: [WorkloadError]) {
        var entries: [(entry: Workload.Arrival.TraceEntry, mark: SourceMark)] = []
        var errors: [WorkloadError] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let mark = SourceMark(file: file, line: index + 1, column: 1)
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
            if line.allSatisfy(\.isWhitespace) || line.first == "#" || (index == 0 && cells[0] == "when") { continue }
            do throws(UnitProblem) {
                entries.append((try entry(cells), mark))
            } catch {
                errors.append(WorkloadError(mark, error.problem, remedy: error.remedy))
                if errors.count == 20 { break }
            }
        }
        return (entries, errors)
    }

    private static func entry(_ cells: [String]) throws(UnitProblem) -> Workload.Arrival.TraceEntry {
        guard cells.count <= 3 else {
            throw UnitProblem("the line has \(cells.count) columns", "the columns are when, until and who")
        }
        let until = cells.count > 1 ? cells[1] : ""
        let who = cells.count > 2 ? cells[2] : ""
        return Workload.Arrival.TraceEntry(
            at: try Units.duration(cells[0]),
            until: until.isEmpty ? nil : try Units.duration(until),
            client: who.isEmpty ? nil : try Units.count(who, in: 0...100_000_000)
        )
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

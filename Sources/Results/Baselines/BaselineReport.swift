import Metrics
import Primitives

/// Baselines as `ikestorm baseline` shows them.
package enum BaselineReport {
    /// A line for each baseline, or what is wrong with it.
    package static func list(_ baselines: [(name: String, side: Result<ComparedSide, ResultError>)]) -> String {
        var table = TextTable()
        table.leftColumns = [0, 1, 2, 4, 5]
        table.indentation = ""
        table.add("baseline", "workload", "", "runs", "version", "from")
        for (name, side) in baselines {
            switch side {
            case .success(let side):
                let record = side.record
                let day = UTCTime.text(record.host.startedAt).prefix(10)
                table.add(
                    PrintableText.line(name).shortened(to: 32),
                    PrintableText.line(record.name).shortened(to: 24),
                    record.mode.rawValue,
                    String(side.runs.count),
                    PrintableText.line(record.version),
                    String(day)
                )
            case .failure(let error): table.add(name, PrintableText.line("\(error)"))
            }
        }
        return table.lines.map { $0 + "\n" }.joined()
    }

    /// Where a baseline comes from, its runs, and what figures it has: the median of its runs, and the extremes.
    package static func text(of side: ComparedSide, style: TextStyle = .plain) -> String {
        let record = side.record
        let machine = record.host.machine
        var lines = [style.bold(PrintableText.line(side.name)) + "  " + PrintableText.line(record.name)]
        lines.append(style.dim("\(record.mode.rawValue) · version \(PrintableText.line(record.version))"))
        let parts = ["\(machine.cores) cores", Humane.bytes(machine.memoryBytes), machine.system]
        lines += ["", "machine  " + PrintableText.line(([machine.processor] + parts).joined(separator: ", "))]
        lines.append("command  " + PrintableText.line(PrintableText.shell(record.command)))
        lines += ["", style.bold("Runs")]
        var runs = TextTable()
        runs.leftColumns = [0, 1, 2, 3, 4]
        for run in side.runs {
            let result = run.result
            let folder = run.path.split(separator: "/").last.map(String.init) ?? run.path
            runs.add(
                PrintableText.line(folder),
                UTCTime.text(result.record.host.startedAt),
                "seed \(result.record.seed)",
                result.verdict.rawValue,
                result.record.digest.map(PrintableText.line) ?? ""
            )
        }
        lines += runs.lines + ["", style.bold(side.runs.count == 1 ? "Figures" : "Figures (median, least and most)")]
        lines += figures(of: side).lines
        return lines.map { $0 + "\n" }.joined()
    }

    private static func figures(of side: ComparedSide) -> TextTable {
        let tables = side.runs.map { FigureTable($0.result) }
        var figures = TextTable()
        for name in tables[0].names where name.subject == nil && shown.contains(name.field) {
            let values = tables.compactMap { table -> Double? in
                guard case .number(let value) = table[name] else { return nil }
                return Double(value)
            }
            guard let least = values.min(), let most = values.max(), most > 0, name.metric != .generatorLag else {
                continue
            }
            let median = name.humane(MedianDifference.median(of: values))
            figures.add(
                [PrintableText.line(name.text).shortened(to: 60), median]
                    + (side.runs.count == 1 ? [] : [name.humane(least), name.humane(most)])
            )
        }
        return figures
    }

    private static let shown: Set<String> = ["total", "p50", "p99", "value", "time"]
}

extension ComparedRun {
    /// Where its files are.
    package var folder: String {
        guard path.hasSuffix(".json") else { return path }
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

import Foundation
import Primitives
import Results
import Workload

/// What `calibrate` prints when it has fitted a table.
enum CalibrationReport {
    static func text(of fit: CostFit, _ costs: MeasuredCosts, file: String) -> String {
        var rows = [["", "times", "base", "95 %", "each 1,000 SAs more"]]
        for price in fit.prices {
            rows.append([
                price.work.name, String(Int(price.times)), microseconds(price.baseNanoseconds.value),
                "+- " + microseconds(price.baseNanoseconds.halfWidth),
                price.perActiveSANanoseconds.map {
                    microseconds($0.value * 1_000) + " +- " + microseconds($0.halfWidth * 1_000)
                } ?? "",
            ])
        }
        var lines = TextColumns.lines(rows)
        lines.append("idle: \(microseconds(fit.idle.value)) +- \(microseconds(fit.idle.halfWidth)) a second")
        lines.append(
            "\(fit.sampleCount) stretches, which lie \(fixed(fit.relativeDeviation * 100, 1)) % around the fit"
        )
        if !costs.unmeasured.isEmpty {
            lines.append("not measured: " + costs.unmeasured.joined(separator: ", "))
        }
        lines.append("wrote \(file)")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func microseconds(_ nanoseconds: Double) -> String { fixed(nanoseconds / 1_000, 1) + " us" }
}

/// What `calibrate --predict` prints: the predicted beside the measured.
package enum PredictionReport {
    package static func text(
        of comparisons: [Prediction.Comparison],
        _ prediction: Prediction,
        gateway: String,
        _ date: String
    ) -> String {
        var lines = [
            "\(gateway), \(date); costs \(prediction.table.name) (\(prediction.table.provenance.kind.rawValue), "
                + "\(prediction.table.fingerprint)), \(prediction.cores) core" + (prediction.cores == 1 ? "" : "s")
        ]
        var rows = [["", "offered/s", "clients", "", "predicted", "measured", "off by"]]
        for comparison in comparisons {
            let name = [comparison.name, String(comparison.offeredPerSecond), String(comparison.clients)]
            let kinds: [(String, (Prediction.Outcome) -> Double, Int)] =
                comparison.name == "saturated"
                ? [("set-ups/s", { $0.setUpsPerSecond }, 0)]
                : [
                    ("p50 ms", { Double($0.p50.nanoseconds) / 1e6 }, 2),
                    ("p99 ms", { Double($0.p99.nanoseconds) / 1e6 }, 2),
                ]
            for (place, kind) in kinds.enumerated() {
                let predicted = Spread(comparison.predicted.map(kind.1))
                let measured = Spread(comparison.measured.map(kind.1))
                let offset = measured.median > 0 ? (predicted.median / measured.median - 1) * 100 : 0
                rows.append(
                    (place == 0 ? name : ["", "", ""]) + [
                        kind.0, predicted.text(digits: kind.2), measured.text(digits: kind.2),
                        (offset < 0 ? "" : "+") + fixed(offset, 0) + " %",
                    ]
                )
            }
        }
        lines += TextColumns.lines(rows)
        lines += notes(comparisons, prediction)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func notes(_ comparisons: [Prediction.Comparison], _ prediction: Prediction) -> [String] {
        var notes = ["median of \(prediction.replications) runs, smallest and largest in brackets"]
        let range = prediction.table.validRange
        for comparison in comparisons {
            if !range.setUpsPerSecond.contains(comparison.offeredPerSecond)
                || comparison.clients > range.activeSAs.upperBound
            {
                notes.append(
                    "\(comparison.name): outside of what the table was fitted to "
                        + "(\(range.setUpsPerSecond.lowerBound) to \(range.setUpsPerSecond.upperBound) set-ups/s, "
                        + "up to \(range.activeSAs.upperBound) SAs)"
                )
            }
            for (kind, outcomes) in [("predicted", comparison.predicted), ("measured", comparison.measured)] {
                let failed = outcomes.map { comparison.clients - $0.established }.filter { $0 > 0 }
                if let most = failed.max() {
                    notes.append("\(comparison.name), \(kind): up to \(most) of \(comparison.clients) were not set up")
                }
                for doubt in Set(outcomes.compactMap(\.doubt)).sorted() {
                    notes.append("\(comparison.name), \(kind): the generator was late: \(doubt)")
                }
            }
        }
        return notes
    }

    private struct Spread {
        var values: [Double]

        init(_ values: [Double]) { self.values = values.sorted() }

        var median: Double { values.isEmpty ? 0 : values[values.count / 2] }

        func text(digits: Int) -> String {
            guard let first = values.first, let last = values.last else { return "" }
            return "\(fixed(median, digits)) (\(fixed(first, digits))..\(fixed(last, digits)))"
        }
    }
}

/// Rows as lines, the columns as wide as their widest cell.
private enum TextColumns {
    static func lines(_ rows: [[String]]) -> [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }
            return cells.joined(separator: "  ")
        }
    }
}

private func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

import Metrics
import Primitives

/// `summary.md`: the run on half a page, for the summary of a CI job.
package enum MarkdownSummary {
    package static func text(of result: RunResult) -> String {
        let record = result.record
        let total = record.measurements()
        let title = PrintableText.markdown("\(record.name): \(result.headline)")
        var lines = [
            "## \(result.verdict.emoji) \(title)",
            "",
            PrintableText.markdown(result.subtitle(withWallClock: false)),
            "",
            "| | offered | established | failed |",
            "| :-- | --: | --: | --: |",
        ]
        let exchanges: [(String, MetricName, MetricName, MetricName)] = [
            ("handshake", .handshakeOffered, .handshakeEstablished, .handshakeFailed),
            ("child.rekey", .childRekeyOffered, .childRekeyEstablished, .childRekeyFailed),
            ("ike.rekey", .ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed),
            (
                "reauthentication", .reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed
            ),
        ]
        for (name, offered, done, failed) in exchanges where total.shows(offered) {
            let counts = [offered, done, failed].map { Humane.count(total.counter($0).total) }
            lines.append("| `\(name)` | \(counts.joined(separator: " | ")) |")
        }
        if total.shows(.trafficOffered) {
            let packets: [MetricName] = [.trafficOffered, .trafficReceived, .trafficLost]
            let counts = packets.map { Humane.count(total.counter($0).total) }
            lines += ["", "| | offered | received | lost |", "| :-- | --: | --: | --: |"]
            lines.append("| `traffic` | \(counts.joined(separator: " | ")) |")
        }
        lines += flows(of: record)
        lines += ["", "| | count | p50 | p90 | p99 | p99.9 | max |", "| :-- | --: | --: | --: | --: | --: | --: |"]
        for metric in MetricName.allCases where metric.kind == .latency && total.latency(metric).count > 0 {
            let latency = total.latency(metric)
            let numbers = [latency.p50, latency.p90, latency.p99, latency.p999, latency.maximum].map { Humane.time($0) }
            lines.append(
                "| `\(metric.rawValue)` | \(Humane.count(latency.count)) | \(numbers.joined(separator: " | ")) |"
            )
        }
        lines += reasons(of: total)
        lines += expectations(result.steadyState, titled: "Steady state")
        lines += expectations(result.thresholds, titled: "Threshold")
        if !result.recoveries.isEmpty { lines.append("") }
        for recovery in result.recoveries {
            lines.append(
                "- `recovery.time` after \(PrintableText.markdown(recovery.fault))"
                    + " (\(PrintableText.markdownCode(recovery.condition))): \(Humane.recovery(recovery.outcome))"
            )
        }
        if !record.warnings.isEmpty { lines.append("") }
        lines += record.warnings.map { "- ⚠ " + PrintableText.markdown($0) }
        lines += ["", "Repeat it: " + PrintableText.markdownCode(PrintableText.shell(record.command))]
        if let digest = record.digest { lines += ["", "Digest: " + PrintableText.markdownCode(digest)] }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func flows(of record: RunRecord) -> [String] {
        guard record.flows.count > 1 else { return [] }
        return [
            "", "| | offered | lost | | p50 | p99 | max | jitter p99 |",
            "| :-- | --: | --: | :-- | --: | --: | --: | --: |",
        ]
            + record.flows.map { flow in
                let row = FlowRow(flow, in: record)
                return "| \(PrintableText.markdownCode(flow.name)) | \(row.cells.joined(separator: " | ")) |"
            }
    }

    private static func reasons(of total: Measurements) -> [String] {
        let reasons = MetricName.allCases.filter(\.hasReasons).flatMap { metric in
            total.counter(metric).byReason.sorted { $0.count > $1.count }.map { (metric, $0) }
        }
        guard !reasons.isEmpty else { return [] }
        return ["", "| failed | reason | count |", "| :-- | :-- | --: |"]
            + reasons.map { metric, reason in
                "| `\(metric.rawValue)` | \(PrintableText.markdown(reason.name)) | \(Humane.count(reason.count)) |"
            }
    }

    private static func expectations(_ outcomes: [ExpectationOutcome], titled title: String) -> [String] {
        guard !outcomes.isEmpty else { return [] }
        return ["", "| \(title) | | measured |", "| :-- | :-: | --: |"]
            + outcomes.map { outcome in
                let mark = outcome.passed ? "✅" : "❌"
                let expectation = PrintableText.markdownCode(outcome.expectation)
                return
                    "| \(expectation) | \(mark) | \(Humane.measured(outcome.measured).replacing("<", with: "&lt;")) |"
            }
    }
}

extension Verdict {
    var emoji: String {
        switch self {
        case .passed: "✅"
        case .degraded, .interrupted: "⚠️"
        case .forced, .aborted, .invalid, .steadyStateFailed, .thresholdsFailed: "❌"
        }
    }
}

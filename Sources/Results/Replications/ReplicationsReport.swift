import Metrics
import Primitives

/// What replications come to: `replications.json`, `summary.md`, and the table at the end.
package enum ReplicationsReport {
    package static var schema: String { "ikestorm-replications-1" }
    package static var fileName: String { "replications.json" }

    package static func json(of replications: Replications) -> String {
        var metrics: [JSONValue.Member] = []
        for metric in MetricName.allCases {
            let figures = replications.figures.filter { $0.metric == metric }
            let isEmpty = metric.isOfFeature && !figures.contains { $0.values.contains { $0 > 0 } }
            guard !figures.isEmpty, !isEmpty else { continue }
            let value: JSONValue
            if metric.kind == .recovery {
                value = ["recoveries": .array(figures.map(recovery))]
            } else {
                value = .object(figures.map { .init(key: $0.field, value: .object(estimate($0))) })
            }
            metrics.append(.init(key: metric.rawValue, value: value))
        }
        let value: JSONValue = [
            "schema": .string(schema),
            "version": .string(replications.version),
            "name": .string(replications.name),
            "seed": .integer(replications.seed),
            "verdict": .string(replications.verdict.rawValue),
            "exitCode": .integer(replications.verdict.exitCode.rawValue),
            "runs": .array(replications.runs.map(run)),
            "metrics": .object(metrics),
        ]
        return value.text
    }

    private static func run(_ run: Replications.Run) -> JSONValue {
        [
            "seed": .integer(run.seed),
            "digest": run.digest.map(JSONValue.string) ?? .null,
            "verdict": .string(run.verdict.rawValue),
            "folder": .string(run.folder),
            "command": .strings(run.command),
        ]
    }

    private static func recovery(_ figure: Replications.Figure) -> JSONValue {
        let name: [JSONValue.Member] = [
            .init(key: "fault", value: .string(figure.recovery?.fault ?? "")),
            .init(key: "condition", value: .string(figure.recovery?.condition ?? "")),
        ]
        return .object(name + estimate(figure))
    }

    private static func estimate(_ figure: Replications.Figure) -> [JSONValue.Member] {
        let estimate = figure.estimate
        func member(_ key: String, _ value: Double?) -> JSONValue.Member {
            .init(key: key, value: value.map { number($0, of: figure.metric) } ?? .null)
        }
        return [
            member("mean", estimate?.mean),
            member("halfWidth", estimate?.halfWidth),
            member("min", estimate?.minimum),
            member("max", estimate?.maximum),
            .init(key: "count", value: .integer(estimate?.count ?? 0)),
        ]
    }

    /// In the metric's unit: whole nanoseconds, shares with nine decimals, counts with three.
    private static func number(_ value: Double, of metric: MetricName) -> JSONValue {
        switch metric.kind {
        case .latency, .recovery: .integer(UInt64(value.rounded()))
        case .ratio: .number(JSONValue.decimal(UInt64((value * 1e9).rounded()), digits: 9))
        case .counter: .number(JSONValue.decimal(UInt64((value * 1e3).rounded()), digits: 3))
        }
    }
}

extension ReplicationsReport {
    /// The table at the end, each line ended; `folder` is where the files of all runs are.
    package static func text(of replications: Replications, style: TextStyle = .plain, folder: String) -> String {
        var lines = [style.bold(PrintableText.line(replications.name)) + "  " + headline(of: replications, style)]
        lines.append(
            style.dim(
                "simulated · \(replications.runs.count) replications · seed \(replications.seed) and its successors"
            )
        )
        lines += ["", style.bold("Figures (mean and 95 % interval, least and most of a run)")]
        var figures = TextTable()
        figures.leftColumns = [0]
        for row in rows(of: replications) { figures.add(row) }
        lines += figures.lines + ["", style.bold("Replications")]
        var runs = TextTable()
        runs.leftColumns = [0, 1, 2, 3]
        for run in replications.runs {
            runs.add(run.folder, "seed \(run.seed)", run.verdict.rawValue, run.digest ?? "")
        }
        lines += runs.lines + [""]
        var end = TextTable()
        end.leftColumns = [0, 1]
        end.indentation = ""
        if let run = replications.runs.first(where: { $0.verdict != .passed }) ?? replications.runs.first {
            end.add("repeat", PrintableText.line(PrintableText.shell(run.command)))
        }
        end.add("files", PrintableText.line(folder))
        lines += end.lines
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same on half a page, for the summary of a CI job.
    package static func markdown(of replications: Replications) -> String {
        let title = PrintableText.markdown("\(replications.name): \(headline(of: replications, .plain))")
        var lines = ["## \(replications.verdict.emoji) \(title)", ""]
        lines += ["| | mean | ± 95 % | least | most |", "| :-- | --: | --: | --: | --: |"]
        lines += rows(of: replications).map { "| `\($0[0])` | \($0.dropFirst().joined(separator: " | ")) |" }
        lines += ["", "| run | seed | verdict | digest |", "| :-- | --: | :-- | :-- |"]
        lines += replications.runs.map { run in
            let digest = run.digest.map(PrintableText.markdownCode) ?? ""
            return "| \(PrintableText.markdown(run.folder)) | \(run.seed) | \(run.verdict.rawValue) | \(digest) |"
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func headline(of replications: Replications, _ style: TextStyle) -> String {
        let count = replications.runs.count
        let passed = replications.passedCount
        return passed == count
            ? style.good("PASSED in all of \(count) replications")
            : style.bad("FAILED in \(count - passed) of \(count) replications")
    }

    /// The figures that a reader looks for first, and only those that say something.
    private static func rows(of replications: Replications) -> [[String]] {
        let shown: Set<String> = ["total", "p50", "p99", "mean", "min", "time"]
        return replications.figures.compactMap { figure in
            guard shown.contains(figure.field), figure.metric != .generatorLag, let estimate = figure.estimate,
                estimate.maximum > 0, figure.metric.kind != .latency || figure.field.hasPrefix("p")
            else { return nil }
            func humane(_ value: Double) -> String { text(value, of: figure.metric) }
            var name = figure.metric.rawValue
            if let recovery = figure.recovery {
                name += " after \(recovery.fault) (\(recovery.condition))"
            } else if figure.field != "total" {
                name += " " + figure.field
            }
            return [
                PrintableText.line(name), humane(estimate.mean),
                estimate.halfWidth.map { "± " + humane($0) } ?? "", humane(estimate.minimum), humane(estimate.maximum),
            ]
        }
    }

    private static func text(_ value: Double, of metric: MetricName) -> String {
        switch metric.kind {
        case .latency, .recovery: Humane.time(UInt64(value.rounded()))
        case .ratio: Humane.share(Probability(partsPerBillion: UInt32((min(value, 1) * 1e9).rounded())))
        case .counter:
            value >= 100 || value == value.rounded()
                ? Humane.count(UInt64(value.rounded())) : Humane.factor(thousandths: UInt64((value * 1e3).rounded()))
        }
    }
}

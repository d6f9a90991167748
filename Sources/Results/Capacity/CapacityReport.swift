/// What a search for capacity comes to: `capacity.json`, `summary.md`, and the table at the end.
package enum CapacityReport {
    package static var schema: String { "ikestorm-capacity-1" }
    package static var fileName: String { "capacity.json" }

    package static func json(of result: CapacityResult) -> String {
        let (passes, fails) = result.answer.values
        let value: JSONValue = [
            "schema": .string(schema),
            "version": .string(result.version),
            "name": .string(result.name),
            "mode": .string(result.mode.rawValue),
            "seed": .integer(result.seed),
            "setting": .string(result.setting),
            "low": .string(result.low),
            "high": .string(result.high),
            "resolution": .share(result.resolution),
            "replications": .integer(result.replications),
            "command": .strings(result.command),
            "answer": .string(result.answer.word),
            "passes": passes.map(JSONValue.string) ?? .null,
            "fails": fails.map(JSONValue.string) ?? .null,
            "exitCode": .integer(result.exitCode.rawValue),
            "trials": .array(
                result.trials.map { trial in
                    [
                        "value": .string(trial.value),
                        "verdict": .string(trial.verdict.rawValue),
                        "reasons": .strings(trial.reasons),
                        "folders": .strings(trial.folders),
                    ]
                }
            ),
        ]
        return value.text
    }

    package static func text(of result: CapacityResult, style: TextStyle, folder: String) -> String {
        var table = TextTable()
        table.leftColumns = [0, 1, 2]
        for trial in result.trials.sorted(by: inOrder(of: result)) {
            table.add(trial.value, trial.verdict.rawValue, trial.reasons.first.map(PrintableText.line) ?? "")
        }
        var lines = [
            style.bold("\(PrintableText.line(result.name))  \(result.setting)"),
            "\(result.mode.rawValue) · seed \(result.seed) · from \(result.low) to \(result.high)",
            "", style.bold("Runs"),
        ]
        lines += table.lines
        lines += ["", "answer  " + sentence(of: result)]
        lines += ["repeat  " + PrintableText.shell(result.command), "files   " + PrintableText.line(folder)]
        return lines.map { $0 + "\n" }.joined()
    }

    package static func markdown(of result: CapacityResult) -> String {
        var lines = [
            "## \(PrintableText.markdown(result.name)): \(PrintableText.markdownCode(result.setting))", "",
            PrintableText.markdown(sentence(of: result)), "",
            "| value | verdict | |", "| --: | :-- | :-- |",
        ]
        for trial in result.trials.sorted(by: inOrder(of: result)) {
            let reason = trial.reasons.first.map(PrintableText.markdown) ?? ""
            lines.append("| \(trial.value) | \(trial.verdict.rawValue) | \(reason) |")
        }
        lines += ["", "Repeat it: " + PrintableText.markdownCode(PrintableText.shell(result.command))]
        return lines.map { $0 + "\n" }.joined()
    }

    /// The answer in words.
    package static func sentence(of result: CapacityResult) -> String {
        let setting = result.setting
        switch result.answer {
        case .between(let passes, let fails):
            let reason = result.trials.first { $0.value == fails }?.reasons.first.map { " (\($0))" } ?? ""
            return "with \(passes) it passes, with \(fails) it does not\(reason)"
        case .belowRange:
            return "it does not pass even with \(result.low); give --vary \(setting) a lower end that passes"
        case .aboveRange: return "it passes even with \(result.high); give --vary \(setting) a higher end"
        case .inconclusive(let passes, let late):
            let known = passes.map { "it passes with \($0), and " } ?? ""
            return known + "with \(late) the generator was late: what the gateway carries from there on is not known"
        case .aborted(let passes, let value):
            let known = passes.map { "it passes with \($0), and " } ?? ""
            return known + "with \(value) safety ended the run, and the search"
        case .interrupted: return "interrupted before there was one"
        }
    }

    /// The smallest value first.
    private static func inOrder(
        of result: CapacityResult
    ) -> (CapacityResult.Trial, CapacityResult.Trial) -> Bool {
        { number($0.value) < number($1.value) }
    }

    private static func number(_ value: String) -> Double {
        Double(value.prefix { $0.isNumber || $0 == "." }) ?? 0
    }
}

extension CapacityResult.Answer {
    fileprivate var word: String {
        switch self {
        case .between: "between"
        case .belowRange: "below-range"
        case .aboveRange: "above-range"
        case .inconclusive: "inconclusive"
        case .aborted: "aborted"
        case .interrupted: "interrupted"
        }
    }

    fileprivate var values: (passes: String?, fails: String?) {
        switch self {
        case .between(let passes, let fails): (passes, fails)
        case .inconclusive(let passes, _), .aborted(let passes, _): (passes, nil)
        case .belowRange, .aboveRange, .interrupted: (nil, nil)
        }
    }
}

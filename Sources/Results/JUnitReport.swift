import Metrics
import Primitives

/// `junit.xml`: a test case for the run itself, for each steady state and for each threshold, as CI servers read them.
package enum JUnitReport {
    package static func text(of result: RunResult) -> String {
        let cases = runCases(of: result) + expectationCases(of: result)
        let failures = cases.count { $0.problem?.element == "failure" }
        let errors = cases.count { $0.problem?.element == "error" }
        let counts = "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
        let time = "time=\"\(seconds(result.record.duration))\""
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuites name=\"ikestorm\" \(counts) \(time)>\n"
        text += "  <testsuite name=\"\(PrintableText.xml(result.record.name))\" \(counts) \(time)>\n"
        text += "    <properties>\n"
        for property in properties(of: result) {
            text += "      <property name=\"\(property.name)\" value=\"\(PrintableText.xml(property.value))\"/>\n"
        }
        text += "    </properties>\n"
        for test in cases { text += test.text(suite: result.record.name) }
        return text + "  </testsuite>\n</testsuites>\n"
    }

    private struct Case {
        var group: String
        var name: String
        var problem: (element: String, message: String)?

        func text(suite: String) -> String {
            let names = "classname=\"\(PrintableText.xml(suite)).\(group)\" name=\"\(PrintableText.xml(name))\""
            guard let problem else { return "    <testcase \(names)/>\n" }
            let message = PrintableText.xml(problem.message)
            return "    <testcase \(names)>\n"
                + "      <\(problem.element) message=\"\(message)\">\(message)</\(problem.element)>\n"
                + "    </testcase>\n"
        }
    }

    /// A run that was cut short or that was late is an error: it says nothing of the gateway.
    private static func runCases(of result: RunResult) -> [Case] {
        let problem: (element: String, message: String)? =
            switch result.verdict {
            case .passed, .thresholdsFailed, .steadyStateFailed: nil
            case .forced, .aborted, .interrupted, .invalid, .degraded: ("error", result.headline)
            }
        return [Case(group: "run", name: "the run is complete and its figures hold", problem: problem)]
    }

    private static func expectationCases(of result: RunResult) -> [Case] {
        let groups = [("steady-state", result.steadyState), ("thresholds", result.thresholds)]
        return groups.flatMap { group, outcomes in
            outcomes.map { outcome in
                let message = "wanted \(outcome.expectation), measured \(Humane.measured(outcome.measured))"
                let problem = outcome.passed ? nil : (element: "failure", message: message)
                return Case(group: group, name: outcome.expectation, problem: problem)
            }
        }
    }

    private static func properties(of result: RunResult) -> [(name: String, value: String)] {
        let record = result.record
        return [
            ("version", record.version), ("mode", record.mode.rawValue), ("seed", String(record.seed)),
            ("digest", record.digest ?? ""), ("verdict", result.verdict.rawValue),
            ("command", PrintableText.shell(record.command)),
        ]
    }

    private static func seconds(_ duration: Duration) -> String {
        JSONValue.decimal(UInt64(max(0, duration.nanoseconds)), digits: 9)
    }
}

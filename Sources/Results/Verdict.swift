/// What a run comes to, in the order in which the first that applies wins.
///
/// A run that was cut short or whose generator was late is judged as that, whatever its thresholds say: its figures are
/// those of another load.
package enum Verdict: String, CaseIterable, Hashable, Sendable {
    case forced
    case aborted
    case interrupted
    /// The generator was too late for the figures to mean anything.
    case invalid
    /// The generator was late enough to show in the figures.
    case degraded
    case steadyStateFailed = "steady-state-failed"
    case thresholdsFailed = "thresholds-failed"
    case passed

    package init(of record: RunRecord, steadyState: [ExpectationOutcome], thresholds: [ExpectationOutcome]) {
        switch record.interruption {
        case .forced:
            self = .forced
            return
        case .drained:
            self = record.abort == nil ? .interrupted : .aborted
            return
        case .none: break
        }
        guard record.abort == nil else {
            self = .aborted
            return
        }
        switch record.generator {
        case .invalid: self = .invalid
        case .degraded: self = .degraded
        case .valid:
            if !steadyState.allSatisfy(\.passed) {
                self = .steadyStateFailed
            } else {
                self = thresholds.allSatisfy(\.passed) ? .passed : .thresholdsFailed
            }
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .forced: .forced
        case .aborted: .safetyAbort
        case .interrupted: .interrupted
        case .invalid, .degraded: .inconclusive
        case .steadyStateFailed: .steadyState
        case .thresholdsFailed: .threshold
        case .passed: .pass
        }
    }
}

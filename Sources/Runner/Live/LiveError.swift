package import Results

/// Why a live run did not start, or could not go on: a sentence for the user, and how the command ends.
package enum LiveError: Error, Hashable, Sendable {
    /// The workload or the command line names no target, or too many.
    case noTarget(String)
    /// Safety says no; nothing was sent.
    case notAllowed([String])
    /// The machine-wide allowance cannot be read, so that nobody knows what it allows.
    case unreadableAllowance(file: String, problem: String)
    /// No answer to the canary, or an error came back.
    case unreachable(target: String, problem: String)
    /// The canary's gateway is not the one that the workload names, or refused.
    case canaryFailed(target: String, problem: String)
    /// The system does not give what the run needs: sockets, addresses, threads.
    case system(String)
    /// A file of the run cannot be written.
    case cannotWrite(String)

    package var exitCode: ExitCode {
        switch self {
        case .noTarget: .usage
        case .notAllowed, .unreadableAllowance, .canaryFailed: .safetyAbort
        case .unreachable, .system: .unreachable
        case .cannotWrite: .cannotWrite
        }
    }
}

extension LiveError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noTarget(let problem): problem
        case .notAllowed(let problems):
            (["not allowed, and nothing was sent:"] + problems.map { "  - " + $0 }).joined(separator: "\n")
        case .unreadableAllowance(let file, let problem): "\(file) says what this machine may load: \(problem)"
        case .unreachable(let target, let problem): "\(target) cannot be reached: \(problem)"
        case .canaryFailed(let target, let problem):
            "the canary handshake with \(target) failed, and no load was offered: \(problem)"
        case .system(let problem), .cannotWrite(let problem): problem
        }
    }
}

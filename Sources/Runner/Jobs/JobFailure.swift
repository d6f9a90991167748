package import Results
import Workers
package import Workload

/// Why a command ended without its result, and with which exit code.
package struct JobFailure: Error, Hashable, Sendable {
    package var code: ExitCode
    /// Where, what is wrong, and what to do instead; several lines where there is more than one mistake.
    package var message: String

    package init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ errors: WorkloadErrors) {
        self.init(.badWorkload, errors.description)
    }

    /// Workers that cannot be started: the system gives no more threads or memory.
    init(starting error: any Error) {
        let reason =
            switch error as? WorkerError {
            case .cannotStartThread(_, let number)?: SystemError.text(number)
            default: "\(error)"
            }
        self.init(.ownMistake, "error: the workers cannot be started: \(reason); try --workers 1")
    }

    /// A file that cannot be written.
    package init(writing error: ResultError) {
        self.init(.cannotWrite, "error: \(error)")
    }

    /// A file of an earlier run that cannot be read.
    package init(reading error: ResultError) {
        self.init(.usage, "error: \(error)")
    }
}

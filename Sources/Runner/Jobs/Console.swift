import Foundation
package import Results

/// Where a command writes: results to standard output, everything else to standard error.
package struct Console {
    package var output: (String) -> Void
    package var errors: (String) -> Void
    package var outputStyle: TextStyle
    /// What shows the progress.
    package var terminal: LiveView.Terminal

    package init(
        output: @escaping (String) -> Void,
        errors: @escaping (String) -> Void,
        outputStyle: TextStyle = .plain,
        terminal: LiveView.Terminal = .none
    ) {
        self.output = output
        self.errors = errors
        self.outputStyle = outputStyle
        self.terminal = terminal
    }

    /// The process's own; nobody is told when a pipe's reader has gone, since nobody is there to be told.
    ///
    /// A closed pipe does not end the process either: a live run has to delete its IKE SAs first. A result that does
    /// not fit on a full disk does end it, as a file that cannot be written: nobody may take it for whole.
    package static func standard() -> Console {
        signal(SIGPIPE, SIG_IGN)
        return Console(
            output: { text in
                guard let problem = write(text, to: STDOUT_FILENO), problem != EPIPE else { return }
                let words = "error: standard output cannot be written: \(SystemError.text(problem))\n"
                try? FileHandle.standardError.write(contentsOf: Data(words.utf8))
                exit(ExitCode.cannotWrite.rawValue)
            },
            errors: { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) },
            outputStyle: TextStyle(
                isTerminal: isatty(STDOUT_FILENO) == 1,
                environment: ProcessInfo.processInfo.environment
            ),
            terminal: LiveView.Terminal(descriptor: STDERR_FILENO)
        )
    }

    /// Gives the system's error number where not every octet could be written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}

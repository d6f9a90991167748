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
    package static func standard() -> Console {
        Console(
            output: { try? FileHandle.standardOutput.write(contentsOf: Data($0.utf8)) },
            errors: { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) },
            outputStyle: TextStyle(
                isTerminal: isatty(STDOUT_FILENO) == 1,
                environment: ProcessInfo.processInfo.environment
            ),
            terminal: LiveView.Terminal(descriptor: STDERR_FILENO)
        )
    }
}

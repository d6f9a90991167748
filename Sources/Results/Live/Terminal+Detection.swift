import Foundation

extension LiveView.Terminal {
    /// What is behind a file descriptor, 2 for standard error.
    package init(descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
        let isTerminal = isatty(descriptor) == 1
        var size = winsize()
        let isKnown = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        self.init(
            canRedraw: isTerminal && environment["TERM"] != "dumb",
            columns: isKnown ? Int(size.ws_col) : 80,
            style: TextStyle(isTerminal: isTerminal, environment: environment)
        )
    }
}

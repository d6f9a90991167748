package import Foundation
import Synchronization

/// A program that a test runs beside itself.
///
/// Not Foundation's `Process`: that takes a program for running until every daemon it left behind has ended too.
package final class Command: Sendable {
    /// How a program ended, and what it said.
    package struct Outcome: Sendable {
        /// The exit status, or 128 and the number of the signal that ended it.
        package let status: Int32
        package let output: String
        package let errors: String
    }

    /// Why there is no outcome, or not the one asked for.
    package enum Failure: Error, CustomStringConvertible {
        case didNotStart([String], errno: Int32)
        case tookTooLong([String], seconds: Double, Outcome)
        case failed([String], Outcome)

        package var description: String {
            switch self {
            case .didNotStart(let arguments, let number):
                "\(arguments.joined(separator: " ")) did not start: errno \(number)"
            case .tookTooLong(let arguments, let seconds, let outcome):
                "\(arguments.joined(separator: " ")) ran for more than \(seconds) s\n\(outcome.output)\(outcome.errors)"
            case .failed(let arguments, let outcome):
                "\(arguments.joined(separator: " ")) ended with \(outcome.status)\n\(outcome.output)\(outcome.errors)"
            }
        }
    }

    private let arguments: [String]
    private let files: URL
    package let processID: pid_t
    /// The exit status once the program has ended and been waited for; from then on its number may be another's.
    private let status = Mutex<Int32?>(nil)

    /// Starts a program, named by a path or by what PATH finds; `environment` is added to the test's own.
    ///
    /// What it prints goes to files: a pipe that nobody reads would stop it.
    package init(_ arguments: [String], environment: [String: String] = [:], directory: URL? = nil) throws {
        self.arguments = arguments
        files = FileManager.default.temporaryDirectory.appending(path: "ikestorm-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let write = O_WRONLY | O_CREAT | O_TRUNC
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, files.appending(path: "output").path, write, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, files.appending(path: "errors").path, write, 0o600)

        let words = (directory.map { ["env", "--chdir=\($0.path)"] } ?? []) + arguments
        // A test that was started in the background has SIGINT ignored, and would hand that on.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGQUIT] { unsafe sigaddset(&signals, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var wordPointers = unsafe words.map { unsafe strdup($0) } + [nil]
        var variablePointers = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer { while let pointer = unsafe wordPointers.popLast() { unsafe free(pointer) } }
        defer { while let pointer = unsafe variablePointers.popLast() { unsafe free(pointer) } }
        var processID: pid_t = 0
        let failure = unsafe posix_spawnp(&processID, words[0], &actions, &attributes, &wordPointers, &variablePointers)
        guard failure == 0 else { throw Failure.didNotStart(arguments, errno: failure) }
        self.processID = processID
    }

    deinit {
        signal(SIGKILL)
        while poll() == nil { usleep(1_000) }
        try? FileManager.default.removeItem(at: files)
    }

    /// What the program has printed so far.
    package var output: String { text("output") }
    /// What the program has complained of so far.
    package var errors: String { text("errors") }
    /// Whether the program still runs.
    package var isRunning: Bool { poll() == nil }

    /// Asks the program to stop, as Ctrl-C does.
    package func interrupt() { signal(SIGINT) }
    /// Ends the program as a crash would: it gets no chance to tidy up.
    package func kill() { signal(SIGKILL) }

    /// Waits for the end of a program, and ends it when it takes longer.
    package func wait(atMost seconds: Double) throws -> Outcome {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let status = poll() { return outcome(status) }
            guard ContinuousClock.now < deadline else {
                kill()
                throw Failure.tookTooLong(arguments, seconds: seconds, outcome(128 + SIGKILL))
            }
            usleep(2_000)
        }
    }

    /// Runs a program to its end, whatever its status.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: URL? = nil,
        atMost seconds: Double = 60
    ) throws -> Outcome {
        try Command(arguments, environment: environment, directory: directory).wait(atMost: seconds)
    }

    /// Runs a program that has to succeed, and returns what it printed.
    package static func output(
        of arguments: [String],
        environment: [String: String] = [:],
        atMost seconds: Double = 60
    ) throws -> String {
        let outcome = try run(arguments, environment: environment, atMost: seconds)
        guard outcome.status == 0 else { throw Failure.failed(arguments, outcome) }
        return outcome.output
    }

    private func poll() -> Int32? {
        status.withLock { status in
            if status == nil {
                var word: Int32 = 0
                guard unsafe waitpid(processID, &word, WNOHANG) == processID else { return nil }
                status = word & 0x7F == 0 ? (word >> 8) & 0xFF : 128 + (word & 0x7F)
            }
            return status
        }
    }

    package func signal(_ number: Int32) {
        status.withLock { if $0 == nil { _ = Foundation.kill(processID, number) } }
    }

    private func outcome(_ status: Int32) -> Outcome {
        Outcome(status: status, output: text("output"), errors: text("errors"))
    }

    private func text(_ name: String) -> String {
        let contents = try? Data(contentsOf: files.appending(path: name))
        return String(decoding: contents ?? Data(), as: UTF8.self)
    }
}

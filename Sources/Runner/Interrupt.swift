import Dispatch
import Foundation
import Synchronization

/// Asks a run to end before its time.
package final class Interrupt: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    /// Asks for the run's end, as each Ctrl-C does.
    package func request() { count.wrappingAdd(1, ordering: .relaxed) }

    package var requestCount: Int { count.load(ordering: .relaxed) }
}

/// Ctrl-C, SIGTERM and the end of the terminal, which end no process while this is there, but do what it was made for.
package struct InterruptSignals {
    private let sources: [any DispatchSourceSignal]
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]

    /// Dispatch takes a signal over with its first source, and not again: what is said of the signal later undoes that.
    private static let areTakenOver: Void = {
        for number in numbers { signal(number, SIG_IGN) }
    }()

    /// - Parameter handle: called for each signal, on another thread.
    package init(_ handle: @escaping @Sendable () -> Void) {
        _ = Self.areTakenOver
        sources = Self.numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handle() }
            source.resume()
            return source
        }
    }

    package func end() {
        for source in sources { source.cancel() }
    }
}

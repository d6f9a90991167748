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

/// Ctrl-C and SIGTERM, which end no process while this is there, but do what it was made for.
struct InterruptSignals {
    private let sources: [any DispatchSourceSignal]

    /// - Parameter handle: called for each signal, on another thread.
    init(_ handle: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handle() }
            source.resume()
            return source
        }
    }

    func end() {
        for source in sources { source.cancel() }
    }
}

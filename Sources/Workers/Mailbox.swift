import Synchronization

/// Letters from many threads to one, which takes all that have come at once.
///
/// It is for what comes a few times a second, such as progress; messages of a simulation travel in outboxes.
package final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])

    package init() {}

    package func post(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
    }

    /// Everything that was posted since the last time, each sender's letters in their order.
    package func takeAll() -> [Letter] {
        letters.withLock { letters in
            let taken = letters
            letters.removeAll()
            return taken
        }
    }
}

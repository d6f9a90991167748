import ArgumentParser
import Primitives
import Synchronization

/// What the commands that answer others have in common.
enum ServiceOptions {
    /// The address behind `--address`.
    static func address(_ text: String, such example: String) throws -> IPAddress {
        guard let address = IPAddress(text) else {
            throw ValidationError("--address: \(text) is not an IP address; write one such as \(example)")
        }
        return address
    }

    /// The prefixes behind `--allow`.
    static func prefixes(_ texts: [String]) throws -> [IPPrefix] {
        try texts.map { text in
            guard let prefix = IPPrefix(text) else {
                throw ValidationError("--allow: \(text) is not a prefix; write one such as 10.99.0.0/16")
            }
            return prefix
        }
    }
}

/// Set from a signal or a timer, read by the loop.
final class StopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

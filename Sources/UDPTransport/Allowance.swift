package import Primitives

/// Where a socket may send: its owner's word, and the last one, whatever a workload, a peer or a bug asks for.
package struct Allowance: Sendable {
    /// In the order in which they are tried.
    private let prefixes: [IPPrefix]

    package init(_ prefixes: [IPPrefix]) {
        self.prefixes = prefixes
    }

    /// Nowhere.
    package static var nothing: Allowance { Allowance([]) }

    /// This machine, and nothing beyond it.
    package static var loopback: Allowance {
        Allowance([
            IPPrefix(address: IPAddress(v4: 0x7F00_0000), length: 8),
            IPPrefix(address: IPAddress(high: 0, low: 1), length: 128),
        ])
    }

    /// Everywhere: for a responder, which answers whoever asks.
    package static var anywhere: Allowance {
        Allowance([
            IPPrefix(address: IPAddress(v4: 0), length: 0),
            IPPrefix(address: .unspecified, length: 0),
        ])
    }

    package func permits(_ address: IPAddress) -> Bool {
        for prefix in prefixes where prefix.contains(address) { return true }
        return false
    }
}

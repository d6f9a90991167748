package import Primitives

/// How far the parts of a run may advance without hearing from each other: the smallest of all declared minima.
package struct Lookahead: Hashable, Sendable {
    /// The length of a window; never zero.
    package private(set) var window: Duration
    /// Who declared the smallest minimum, for the message of whoever wonders why windows are short.
    package private(set) var decidedBy: String

    /// Starts with what any message between a shard and a front desk takes, exactly.
    package init(gatewayLatency: Duration) {
        precondition(gatewayLatency > .zero, "a message to a front desk takes time")
        window = gatewayLatency
        decidedBy = "gateway.internal-latency"
    }

    /// Declares the minimum of a path, a fault or a network that the run can reach.
    package mutating func declare(_ minimum: Duration, by name: String) {
        precondition(minimum > .zero, "every delay between parts has a minimum above zero")
        guard minimum < window else { return }
        window = minimum
        decidedBy = name
    }
}

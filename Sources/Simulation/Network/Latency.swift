package import Primitives

/// How long a link delays a packet: a part that each client draws once, and a part that each packet draws.
package struct Latency: Hashable, Sendable {
    package var perClient: DurationDistribution
    package var perPacket: DurationDistribution?
    /// Whether no packet overtakes an earlier one of the same flow.
    package var keepsOrder: Bool

    package init(perClient: DurationDistribution, perPacket: DurationDistribution? = nil, keepsOrder: Bool = true) {
        self.perClient = perClient
        self.perPacket = perPacket
        self.keepsOrder = keepsOrder
    }

    /// What every packet takes at least: the link's part in the lookahead.
    package var minimum: Duration { perClient.minimum + (perPacket?.minimum ?? .zero) }
}

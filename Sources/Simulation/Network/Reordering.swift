package import Primitives

/// Holds back a share of the packets by an extra delay, so that later ones overtake them.
package struct Reordering: Hashable, Sendable, BitwiseCopyable {
    package var share: Probability
    package var extraDelay: Duration

    package init(share: Probability, extraDelay: Duration) {
        precondition(extraDelay >= .zero, "a packet is held back, not sent ahead")
        self.share = share
        self.extraDelay = extraDelay
    }
}

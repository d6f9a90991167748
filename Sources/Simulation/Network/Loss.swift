package import Primitives

/// Which packets a link loses.
package enum Loss: Hashable, Sendable, BitwiseCopyable {
    case none
    /// Each packet by itself (Bernoulli).
    case random(Probability)
    /// Two states, which change before each packet, with a loss in each (Gilbert 1960, Elliott 1963).
    case gilbertElliott(toBad: Probability, toGood: Probability, inGood: Probability, inBad: Probability)

    /// The share of packets that is lost in the long run.
    package var average: Probability {
        switch self {
        case .none: return .zero
        case .random(let probability): return probability
        case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
            let changes = UInt64(toBad.partsPerBillion) + UInt64(toGood.partsPerBillion)
            guard changes > 0 else { return inGood }
            let bad = UInt64(toBad.partsPerBillion) * UInt64(inBad.partsPerBillion)
            let good = UInt64(toGood.partsPerBillion) * UInt64(inGood.partsPerBillion)
            return Probability(partsPerBillion: UInt32((bad + good) / changes))
        }
    }
}

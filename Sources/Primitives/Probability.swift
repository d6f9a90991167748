/// A probability in whole parts of a billion, so that a draw compares integers and gives one answer on every machine.
public struct Probability: Comparable, Hashable, Sendable, BitwiseCopyable {
    public let partsPerBillion: UInt32

    @inlinable
    public init(partsPerBillion: UInt32) {
        precondition(partsPerBillion <= 1_000_000_000, "a probability is at most 1")
        self.partsPerBillion = partsPerBillion
    }

    @inlinable public static var zero: Probability { Probability(partsPerBillion: 0) }

    @inlinable public static var one: Probability { Probability(partsPerBillion: 1_000_000_000) }

    @inlinable
    public static func percent(_ value: UInt32) -> Probability { Probability(partsPerBillion: value * 10_000_000) }

    @inlinable
    public static func < (left: Probability, right: Probability) -> Bool {
        left.partsPerBillion < right.partsPerBillion
    }

    /// The probability that neither of two independent chances spares: 1 - (1 - a)(1 - b), rounded down.
    @inlinable
    public func or(_ other: Probability) -> Probability {
        let both = UInt64(partsPerBillion) * UInt64(other.partsPerBillion) / 1_000_000_000
        return Probability(partsPerBillion: UInt32(UInt64(partsPerBillion) + UInt64(other.partsPerBillion) - both))
    }
}

extension Probability: CustomStringConvertible {
    public var description: String {
        String(decimal: UInt64(partsPerBillion), unit: 10_000_000, digits: 7) + "%"
    }
}

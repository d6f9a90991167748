/// A length of time that is drawn: a delay, a service time, the gap to the next arrival.
///
/// One 64-bit draw gives one length, by the inverse of the distribution function, in integers.
public struct DurationDistribution: Hashable, Sendable {
    public enum Shape: Hashable, Sendable {
        case constant(Duration)
        /// Both ends included.
        case uniform(from: Duration, to: Duration)
        case normal(mean: Duration, deviation: Duration)
        /// The logarithm is normal around the median's, with this deviation in millionths.
        case lognormal(median: Duration, sigmaMillionths: Int64)
        case exponential(mean: Duration)
        /// Points of the distribution function in ascending order, the first at 0, the last at 1, straight between.
        case empirical([Quantile])
    }

    public struct Quantile: Hashable, Sendable {
        public var share: Probability
        public var value: Duration

        public init(share: Probability, value: Duration) {
            self.share = share
            self.value = value
        }
    }

    public let shape: Shape
    /// No draw is below this: a smaller one is raised to it.
    public let minimum: Duration
    /// No draw is above this: a larger one is lowered to it; never more than a day.
    public let maximum: Duration

    public init(_ shape: Shape, minimum: Duration = .zero, maximum: Duration? = nil) {
        let maximum = min(maximum ?? Self.longest, Self.longest)
        precondition(minimum >= .zero && minimum <= maximum, "a range of durations is in order and not negative")
        if case .empirical(let quantiles) = shape {
            precondition(
                quantiles.count >= 2 && quantiles.first?.share == .zero && quantiles.last?.share == .one
                    && zip(quantiles, quantiles.dropFirst()).allSatisfy { $0.share < $1.share && $0.value <= $1.value },
                "an empirical distribution has ascending points from 0 to 1"
            )
        }
        self.shape = shape
        self.maximum = maximum
        self.minimum = min(maximum, max(minimum, Self.leastOf(shape)))
    }

    public static func constant(_ duration: Duration) -> DurationDistribution {
        DurationDistribution(.constant(duration), minimum: duration, maximum: duration)
    }

    /// The length at a fraction of the distribution, `numerator` / 2^64.
    public func value(atFraction numerator: UInt64) -> Duration {
        let value =
            switch shape {
            case .constant(let duration): duration
            case .uniform(let from, let to):
                from + scaled(to - from + .nanoseconds(1), by: numerator)
            case .normal(let mean, let deviation):
                mean + multiply(deviation, byQ32: FixedPoint.normalQuantile(ofFraction: numerator))
            case .lognormal(let median, let sigmaMillionths):
                lognormal(median, sigmaMillionths, numerator)
            case .exponential(let mean):
                multiply(mean, byQ32: FixedPoint.negativeLogarithm(ofFraction: ~numerator))
            case .empirical(let quantiles):
                interpolate(quantiles, numerator)
            }
        return min(max(value, minimum), maximum)
    }

    /// Draws a length; exactly one draw.
    public func draw(from stream: inout RandomStream) -> Duration { value(atFraction: stream.next()) }

    /// More than any delay: what a draw is cut at, so that no sum of times overflows.
    public static var longest: Duration { .hours(24) }

    private static func leastOf(_ shape: Shape) -> Duration {
        switch shape {
        case .constant(let duration): duration
        case .uniform(let from, _): from
        case .normal, .lognormal, .exponential: .zero
        case .empirical(let quantiles): quantiles[0].value
        }
    }

    private func lognormal(_ median: Duration, _ sigmaMillionths: Int64, _ numerator: UInt64) -> Duration {
        let quantile = FixedPoint.normalQuantile(ofFraction: numerator)
        let exponent = Int64(Int128(quantile) * Int128(sigmaMillionths) / 1_000_000)
        let limit = Self.longest.nanoseconds
        return Duration(nanoseconds: FixedPoint.scale(median.nanoseconds, byExponentialOf: exponent, limit: limit))
    }

    private func interpolate(_ quantiles: [Quantile], _ numerator: UInt64) -> Duration {
        // The fraction in parts of a billion, and what is left of it in 64 bits.
        let (whole, rest) = numerator.multipliedFullWidth(by: 1_000_000_000)
        var low = 0
        var high = quantiles.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if UInt64(quantiles[middle].share.partsPerBillion) <= whole { low = middle } else { high = middle }
        }
        let start = UInt64(quantiles[low].share.partsPerBillion)
        let width = Int128(UInt64(quantiles[high].share.partsPerBillion) - start)
        let into = (Int128(whole - start) << 32) | Int128(rest >> 32)
        let rise = Int128((quantiles[high].value - quantiles[low].value).nanoseconds)
        return quantiles[low].value + Duration(nanoseconds: Int64((rise * into / width) >> 32))
    }

    private func scaled(_ duration: Duration, by numerator: UInt64) -> Duration {
        Duration(nanoseconds: Int64(UInt64(duration.nanoseconds).multipliedFullWidth(by: numerator).high))
    }

    private func multiply(_ duration: Duration, byQ32 factor: Int64) -> Duration {
        let product = (Int128(duration.nanoseconds) * Int128(factor)) >> 32
        let limit = Int128(Self.longest.nanoseconds)
        return Duration(nanoseconds: Int64(min(max(product, -limit), limit)))
    }
}

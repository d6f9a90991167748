package import Primitives

/// How far the median of a sample is from that of another, and between what it may lie.
///
/// The interval is the bootstrap's: both samples are drawn anew from themselves, again and again, and the middle part
/// of the differences is the interval. The draws come from a stream that the caller gives: equal samples have equal
/// intervals.
package struct MedianDifference: Hashable, Sendable {
    /// The second median minus the first.
    package let difference: Double
    package let lower: Double
    package let upper: Double

    /// - Parameters:
    ///   - confidence: The share of the differences that lie in the interval, between 0 and 1.
    ///   - resamples: How often the samples are drawn anew.
    package init(
        from first: [Double],
        to second: [Double],
        confidence: Double,
        resamples: Int,
        stream: RandomStream
    ) {
        precondition(!first.isEmpty && !second.isEmpty && resamples > 0, "there is something to draw from")
        var stream = stream
        difference = Self.median(of: second) - Self.median(of: first)
        // A place drawn in a sorted sample is the value: places are sorted in place of values.
        let (one, other) = (first.sorted(), second.sorted())
        var places = [Int](repeating: 0, count: max(one.count, other.count))
        func drawnMedian(_ sorted: [Double], _ places: inout [Int]) -> Double {
            for index in sorted.indices { places[index] = Int(stream.below(UInt64(sorted.count))) }
            places[..<sorted.count].sort()
            let middle = sorted.count / 2
            let upper = sorted[places[middle]]
            return sorted.count % 2 == 1 ? upper : (sorted[places[middle - 1]] + upper) / 2
        }
        var differences: [Double] = []
        differences.reserveCapacity(resamples)
        for _ in 0..<resamples {
            let base = drawnMedian(one, &places)
            differences.append(drawnMedian(other, &places) - base)
        }
        differences.sort()
        lower = Self.quantile((1 - confidence) / 2, of: differences)
        upper = Self.quantile((1 + confidence) / 2, of: differences)
    }

    /// The middle value, or the mean of the two in the middle.
    package static func median(of values: [Double]) -> Double { quantile(0.5, of: values.sorted()) }

    /// Between two values the quantile lies as far along as between their places.
    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
    }
}

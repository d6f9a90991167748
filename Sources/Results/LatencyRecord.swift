package import Metrics
import Primitives

/// A histogram's numbers in nanoseconds, and the histogram itself where the run folder has it.
package struct LatencyRecord: Hashable, Sendable {
    package internal(set) var count: UInt64 = 0
    package internal(set) var p50: UInt64 = 0
    package internal(set) var p90: UInt64 = 0
    package internal(set) var p99: UInt64 = 0
    package internal(set) var p999: UInt64 = 0
    package internal(set) var p9999: UInt64 = 0
    package internal(set) var maximum: UInt64 = 0
    package internal(set) var minimum: UInt64 = 0
    package internal(set) var mean: UInt64 = 0
    /// The histogram's buckets that hold something, in order.
    package private(set) var buckets: [Bucket] = []

    package struct Bucket: Hashable, Sendable {
        /// The largest value that falls into the bucket.
        package var highest: UInt64
        package var count: UInt64

        package init(highest: UInt64, count: UInt64) {
            self.highest = highest
            self.count = count
        }
    }

    /// The record of a histogram without samples.
    package init() {}

    /// Takes a histogram's buckets in rising order, and the exact extremes where they are known.
    ///
    /// The mean is nil where it was not kept, and then comes from the buckets.
    package init(buckets: [Bucket], minimum: UInt64? = nil, maximum: UInt64? = nil, mean: UInt64? = nil) {
        let buckets = buckets.filter { $0.count > 0 }
        guard let first = buckets.first, let last = buckets.last else { return }
        for (lower, upper) in zip(buckets, buckets.dropFirst()) {
            precondition(lower.highest < upper.highest, "a histogram's buckets are in rising order")
        }
        self.buckets = buckets
        count = buckets.reduce(0) { $0 + $1.count }
        self.minimum = minimum ?? first.highest
        self.maximum = maximum ?? last.highest
        self.mean = mean ?? Self.mean(of: buckets, count: count)
        p50 = percentile(partsPerTenThousand: 5_000)
        p90 = percentile(partsPerTenThousand: 9_000)
        p99 = percentile(partsPerTenThousand: 9_900)
        p999 = percentile(partsPerTenThousand: 9_990)
        p9999 = percentile(partsPerTenThousand: 9_999)
    }

    private static func mean(of buckets: [Bucket], count: UInt64) -> UInt64 {
        let sum = buckets.reduce(UInt128(0)) { $0 + UInt128($1.highest) * UInt128($1.count) }
        return UInt64(sum / UInt128(count))
    }

    /// The least value that this share of the samples does not exceed, in integers alone.
    private func percentile(partsPerTenThousand parts: UInt64) -> UInt64 {
        let rank = (UInt128(count) * UInt128(parts) + 9_999) / 10_000
        var seen: UInt128 = 0
        for bucket in buckets {
            seen += UInt128(bucket.count)
            if seen >= rank { return min(max(bucket.highest, minimum), maximum) }
        }
        return maximum
    }

    /// Completes a record that was read without its histogram.
    mutating func takeBuckets(of other: LatencyRecord) { buckets = other.buckets }

    /// The number that an expectation asks for; nil without samples.
    package func value(of aggregation: Expectation.Aggregation) -> UInt64? {
        if aggregation == .count { return count }
        guard count > 0 else { return nil }
        switch aggregation {
        case .p50: return p50
        case .p90: return p90
        case .p99: return p99
        case .p999: return p999
        case .p9999: return p9999
        case .max: return maximum
        case .min: return minimum
        case .mean: return mean
        case .value, .last, .count, .rate: return nil
        }
    }
}

extension LatencyRecord {
    /// The numbers by the names that `result.json` gives them, in its order.
    static var fields: [(name: String, path: WritableKeyPath<LatencyRecord, UInt64>)] {
        [
            ("count", \.count), ("p50", \.p50), ("p90", \.p90), ("p99", \.p99), ("p999", \.p999), ("p9999", \.p9999),
            ("max", \.maximum), ("min", \.minimum), ("mean", \.mean),
        ]
    }
}

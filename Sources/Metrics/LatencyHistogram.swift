private import Histogram
package import Primitives

/// How long something took, sample by sample: an HDR histogram from 1 ns to 1 h with three digits, and exact ends.
///
/// Two of them add up to what one would have counted, so it does not matter who counted which sample. It takes 270 KB:
/// one for each metric and population or flow, never one for each second.
package struct LatencyHistogram: Sendable {
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: Self.highest,
        numberOfSignificantValueDigits: .three
    )
    private var sum: UInt128 = 0
    private var exactMinimum = Duration(nanoseconds: .max)
    private var exactMaximum = Duration.zero

    package init() {}

    package var count: UInt64 { histogram.totalCount }

    /// Counts a sample, or so many of it; what took longer than an hour is counted as an hour, but keeps its place as
    /// the maximum.
    package mutating func record(_ latency: Duration, count: UInt64 = 1) {
        precondition(latency >= .zero, "nothing ends before it has begun")
        let isRecorded = histogram.record(min(UInt64(latency.nanoseconds), Self.highest), count: count)
        precondition(isRecorded, "an hour fits the histogram")
        sum += UInt128(latency.nanoseconds) * UInt128(count)
        exactMinimum = min(exactMinimum, latency)
        exactMaximum = max(exactMaximum, latency)
    }

    /// Counts samples of so many nanoseconds each.
    package mutating func record(nanoseconds values: [UInt64]) {
        var index = 0
        while index < values.count {
            let value = values[index]
            // What comes over an even path takes the same time again and again.
            var count: UInt64 = 1
            while index + Int(count) < values.count, values[index + Int(count)] == value { count += 1 }
            record(Duration(nanoseconds: Int64(value)), count: count)
            index += Int(count)
        }
    }

    /// Adds what another one counted.
    package mutating func merge(_ other: LatencyHistogram) {
        histogram.add(other.histogram)
        sum += other.sum
        exactMinimum = min(exactMinimum, other.exactMinimum)
        exactMaximum = max(exactMaximum, other.exactMaximum)
    }

    /// Nil without a sample: no number stands for none.
    package var minimum: Duration? { count == 0 ? nil : exactMinimum }

    package var maximum: Duration? { count == 0 ? nil : exactMaximum }

    package var mean: Duration? { count == 0 ? nil : Duration(nanoseconds: Int64(sum / UInt128(count))) }

    /// The least value that so many thousandths of a percent of the samples do not exceed, to three digits.
    package func percentile(thousandths: Int) -> Duration? {
        precondition((0...100_000).contains(thousandths), "a percentile is between 0 and 100")
        guard count > 0 else { return nil }
        if thousandths == 100_000 { return exactMaximum }
        let value = histogram.valueAtPercentile(Double(thousandths) / 1_000)
        return min(max(Duration(nanoseconds: Int64(value)), exactMinimum), exactMaximum)
    }

    /// One number of the histogram as an expectation names it; nil where there is no sample, or no such number.
    package func value(of aggregation: Expectation.Aggregation) -> Duration? {
        switch aggregation {
        case .min: minimum
        case .max: maximum
        case .mean: mean
        case .p50: percentile(thousandths: 50_000)
        case .p90: percentile(thousandths: 90_000)
        case .p99: percentile(thousandths: 99_000)
        case .p999: percentile(thousandths: 99_900)
        case .p9999: percentile(thousandths: 99_990)
        case .value, .last, .count, .rate: nil
        }
    }

    /// A value's bucket: how many samples were at most `upTo` and above the bucket before.
    package struct Bucket: Hashable, Sendable {
        package let upTo: Duration
        package let count: UInt64
    }

    /// The buckets that have samples, in ascending order.
    package var buckets: [Bucket] {
        histogram.recordedValues().map {
            Bucket(upTo: Duration(nanoseconds: Int64($0.value)), count: $0.countAddedInThisIterationStep)
        }
    }

    private static var highest: UInt64 { 3_600_000_000_000 }
}

extension LatencyHistogram: Equatable {
    package static func == (left: LatencyHistogram, right: LatencyHistogram) -> Bool {
        left.count == right.count && left.sum == right.sum && left.minimum == right.minimum
            && left.maximum == right.maximum && left.histogram == right.histogram
    }
}

import Metrics
import Primitives

/// A part of a whole, as it was in one interval or in several together.
struct Share: Hashable {
    var part: UInt128
    var whole: UInt128

    init(part: UInt64, whole: UInt64) {
        self.part = UInt128(part)
        self.whole = UInt128(whole)
    }

    /// nil where there is no whole.
    var probability: Probability? { Probability(UInt64(part), outOf: UInt64(whole)) }

    static func += (left: inout Share, right: Share) {
        left.part += right.part
        left.whole += right.whole
    }

    static func -= (left: inout Share, right: Share) {
        left.part -= right.part
        left.whole -= right.whole
    }

    /// Compares exactly, by the products.
    static func isLess(_ left: Share, _ right: Share) -> Bool { left.part * right.whole < right.part * left.whole }
}

/// Shares by interval, from the first interval that lies wholly behind a moment.
struct SlidingShares {
    private let shares: ArraySlice<Share>
    private let interval: Duration

    init(_ shares: [Share], interval: Duration, from start: Instant) {
        let length = UInt64(interval.nanoseconds)
        let first = start.nanoseconds / length + (start.nanoseconds % length == 0 ? 0 : 1)
        self.shares = shares[min(shares.count, Int(clamping: first))...]
        self.interval = interval
    }

    /// One number for all intervals that have a whole.
    func value(of aggregation: Expectation.Aggregation) -> Probability? {
        let ratios = shares.compactMap(\.probability)
        switch aggregation {
        case .min: return ratios.min()
        case .max: return ratios.max()
        case .last: return ratios.last
        case .mean:
            let sum = ratios.reduce(UInt64(0)) { $0 + UInt64($1.partsPerBillion) }
            return ratios.isEmpty ? nil : Probability(partsPerBillion: UInt32(sum / UInt64(ratios.count)))
        default: return shares.reduce(into: Share(part: 0, whole: 0)) { $0 += $1 }.probability
        }
    }

    /// The stretch of this length that ended last, if it is whole and has a whole.
    func latest(of length: Duration) -> Windows {
        let rowCount = rowCount(of: length)
        guard shares.count >= rowCount else { return Windows(all: []) }
        let sum = shares.suffix(rowCount).reduce(into: Share(part: 0, whole: 0)) { $0 += $1 }
        let start = Instant.zero + interval * Int64(shares.endIndex - rowCount)
        return Windows(all: sum.whole > 0 ? [Window(start: start, share: sum)] : [])
    }

    private func rowCount(of length: Duration) -> Int {
        Int((length.nanoseconds - 1) / interval.nanoseconds) + 1
    }

    /// The share of every stretch of this length, rounded up to whole intervals, that has a whole.
    func windows(of length: Duration) -> Windows {
        let rowCount = rowCount(of: length)
        guard shares.count >= rowCount else { return Windows(all: []) }
        var all: [Window] = []
        var sum = Share(part: 0, whole: 0)
        for row in shares.indices {
            sum += shares[row]
            let first = row - rowCount + 1
            guard first >= shares.startIndex else { continue }
            if sum.whole > 0 { all.append(Window(start: .zero + interval * Int64(first), share: sum)) }
            sum -= shares[first]
        }
        return Windows(all: all)
    }

    struct Window {
        var start: Instant
        var share: Share
    }

    struct Windows {
        var all: [Window]

        var least: Window? { all.min { Share.isLess($0.share, $1.share) } }

        /// The first of the greatest.
        var greatest: Window? { all.max { Share.isLess($0.share, $1.share) } }

        /// The window that a comparison is hardest on: an expectation holds in every window or it does not hold.
        func worst(for comparison: Expectation.Comparison) -> Window? {
            switch comparison {
            case .below, .atMost: greatest
            case .above, .atLeast: least
            }
        }
    }
}

extension SeriesTable {
    /// A ratio's parts and wholes by interval; nil where the run kept no such columns.
    func shares(of metric: MetricName, population: String?) -> [Share]? {
        if metric == .tunnelsUp {
            guard let up = self[.gauge(.tunnelsUp), of: population],
                let wanted = self[.gauge(.tunnelsWanted), of: population]
            else { return nil }
            return zip(up, wanted).map { Share(part: $0 ?? 0, whole: $1 ?? 0) }
        }
        guard let established = self[.counter(.handshakeEstablished), of: population],
            let failed = self[.counter(.handshakeFailed), of: population]
        else { return nil }
        return zip(established, failed).map { Share(part: $0 ?? 0, whole: ($0 ?? 0) + ($1 ?? 0)) }
    }
}

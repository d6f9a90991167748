package import Primitives

/// When arrivals are due: an open loop, which does not wait for what it has started.
package enum ArrivalPattern: Hashable, Sendable {
    /// `count` arrivals in every `per`, evenly spaced.
    case constant(count: UInt64, per: Duration)
    /// A rate that changes in a straight line over a time, in arrivals per 1000 s, and then holds or ends.
    case ramp(fromPer1000s: UInt64, toPer1000s: UInt64, over: Duration, holds: Bool)
    /// Independent of one another, `count` in every `per` on average.
    case poisson(count: UInt64, per: Duration)
    /// All within a short time, evenly spaced.
    case spike(clients: Int, over: Duration)
}

/// Computes the instants of an arrival process, in integers, before the run.
package struct ArrivalSchedule: Sendable {
    private let pattern: ArrivalPattern
    private let start: Instant
    private let end: Instant
    /// Draws the gaps of a Poisson process: a time of this mean.
    private let exponential: @Sendable (Duration, inout RandomStream) -> Duration

    /// - Parameters:
    ///   - end: no arrival is due at or after it.
    ///   - exponential: draws from the exponential distribution of a mean.
    package init(
        _ pattern: ArrivalPattern,
        from start: Instant,
        to end: Instant,
        exponential: @escaping @Sendable (Duration, inout RandomStream) -> Duration
    ) {
        self.pattern = pattern
        self.start = start
        self.end = end
        self.exponential = exponential
    }

    /// The first `limit` arrivals, in order.
    package func instants(limit: Int, seed: UInt64, entity: UInt64) -> [Instant] {
        var instants: [Instant] = []
        switch pattern {
        case .constant(let count, let per):
            append(&instants, limit) { Self.evenly($0, count: count, per: per) }
        case .spike(let clients, let over):
            append(&instants, min(limit, clients)) { Self.evenly($0, count: UInt64(max(1, clients)), per: over) }
        case .ramp(let from, let to, let over, let holds):
            append(&instants, limit) { Self.ramped($0, from: from, to: to, over: over, holds: holds) }
        case .poisson(let count, let per):
            var stream = RandomStream(seed: seed, entity: entity, purpose: .arrival)
            let mean = Duration.nanoseconds(per.nanoseconds / Int64(max(1, count)))
            var elapsed = Duration.zero
            append(&instants, limit) { _ in
                elapsed += exponential(mean, &stream)
                return elapsed
            }
        }
        return instants
    }

    private func append(_ instants: inout [Instant], _ limit: Int, _ offset: (UInt64) -> Duration?) {
        var index: UInt64 = 0
        while instants.count < limit, let offset = offset(index) {
            let instant = start + offset
            guard instant < end else { return }
            instants.append(instant)
            index += 1
        }
    }

    private static func evenly(_ index: UInt64, count: UInt64, per: Duration) -> Duration? {
        guard count > 0 else { return nil }
        let product = index.multipliedFullWidth(by: UInt64(per.nanoseconds))
        guard product.high < count else { return nil }
        return .nanoseconds(Int64(clamping: count.dividingFullWidth(product).quotient))
    }

    /// When the number of arrivals so far, (from + (to - from) t / 2 over) t, reaches `index` + 1: found by halving,
    /// since square roots of libm differ between machines.
    private static func ramped(
        _ index: UInt64,
        from: UInt64,
        to: UInt64,
        over: Duration,
        holds: Bool
    ) -> Duration? {
        // Arrivals in units of 1 / (2 * over * 10^12), exact in 128 bits.
        let length = UInt128(over.nanoseconds)
        let wanted = (UInt128(index) + 1) * 2 * length * 1_000_000_000_000
        func reached(_ time: UInt128) -> UInt128 {
            let start = UInt128(from) * 2 * length * time
            let slope = to >= from ? UInt128(to - from) : UInt128(from - to)
            let bend = slope * time * time
            return to >= from ? start + bend : start - min(start, bend)
        }
        let inRamp = reached(length)
        if wanted <= inRamp {
            var (low, high): (UInt128, UInt128) = (0, length)
            while low < high {
                let middle = (low + high) / 2
                if reached(middle) >= wanted { high = middle } else { low = middle + 1 }
            }
            return .nanoseconds(Int64(low))
        }
        guard holds, to > 0 else { return nil }
        let rest = (wanted - inRamp + 2 * length * UInt128(to) - 1) / (2 * length * UInt128(to))
        guard rest < UInt128(Int64.max / 2) else { return nil }
        return over + .nanoseconds(Int64(rest))
    }
}

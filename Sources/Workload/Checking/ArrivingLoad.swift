import Primitives

/// What the arrivals bring to a gateway until the run ends, those that come back apart.
package struct ArrivingLoad {
    /// How many clients come.
    package private(set) var clients: Int128
    /// The most set-ups that are due within a second, rounded up; on average, for arrivals that draw.
    package private(set) var setUpsPerSecond: Int

    package init(at gateway: Int, of workload: Workload) {
        let groups = workload.populations.indices.filter { workload.populations[$0].gateway == gateway }
            .map { Group(population: $0, of: workload) }
        clients = groups.reduce(0) { $0 + $1.clients }
        // A sum of lines is highest at an end of one of them: there, or just before it.
        let moments = Set(groups.flatMap(\.moments)).filter { $0 >= .zero && $0 <= workload.run.duration }
        let most = moments.map { moment in groups.reduce(0) { $0 + $1.rate(at: moment) } }.max() ?? 0
        setUpsPerSecond = Int(clamping: (most + 999) / 1_000)
    }

    /// The arrivals of one population.
    private struct Group {
        let clients: Int128
        private let count: Int
        private let arrivals: [Workload.Arrival]
        /// How many clients traces bring, by the second of the run.
        private var traced: [Int64: Int128] = [:]
        /// When nobody comes any more: at the run's end, or when all of its clients are there and stay.
        private let end: Duration

        init(population: Int, of workload: Workload) {
            let count = workload.populations[population].count
            let arrivals = workload.arrivals.filter { $0.population == population }
            func brought(_ end: Duration) -> Int128 { arrivals.reduce(0) { $0 + $1.clients(until: end) } }
            var (from, to) = (Duration.zero, workload.run.duration)
            clients = min(Int128(count), brought(to))
            if brought(to) >= Int128(count), arrivals.allSatisfy({ $0.stay == nil }) {
                while to - from > .nanoseconds(1) {
                    let middle = from + (to - from) / 2
                    if brought(middle) < Int128(count) { from = middle } else { to = middle }
                }
            }
            (self.count, self.arrivals, end) = (count, arrivals, to)
            for arrival in arrivals {
                guard case .trace(let entries) = arrival.pattern else { continue }
                for entry in entries { traced[(arrival.start + entry.at).wholeSeconds, default: 0] += 1 }
            }
        }

        /// When its rate may be highest.
        var moments: [Duration] {
            let ends = [end] + arrivals.flatMap { arrival in arrival.turns.map { arrival.start + $0 } }
            return ends.flatMap { [$0 - .nanoseconds(1), $0] } + traced.keys.map { .seconds($0) }
        }

        /// Clients per second, in thousandths; within a second no more than there are.
        func rate(at time: Duration) -> Int128 {
            guard time < end else { return 0 }
            let rates = arrivals.map { $0.rate(at: time - $0.start) }
            return min(Int128(count) * 1_000, rates.reduce(traced[time.wholeSeconds, default: 0] * 1_000, +))
        }
    }
}

extension Workload.Arrival {
    /// How many clients it brings until a moment of the run; on average, for one that draws.
    func clients(until end: Duration) -> Int128 {
        let rest = end - start
        guard rest > .zero else { return 0 }
        switch pattern {
        case .constant(let rate, let lasting), .poisson(let rate, let lasting):
            return count(rate, for: min(rest, lasting ?? rest))
        case .ramp(let from, let to, let over, let holds):
            let part = min(rest, over)
            // The rate's line, cut where the run ends.
            let change =
                (count(to, for: part) - count(from, for: part)) * Int128(part.nanoseconds) / Int128(over.nanoseconds)
            let ramped = count(from, for: part) + change / 2
            return ramped + (holds && rest > over ? count(to, for: rest - over) : 0)
        case .spike(let clients, let over):
            return Int128(clients) * Int128(min(rest, over).nanoseconds) / Int128(over.nanoseconds)
        case .trace(let entries): return Int128(entries.count { $0.at < rest })
        }
    }

    private func count(_ rate: Workload.Rate, for duration: Duration) -> Int128 {
        // More than anybody has clients, and small enough to be multiplied by a time.
        min(1_000_000_000_000_000, Int128(rate.count) * Int128(duration.nanoseconds) / Int128(rate.per.nanoseconds))
    }

    /// When its rate turns, from its start on; not that of a trace.
    fileprivate var turns: [Duration] {
        switch pattern {
        case .constant(_, let lasting), .poisson(_, let lasting): [.zero] + (lasting.map { [$0] } ?? [])
        case .ramp(_, _, let over, _): [.zero, over]
        case .spike(_, let over): [.zero, max(over, .seconds(1))]
        case .trace: []
        }
    }

    /// Clients per second, in thousandths, so long after its start; not those of a trace.
    fileprivate func rate(at time: Duration) -> Int128 {
        guard time >= .zero else { return 0 }
        switch pattern {
        case .constant(let rate, let lasting), .poisson(let rate, let lasting):
            return lasting.map { time < $0 } ?? true ? Int128(rate.perSecondThousandths) : 0
        case .ramp(let from, let to, let over, let holds):
            guard time < over else { return holds ? Int128(to.perSecondThousandths) : 0 }
            let change = Int128(to.perSecondThousandths) - Int128(from.perSecondThousandths)
            return Int128(from.perSecondThousandths) + change * Int128(time.nanoseconds) / Int128(over.nanoseconds)
        case .spike(let clients, let over):
            let within = max(over, .seconds(1))
            return time < within ? Int128(clients) * 1_000_000_000_000 / Int128(within.nanoseconds) : 0
        case .trace: return 0
        }
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int64 { nanoseconds / 1_000_000_000 }
}

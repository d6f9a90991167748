package import Metrics
import Primitives

/// Holds a run against what the workload expects of it.
package struct Judge {
    private let record: RunRecord
    /// Whether an expectation's window is the last one alone, and not every one.
    private let onlyLatest: Bool

    package init(_ record: RunRecord) {
        self.init(record, onlyLatest: false)
    }

    private init(_ record: RunRecord, onlyLatest: Bool) {
        self.record = record
        self.onlyLatest = onlyLatest
    }

    /// Whether a condition is true of a run so far, as `abort-when` means it: in the window that ended last.
    ///
    /// The record's duration is how long the run has taken. What has no sample is not true.
    package static func isTrueNow(_ condition: Expectation, in record: RunRecord) -> Bool {
        Judge(record, onlyLatest: true).outcome(of: condition).passed
    }

    /// What an expectation came to: it passes when it was measured and its comparison holds.
    package func outcome(of expectation: Expectation) -> ExpectationOutcome {
        var window: Instant?
        let measured: ExpectationOutcome.Measured
        switch expectation.metric.kind {
        case .counter where expectation.window == nil: measured = total(expectation)
        case .counter: (measured, window) = rate(expectation)
        case .ratio: (measured, window) = ratio(expectation)
        case .latency: measured = latency(expectation)
        case .recovery: measured = recovery(expectation)
        }
        var passed = false
        if case .value(let value) = measured { passed = expectation.comparison.holds(value, expectation.limit) }
        return ExpectationOutcome(
            expectation: expectation.description,
            metric: expectation.metric,
            measured: measured,
            passed: passed,
            window: window
        )
    }
}

extension Judge {
    private func measurements(for expectation: Expectation) -> Measurements? {
        record.measurements(in: MeasurementScope(of: expectation))
    }

    private func total(_ expectation: Expectation) -> ExpectationOutcome.Measured {
        guard let measurements = measurements(for: expectation), measurements.hasOccasion(for: expectation.metric)
        else { return .noSamples }
        return .value(.count(measurements.counter(expectation.metric).total))
    }

    private func latency(_ expectation: Expectation) -> ExpectationOutcome.Measured {
        // In virtual time an event happens when it is due: there is nothing to measure.
        if expectation.metric == .generatorLag, record.mode == .simulated {
            return .value(expectation.aggregation == .count ? .count(0) : .time(.zero))
        }
        guard let latency = measurements(for: expectation)?.latency(expectation.metric), latency.count > 0,
            let value = latency.value(of: expectation.aggregation)
        else { return .noSamples }
        return .value(expectation.aggregation == .count ? .count(value) : .time(Duration(clamping: value)))
    }

    private func rate(_ expectation: Expectation) -> (ExpectationOutcome.Measured, Instant?) {
        // A last second that was cut short would look like a lull.
        let wholeRows = Int(record.duration.nanoseconds / record.series.interval.nanoseconds)
        guard let start = start(of: expectation), let counts = counts(of: expectation, rows: wholeRows) else {
            return (.noSamples, nil)
        }
        let shares = counts.prefix(wholeRows).map { Share(part: $0 ?? 0, whole: 1) }
        let sliding = SlidingShares(shares, interval: record.series.interval, from: start)
        let windows = windows(of: expectation.window ?? record.series.interval, in: sliding)
        guard let worst = windows.worst(for: expectation.comparison) else { return (.noSamples, nil) }
        let perInterval = worst.share.part * 1_000 / worst.share.whole
        let perSecond = perInterval * 1_000_000_000 / UInt128(record.series.interval.nanoseconds)
        return (.value(.rate(perSecondThousandths: UInt64(clamping: perSecond))), worst.start)
    }

    /// A counter second by second; the series leave out what never happened, though it could have.
    private func counts(of expectation: Expectation, rows: Int) -> [UInt64?]? {
        if let counts = record.series[.counter(expectation.metric), of: expectation.subject] { return counts }
        guard expectation.metric.isOfFeature,
            measurements(for: expectation)?.hasOccasion(for: expectation.metric) == true
        else { return nil }
        return [UInt64?](repeating: 0, count: rows)
    }

    private func ratio(_ expectation: Expectation) -> (ExpectationOutcome.Measured, Instant?) {
        guard let start = start(of: expectation) else { return (.noSamples, nil) }
        // The counters know it to the nanosecond, the series by the second.
        if expectation.metric == .handshakeSuccess, expectation.aggregation == .value, expectation.window == nil {
            let success = measurements(for: expectation)?.handshakeSuccess
            return (success.map { .value(.share($0)) } ?? .noSamples, nil)
        }
        guard let shares = record.series.shares(of: expectation.metric, population: expectation.population)
        else { return (.noSamples, nil) }
        let sliding = SlidingShares(shares, interval: record.series.interval, from: start)
        var window: Instant?
        let share: Probability?
        if let length = expectation.window {
            let windows = windows(of: length, in: sliding)
            let chosen =
                switch expectation.aggregation {
                case .min: windows.least
                case .max: windows.greatest
                default: windows.worst(for: expectation.comparison)
                }
            window = chosen?.start
            share = chosen?.share.probability
        } else {
            share = sliding.value(of: expectation.aggregation)
        }
        return (share.map { .value(.share($0)) } ?? .noSamples, window)
    }

    private func windows(of length: Duration, in shares: SlidingShares) -> SlidingShares.Windows {
        onlyLatest ? shares.latest(of: length) : shares.windows(of: length)
    }

    /// A ratio's numbers from the end of the warm-up.
    func ratio(_ metric: MetricName, population: String?) -> RatioRecord {
        var ratio = RatioRecord()
        if let shares = record.series.shares(of: metric, population: population) {
            let sliding = SlidingShares(shares, interval: record.series.interval, from: .zero + record.warmUp)
            ratio.value = sliding.value(of: .value)
            ratio.min = sliding.value(of: .min)
            ratio.max = sliding.value(of: .max)
            ratio.mean = sliding.value(of: .mean)
            ratio.last = sliding.value(of: .last)
        }
        if metric == .handshakeSuccess { ratio.value = record.measurements(of: population).handshakeSuccess }
        return ratio
    }

    /// From when on an expectation is measured; nil where its fault never was.
    private func start(of expectation: Expectation) -> Instant? {
        guard let after = expectation.after else { return .zero + record.warmUp }
        return record.fault(named: after).map { max($0.end, .zero + record.warmUp) }
    }
}

extension Judge {
    /// After which faults a condition held again: the workload's own conditions, or else 99 % of the tunnels.
    func recoveries(for expectations: [Expectation]) -> [Recovery] {
        var conditions: [Expectation.Condition] = []
        for case let condition? in expectations.map(\.recovered) where !conditions.contains(condition) {
            conditions.append(condition)
        }
        if conditions.isEmpty {
            conditions = [
                Expectation.Condition(metric: .tunnelsUp, population: nil, comparison: .above, limit: .percent(99))
            ]
        }
        return record.faults.flatMap { fault in
            conditions.map {
                Recovery(fault: fault.name, condition: $0.description, outcome: recovery(of: $0, after: fault))
            }
        }
    }

    /// The worst over the faults that the expectation speaks of.
    private func recovery(_ expectation: Expectation) -> ExpectationOutcome.Measured {
        guard let condition = expectation.recovered else { return .noSamples }
        let faults = record.faults.filter { expectation.after == nil || $0.name == expectation.after }
        var longest: Duration?
        for fault in faults {
            switch recovery(of: condition, after: fault) {
            case .after(let time): longest = max(longest ?? .zero, time)
            case .never: return .notRecovered
            case .noSamples: return .noSamples
            }
        }
        return longest.map { .value(.time($0)) } ?? .noSamples
    }

    /// A condition counts as recovered once it holds and is kept, until the next fault or the run's end.
    private func recovery(of condition: Expectation.Condition, after fault: RunRecord.Fault) -> Recovery.Outcome {
        let interval = UInt64(record.series.interval.nanoseconds)
        guard let shares = record.series.shares(of: condition.metric, population: condition.population) else {
            return .noSamples
        }
        let next = record.faults.map(\.start).filter { $0 > fault.start }.min() ?? .never
        let first = Int(clamping: fault.start.nanoseconds / interval)
        let end = min(shares.count, Int(clamping: next.nanoseconds / interval))
        guard first < end else { return .noSamples }
        var heldSince: Int?
        var wasBroken = false
        var sampleCount = 0
        for row in first..<end {
            guard let share = shares[row].probability else { continue }
            sampleCount += 1
            if condition.comparison.holds(share, condition.limit) {
                heldSince = heldSince ?? row
            } else {
                heldSince = nil
                wasBroken = true
            }
        }
        guard sampleCount > 0 else { return .noSamples }
        guard let heldSince else { return .never }
        guard wasBroken else { return .after(.zero) }
        let sampled = min(UInt64(heldSince + 1) * interval, UInt64(record.duration.nanoseconds))
        return .after(Instant(nanoseconds: sampled) - fault.start)
    }
}

extension Measurements {
    /// Whether a total says anything: no failures among no attempts are not a success.
    fileprivate func hasOccasion(for metric: MetricName) -> Bool {
        let occasions: [MetricName] =
            switch metric {
            case .childRekeyOffered, .childRekeyEstablished, .childRekeyFailed:
                [.childRekeyOffered, .childRekeyEstablished, .childRekeyFailed]
            case .ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed:
                [.ikeRekeyOffered, .ikeRekeyEstablished, .ikeRekeyFailed]
            case .reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed:
                [.reauthenticationOffered, .reauthenticationEstablished, .reauthenticationFailed]
            case .retransmissions:
                [.handshakeOffered, .handshakeEstablished, .childRekeyOffered, .ikeRekeyOffered, .retransmissions]
            case .mobikeMoves, .mobikeUpdates, .mobikeRestarts:
                [.mobikeMoves, .mobikeUpdates]
            case .trafficOffered, .trafficReceived, .trafficLost, .trafficReordered, .trafficDuplicated, .espDropped:
                [.trafficOffered]
            case .arrivalsSkipped, .clipped:
                [.handshakeOffered, .arrivalsSkipped, .clipped]
            default: [.handshakeOffered, .handshakeEstablished, .handshakeFailed]
            }
        return occasions.contains { counter($0).total > 0 }
    }
}

extension Duration {
    /// Nanoseconds as a histogram keeps them.
    init(clamping nanoseconds: UInt64) { self.init(nanoseconds: Int64(clamping: nanoseconds)) }
}

extension Expectation.Comparison {
    /// Whether the comparison holds between two values of one kind.
    fileprivate func holds(_ value: Expectation.Limit, _ limit: Expectation.Limit) -> Bool {
        switch (value, limit) {
        case (.time(let value), .time(let limit)): holds(value, limit)
        case (.share(let value), .share(let limit)): holds(value, limit)
        case (.count(let value), .count(let limit)): holds(value, limit)
        case (.rate(let value), .rate(let limit)): holds(value, limit)
        default: preconditionFailure("a limit has the unit of its metric")
        }
    }
}

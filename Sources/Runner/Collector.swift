import Load
import Metrics
import Primitives
import Results
import Workload

/// Gathers what shards or workers have counted into the measurements and series of a run's record.
///
/// Counts are sums and histograms merge exactly, so the grouping into shards and workers leaves no trace.
struct Collector {
    private let populations: [Subjects]
    private let flows: [Subjects]
    private let subjectCount: Int
    private var periods: [Period] = []
    private var scopes: [Scope] = []
    /// By subject and kind, one value per second.
    private var series: [[[Int64]]]
    /// By kind, over everybody and from the start.
    private var totals = [Int64](repeating: 0, count: ClientTally.Kind.allCases.count)
    private var secondLatencies: [[UInt32: [UInt64]]] =
        ClientTally.Latency.allCases.map { _ in [:] }

    /// The percentiles of the seconds that nothing can be added to any more.
    private var sealed: [[UInt32: [UInt64]]] = ClientTally.Latency.allCases.map { _ in [:] }

    /// Everybody's, for progress: what is shown every second is not added up every second.
    private(set) var handshakeLatency: LatencyHistogram?

    /// By kind and subject, samples of one second that have not been added yet.
    private var alike: [(second: UInt32, values: [UInt64])]

    /// What counts as a population's or a flow's.
    private struct Subjects {
        let name: String
        let members: [Int]
    }

    /// What a subject has counted since the start of a period: each sample is kept once, whatever it is part of.
    private struct Part {
        var totals = [Int64](repeating: 0, count: ClientTally.Kind.allCases.count)
        var failures: [[String: UInt64]] = ClientTally.Kind.allCases.map { _ in [:] }
        var latencies: [LatencyHistogram?] = ClientTally.Latency.allCases.map { _ in nil }

        mutating func record(_ values: [UInt64], of kind: Int) {
            if latencies[kind] == nil { latencies[kind] = LatencyHistogram() }
            latencies[kind]?.record(nanoseconds: values)
        }
    }

    private struct Period {
        let start: Instant
        /// By subject; nil where no scope asks for it.
        var parts: [Part?]

        func covers(second: UInt32) -> Bool { Instant.zero + .seconds(Int64(second)) >= start }
    }

    private struct Scope {
        let scope: MeasurementScope
        let period: Int
        let members: [Int]
    }

    init(_ workload: Workload) {
        let count = workload.subjectCount
        populations = workload.populations.enumerated().map { index, population in
            Subjects(name: population.name, members: workload.subjects(ofPopulation: index))
        }
        flows = workload.flows.map { Subjects(name: $0.name, members: workload.subjects(of: $0)) }
        subjectCount = count
        alike = Array(repeating: (0, []), count: count * ClientTally.Latency.allCases.count)
        series = (0..<count).map { _ in ClientTally.Kind.allCases.map { _ in [] } }
        let needed = MeasurementScope.needed(
            populations: populations.map(\.name),
            flows: flows.map(\.name),
            for: workload.steadyState + workload.thresholds + workload.safety.abortWhen
        )
        for scope in needed {
            let fault = scope.after.flatMap { name in workload.faults.first { $0.name == name } }
            // A scope begins with the second that holds its start.
            let start = max(fault.map(\.end) ?? .zero, workload.run.warmUp)
            add(scope, from: .zero + .seconds(start.nanoseconds / 1_000_000_000))
        }
    }

    private mutating func add(_ scope: MeasurementScope, from start: Instant) {
        let population = scope.population.flatMap { name in populations.first { $0.name == name } }
        let flow = scope.flow.flatMap { name in flows.first { $0.name == name } }
        let members = (flow ?? population)?.members ?? Array(0..<subjectCount)
        var period = periods.firstIndex { $0.start == start }
        if period == nil {
            period = periods.count
            periods.append(Period(start: start, parts: (0..<subjectCount).map { _ in nil }))
        }
        guard let period else { preconditionFailure("there is a period now") }
        for member in members where periods[period].parts[member] == nil { periods[period].parts[member] = Part() }
        scopes.append(Scope(scope: scope, period: period, members: members))
    }

    /// Takes what a shard has counted and leaves it empty.
    mutating func take(_ tally: inout ClientTally) {
        for mark in tally.marks {
            add(mark)
            for index in periods.indices where periods[index].covers(second: mark.second) {
                periods[index].parts[Int(mark.subject)]?.totals[Int(mark.kind.rawValue)] += Int64(mark.amount)
            }
        }
        for failure in tally.failures {
            for index in periods.indices where periods[index].covers(second: failure.second) {
                let (subject, kind) = (Int(failure.subject), Int(failure.kind.rawValue))
                periods[index].parts[subject]?.failures[kind][failure.reason, default: 0] += 1
            }
        }
        for sample in tally.samples {
            let place = Int(sample.kind.rawValue) * subjectCount + Int(sample.subject)
            if alike[place].second != sample.second { addAlike(place, beginning: sample.second) }
            alike[place].values.append(UInt64(sample.value.nanoseconds))
        }
        for place in alike.indices where !alike[place].values.isEmpty { addAlike(place, beginning: 0) }
        tally.removeAll()
    }

    private mutating func add(_ mark: ClientTally.Mark) {
        let (subject, kind) = (Int(mark.subject), Int(mark.kind.rawValue))
        while series[subject][kind].count <= Int(mark.second) { series[subject][kind].append(0) }
        series[subject][kind][Int(mark.second)] += Int64(mark.amount)
        totals[kind] += Int64(mark.amount)
    }

    /// Adds samples that are alike: what takes a look-up is done once for all of them. Those of another second follow.
    private mutating func addAlike(_ place: Int, beginning next: UInt32) {
        let (kind, subject) = (place / subjectCount, place % subjectCount)
        let second = alike[place].second
        if !alike[place].values.isEmpty {
            secondLatencies[kind][second, default: []].append(contentsOf: alike[place].values)
            for index in periods.indices where periods[index].covers(second: second) {
                periods[index].parts[subject]?.record(alike[place].values, of: kind)
            }
            if kind == Int(ClientTally.Latency.handshake.rawValue), periods[0].covers(second: second) {
                if handshakeLatency == nil { handshakeLatency = LatencyHistogram() }
                handshakeLatency?.record(nanoseconds: alike[place].values)
            }
        }
        alike[place].values.removeAll(keepingCapacity: true)
        alike[place].second = next
    }

    /// Keeps no more than the percentiles of the seconds before one: a long run in real time has many samples.
    mutating func seal(before second: UInt32) {
        for kind in secondLatencies.indices {
            for (earlier, values) in secondLatencies[kind] where earlier < second {
                sealed[kind][earlier] = sealed[kind][earlier] ?? Self.percentiles(of: values)
                secondLatencies[kind][earlier] = nil
            }
        }
    }

    /// In the order of `SeriesName.Percentile`.
    private static func percentiles(of values: [UInt64]) -> [UInt64] {
        let sorted = values.sorted()
        return SeriesName.Percentile.allCases.map { sorted[$0.index(of: sorted.count)] }
    }

    /// The whole run's total so far, warm-up included, for progress.
    func total(_ kind: ClientTally.Kind) -> Int64 { totals[Int(kind.rawValue)] }

    /// What the members of a scope have counted together.
    private func latency(_ kind: Int, of scope: Scope) -> LatencyHistogram? {
        var sum: LatencyHistogram?
        for member in scope.members {
            guard let own = periods[scope.period].parts[member]?.latencies[kind] else { continue }
            if sum == nil { sum = own } else { sum?.merge(own) }
        }
        return sum
    }

    /// What happened in one second, over all populations.
    func count(_ kind: ClientTally.Kind, inSecond second: Int) -> Int64 {
        series.reduce(0) { $0 + ($1[Int(kind.rawValue)].indices.contains(second) ? $1[Int(kind.rawValue)][second] : 0) }
    }
}

extension Collector {
    /// The measurements of every scope that the record needs, or of some of them with some latencies.
    func measurements(in wanted: [MeasurementScope]? = nil, of metrics: [MetricName]? = nil) -> [Measurements] {
        scopes.filter { wanted?.contains($0.scope) ?? true }.map { scope in
            let parts = scope.members.compactMap { periods[scope.period].parts[$0] }
            var measurements = Measurements(scope: scope.scope, start: periods[scope.period].start)
            for (metric, kind) in Self.counters {
                let reasons = parts.flatMap { $0.failures[Int(kind.rawValue)] }
                let total = parts.reduce(0) { $0 + $1.totals[Int(kind.rawValue)] }
                measurements.counters[metric] =
                    reasons.isEmpty
                    ? CounterRecord(total: UInt64(max(0, total)))
                    : CounterRecord(byReason: reasons.map { .init(name: $0.key, count: $0.value) })
            }
            for (metric, kind) in Self.latencies where metrics?.contains(metric) ?? true {
                guard let histogram = latency(Int(kind.rawValue), of: scope) else { continue }
                measurements.latencies[metric] = LatencyRecord(histogram)
            }
            return measurements
        }
    }

    private static let counters: [(MetricName, ClientTally.Kind)] = [
        (.handshakeOffered, .offered), (.handshakeEstablished, .established), (.handshakeFailed, .failed),
        (.childRekeyOffered, .childRekeyStarted), (.childRekeyEstablished, .childRekeyed),
        (.childRekeyFailed, .childRekeyFailed),
        (.ikeRekeyOffered, .ikeRekeyStarted), (.ikeRekeyEstablished, .ikeRekeyed), (.ikeRekeyFailed, .ikeRekeyFailed),
        (.reauthenticationOffered, .reauthenticationStarted), (.reauthenticationEstablished, .reauthenticated),
        (.reauthenticationFailed, .reauthenticationFailed), (.initialContactReplaced, .replaced),
        (.unknownIKESPI, .unknownToGateway),
        (.retransmissions, .retransmitted),
        (.tunnelsLost, .lost), (.arrivalsSkipped, .skipped), (.clipped, .clipped),
        (.mobikeMoves, .moved), (.mobikeUpdates, .addressesUpdated), (.mobikeRestarts, .begunAnew),
        (.natExhausted, .portsExhausted),
        (.trafficOffered, .packetOffered), (.trafficReceived, .packetReceived), (.trafficLost, .packetLost),
        (.unknownESPSPI, .childUnknown), (.trafficReordered, .packetReordered),
        (.trafficDuplicated, .packetDuplicated), (.espDropped, .espDropped),
    ]

    private static let latencies: [(MetricName, ClientTally.Latency)] = [
        (.handshakeLatency, .handshake), (.childRekeyLatency, .childRekey), (.ikeRekeyLatency, .ikeRekey),
        (.reauthenticationLatency, .reauthentication),
        (.generatorLag, .lag), (.mobikeLatency, .addressUpdate), (.trafficLatency, .packet),
        (.trafficRoundTrip, .roundTrip), (.trafficJitter, .jitter), (.trafficFirstPacket, .firstPacket),
        (.trafficClockError, .clockError),
        (.childRekeyOutage, .childRekeyOutage), (.childRekeyGap, .childRekeyGap),
        (.ikeRekeyOutage, .ikeRekeyOutage), (.ikeRekeyGap, .ikeRekeyGap),
        (.reauthenticationOutage, .reauthenticationOutage), (.reauthenticationGap, .reauthenticationGap),
        (.mobikeOutage, .moveOutage), (.mobikeGap, .moveGap),
        (.natOutage, .natOutage), (.natGap, .natGap),
        (.restartOutage, .restartOutage), (.restartGap, .restartGap),
    ]

    /// The series of the whole run, of each population and of each flow, one row per second.
    func seriesTable(duration: Duration) -> SeriesTable {
        let rows = Int((duration.nanoseconds + 999_999_999) / 1_000_000_000)
        var table = SeriesTable()
        let counters = Self.counters.filter { !$0.0.isOfFeature || totals[Int($0.1.rawValue)] > 0 }
        for (metric, kind) in counters {
            let values = sums(kind, of: Array(0..<subjectCount), rows: rows)
            table.columns.append(.init(name: .counter(metric), values: values))
        }
        appendGauges(to: &table, subject: nil, members: Array(populations.indices), rows: rows)
        for (metric, kind) in Self.latencies where hasSamples(kind) {
            appendLatency(metric, kind, to: &table, rows: rows)
        }
        for population in populations {
            appendCounters(counters, of: population, to: &table, rows: rows)
            appendGauges(to: &table, subject: population.name, members: [population.members[0]], rows: rows)
        }
        let ofFlows = counters.filter { $0.0.isPerFlow }
        // A column of a population's name is the population's.
        for flow in flows where !populations.contains(where: { $0.name == flow.name }) {
            appendCounters(ofFlows, of: flow, to: &table, rows: rows)
        }
        return table
    }

    /// Whether anything of a kind is behind the warm-up.
    private func hasSamples(_ kind: ClientTally.Latency) -> Bool {
        scopes[0].members.contains { periods[scopes[0].period].parts[$0]?.latencies[Int(kind.rawValue)] != nil }
    }

    private func appendCounters(
        _ counters: [(MetricName, ClientTally.Kind)],
        of subjects: Subjects,
        to table: inout SeriesTable,
        rows: Int
    ) {
        for (metric, kind) in counters {
            let values = sums(kind, of: subjects.members, rows: rows)
            table.columns.append(.init(name: .counter(metric), subject: subjects.name, values: values))
        }
    }

    private func sums(_ kind: ClientTally.Kind, of members: [Int], rows: Int) -> [UInt64?] {
        var sums = [Int64](repeating: 0, count: rows)
        for member in members {
            for (second, value) in series[member][Int(kind.rawValue)].prefix(rows).enumerated() {
                sums[second] += value
            }
        }
        return sums.map { UInt64(max(0, $0)) }
    }

    private func padded(_ values: [Int64], rows: Int) -> [Int64] {
        Array(values.prefix(rows)) + [Int64](repeating: 0, count: max(0, rows - values.count))
    }

    /// Tunnels up and wanted at the end of each second: what populations count themselves.
    private func appendGauges(to table: inout SeriesTable, subject: String?, members: [Int], rows: Int) {
        for (gauge, kind) in [(SeriesName.Gauge.tunnelsUp, ClientTally.Kind.up), (.tunnelsWanted, .wanted)] {
            var level: Int64 = 0
            var values: [UInt64?] = []
            let columns = members.map { padded(series[$0][Int(kind.rawValue)], rows: rows) }
            for second in 0..<rows {
                for column in columns { level += column[second] }
                values.append(UInt64(max(0, level)))
            }
            table.columns.append(.init(name: .gauge(gauge), subject: subject, values: values))
        }
    }

    private func appendLatency(
        _ metric: MetricName,
        _ kind: ClientTally.Latency,
        to table: inout SeriesTable,
        rows: Int
    ) {
        var columns: [SeriesName.Percentile: [UInt64?]] = [:]
        for second in 0..<UInt32(rows) {
            let own = secondLatencies[Int(kind.rawValue)][second].map { Self.percentiles(of: $0) }
            let values = sealed[Int(kind.rawValue)][second] ?? own
            for (place, percentile) in SeriesName.Percentile.allCases.enumerated() {
                columns[percentile, default: []].append(values?[place])
            }
        }
        for percentile in SeriesName.Percentile.allCases {
            table.columns.append(.init(name: .latency(metric, percentile), values: columns[percentile] ?? []))
        }
    }
}

extension SeriesName.Percentile {
    /// The place of the percentile among so many sorted values: the smallest that so many are not above.
    fileprivate func index(of count: Int) -> Int {
        switch self {
        case .p50: (count * 50 + 99) / 100 - 1
        case .p99: (count * 99 + 99) / 100 - 1
        case .max: count - 1
        }
    }
}

import Load
import Metrics
import Primitives
import Results
import Workload

/// Gathers what shards or workers have counted into the measurements and series of a run's record.
///
/// Counts are sums and histograms merge exactly, so the grouping into shards and workers leaves no trace.
struct Collector {
    private let populations: [String]
    private var scopes: [Scope]
    /// By population and kind, one value per second.
    private var series: [[[Int64]]]
    /// By kind, over everybody and from the start.
    private var totals = [Int64](repeating: 0, count: ClientTally.Kind.allCases.count)
    private var secondLatencies: [[UInt32: [UInt64]]] =
        ClientTally.Latency.allCases.map { _ in [:] }

    /// The percentiles of the seconds that nothing can be added to any more.
    private var sealed: [[UInt32: [UInt64]]] = ClientTally.Latency.allCases.map { _ in [:] }

    /// By kind and population, samples of one second that have not been added yet.
    private var alike: [(second: UInt32, values: [UInt64])]

    private struct Scope {
        let scope: MeasurementScope
        let population: UInt16?
        let start: Instant
        var totals = [Int64](repeating: 0, count: ClientTally.Kind.allCases.count)
        var failures: [[String: UInt64]] = ClientTally.Kind.allCases.map { _ in [:] }
        var latencies: [LatencyHistogram?] = ClientTally.Latency.allCases.map { _ in nil }

        func covers(second: UInt32, population other: UInt16) -> Bool {
            (population == nil || population == other) && Instant.zero + .seconds(Int64(second)) >= start
        }
    }

    init(_ workload: Workload) {
        let names = workload.populations.map(\.name)
        populations = names
        let needed = MeasurementScope.needed(
            populations: names,
            for: workload.steadyState + workload.thresholds + workload.safety.abortWhen
        )
        scopes = needed.map { scope in
            let fault = scope.after.flatMap { name in workload.faults.first { $0.name == name } }
            // A scope begins with the second that holds its start.
            let start = max(fault.map(\.end) ?? .zero, workload.run.warmUp)
            let second = start.nanoseconds / 1_000_000_000
            return Scope(
                scope: scope,
                population: scope.population.flatMap { names.firstIndex(of: $0) }.map { UInt16($0) },
                start: .zero + .seconds(second)
            )
        }
        alike = Array(repeating: (0, []), count: names.count * ClientTally.Latency.allCases.count)
        series = names.map { _ in ClientTally.Kind.allCases.map { _ in [] } }
    }

    /// Takes what a shard has counted and leaves it empty.
    mutating func take(_ tally: inout ClientTally) {
        for mark in tally.marks {
            add(mark)
            for index in scopes.indices where scopes[index].covers(second: mark.second, population: mark.population) {
                scopes[index].totals[Int(mark.kind.rawValue)] += Int64(mark.amount)
            }
        }
        for failure in tally.failures {
            for index in scopes.indices
            where scopes[index].covers(second: failure.second, population: failure.population) {
                scopes[index].failures[Int(failure.kind.rawValue)][failure.reason, default: 0] += 1
            }
        }
        for sample in tally.samples {
            let place = Int(sample.kind.rawValue) * populations.count + Int(sample.population)
            if alike[place].second != sample.second { addAlike(place, beginning: sample.second) }
            alike[place].values.append(UInt64(sample.value.nanoseconds))
        }
        for place in alike.indices where !alike[place].values.isEmpty { addAlike(place, beginning: 0) }
        tally.removeAll()
    }

    private mutating func add(_ mark: ClientTally.Mark) {
        let (population, kind) = (Int(mark.population), Int(mark.kind.rawValue))
        while series[population][kind].count <= Int(mark.second) { series[population][kind].append(0) }
        series[population][kind][Int(mark.second)] += Int64(mark.amount)
        totals[kind] += Int64(mark.amount)
    }

    /// Adds samples that are alike: what takes a look-up is done once for all of them. Those of another second follow.
    private mutating func addAlike(_ place: Int, beginning next: UInt32) {
        let (kind, population) = (place / populations.count, UInt16(place % populations.count))
        let second = alike[place].second
        if !alike[place].values.isEmpty {
            secondLatencies[kind][second, default: []].append(contentsOf: alike[place].values)
            for index in scopes.indices where scopes[index].covers(second: second, population: population) {
                if scopes[index].latencies[kind] == nil { scopes[index].latencies[kind] = LatencyHistogram() }
                scopes[index].latencies[kind]?.record(nanoseconds: alike[place].values)
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

    func latency(_ kind: ClientTally.Latency) -> LatencyHistogram? { scopes[0].latencies[Int(kind.rawValue)] }

    /// What happened in one second, over all populations.
    func count(_ kind: ClientTally.Kind, inSecond second: Int) -> Int64 {
        series.reduce(0) { $0 + ($1[Int(kind.rawValue)].indices.contains(second) ? $1[Int(kind.rawValue)][second] : 0) }
    }
}

extension Collector {
    /// The measurements of every scope that the record needs.
    func measurements() -> [Measurements] {
        scopes.map { scope in
            var measurements = Measurements(scope: scope.scope, start: scope.start)
            for (metric, kind) in Self.counters {
                let reasons = scope.failures[Int(kind.rawValue)]
                measurements.counters[metric] =
                    reasons.isEmpty
                    ? CounterRecord(total: UInt64(max(0, scope.totals[Int(kind.rawValue)])))
                    : CounterRecord(byReason: reasons.map { .init(name: $0.key, count: $0.value) })
            }
            for (metric, kind) in Self.latencies {
                guard let histogram = scope.latencies[Int(kind.rawValue)] else { continue }
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

    /// The series of the whole run and of each population, one row per second.
    func seriesTable(duration: Duration) -> SeriesTable {
        let rows = Int((duration.nanoseconds + 999_999_999) / 1_000_000_000)
        var table = SeriesTable()
        let counters = Self.counters.filter { !$0.0.isOfFeature || totals[Int($0.1.rawValue)] > 0 }
        for (metric, kind) in counters {
            table.columns.append(.init(name: .counter(metric), values: sums(kind, rows: rows)))
        }
        appendGauges(to: &table, subject: nil, populations: Array(populations.indices), rows: rows)
        for (metric, kind) in Self.latencies where scopes[0].latencies[Int(kind.rawValue)] != nil {
            appendLatency(metric, kind, to: &table, rows: rows)
        }
        for (index, name) in populations.enumerated() {
            for (metric, kind) in counters {
                let values = padded(series[index][Int(kind.rawValue)], rows: rows).map { Optional(UInt64(max(0, $0))) }
                table.columns.append(.init(name: .counter(metric), subject: name, values: values))
            }
            appendGauges(to: &table, subject: name, populations: [index], rows: rows)
        }
        return table
    }

    private func sums(_ kind: ClientTally.Kind, rows: Int) -> [UInt64?] {
        var sums = [Int64](repeating: 0, count: rows)
        for population in series {
            for (second, value) in padded(population[Int(kind.rawValue)], rows: rows).enumerated() {
                sums[second] += value
            }
        }
        return sums.map { UInt64(max(0, $0)) }
    }

    private func padded(_ values: [Int64], rows: Int) -> [Int64] {
        Array(values.prefix(rows)) + [Int64](repeating: 0, count: max(0, rows - values.count))
    }

    /// Tunnels up and wanted at the end of each second.
    private func appendGauges(to table: inout SeriesTable, subject: String?, populations: [Int], rows: Int) {
        for (gauge, kind) in [(SeriesName.Gauge.tunnelsUp, ClientTally.Kind.up), (.tunnelsWanted, .wanted)] {
            var level: Int64 = 0
            var values: [UInt64?] = []
            let columns = populations.map { padded(series[$0][Int(kind.rawValue)], rows: rows) }
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

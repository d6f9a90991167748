import Metrics
import Primitives
import Results

/// Testing has an `Expectation` of its own.
typealias Expectation = Metrics.Expectation

/// A run as the runner hands it over, small enough to be computed by hand: 60 s, of which 5 s are the warm-up, with an
/// outage from 0:20 to 0:30 in which tunnels go down.
enum SampleRun {
    static var host: Host {
        var host = Host(
            workers: 2,
            memoryBytes: 48_234_496,
            bytesPerTunnel: 4_012,
            cpu: .milliseconds(8_101),
            cryptoBackend: "real (OpenSSL 3.0.15)",
            wallClock: .milliseconds(4_213),
            startedAt: 1_795_000_000,
            machine: Host.Machine(system: "Linux 6.1", processor: "a processor", cores: 2, memoryBytes: 8_589_934_592)
        )
        host.cpuPerTunnel = .microseconds(412)
        host.windows = Host.Windows(
            count: 6_042,
            events: 140_310,
            busiestPartEvents: 31_120,
            atBarriers: .milliseconds(812)
        )
        host.nodes = [
            Host.Node(number: 0, workers: 1, memoryBytes: 26_214_400, places: 256, placesHere: 256),
            Host.Node(number: 1, workers: 1, memoryBytes: 22_020_096, places: 256, placesHere: 250),
        ]
        return host
    }

    static var record: RunRecord {
        var record = RunRecord(
            name: "rekey-storm",
            mode: .simulated,
            seed: 18_446_744_073_709_551_615,
            version: "0.1.0",
            digest: "v1:0123456789abcdef0123456789abcdef",
            workloadHash: "sha256:00ff",
            command: ["ikestorm", "run", "workloads/rekey storm.yaml", "--seed", "18446744073709551615"],
            duration: .seconds(60),
            plannedDuration: .seconds(60),
            host: host
        )
        record.warmUp = .seconds(5)
        record.costTables = [RunRecord.CostTable(gateway: "gw", name: "costs/strongswan-5.9.json", hash: "sha256:11aa")]
        record.populations = [
            RunRecord.Population(name: "laptops", clients: 200), RunRecord.Population(name: "phones", clients: 20),
        ]
        record.faults = [
            RunRecord.Fault(
                name: "outage",
                kind: "path-down",
                start: .zero + .seconds(20),
                end: .zero + .seconds(30)
            )
        ]
        record.measurements = [
            measurements(MeasurementScope(), offered: 230, failed: 4),
            measurements(MeasurementScope(population: "laptops"), offered: 210, failed: 4),
            measurements(MeasurementScope(population: "phones"), offered: 20, failed: 0),
            measurements(MeasurementScope(after: "outage"), offered: 100, failed: 0),
        ]
        record.series.columns = [
            column(.counter(.handshakeOffered)) { $0 < 40 ? 10 : 0 },
            column(.counter(.handshakeEstablished)) { $0 < 40 ? 9 : 0 },
            column(.counter(.handshakeFailed)) { $0 < 40 ? 1 : 0 },
            column(.gauge(.tunnelsUp), up),
            column(.gauge(.tunnelsWanted)) { $0 < 2 ? nil : 200 },
            column(.latency(.handshakeLatency, .p99)) { $0 < 40 ? 500_000_000 : nil },
        ]
        record.warnings = ["the Child SAs of phones live 1 h and the run 1 min: none of them is rekeyed"]
        return record
    }

    /// All up but for the outage, from which the last comes back at 0:35.
    private static func up(at second: Int) -> UInt64? {
        switch second {
        case ..<2: nil
        case 20..<30: 100
        case 30..<34: 100 + UInt64(second - 29) * 20
        default: 200
        }
    }

    static func column(_ name: SeriesName, of subject: String? = nil, _ value: (Int) -> UInt64?)
        -> SeriesTable.Column
    {
        SeriesTable.Column(name: name, subject: subject, values: (0..<60).map(value))
    }

    static func measurements(_ scope: MeasurementScope, offered: UInt64, failed: UInt64) -> Measurements {
        var measurements = Measurements(scope: scope, start: .zero + .seconds(scope.after == nil ? 5 : 30))
        measurements.counters[.handshakeOffered] = CounterRecord(total: offered)
        measurements.counters[.handshakeEstablished] = CounterRecord(total: offered - failed)
        measurements.counters[.handshakeFailed] = CounterRecord(byReason: [
            CounterRecord.Reason(name: "timeout", count: failed * 3 / 4),
            CounterRecord.Reason(name: "refused:NO_PROPOSAL_CHOSEN", count: failed - failed * 3 / 4),
        ])
        measurements.counters[.childRekeyOffered] = CounterRecord(total: 1_230)
        measurements.counters[.childRekeyEstablished] = CounterRecord(total: 1_229)
        measurements.counters[.childRekeyFailed] = CounterRecord(byReason: [
            CounterRecord.Reason(name: "timeout", count: 1)
        ])
        measurements.counters[.retransmissions] = CounterRecord(total: 812)
        measurements.counters[.tunnelsLost] = CounterRecord(byReason: [CounterRecord.Reason(name: "expired", count: 2)])
        measurements.latencies[.handshakeLatency] = LatencyRecord(
            buckets: [
                LatencyRecord.Bucket(highest: 19_100_000, count: (offered - failed) / 2),
                LatencyRecord.Bucket(highest: 44_199_000, count: (offered - failed) / 2 - 2),
                LatencyRecord.Bucket(highest: 1_527_400_000, count: 2),
            ],
            minimum: 18_900_000,
            maximum: 1_527_312_345
        )
        measurements.latencies[.childRekeyLatency] = LatencyRecord(buckets: [
            LatencyRecord.Bucket(highest: 85_200, count: 1_229)
        ])
        return measurements
    }

    static var steadyState: [Expectation] {
        [
            Expectation(
                metric: .tunnelsUp,
                aggregation: .min,
                window: .seconds(10),
                comparison: .above,
                limit: .share(.percent(40))
            )
        ]
    }

    static var thresholds: [Expectation] {
        [
            Expectation(
                metric: .handshakeLatency,
                aggregation: .p99,
                comparison: .below,
                limit: .time(.milliseconds(250))
            ),
            Expectation(
                metric: .handshakeSuccess,
                aggregation: .value,
                comparison: .above,
                limit: .share(.percent(98))
            ),
            Expectation(metric: .ikeRekeyLatency, aggregation: .max, comparison: .below, limit: .time(.seconds(2))),
            Expectation(
                metric: .recoveryTime,
                recovered: Expectation.Condition(
                    metric: .tunnelsUp,
                    population: nil,
                    comparison: .above,
                    limit: .percent(99)
                ),
                aggregation: .value,
                comparison: .below,
                limit: .time(.minutes(5)),
                after: "outage"
            ),
            Expectation(
                metric: .generatorLag,
                aggregation: .p99,
                comparison: .below,
                limit: .time(.milliseconds(5))
            ),
        ]
    }

    static var result: RunResult { RunResult(record, steadyState: steadyState, thresholds: thresholds) }

    /// The same with flows in the tunnels of the phones: one both ways, and one that is echoed.
    static var withFlows: RunResult {
        var record = record
        record.flows = ["calls", "calls/up", "calls/down", "pings"].map {
            RunRecord.Flow(name: $0, population: "phones")
        }
        let counts: [(flow: String?, offered: UInt64, lost: UInt64, time: MetricName)] = [
            ("calls", 30_000, 12, .trafficLatency), ("calls/up", 10_000, 0, .trafficLatency),
            ("calls/down", 20_000, 12, .trafficLatency), ("pings", 1_200, 1, .trafficRoundTrip),
            (nil, 31_200, 13, .trafficLatency),
        ]
        for (flow, offered, lost, time) in counts {
            var own = Measurements(scope: MeasurementScope(flow: flow), start: .zero + .seconds(5))
            if flow == nil { own = record.measurements.removeFirst() }
            own.counters[.trafficOffered] = CounterRecord(total: offered)
            own.counters[.trafficReceived] = CounterRecord(total: offered - lost)
            own.counters[.trafficLost] = CounterRecord(byReason: [CounterRecord.Reason(name: "nat", count: lost)])
            own.latencies[time] = LatencyRecord(buckets: [
                LatencyRecord.Bucket(highest: time == .trafficLatency ? 20_015_000 : 40_200_000, count: offered - lost)
            ])
            own.latencies[.trafficJitter] = LatencyRecord(buckets: [
                LatencyRecord.Bucket(highest: 104_000, count: offered - lost - 20)
            ])
            record.measurements.insert(own, at: flow == nil ? 0 : record.measurements.endIndex)
        }
        record.series.columns.append(column(.counter(.trafficLost), of: "calls/down") { $0 == 41 ? 12 : 0 })
        let expected = [("calls/up", UInt64(0)), ("calls", 5)].map { flow, limit in
            Expectation(
                metric: .trafficLost,
                flow: flow,
                aggregation: .value,
                comparison: .atMost,
                limit: .count(limit)
            )
        }
        return RunResult(record, steadyState: [], thresholds: expected)
    }

    /// The same with names as somebody writes them who wants to take over a terminal or a web page.
    static var hostile: RunResult {
        var record = record
        let name = "\u{1B}]0;x\u{7}<script>alert('1')</script> & \"`|`\" \u{202E}]]>\n# a"
        record.name = name
        record.populations[0].name = name
        record.measurements[1].scope.population = name
        record.faults[0].name = name
        record.warnings = [name]
        record.command = ["ikestorm", "run", name]
        record.digest = name
        record.costTables[0].name = name
        record.measurements[0].counters[.handshakeFailed] = CounterRecord(byReason: [
            CounterRecord.Reason(name: name, count: 3)
        ])
        var threshold = thresholds[0]
        threshold.population = name
        return RunResult(record, steadyState: [], thresholds: [threshold])
    }
}

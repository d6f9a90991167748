import Metrics
import Primitives
import Results

/// Runs for comparisons, small enough to be made by the thousand.
enum ComparedRuns {
    /// What a run came to.
    struct Figures {
        /// The median of the handshakes' latency, and its greatest hundredth.
        var handshake: (p50: UInt64, p99: UInt64) = (20_000_000, 60_000_000)
        var rekey: (p50: UInt64, p99: UInt64) = (5_000_000, 9_000_000)
        var ikeRekey: (p50: UInt64, p99: UInt64) = (7_000_000, 12_000_000)
        var offered: UInt64 = 1_000
        var failed: UInt64 = 2
        var retransmissions: UInt64 = 40
    }

    static let machine = Host.Machine(system: "Linux 6.1", processor: "a processor", cores: 2, memoryBytes: 1 << 33)
    static let workload = ["version: 1", "name: \"storm\"", "populations:", "  laptops:", "    count: 1000"]

    static func record(_ mode: RunRecord.Mode, _ figures: Figures, seed: UInt64 = 42, start: Int64 = 0) -> RunRecord {
        var record = RunRecord(
            name: "storm",
            mode: mode,
            seed: seed,
            version: "0.1.0",
            digest: mode == .simulated ? "v1:0000" : nil,
            workloadHash: "sha256:00ff",
            command: ["ikestorm", "run", "storm.yaml", "--seed", "\(seed)"],
            duration: .seconds(60),
            plannedDuration: .seconds(60),
            host: Host(
                workers: 2,
                memoryBytes: 1 << 26,
                cryptoBackend: "real (OpenSSL 3.0.15)",
                wallClock: .seconds(60),
                startedAt: 1_795_000_000 + start,
                machine: machine
            )
        )
        record.populations = [RunRecord.Population(name: "laptops", clients: 1_000)]
        var total = Measurements(scope: MeasurementScope(), start: .zero)
        total.counters = [
            .handshakeOffered: CounterRecord(total: figures.offered),
            .handshakeEstablished: CounterRecord(total: figures.offered - figures.failed),
            .handshakeFailed: CounterRecord(byReason: [.init(name: "timeout", count: figures.failed)]),
            .retransmissions: CounterRecord(total: figures.retransmissions),
        ]
        total.latencies = [
            .handshakeLatency: latency(figures.handshake), .childRekeyLatency: latency(figures.rekey),
            .ikeRekeyLatency: latency(figures.ikeRekey),
        ]
        record.measurements = [total]
        return record
    }

    /// 1,000 samples whose median and 99th percentile are these.
    private static func latency(_ numbers: (p50: UInt64, p99: UInt64)) -> LatencyRecord {
        LatencyRecord(buckets: [
            LatencyRecord.Bucket(highest: numbers.p50, count: 900),
            LatencyRecord.Bucket(highest: numbers.p99, count: 100),
        ])
    }

    static func run(_ path: String, _ record: RunRecord) -> ComparedRun {
        ComparedRun(path: path, result: RunResult(record, steadyState: [], thresholds: []), workload: workload)
    }

    /// Live runs, one for each, that take turns with those of a side that begins at another moment.
    static func live(_ name: String, _ figures: [Figures], start: Int64 = 0) throws -> ComparedSide {
        let runs = figures.enumerated().map { index, figures in
            run("\(name)/\(index + 1)", record(.live, figures, start: start + Int64(index) * 200))
        }
        return try ComparedSide(name: name, runs: runs)
    }

    static func simulated(_ name: String, _ figures: [Figures], seed: UInt64 = 42) throws -> ComparedSide {
        let runs = figures.enumerated().map { index, figures in
            run("\(name)/\(index + 1)", record(.simulated, figures, seed: seed + UInt64(index)))
        }
        return try ComparedSide(name: name, runs: runs)
    }

    /// Runs of one gateway, each a little off, as real ones are: 2 % is the standard deviation of every figure.
    static func noisy(_ count: Int, slower: Double = 1, _ stream: inout RandomStream) -> [Figures] {
        (0..<count).map { _ in
            func drawn(_ value: Double) -> UInt64 { UInt64(value * (1 + 0.02 * normal(&stream))) }
            var figures = Figures()
            figures.handshake = (drawn(20_000_000 * slower), drawn(60_000_000))
            figures.rekey = (drawn(5_000_000), drawn(9_000_000))
            figures.ikeRekey = (drawn(7_000_000), drawn(12_000_000))
            figures.failed = stream.below(6)
            figures.retransmissions = 30 + stream.below(20)
            return figures
        }
    }

    /// The sum of twelve uniform draws has nearly the normal distribution.
    private static func normal(_ stream: inout RandomStream) -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double(stream.next() >> 11) / 0x1p53 }
    }
}

import Metrics
import Primitives
import Results
import Workload

/// Holds the run so far against the workload's `abort-when`, once a second.
struct AbortConditions {
    private let conditions: [Expectation]
    private let template: RunRecord

    init(_ workload: Workload) {
        conditions = workload.safety.abortWhen
        let machine = Host.Machine(system: "", processor: "", cores: 1, memoryBytes: 0)
        let host = Host(
            workers: 1,
            memoryBytes: 0,
            cryptoBackend: "",
            wallClock: .zero,
            startedAt: 0,
            machine: machine
        )
        template = RunRecord(
            name: workload.name,
            mode: .live,
            seed: workload.seed,
            version: "",
            digest: nil,
            workloadHash: "",
            command: [],
            duration: .zero,
            plannedDuration: workload.run.duration,
            host: host
        )
    }

    var isEmpty: Bool { conditions.isEmpty }

    /// The first condition that has come true.
    ///
    /// A condition with a window is held against the last window alone, and not before the run is as old as that.
    func firstTrue(at now: Instant, _ collector: borrowing Collector) -> Expectation? {
        guard !conditions.isEmpty else { return nil }
        let wholeSeconds = Int64(now.nanoseconds / 1_000_000_000)
        guard wholeSeconds > 0 else { return nil }
        var record = template
        record.duration = .seconds(wholeSeconds)
        record.measurements = collector.measurements(
            in: conditions.map { MeasurementScope(of: $0) },
            of: conditions.map(\.metric)
        )
        let series = collector.seriesTable(duration: record.duration)
        return conditions.first { condition in
            record.series = series
            if let window = condition.window {
                let rows = Int((window.nanoseconds + 999_999_999) / 1_000_000_000)
                record.series.keepLast(rows)
            }
            return Judge(record).outcome(of: condition).passed
        }
    }
}

extension SeriesTable {
    fileprivate mutating func keepLast(_ rows: Int) {
        for index in columns.indices where columns[index].values.count > rows {
            columns[index].values.removeFirst(columns[index].values.count - rows)
        }
    }
}

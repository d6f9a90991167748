import Gateway
import Metrics
import Primitives
import Results
import Workload

/// What a simulated gateway did second by second, as columns of the run's series.
struct DeskSeries {
    let name: String
    let cores: Int
    /// Nil where its work on ESP takes no time.
    let pool: Workload.ESPPool?
    let metrics: DeskMetrics

    /// - Parameter duration: how long the run was; the last row may be shorter than the others.
    func columns(_ interval: Duration, duration: Duration) -> [SeriesTable.Column] {
        let step = interval.nanoseconds
        let rows = Int((duration.nanoseconds + step - 1) / step)
        let lengths = (0..<rows).map { UInt64(min(step, duration.nanoseconds - Int64($0) * step)) }
        let halfOpen = metrics.halfOpenSeries.values
        var columns = [
            column(.gatewayCPU, Self.shares(metrics.busySeries, of: cores, lengths)),
            column(.halfOpen, (0..<rows).map { $0 < halfOpen.count ? halfOpen[$0] : halfOpen.last ?? 0 }),
        ]
        if let pool {
            columns.append(column(.gatewayESP, Self.shares(metrics.esp.busySeries, of: pool.cores, lengths)))
            columns.append(
                column(.gatewayESPQueue, (0..<rows).map { Self.value(metrics.esp.queuePeakSeries.values, $0) })
            )
        }
        return columns
    }

    private func column(_ gauge: SeriesName.Gauge, _ values: [UInt64?]) -> SeriesTable.Column {
        SeriesTable.Column(name: .gauge(gauge), subject: name, values: values)
    }

    /// Of the time of all cores, in parts of a billion; what has begun in the last row may end behind it.
    private static func shares(_ busy: TimeSeries, of cores: Int, _ lengths: [UInt64]) -> [UInt64?] {
        lengths.enumerated().map { row, length in
            let all = length * UInt64(cores)
            return UInt64(UInt128(min(value(busy.values, row), all)) * 1_000_000_000 / UInt128(all))
        }
    }

    private static func value(_ values: [UInt64], _ row: Int) -> UInt64 { row < values.count ? values[row] : 0 }
}

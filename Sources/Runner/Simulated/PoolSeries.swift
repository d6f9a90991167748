import Gateway
import Metrics
import Primitives
import Results
import Workload

/// What a gateway's ESP pool did second by second, as columns of the run's series.
struct PoolSeries {
    let gateway: Workload.Gateway
    let pool: Workload.ESPPool
    let metrics: ESPMetrics

    /// - Parameter duration: how long the run was; the last row may be shorter than the others.
    func columns(_ interval: Duration, duration: Duration) -> [SeriesTable.Column] {
        let step = interval.nanoseconds
        let rows = Int((duration.nanoseconds + step - 1) / step)
        var shares: [UInt64?] = []
        var queues: [UInt64?] = []
        for row in 0..<rows {
            let length = UInt64(min(step, duration.nanoseconds - Int64(row) * step))
            // What has begun in the last row may end behind it.
            let busy = min(Self.value(metrics.busySeries.values, row), length * UInt64(pool.cores))
            shares.append(UInt64(UInt128(busy) * 1_000_000_000 / UInt128(length * UInt64(pool.cores))))
            queues.append(Self.value(metrics.queuePeakSeries.values, row))
        }
        return [
            SeriesTable.Column(name: .gauge(.gatewayESP), subject: gateway.name, values: shares),
            SeriesTable.Column(name: .gauge(.gatewayESPQueue), subject: gateway.name, values: queues),
        ]
    }

    private static func value(_ values: [UInt64], _ row: Int) -> UInt64 { row < values.count ? values[row] : 0 }
}

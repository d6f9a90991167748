package import Metrics
import Primitives

/// What a gateway's ESP pool has counted since the run's start.
package struct ESPMetrics: Sendable {
    /// How many packets got a core, and how long they had waited for it.
    package private(set) var served: UInt64 = 0
    package private(set) var waitedNanoseconds: UInt128 = 0
    /// How many found the queue full, and how many were lost because the gateway went down or was down, some of those
    /// that had a core among them.
    package private(set) var queueFull: UInt64 = 0
    package private(set) var lost: UInt64 = 0
    package private(set) var peakQueue = 0
    /// Time in nanoseconds, of all cores, by the second in which it was spent.
    package private(set) var busySeries = TimeSeries()
    /// The longest queue that a packet found, or made, in each second.
    package private(set) var queuePeakSeries = TimeSeries()

    init() {}

    package var busyNanoseconds: UInt64 { busySeries.total }

    mutating func drop(_ reason: DropReason) {
        if reason == .queueFull { queueFull += 1 } else { lost += 1 }
    }

    /// A packet waits for a core and keeps it busy, until the gateway goes down.
    mutating func serve(from now: Instant, start: Instant, end: Instant, down: Instant) {
        let (start, end) = (min(start, down), min(end, down))
        if start < down {
            served += 1
            waitedNanoseconds += UInt128((start - now).nanoseconds)
        }
        busySeries.add(1, from: start, to: end)
    }

    mutating func raisePeak(_ queue: Int, at now: Instant) {
        guard queue > 0 else { return }
        peakQueue = max(peakQueue, queue)
        queuePeakSeries.raise(to: UInt64(queue), at: now)
    }
}

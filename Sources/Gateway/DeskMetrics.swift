package import Metrics
import Primitives

/// What a front desk has counted since the run's start.
package struct DeskMetrics: Sendable {
    package internal(set) var arrivals: UInt64 = 0
    package private(set) var cookiesDemanded: UInt64 = 0
    /// How many jobs have started, and how long they had waited for a core or for their half.
    package private(set) var started: UInt64 = 0
    package private(set) var waitedNanoseconds: UInt64 = 0
    /// IKE_AUTH requests that found no free address.
    package internal(set) var leasesRefused: UInt64 = 0
    /// Requests to what decides about EAP, and how many of them had no answer.
    package private(set) var backendRequests: UInt64 = 0
    package private(set) var backendSilences: UInt64 = 0
    package private(set) var peakHalfOpen = 0
    package private(set) var peakActiveSAs = 0
    package internal(set) var childSAs = 0
    package private(set) var peakQueue = 0
    /// CPU time in nanoseconds, of all cores, by the second in which it was spent.
    package private(set) var busySeries = TimeSeries()
    /// Waiting jobs times nanoseconds; by 10^9 it is the mean length of the queue in that second.
    package private(set) var queueSeries = TimeSeries()
    /// The longest queue of each second.
    package private(set) var queuePeakSeries = TimeSeries()
    /// Half-open IKE SAs at the end of each second.
    package private(set) var halfOpenSeries = TimeSeries()
    /// What its ESP pool has done, where it has one.
    package internal(set) var esp = ESPMetrics()
    private var drops = Array(repeating: UInt64(0), count: DropReason.allCases.count)
    private var jobs = Array(repeating: UInt64(0), count: PricedOperation.allCases.count)
    private var busy = Array(repeating: UInt64(0), count: PricedOperation.allCases.count)
    /// Up to when the queue's length has been added up.
    private var queueCounted = Instant.zero

    init() {}

    /// How many packets went no further for this reason.
    package func dropped(_ reason: DropReason) -> UInt64 { drops[Int(reason.rawValue)] }

    package func jobs(_ operation: PricedOperation) -> UInt64 { jobs[Int(operation.rawValue)] }

    /// The CPU time of an operation, its key exchanges and cookie checks included.
    package func busyNanoseconds(_ operation: PricedOperation) -> UInt64 { busy[Int(operation.rawValue)] }

    package var busyNanoseconds: UInt64 { busy.reduce(0, +) }

    mutating func drop(_ reason: DropReason) { drops[Int(reason.rawValue)] += 1 }

    /// A job starts: it keeps a core busy from `resume` to `end`, or until the gateway goes down.
    mutating func start(_ job: Job, at now: Instant, _ span: CPUCores.Span, down: Instant) {
        started += 1
        waitedNanoseconds += UInt64((now - job.enqueuedAt).nanoseconds)
        jobs[Int(job.operation.rawValue)] += 1
        if job.work == .demandCookie { cookiesDemanded += 1 }
        let resume = min(span.resume, down)
        let end = min(span.end, down)
        busy[Int(job.operation.rawValue)] += end.nanoseconds - resume.nanoseconds
        busySeries.add(1, from: resume, to: end)
    }

    mutating func ask(isMissing: Bool) {
        backendRequests += 1
        if isMissing { backendSilences += 1 }
    }

    /// Adds up the queue's length until `now`; it has not changed since the last call.
    mutating func count(queue length: Int, until now: Instant) {
        if length > 0 { queueSeries.add(UInt64(length), from: queueCounted, to: now) }
        queueCounted = now
    }

    mutating func raisePeaks(queue: Int, halfOpen: Int, activeSAs: Int) {
        peakHalfOpen = max(peakHalfOpen, halfOpen)
        halfOpenSeries.set(UInt64(halfOpen), at: queueCounted)
        peakActiveSAs = max(peakActiveSAs, activeSAs)
        guard queue > 0 else { return }
        peakQueue = max(peakQueue, queue)
        queuePeakSeries.raise(to: UInt64(queue), at: queueCounted)
    }
}

extension TimeSeries {
    /// Adds `rate` for each nanosecond from `start` to `end`, each to its stretch.
    mutating func add(_ rate: UInt64, from start: Instant, to end: Instant) {
        let step = UInt64(step.nanoseconds)
        var from = start.nanoseconds
        while from < end.nanoseconds {
            let to = min(end.nanoseconds, (from / step + 1) * step)
            add(rate * (to - from), at: Instant(nanoseconds: from))
            from = to
        }
    }

    /// Lets the stretch that a moment is in have at least this value.
    mutating func raise(to value: UInt64, at time: Instant) {
        let index = Int(time.nanoseconds / UInt64(step.nanoseconds))
        let present = index < values.count ? values[index] : 0
        if value > present { add(value - present, at: time) }
    }
}

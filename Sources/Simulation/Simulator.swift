public import Primitives

/// Drives the parts of a run through windows of virtual time, on one thread or on as many as a driver has.
///
/// First `build(part:)` once for each part. Then a round is: `nextRound()`, alone; if it says true, `run(part:)` once
/// for each part, in any order and on any threads; all of that finished before the next `nextRound()`. `runToEnd()`
/// does it on the calling thread. What parts send in one round they receive in the next, by sender in ascending order.
@usableFromInline
package final class Simulator<Part: SimulatedPart & ~Copyable> {
    /// What `run(part:)` leaves for the next `nextRound()`: side by side, so that reading them all is cheap.
    @usableFromInline
    struct Report: BitwiseCopyable {
        @usableFromInline var nextTime = Instant.never
        @usableFromInline var earliestSent = Instant.never
        @usableFromInline var eventCount: UInt32 = 0
        @usableFromInline var hasSent = false
        /// Whether the part has mail, or something to do before the limit.
        @usableFromInline var isActive = false

        @inlinable
        init() {}
    }

    package let partCount: Int
    package let window: Duration
    private let makePart: @Sendable (Int) -> Part
    private let atCheckpoint: (Simulator, Instant) -> Instant?
    /// Rounds that follow one of fewer events than this are run by `nextRound()` itself.
    private let smallRound: Int

    @usableFromInline let parts: Cells<Part>
    @usableFromInline let reports: Cells<Report>
    /// Two for each part: one is written in this round while the other, of the last round, is read.
    @usableFromInline let outboxes: Cells<Outbox<Part.Message>>
    /// For each part, who sent to it in the last round.
    @usableFromInline let senders: Cells<[Int]>
    /// Which half of `outboxes` this round writes.
    @usableFromInline var side = 0
    /// The end of this round's window.
    @usableFromInline package private(set) var limit = Instant.zero

    /// The parts that this round runs, in ascending order.
    private var active: [Int] = []
    private var receivers: [Int] = []
    private var earliestMail = Instant.never
    private var checkpoint: Instant
    package private(set) var roundCount = 0
    /// How many events were handled in all rounds that are finished.
    package private(set) var eventCount: UInt64 = 0

    /// Describes a run.
    ///
    /// - Parameters:
    ///   - window: at most the run's lookahead.
    ///   - smallRound: how many events a round has at least that is worth handing out to other threads.
    ///   - firstCheckpoint: no event at or after it is handled before `atCheckpoint` was called.
    ///   - atCheckpoint: looks at the run, alone, when all before the checkpoint was handled and nothing later; says
    ///     where the next checkpoint is, or nil to end the run.
    ///   - makePart: makes a part, on the thread that calls `build(part:)`.
    package init(
        partCount: Int,
        window: Duration,
        smallRound: Int = 64,
        firstCheckpoint: Instant,
        atCheckpoint: @escaping (Simulator, Instant) -> Instant?,
        makePart: @escaping @Sendable (Int) -> Part
    ) {
        precondition(partCount > 0 && window > .zero, "a run has a part, and a window has a length")
        self.partCount = partCount
        self.window = window
        self.smallRound = smallRound
        self.checkpoint = firstCheckpoint
        self.atCheckpoint = atCheckpoint
        self.makePart = makePart
        parts = Cells(count: partCount)
        reports = Cells(count: partCount)
        outboxes = Cells(count: 2 * partCount)
        senders = Cells(count: partCount)
        for part in 0..<partCount {
            reports.fill(part, with: Report())
            senders.fill(part, with: [])
        }
    }

    /// Makes one part, so that its memory is near the thread that calls this.
    package func build(part: Int) {
        parts.fill(part, with: makePart(part))
        outboxes.fill(2 * part, with: Outbox(partCount: partCount))
        outboxes.fill(2 * part + 1, with: Outbox(partCount: partCount))
        reports[part].nextTime = parts[part].nextTime
    }

    /// Lets one part hear what it was sent, and run this round's window.
    @inlinable
    package func run(part: Int) {
        guard reports[part].isActive else { return }
        let own = 2 * part + side
        outboxes[own].clear(horizon: limit)
        for sender in senders[part] {
            parts[part].accept(outboxes[2 * sender + 1 - side].messages(to: part))
        }
        var report = Report()
        if parts[part].nextTime < limit {
            report.eventCount = UInt32(parts[part].run(before: limit, into: &outboxes[own]))
            report.earliestSent = outboxes[own].earliest
            report.hasSent = !outboxes[own].receivers.isEmpty
        }
        report.nextTime = parts[part].nextTime
        precondition(report.nextTime >= limit, "a part that ran a window has nothing left in it")
        reports[part] = report
    }

    /// Collects what the last round left, passes checkpoints, and opens the next window; false when the run has ended.
    ///
    /// Rounds that are likely small it runs itself: to wake other threads for a few events would take longer.
    package func nextRound() -> Bool {
        while true {
            let handled = collectRound()
            guard openWindow() else { return false }
            if handled >= smallRound && active.count > 1 { return true }
            for part in active { run(part: part) }
        }
    }

    /// Builds what is not built yet and runs all rounds on the calling thread.
    package func runToEnd() {
        for part in 0..<partCount { build(part: part) }
        while nextRound() {
            for part in 0..<partCount { run(part: part) }
        }
    }

    /// Uses a part, between rounds or when the run has ended: at a checkpoint, or for the results.
    @inlinable
    package func withPart<Answer>(_ part: Int, _ body: (inout Part) -> Answer) -> Answer {
        body(&parts[part])
    }

    /// Turns the outboxes round: who sent to whom; answers how many events the round handled.
    private func collectRound() -> Int {
        for receiver in receivers { senders[receiver].removeAll(keepingCapacity: true) }
        receivers.removeAll(keepingCapacity: true)
        earliestMail = .never
        var handled = 0
        for part in active {
            handled += Int(reports[part].eventCount)
            guard reports[part].hasSent else { continue }
            earliestMail = min(earliestMail, reports[part].earliestSent)
            for receiver in outboxes[2 * part + side].receivers {
                if senders[Int(receiver)].isEmpty { receivers.append(Int(receiver)) }
                senders[Int(receiver)].append(part)
            }
        }
        side = 1 - side
        eventCount += UInt64(handled)
        return handled
    }

    /// Sets the next window to begin with the earliest event or message that is left, so that empty ones are skipped.
    private func openWindow() -> Bool {
        while true {
            var earliest = earliestMail
            for part in 0..<partCount { earliest = min(earliest, reports[part].nextTime) }
            if earliest < checkpoint {
                let room = checkpoint.nanoseconds - earliest.nanoseconds
                limit = room > UInt64(window.nanoseconds) ? earliest + window : checkpoint
                roundCount += 1
                chooseActive()
                return true
            }
            guard let next = atCheckpoint(self, checkpoint) else { return false }
            precondition(next > checkpoint, "the next checkpoint is later")
            checkpoint = next
            // What happened at the checkpoint may have changed what a part does next.
            for part in 0..<partCount { reports[part].nextTime = parts[part].nextTime }
        }
    }

    private func chooseActive() {
        for part in active { reports[part].isActive = false }
        active.removeAll(keepingCapacity: true)
        for receiver in receivers { reports[receiver].isActive = true }
        for part in 0..<partCount where reports[part].isActive || reports[part].nextTime < limit {
            reports[part].isActive = true
            active.append(part)
        }
    }
}

// SAFETY: what one thread uses while others run is its part's cells alone: the part, its report, the half of its
// outboxes that this round writes. The halves that it reads, `senders`, `side` and `limit` change in `nextRound()`
// only, which the driver calls alone, with a barrier before and after.
extension Simulator: @unchecked Sendable where Part: ~Copyable {}

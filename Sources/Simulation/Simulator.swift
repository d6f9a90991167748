public import Primitives

/// Drives the parts of a run through windows of virtual time, on one thread or on as many as a driver has.
///
/// First `build(part:)` once for each part. Then a round is: `nextRound()`, alone; if it says true, `run(part:worker:)`
/// once for each part, in any order and on any threads, and `finishRound(worker:)` on each thread that ran any; all of
/// that finished before the next `nextRound()`. `runToEnd()` does it on the calling thread. What parts send in one
/// round they receive in the next, by sender in ascending order.
///
/// A part that waits for an operation is put aside by its worker, which goes on with other parts and carries the
/// operations of several out together.
@usableFromInline
package final class Simulator<Part: SimulatedPart & ~Copyable> {
    @usableFromInline package let partCount: Int
    @usableFromInline package let window: Duration
    /// How many parts wait before a worker carries out what they wait for.
    @usableFromInline let batchSize: Int
    private let makePart: @Sendable (Int) -> Part
    @usableFromInline let atCheckpoint: (Simulator, Instant) -> Instant?
    /// Rounds that follow one of fewer events than this are run by `nextRound()` itself.
    @usableFromInline let smallRound: Int

    @usableFromInline let parts: Cells<Part>
    @usableFromInline let reports: Cells<PartReport>
    /// Two for each part: one is written in this round while the other, of the last round, is read.
    @usableFromInline let outboxes: Cells<Outbox<Part.Message>>
    /// For each part, who sent to it in the last round.
    @usableFromInline let senders: Cells<[Int]>
    /// One for each worker.
    @usableFromInline let gatherings: Cells<Gathering>
    @usableFromInline var round = Round()
    /// The parts that this round runs, in ascending order.
    @usableFromInline var active: [Int] = []
    @usableFromInline var receivers: [Int] = []
    @usableFromInline var earliestMail = Instant.never
    @usableFromInline var checkpoint: Instant
    /// Of all rounds that are finished.
    @usableFromInline package var windowCounts = WindowCounts()

    /// Describes a run.
    ///
    /// - Parameters:
    ///   - window: at most the run's lookahead.
    ///   - workers: how many threads run parts; each names itself by a number below this.
    ///   - batchSize: how many waiting parts a worker gathers before it carries out what they wait for.
    ///   - smallRound: how many events a round has at least that is worth handing out to other threads.
    ///   - firstCheckpoint: no event at or after it is handled before `atCheckpoint` was called.
    ///   - atCheckpoint: looks at the run, alone, when all before the checkpoint was handled and nothing later; says
    ///     where the next checkpoint is, or nil to end the run.
    ///   - makePart: makes a part, on the thread that calls `build(part:)`.
    package init(
        partCount: Int,
        window: Duration,
        workers: Int = 1,
        batchSize: Int = 1,
        smallRound: Int = 64,
        firstCheckpoint: Instant,
        atCheckpoint: @escaping (Simulator, Instant) -> Instant?,
        makePart: @escaping @Sendable (Int) -> Part
    ) {
        precondition(partCount > 0 && window > .zero, "a run has a part, and a window has a length")
        precondition(workers > 0 && batchSize > 0, "somebody does the work, and no batch is empty")
        self.partCount = partCount
        self.window = window
        self.batchSize = batchSize
        self.smallRound = smallRound
        self.checkpoint = firstCheckpoint
        self.atCheckpoint = atCheckpoint
        self.makePart = makePart
        parts = Cells(count: partCount)
        reports = Cells(count: partCount)
        outboxes = Cells(count: 2 * partCount)
        senders = Cells(count: partCount)
        gatherings = Cells(count: workers)
        for worker in 0..<workers { gatherings.fill(worker, with: Gathering()) }
        for part in 0..<partCount {
            reports.fill(part, with: PartReport())
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

    /// Lets one part hear what it was sent, and run this round's window: to its end, or until it waits.
    @inlinable
    package func run(part: Int, worker: Int) {
        guard reports[part].isActive else { return }
        let round = round
        outboxes[2 * part + round.side].clear(horizon: round.limit)
        for sender in senders[part] {
            parts[part].accept(outboxes[2 * sender + 1 - round.side].messages(to: part))
        }
        reports[part] = PartReport()
        guard parts[part].nextTime >= round.limit || advance(part, round) else { return putAside(part, worker) }
        finish(part, round)
    }

    /// Runs the parts that a worker has put aside to the end of the window; it has no other part left to run.
    @inlinable
    package func finishRound(worker: Int) {
        while !gatherings[worker].waiting.isEmpty { carryOut(worker) }
    }

    /// Collects what the last round left, passes checkpoints, and opens the next window; false when the run has ended.
    ///
    /// Rounds that are likely small it runs itself: to wake other threads for a few events would take longer.
    @inlinable
    package func nextRound() -> Bool {
        while true {
            let handled = collectRound()
            guard openWindow() else { return false }
            if handled >= smallRound && active.count > 1 { return true }
            for part in active { run(part: part, worker: 0) }
            finishRound(worker: 0)
        }
    }

    /// Builds what is not built yet and runs all rounds on the calling thread.
    package func runToEnd() {
        for part in 0..<partCount { build(part: part) }
        while nextRound() {
            for part in 0..<partCount { run(part: part, worker: 0) }
            finishRound(worker: 0)
        }
    }

    /// Uses a part, between rounds or when the run has ended: at a checkpoint, or for the results.
    @inlinable
    package func withPart<Answer>(_ part: Int, _ body: (inout Part) -> Answer) -> Answer {
        body(&parts[part])
    }

    /// How often parts waited, and how many at once were given what they waited for: an accident of the workers' speed.
    package var batchCounts: BatchCounts {
        var counts = BatchCounts()
        for worker in 0..<gatherings.count { counts.add(gatherings[worker].counts) }
        return counts
    }

    /// Turns the outboxes round: who sent to whom; answers how many events the round handled.
    @inlinable
    func collectRound() -> Int {
        for receiver in receivers { senders[receiver].removeAll(keepingCapacity: true) }
        receivers.removeAll(keepingCapacity: true)
        earliestMail = .never
        var (handled, most) = (0, 0)
        for part in active {
            let count = Int(reports[part].eventCount)
            handled += count
            most = max(most, count)
            guard reports[part].hasSent else { continue }
            earliestMail = min(earliestMail, reports[part].earliestSent)
            for receiver in outboxes[2 * part + round.side].receivers {
                if senders[Int(receiver)].isEmpty { receivers.append(Int(receiver)) }
                senders[Int(receiver)].append(part)
            }
        }
        round.side = 1 - round.side
        if !active.isEmpty { windowCounts.addWindow(events: handled, busiest: most) }
        return handled
    }

    /// Sets the next window to begin with the earliest event or message that is left, so that empty ones are skipped.
    @inlinable
    func openWindow() -> Bool {
        while true {
            var earliest = earliestMail
            for part in 0..<partCount { earliest = min(earliest, reports[part].nextTime) }
            if earliest < checkpoint {
                let room = checkpoint.nanoseconds - earliest.nanoseconds
                round.limit = room > UInt64(window.nanoseconds) ? earliest + window : checkpoint
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

    @inlinable
    func chooseActive() {
        for part in active { reports[part].isActive = false }
        active.removeAll(keepingCapacity: true)
        for receiver in receivers { reports[receiver].isActive = true }
        for part in 0..<partCount where reports[part].isActive || reports[part].nextTime < round.limit {
            reports[part].isActive = true
            active.append(part)
        }
    }
}

// Running a part, in one go or in several.
extension Simulator where Part: ~Copyable {
    /// Lets a part run until its window ends or it waits: false when it waits.
    @inlinable
    func advance(_ part: Int, _ round: Round) -> Bool {
        let begun = parts[part].run(before: round.limit, into: &outboxes[2 * part + round.side])
        reports[part].eventCount += UInt32(begun)
        return !parts[part].isWaiting
    }

    /// Leaves what the next round has to know about a part.
    @inlinable
    func finish(_ part: Int, _ round: Round) {
        let own = 2 * part + round.side
        reports[part].earliestSent = outboxes[own].earliest
        reports[part].hasSent = !outboxes[own].receivers.isEmpty
        reports[part].nextTime = parts[part].nextTime
        precondition(reports[part].nextTime >= round.limit, "a part that ran a window has nothing left in it")
    }

    @inlinable
    func putAside(_ part: Int, _ worker: Int) {
        gatherings[worker].waiting.append(part)
        while gatherings[worker].waiting.count >= batchSize { carryOut(worker) }
    }

    /// Gives the parts that a worker has put aside what they wait for, and lets them go on; some may wait again.
    @inlinable
    func carryOut(_ worker: Int) {
        let round = round
        let count = gatherings[worker].waiting.count
        let lanes = Part.carryOut(gatherings[worker].waiting, of: parts)
        gatherings[worker].counts.addBatch(of: count, lanes)
        var kept = 0
        for place in 0..<count {
            let part = gatherings[worker].waiting[place]
            if advance(part, round) {
                finish(part, round)
            } else {
                gatherings[worker].waiting[kept] = part
                kept += 1
            }
        }
        gatherings[worker].waiting.removeLast(count - kept)
    }
}

// SAFETY: what one thread uses while others run is its worker's gathering and its parts' cells alone: the part, its
// report, the half of its outboxes that this round writes. A part that waits stays with the worker that put it aside.
// The halves that it reads, `senders` and `round` change in `nextRound()` only, which the driver calls alone,
// with a barrier before and after.
extension Simulator: @unchecked Sendable where Part: ~Copyable {}

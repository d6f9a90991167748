import Synchronization

/// Work in rounds: in each, every part is run once, and all of a round is finished before the next.
///
/// It is what a simulation's window loop looks like from here; who conforms it to whom is the Runner's business.
package protocol RoundWork: AnyObject, Sendable {
    var partCount: Int { get }

    /// Makes a part, once, on the thread that is its home.
    func build(part: Int)

    /// Prepares the next round while nothing else runs, or answers false to end.
    func nextRound() -> Bool

    /// Runs one part; different parts at the same time, on any thread. What is left of it waits for `finishRound`.
    func run(part: Int, worker: Int)

    /// Runs what this worker has left of its parts: there is no other part that it could take.
    func finishRound(worker: Int)
}

/// Runs rounds on pinned threads.
///
/// A part has a home worker, which builds it and by custom runs it; a worker that has nothing left takes whole parts
/// from others.
package struct RoundDriver: Sendable {
    package let workers: Int
    package let topology: CPUTopology
    package let placement: Placement

    package init(workers: Int, topology: CPUTopology, placement: Placement = .spread) {
        precondition(workers > 0, "somebody does the work")
        self.workers = workers
        self.topology = topology
        self.placement = placement
    }

    /// Runs all rounds; one worker is the calling thread, as it is.
    ///
    /// - Returns: How many nanoseconds the workers waited at barriers, all together: for the slowest, and while one of
    ///   them prepared the next round.
    /// - Throws: `WorkerError` when a thread or what they share cannot be made.
    @discardableResult
    package func drive(_ work: some RoundWork) throws -> UInt64 {
        guard workers > 1 else {
            for part in 0..<work.partCount { work.build(part: part) }
            while work.nextRound() {
                for part in 0..<work.partCount { work.run(part: part, worker: 0) }
                work.finishRound(worker: 0)
            }
            return 0
        }
        let floor = try Floor(workers: workers, maySpin: workers <= topology.allowed.count)
        // Whoever has started waits for this lock until all have: else the first would wait for ever at the barrier.
        let haveAllStarted = StartSignal()
        var threads: [PinnedThread] = []
        do {
            try haveAllStarted.flag.withLock { flag in
                for (worker, cpu) in topology.place(workers: workers, placement).enumerated() {
                    let thread = try PinnedThread(cpu: cpu.number) {
                        if haveAllStarted.flag.withLock({ $0 }) { floor.run(work, worker: worker) }
                    }
                    threads.append(thread)
                }
                flag = true
            }
        } catch {
            for thread in threads { try thread.join() }
            throw error
        }
        for thread in threads { try thread.join() }
        return floor.atBarriers
    }
}

private final class StartSignal: Sendable {
    let flag = Mutex(false)
}

/// What the workers of one run share.
private final class Floor: Sendable {
    /// The next part of a worker's own that nobody has taken in this round; alone on its cache lines.
    private final class Cursor: Sendable {
        private let before = InlineArray<16, UInt64>(repeating: 0)
        let next = Atomic<Int>(0)
        private let after = InlineArray<16, UInt64>(repeating: 0)
    }

    private let barrier: RoundBarrier
    private let cursors: [Cursor]
    private let isRunning = Atomic<Bool>(false)
    private let nanosecondsAtBarriers = Atomic<UInt64>(0)

    /// Of all workers, once they have ended.
    var atBarriers: UInt64 { nanosecondsAtBarriers.load(ordering: .relaxed) }

    init(workers: Int, maySpin: Bool) throws(WorkerError) {
        barrier = try RoundBarrier(threads: workers, maySpin: maySpin)
        cursors = (0..<workers).map { _ in Cursor() }
    }

    func run(_ work: some RoundWork, worker: Int) {
        for part in stride(from: worker, to: work.partCount, by: cursors.count) { work.build(part: part) }
        var idle = waitForRound(work)
        // The barrier orders this; the atomic is there because Swift has no plainer word for it.
        while isRunning.load(ordering: .relaxed) {
            for offset in cursors.indices { takeParts(of: (worker + offset) % cursors.count, by: worker, work) }
            work.finishRound(worker: worker)
            idle += waitForRound(work)
        }
        let (seconds, attoseconds) = idle.components
        let nanoseconds = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        nanosecondsAtBarriers.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Says how long this thread waited, which has worked meanwhile where it was the last to come.
    private func waitForRound(_ work: some RoundWork) -> Duration {
        let arrival = ContinuousClock.now
        var alone = Duration.zero
        barrier.wait {
            let start = ContinuousClock.now
            openRound(work)
            alone = ContinuousClock.now - start
        }
        return ContinuousClock.now - arrival - alone
    }

    private func openRound(_ work: some RoundWork) {
        for cursor in cursors { cursor.next.store(0, ordering: .relaxed) }
        isRunning.store(work.nextRound(), ordering: .relaxed)
    }

    private func takeParts(of home: Int, by worker: Int, _ work: some RoundWork) {
        let count = (work.partCount - home + cursors.count - 1) / cursors.count
        // Look before taking: most often there is nothing left, and a look does not disturb the owner.
        while cursors[home].next.load(ordering: .relaxed) < count {
            let index = cursors[home].next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            work.run(part: home + index * cursors.count, worker: worker)
        }
    }
}

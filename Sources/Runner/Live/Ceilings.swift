package import Primitives
package import Workload

/// How fast one worker may begin attempts, and how many may be under way: its part of the run's ceilings.
package struct Ceilings: Sendable {
    private let setUps: Workload.Rate?
    private let halfOpenLimit: Int?
    private let workers: Int
    /// Attempts of this worker that wait for their IKE SA.
    package var halfOpen = 0
    /// When the next attempt may begin, as if attempts were evenly spaced.
    private var nextSetUp = Instant.zero

    package init(_ safety: Workload.Safety, shareOf workers: Int) {
        setUps = safety.setUpsAtMost
        halfOpenLimit = safety.halfOpenAtMost
        self.workers = workers
    }

    /// Whether an attempt may begin now; if it may, it is counted.
    package mutating func admits(at now: Instant) -> Bool {
        if let halfOpenLimit, halfOpen >= max(1, halfOpenLimit / workers) { return false }
        guard let setUps else { return true }
        guard nextSetUp <= now + Self.burst else { return false }
        let gap = setUps.per.nanoseconds / Int64(clamping: max(1, setUps.count)) * Int64(workers)
        nextSetUp = max(nextSetUp, now) + .nanoseconds(gap)
        return true
    }

    /// How far attempts may run ahead of an even spacing: a second sees at most a tenth more than the ceiling.
    private static var burst: Duration { .milliseconds(100) }
}

import Primitives

/// The cores that do a gateway's IKE work, and the section of each job that only one of them can be in at a time.
struct CPUCores: Sendable {
    /// When a job that starts now gets the section and when it ends; until `resume` its core waits and does nothing.
    struct Span {
        let resume: Instant
        let end: Instant
    }

    let count: Int
    private let serialShare: Probability
    private(set) var busyCount = 0
    private var serialFreeAt = Instant.zero

    init(count: Int, serialShare: Probability) {
        precondition(count > 0, "a gateway has a core")
        self.count = count
        self.serialShare = serialShare
    }

    var hasFree: Bool { busyCount < count }

    /// Takes a core. A job's serial section is its beginning; cores get it in the order in which they start.
    mutating func start(_ service: Duration, at now: Instant) -> Span {
        precondition(hasFree, "a job starts on a free core")
        busyCount += 1
        guard serialShare > .zero else { return Span(resume: now, end: now + service) }
        let resume = max(now, serialFreeAt)
        let section = Int128(service.nanoseconds) * Int128(serialShare.partsPerBillion) / 1_000_000_000
        serialFreeAt = resume + .nanoseconds(Int64(section))
        return Span(resume: resume, end: resume + service)
    }

    mutating func release() {
        precondition(busyCount > 0, "a core that is released was taken")
        busyCount -= 1
    }

    /// All jobs are lost at `now`.
    mutating func reset(at now: Instant) {
        busyCount = 0
        serialFreeAt = now
    }
}

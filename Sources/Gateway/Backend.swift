package import Primitives
import Simulation

/// What decides about EAP behind a gateway, and how the gateway asks it: RADIUS (RFC 3579).
package struct BackendSettings: Sendable {
    /// How long a server takes for an answer.
    package var latency: DurationDistribution
    /// How many requests wait for an answer at a time; what comes beyond that waits its turn.
    package var sockets: Int
    /// How many jobs are in work at most, those that wait for the server among them, as in strongSwan, whose workers
    /// wait with their jobs; nil: waiting takes no worker.
    package var workers: Int?
    /// How long each sending of a request waits for the answer; after the last one there is none.
    package var waits: [Duration]
    /// When no server answers, in order of time.
    package var outages: [Range<Instant>] = []

    package init(latency: DurationDistribution, sockets: Int, workers: Int?, waits: [Duration]) {
        precondition(sockets > 0 && (workers ?? 1) > 0, "a request has a socket, and somebody who sends it")
        self.latency = latency
        self.sockets = sockets
        self.workers = workers
        self.waits = waits
    }
}

/// The model of what decides about EAP: which request is answered when.
struct Backend: Sendable {
    private let settings: BackendSettings
    private var latencies: RandomStream
    /// When each socket has its next request.
    private var freeAt: [Instant]
    /// How many jobs wait for their answers, or for a socket.
    private(set) var waitingCount = 0

    struct Answer {
        let at: Instant
        /// Nobody has answered until then.
        let isMissing: Bool
    }

    init(_ settings: BackendSettings, latencies: RandomStream) {
        self.settings = settings
        self.latencies = latencies
        freeAt = Array(repeating: .zero, count: settings.sockets)
    }

    /// Whether there is somebody left for another job beside so many that are at work.
    func hasWorker(beside busyCount: Int) -> Bool {
        guard let workers = settings.workers else { return true }
        return busyCount + waitingCount < workers
    }

    /// Sends a request as soon as a socket is free, again by the schedule, and keeps the socket until that is over.
    mutating func ask(at now: Instant) -> Answer {
        waitingCount += 1
        let socket = freeAt.indices.reduce(0) { freeAt[$1] < freeAt[$0] ? $1 : $0 }
        let latency = settings.latency.draw(from: &latencies)
        var sentAt = max(now, freeAt[socket])
        var answer: Instant?
        for wait in settings.waits {
            if isUp(at: sentAt), isUp(at: sentAt + latency) { answer = min(answer ?? .never, sentAt + latency) }
            sentAt = sentAt + wait
        }
        let isMissing = (answer ?? .never) >= sentAt
        let end = isMissing ? sentAt : answer ?? sentAt
        freeAt[socket] = end
        return Answer(at: end, isMissing: isMissing)
    }

    mutating func finish() { waitingCount -= 1 }

    /// All requests are lost at `now`.
    mutating func reset(at now: Instant) {
        waitingCount = 0
        for socket in freeAt.indices { freeAt[socket] = now }
    }

    private func isUp(at time: Instant) -> Bool { !settings.outages.contains { $0.contains(time) } }
}

extension FrontDesk {
    /// Whether a job could start now.
    var canStart: Bool { cores.hasFree && backend?.hasWorker(beside: cores.busyCount) ?? true }

    /// Whether a job goes to the server once its core is done with it.
    func asksBackend(_ job: Job) -> Bool { backend != nil && job.operation == .eapRound && job.work == .handle }

    /// A core is done with a job that the server decides about: the half hears of it when there is an answer.
    mutating func ask(_ index: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        guard let answer = backend?.ask(at: now) else { preconditionFailure("what is asked is there") }
        let completion = answer.at + settings.internalLatency
        queue[index].isLost = completion >= nextDown
        let job = queue[index]
        metrics.ask(isMissing: answer.isMissing)
        record(.backend, job.half.packed, answer.at.nanoseconds, answer.isMissing ? 1 : 0)
        push(.backendEnd, class: GatewayEventClass.jobEnd, at: answer.at, small: index, first: epoch)
        let action: JobCompletion.Action = answer.isMissing ? .handleWithoutBackend : .handle
        complete(job, at: completion, job.isLost ? .drop(.down) : action, &outbox)
    }
}

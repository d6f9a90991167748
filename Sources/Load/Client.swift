package import IKECrypto
import IKEWire
package import IKEv2
package import Primitives

/// One remote client: its IKE SAs, and what it does when they end.
///
/// It cannot tell simulated time from real time. After each call the driver carries out the turn's output and asks for
/// `deadline` anew.
package struct Client: ~Copyable {
    package internal(set) var place: ClientPlace
    /// Counts the attempts; the gateway's half of an attempt is named by it.
    package private(set) var attempt: UInt32 = 0
    /// Whether the client has an IKE SA with a Child SA.
    package private(set) var isUp = false
    /// Whether the client is meant to be connected: it has arrived, and neither left nor given up.
    package private(set) var isWanted = false
    var endpoint: Endpoint?
    /// When the attempt under way was due: latency counts from here.
    private var intended = Instant.zero
    /// When the next attempt is due, or `.never`.
    var nextAttempt = Instant.never
    /// When the client leaves, or `.never`.
    private var departure = Instant.never
    var failures = 0
    private var chance: RandomStream
    /// The first Child SA was refused: the attempt failed, though the IKE SA is there.
    private var refusal: NotifyType?
    private var hasReportedEnd = true

    package init(_ place: ClientPlace, plan: ClientPlan) {
        self.place = place
        chance = RandomStream(seed: plan.seed, entity: place.entity, purpose: .reconnect)
    }

    /// Whether it takes part in nothing: an arrival can start it.
    package var isIdle: Bool { !isWanted && !hasEndpoint }

    /// Whether an attempt is under way that has neither succeeded nor failed.
    package var isAttempting: Bool { hasEndpoint && !hasReportedEnd }

    /// Whether it wants a tunnel, has none, and nothing is under way or planned, though no failure was counted.
    package var isLost: Bool { isWanted && !isUp && !hasEndpoint && !hasReportedEnd }

    package var hasEndpoint: Bool {
        switch endpoint {
        case .some: true
        case .none: false
        }
    }

    /// Arrives: begins its first attempt, which was due at `intended`.
    package mutating func arrive(
        intended: Instant,
        leaving departure: Instant,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        isWanted = true
        self.departure = departure
        failures = 0
        tally.wanted(1, plan.population, at: turn.now)
        begin(intended: intended, plan: plan, &turn, &tally)
    }

    /// Leaves: deletes its IKE SA, and does not come back by itself.
    package mutating func leave(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        departure = .never
        nextAttempt = .never
        stopWanting(plan: plan, &turn, &tally)
        guard hasEndpoint else { return }
        endpoint?.command(.delete, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    package mutating func receive(
        _ datagram: RawSpan,
        over path: Path,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        guard hasEndpoint else { return }
        endpoint?.receive(datagram, over: path, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    package mutating func complete(
        _ result: consuming KeyExchangeResult,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        guard hasEndpoint else { return }
        endpoint?.complete(result, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    package mutating func command(
        _ command: IKESA.Command,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        guard hasEndpoint else { return }
        endpoint?.command(command, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    /// Does what is due at `turn.now`: one thing at a time, so that what it asks for is carried out in between.
    package mutating func advance(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        if departure <= turn.now {
            leave(plan: plan, &turn, &tally)
        } else if nextAttempt <= turn.now {
            let due = nextAttempt
            nextAttempt = .never
            begin(intended: due, plan: plan, &turn, &tally)
        } else if hasEndpoint {
            endpoint?.advance(under: plan.policy, &turn)
            absorb(plan: plan, &turn, &tally)
        }
    }

    /// When `advance` has something to do next, or `.never`.
    package func deadline(plan: ClientPlan) -> Instant {
        let own = min(departure, nextAttempt)
        switch endpoint {
        case .some(let endpoint): return min(own, endpoint.deadline(under: plan.policy))
        case .none: return own
        }
    }

    /// Whether `advance` would begin another attempt: what a driver with a ceiling asks first.
    package func isAttemptDue(at now: Instant) -> Bool { nextAttempt <= now && departure > now }

    /// Visits the client's IKE SAs.
    package func forEachSA(_ body: (borrowing IKESA) -> Void) {
        switch endpoint {
        case .some(let endpoint): endpoint.forEachSA(body)
        case .none: break
        }
    }

    /// Lends the keys of the client's IKE SA of these SPIs; nil where there is none.
    package func withChannel<Result>(of spis: IKESPIPair, _ body: (borrowing Channel) -> Result) -> Result? {
        switch endpoint {
        case .some(let endpoint): endpoint.withChannel(of: spis, body)
        case .none: nil
        }
    }
}

extension Client {
    mutating func begin(
        intended: Instant,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        attempt += 1
        self.intended = intended
        refusal = nil
        hasReportedEnd = false
        tally.offered(plan.population, at: turn.now)
        let entity = StableName.hash(of: place.entity, UInt64(attempt))
        let spis = SPISource(key: place.spiKey, owner: place.index, attempt: attempt)
        let origin = Origin(number: place.number, entity: entity, seed: plan.seed, spis: spis)
        endpoint = Endpoint(initiating: origin, over: place.route, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    /// Takes note of what the turn's reports mean for the client and for the results.
    mutating func absorb(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        var ended: CloseReason?
        var wantsDeletion = false
        while let note = turn.output.takeUnabsorbedNote() { tally.count(note, plan.population, at: turn.now) }
        while let report = turn.output.takeUnabsorbed() {
            tally.count(report, plan.population, at: turn.now)
            switch report {
            case .childInstalled:
                guard !hasReportedEnd else { continue }
                hasReportedEnd = true
                failures = 0
                isUp = true
                tally.established(plan.population, latency: turn.now - intended, at: turn.now)
            case .childRefused(let type):
                guard !hasReportedEnd else { continue }
                // Without a Child SA the attempt has failed; the IKE SA is of no use.
                refusal = type
                wantsDeletion = true
            case .closed(_, let reason):
                if reason != .rekeyed, reason != .redundant { ended = reason }
            default: break
            }
        }
        if wantsDeletion, hasEndpoint { endpoint?.command(.delete, under: plan.policy, &turn) }
        if let ended { end(ended, plan: plan, &turn, &tally) }
        dropClosedEndpoint()
    }

    /// The IKE SA in use has come to its end, or the attempt has failed.
    private mutating func end(_ reason: CloseReason, plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        let cause = refusal.map(CloseReason.refused) ?? reason
        if !hasReportedEnd {
            hasReportedEnd = true
            tally.failed(plan.population, cause, at: turn.now)
        }
        if isUp {
            isUp = false
            tally.down(plan.population, at: turn.now)
        }
        guard isWanted else { return }
        failures += 1
        if let next = plan.reconnect.nextAttempt(after: cause, failures: failures, at: turn.now, &chance) {
            nextAttempt = next
        } else if reason == .deletedHere, refusal == nil {
            stopWanting(plan: plan, &turn, &tally)
        }
    }

    private mutating func stopWanting(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        guard isWanted else { return }
        isWanted = false
        tally.wanted(-1, plan.population, at: turn.now)
    }

    private mutating func dropClosedEndpoint() {
        let isClosed =
            switch endpoint {
            case .some(let endpoint): endpoint.isClosed
            case .none: false
            }
        if isClosed { endpoint = nil }
    }
}

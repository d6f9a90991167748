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
    /// Its IKE SAs; they rest while nothing goes on, where the driver lets them.
    var seat: EndpointSeat?
    /// When the attempt under way was due: latency counts from here.
    package private(set) var intended = Instant.zero
    /// When the next attempt is due, or `.never`.
    var nextAttempt = Instant.never
    /// When the client leaves, or `.never`.
    private var departure = Instant.never
    /// Apart, since most clients never reauthenticate.
    var renewal: Box<Renewal>?
    /// How often it has drawn from its chance.
    private var drawCount: UInt32 = 0
    var failures: UInt32 = 0
    /// The first Child SA was refused: the attempt failed, though the IKE SA is there.
    private var refusal: NotifyType?
    private(set) var hasReportedEnd = true

    package init(_ place: ClientPlace) {
        self.place = place
    }

    /// Whether it takes part in nothing: an arrival can start it.
    package var isIdle: Bool { !isWanted && !hasEndpoint }

    /// Whether an attempt is under way that has neither succeeded nor failed; reauthentications are counted apart.
    package var isAttempting: Bool { hasEndpoint && !hasReportedEnd && !isReauthenticating }

    /// Whether it wants a tunnel, has none, and will never have one, though no failure was counted: nothing is under
    /// way or planned, or an attempt waits for what has no time.
    package func isLost(plan: ClientPlan) -> Bool {
        guard isWanted, !isUp, !hasReportedEnd else { return false }
        return !hasEndpoint || deadline(plan: plan) == .never
    }

    package var hasEndpoint: Bool {
        switch seat {
        case .some: true
        case .none: hasFormer
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
        forgetReauthentication()
        stopWanting(plan: plan, &turn, &tally)
        guard hasEndpoint else { return }
        wake(plan: plan)
        takeTurn(ofFormer: false)
        seat?.endpoint.command(.delete, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
        deleteFormer(plan: plan, &turn, &tally)
    }

    package mutating func receive(
        _ datagram: RawSpan,
        over path: Path,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        wake(plan: plan)
        guard !refusesUnknown(datagram, over: path, plan: plan, &turn), hasEndpoint else { return }
        takeTurn(ofFormer: isForFormer(datagram))
        if isFormersTurn {
            renewal?.value.former?.receive(datagram, over: path, under: plan.policy, &turn)
        } else {
            seat?.endpoint.receive(datagram, over: path, under: plan.policy, &turn)
        }
        absorb(plan: plan, &turn, &tally)
    }

    package mutating func complete(
        _ result: consuming KeyExchangeResult,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        guard hasEndpoint else { return }
        if isFormersTurn {
            renewal?.value.former?.complete(result, under: plan.policy, &turn)
        } else {
            seat?.endpoint.complete(result, under: plan.policy, &turn)
        }
        absorb(plan: plan, &turn, &tally)
    }

    package mutating func command(
        _ command: IKESA.Command,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        guard hasEndpoint else { return }
        wake(plan: plan)
        takeTurn(ofFormer: false)
        seat?.endpoint.command(command, under: plan.policy, &turn)
        absorb(plan: plan, &turn, &tally)
    }

    /// Does what is due at `turn.now`: one thing at a time, so that what it asks for is carried out in between.
    package mutating func advance(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        wake(plan: plan)
        if departure <= turn.now {
            leave(plan: plan, &turn, &tally)
        } else if nextAttempt <= turn.now {
            let due = nextAttempt
            nextAttempt = .never
            begin(intended: due, plan: plan, &turn, &tally)
        } else if renewalDue <= turn.now {
            reauthenticate(plan: plan, &turn, &tally)
        } else if hasEndpoint {
            takeTurn(ofFormer: formerDeadline(plan: plan) <= turn.now)
            if isFormersTurn {
                renewal?.value.former?.advance(under: plan.policy, &turn)
            } else {
                seat?.endpoint.advance(under: plan.policy, &turn)
            }
            absorb(plan: plan, &turn, &tally)
        }
    }

    /// When `advance` has something to do next, or `.never`; the client has to be awake, as for all that looks into it.
    package func deadline(plan: ClientPlan) -> Instant {
        let own = min(departure, nextAttempt, renewalDue, formerDeadline(plan: plan))
        switch seat {
        case .some(let seat): return min(own, seat.endpoint.deadline(under: plan.policy))
        case .none: return own
        }
    }

    /// Whether `advance` would begin another attempt: what a driver with a ceiling asks first.
    package func isAttemptDue(at now: Instant) -> Bool { min(nextAttempt, renewalDue) <= now && departure > now }

    /// The way to the gateway; nil before there is one. While an IKE SA is made in another's place, it is the other's.
    package var path: Path? {
        var path: Path?
        switch seat {
        case .some(let seat): path = seat.endpoint.path
        case .none: break
        }
        if path == nil { withFormer { path = $0.path } }
        return path
    }

    /// Visits the client's IKE SAs.
    package func forEachSA(_ body: (borrowing IKESA) -> Void) {
        switch seat {
        case .some(let seat): seat.endpoint.forEachSA(body)
        case .none: break
        }
        withFormer { $0.forEachSA(body) }
    }

    /// Lends the keys of the client's IKE SA of these SPIs; nil where there is none.
    package func withChannel<Result>(of spis: IKESPIPair, _ body: (borrowing Channel) -> Result) -> Result? {
        var result: Result?
        switch seat {
        case .some(let seat): result = seat.endpoint.withChannel(of: spis, body)
        case .none: break
        }
        withFormer { if result == nil { result = $0.withChannel(of: spis, body) } }
        return result
    }
}

// A client's rest.
extension Client {
    /// Has the client take as little memory as it can until something happens to it.
    package mutating func rest(_ turn: inout Turn) { seat?.rest(&turn) }

    package var isResting: Bool {
        switch seat {
        case .some(let seat): seat.isResting
        case .none: false
        }
    }

    /// Has the client be as it was before its rest. All that changes it does so; a driver that looks into a client that
    /// may rest wakes it first.
    package mutating func wake(plan: ClientPlan) {
        let place = place
        seat?.wake(as: place.origin(seed: plan.seed))
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
        // Whatever an earlier attempt left is not this one's.
        renewal?.value.currentAttempt = 0
        self.intended = intended
        refusal = nil
        hasReportedEnd = false
        if !isReauthenticating { tally.offered(plan.population, at: turn.now) }
        var origin = place.origin(ofAttempt: attempt, seed: plan.seed)
        origin.isReplacement = hasFormer
        takeTurn(ofFormer: false)
        seat = EndpointSeat(Endpoint(initiating: origin, over: place.route, under: plan.policy, &turn))
        absorb(plan: plan, &turn, &tally)
    }

    /// Takes note of what the turn's reports mean for the client and for the results.
    mutating func absorb(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        guard !isFormersTurn else { return absorbFormer(plan: plan, &turn, &tally) }
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
                succeed(plan: plan, &turn, &tally)
            case .authenticationLimited(let lifetime): limitAuthentication(to: lifetime, at: turn.now)
            case .childRefused(let type):
                guard !hasReportedEnd else { continue }
                // Without a Child SA the attempt has failed; the IKE SA is of no use. What is refused later is not why.
                refusal = refusal ?? type
                wantsDeletion = true
            case .closed(_, let reason):
                if reason != .rekeyed, reason != .redundant { ended = reason }
            default: break
            }
        }
        if wantsDeletion, hasEndpoint { seat?.endpoint.command(.delete, under: plan.policy, &turn) }
        if let ended { end(ended, plan: plan, &turn, &tally) }
        dropClosedEndpoint()
        if isUp, hasReportedEnd { deleteFormer(plan: plan, &turn, &tally) }
    }

    /// The attempt has an IKE SA with a Child SA.
    private mutating func succeed(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        if isReauthenticating {
            endReauthentication(nil, plan: plan, turn.now, &tally)
            if !isUp { tally.up(plan.population, at: turn.now) }
        } else {
            tally.established(plan.population, latency: turn.now - intended, at: turn.now)
        }
        isUp = true
        scheduleReauthentication(plan: plan, at: turn.now)
    }

    /// The IKE SA in use has come to its end, or the attempt has failed.
    private mutating func end(_ reason: CloseReason, plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        let cause = refusal.map(CloseReason.refused) ?? reason
        // The end that a reauthentication begins with, before its attempt.
        let isBreak = isReauthenticating && hasReportedEnd
        if !hasReportedEnd {
            hasReportedEnd = true
            guard isReauthenticating else {
                tally.failed(plan.population, cause, at: turn.now)
                return lose(cause, reason, plan: plan, &turn, &tally)
            }
            endReauthentication(cause, plan: plan, turn.now, &tally)
            guard !keepFormer(after: cause, plan: plan, at: turn.now) else { return }
        }
        guard isBreak else { return lose(cause, reason, plan: plan, &turn, &tally) }
        goDown(plan: plan, &turn, &tally)
        if isWanted {
            nextAttempt = turn.now
        } else {
            endReauthentication(cause, plan: plan, turn.now, &tally)
        }
    }

    /// When the client tries again after its last failure; nil for never.
    mutating func reconnection(after cause: CloseReason, plan: ClientPlan, at now: Instant) -> Instant? {
        let failures = Int(failures)
        return draw(plan: plan) { chance in
            plan.reconnect.nextAttempt(after: cause, failures: failures, at: now, &chance)
        }
    }

    /// Lends the client's chance: one stream, of which only the place in it is kept.
    mutating func draw<Result>(plan: ClientPlan, _ body: (inout RandomStream) -> Result) -> Result {
        var chance = RandomStream(
            seed: plan.seed,
            entity: place.entity,
            purpose: .reconnect,
            drawCount: UInt64(drawCount)
        )
        defer { drawCount = UInt32(chance.drawCount) }
        return body(&chance)
    }

    mutating func goDown(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        guard isUp else { return }
        isUp = false
        tally.down(plan.population, at: turn.now)
    }

    /// The client has no IKE SA any more: it comes again, or gives up.
    private mutating func lose(
        _ cause: CloseReason,
        _ reason: CloseReason,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        if isUp, isWanted, cause != .deletedHere { tally.lost(plan.population, cause, at: turn.now) }
        goDown(plan: plan, &turn, &tally)
        forgetReauthentication()
        guard isWanted else { return }
        failures += 1
        if let next = reconnection(after: cause, plan: plan, at: turn.now) {
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
            switch seat {
            case .some(let seat): seat.endpoint.isClosed
            case .none: false
            }
        if isClosed { seat = nil }
    }
}

package import IKEWire
package import IKEv2
import Primitives

/// What a client keeps of its reauthentication: an IKE SA made from scratch takes the place of another one
/// (RFC 7296 section 2.8.3).
struct Renewal: ~Copyable {
    /// When the next one is due, or `.never`.
    var due = Instant.never
    /// When the one under way was due, which its latency counts from, or `.never`.
    var begun = Instant.never
    /// The IKE SAs that the attempt under way is to replace, or has replaced.
    var former: Endpoint?
    /// The attempt that made them.
    var formerAttempt: UInt32 = 0
    /// The attempt that made the client's endpoint, where later ones have failed; else 0.
    var currentAttempt: UInt32 = 0
    /// Whether the former ones have the turn that goes on.
    var isFormersTurn = false
    /// How many requests of unknown IKE SAs were answered.
    var unknownSPIAnswers = AnswerLimit(perSecond: 0)
}

// What is asked of a client that may reauthenticate.
extension Client {
    package var isReauthenticating: Bool {
        switch renewal {
        case .some(let renewal): renewal.value.begun != .never
        case .none: false
        }
    }

    /// When a reauthentication is due that can begin, or `.never`.
    var renewalDue: Instant {
        switch renewal {
        case .some(let renewal): hasReportedEnd && renewal.value.begun == .never ? renewal.value.due : .never
        case .none: .never
        }
    }

    var isFormersTurn: Bool {
        switch renewal {
        case .some(let renewal): renewal.value.isFormersTurn
        case .none: false
        }
    }

    package var hasFormer: Bool {
        var isThere = false
        withFormer { _ in isThere = true }
        return isThere
    }

    func formerDeadline(plan: ClientPlan) -> Instant {
        var deadline = Instant.never
        withFormer { deadline = $0.deadline(under: plan.policy) }
        return deadline
    }

    func isForFormer(_ datagram: RawSpan) -> Bool {
        var isMeant = false
        withFormer { isMeant = $0.hasSA(of: datagram) }
        return isMeant
    }

    func withFormer(_ body: (borrowing Endpoint) -> Void) {
        switch renewal {
        case .some(let renewal):
            switch renewal.value.former {
            case .some(let former): body(former)
            case .none: break
            }
        case .none: break
        }
    }

    /// The attempt whose IKE SA sends this message; a client that changes over has two.
    package func attempt(sending message: RawSpan) -> UInt32 {
        switch renewal {
        case .some(let renewal):
            if isForFormer(message) { return renewal.value.formerAttempt }
            return renewal.value.currentAttempt == 0 ? attempt : renewal.value.currentAttempt
        case .none: return attempt
        }
    }

    /// Answers a request of an IKE SA that the client does not have, or has no more (RFC 7296 section 2.21.4).
    ///
    /// - Returns: false where the client has it, or says nothing of others.
    mutating func refusesUnknown(_ datagram: RawSpan, over path: Path, plan: ClientPlan, _ turn: inout Turn) -> Bool {
        guard plan.policy.values.lifeCycle.unknownSPIAnswers > 0, !hasSA(of: datagram),
            admitsUnknownSPI(plan, turn.now)
        else { return false }
        return IKESA.refuseUnknown(datagram, over: path, &turn)
    }

    /// Takes an ESP packet that came by UDP; one of a Child SA that the client does not have is answered, over the IKE
    /// SA where there is one (RFC 7296 section 1.5).
    package mutating func receiveESP(
        _ spi: ChildSPI,
        over path: Path,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        wake(plan: plan)
        guard !expects(spi), admitsUnknownSPI(plan, turn.now) else { return }
        takeTurn(ofFormer: false)
        let isToldOverIKESA = seat?.endpoint.refuseUnknownChild(spi, under: plan.policy, &turn)
        if isToldOverIKESA != true { IKESA.refuseUnknownChild(spi, over: path, &turn) }
        absorb(plan: plan, &turn, &tally)
    }

    private func expects(_ spi: ChildSPI) -> Bool {
        var isExpected = false
        withFormer { isExpected = $0.expects(spi) }
        switch seat {
        case .some(let seat): return isExpected || seat.endpoint.expects(spi)
        case .none: return isExpected
        }
    }

    /// Whether one more message or packet with unknown SPIs may be answered in this second.
    private mutating func admitsUnknownSPI(_ plan: ClientPlan, _ now: Instant) -> Bool {
        let limit = plan.policy.values.lifeCycle.unknownSPIAnswers
        guard limit > 0 else { return false }
        if renewal == nil { renewal = Box(Renewal()) }
        renewal?.value.unknownSPIAnswers.perSecond = limit
        return renewal?.value.unknownSPIAnswers.admits(at: now) == true
    }

    private func hasSA(of datagram: RawSpan) -> Bool {
        if isForFormer(datagram) { return true }
        switch seat {
        case .some(let seat): return seat.endpoint.hasSA(of: datagram)
        case .none: return false
        }
    }

    mutating func takeTurn(ofFormer isFormers: Bool) { renewal?.value.isFormersTurn = isFormers }
}

// When it is due.
extension Client {
    /// Plans the next reauthentication by the policy, unless the gateway wants it sooner.
    mutating func scheduleReauthentication(plan: ClientPlan, at now: Instant) {
        guard let policy = plan.policy.values.lifeCycle.reauthentication else { return }
        let earlier = draw(plan: plan) { $0.duration(upTo: policy.jitter.part(of: policy.every)) }
        scheduleReauthentication(at: now + (policy.every - earlier))
    }

    /// Reauthenticates well before the gateway stops believing in the client: when a tenth of the time is left
    /// (RFC 4478 section 3).
    mutating func limitAuthentication(to lifetime: Duration, at now: Instant) {
        scheduleReauthentication(at: now + (lifetime - lifetime / 10))
    }

    private mutating func scheduleReauthentication(at due: Instant) {
        if renewal == nil { renewal = Box(Renewal()) }
        let earlier = renewal?.value.due ?? .never
        renewal?.value.due = min(earlier, due)
    }

    mutating func forgetReauthentication() { renewal?.value.due = .never }
}

// How it goes.
extension Client {
    /// Begins with the Delete, or with the new IKE SA.
    mutating func reauthenticate(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        let due = renewalDue
        renewal?.value.due = .never
        renewal?.value.begun = due
        tally.mark(.reauthenticationStarted, plan.population, at: turn.now)
        takeTurn(ofFormer: false)
        guard plan.policy.values.lifeCycle.reauthentication?.order == .makeBeforeBreak else {
            seat?.endpoint.command(.delete, under: plan.policy, &turn)
            return absorb(plan: plan, &turn, &tally)
        }
        let current = renewal?.value.currentAttempt ?? 0
        renewal?.value.formerAttempt = current == 0 ? attempt : current
        renewal?.value.former = seat.take()?.take()
        begin(intended: due, plan: plan, &turn, &tally)
    }

    /// The attempt of a reauthentication has come to its end, by success where there is no reason.
    mutating func endReauthentication(
        _ reason: CloseReason?,
        plan: ClientPlan,
        _ now: Instant,
        _ tally: inout ClientTally
    ) {
        let due = renewal?.value.begun ?? now
        renewal?.value.begun = .never
        if let reason {
            tally.reauthenticationFailed(plan.population, reason, at: now)
        } else {
            tally.reauthenticated(plan.population, latency: now - due, at: now)
        }
    }

    /// Goes on with the IKE SA that was to be replaced, and tries again as after any failure.
    ///
    /// - Returns: false where it is gone, or is going.
    mutating func keepFormer(after cause: CloseReason, plan: ClientPlan, at now: Instant) -> Bool {
        guard isWanted, isUp, let former = renewal?.value.former.take() else { return false }
        seat = EndpointSeat(former)
        failures += 1
        let next = reconnection(after: cause, plan: plan, at: now)
        renewal?.value.due = next ?? .never
        let kept = renewal?.value.formerAttempt ?? 0
        renewal?.value.currentAttempt = kept
        return true
    }

    /// Deletes the IKE SAs that are not wanted any more, one by one.
    mutating func deleteFormer(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        guard hasFormer else { return }
        takeTurn(ofFormer: true)
        renewal?.value.former?.command(.delete, under: plan.policy, &turn)
        absorbFormer(plan: plan, &turn, &tally)
        takeTurn(ofFormer: false)
    }

    /// Takes note of what the former IKE SAs report.
    mutating func absorbFormer(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        var hasEnded = false
        while let note = turn.output.takeUnabsorbedNote() { tally.count(note, plan.population, at: turn.now) }
        while let report = turn.output.takeUnabsorbed() {
            tally.count(report, plan.population, at: turn.now)
            if case .closed(_, let reason) = report, reason != .rekeyed, reason != .redundant { hasEnded = true }
        }
        var isClosed = false
        withFormer { isClosed = $0.isClosed }
        if isClosed { renewal?.value.former = nil }
        // It is gone before there is another one.
        if hasEnded, !hasReportedEnd || !isWanted { goDown(plan: plan, &turn, &tally) }
    }
}

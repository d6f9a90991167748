import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation

// What becomes of a packet when it arrives.
extension FrontDesk {
    mutating func admit(_ arrival: PacketArrival, _ outbox: inout Outbox<GatewayMessage>) {
        metrics.arrivals += 1
        var job = Job(enqueuedAt: now, half: arrival.half, shard: arrival.shard, work: .handle)
        job.packet = arrival.packet
        job.byteCount = arrival.byteCount
        if let reason = reasonToIgnore(arrival) {
            job.work = .drop
            job.reason = reason
            record(arrival, job, isQueued: false)
            complete(job, at: now + settings.internalLatency, .drop(reason), &outbox)
            return
        }
        if arrival.exchange == .ikeSAInit {
            decideOnSAInit(arrival, &job)
        } else {
            decide(arrival, &job)
        }
        record(arrival, job, isQueued: true)
        queue.append(job)
    }

    /// Why a packet costs the gateway nothing, if it is so.
    private func reasonToIgnore(_ arrival: PacketArrival) -> DropReason? {
        if isDown { return .down }
        if arrival.note.operation == .natKeepalive { return .keepalive }
        // A packet for which a core is free does not wait.
        guard !canStart else { return nil }
        let hasRoom =
            queue.packetCount < settings.queuePackets
            && queue.byteCount + Int(arrival.byteCount) <= settings.queueByteCount
        return hasRoom ? nil : .queueFull
    }

    private mutating func record(_ arrival: PacketArrival, _ job: Job, isQueued: Bool) {
        let decided =
            UInt64(job.work.rawValue) | UInt64(job.operation.rawValue) << 8 | UInt64(job.reason.rawValue) << 16
            | UInt64(arrival.exchange.rawValue) << 24 | UInt64(arrival.messageID.rawValue) << 32
        record(.arrival, arrival.order.count, decided, job.half.packed ^ (isQueued ? 0 : 1 << 63))
        digest.mix(UInt64(arrival.order.source), UInt64(arrival.byteCount) << 8 | UInt64(arrival.note.digestBits))
    }

    // MARK: IKE_SA_INIT

    private mutating func decideOnSAInit(_ arrival: PacketArrival, _ job: inout Job) {
        guard !arrival.isResponse else { return discard(&job, .useless) }
        job.priority = .medium
        if let id = halves.id(of: arrival.half) {
            guard halves[id].state != .queued else { return discard(&job, .inWork) }
            job.record = id
            setPrice(of: &job, .retransmissionAnswered)
            return
        }
        let source = arrival.source.address.sourceKey
        let ofSource = halves.halfOpenCount(of: source)
        let needsCookie = cookieIsNeeded(ofSource: ofSource)
        let limits = settings.halfOpen
        if needsCookie && !arrival.note.hasCookie {
            job.work = .demandCookie
            job.priority = .receiver
            setPrice(of: &job, .cookieDemand)
        } else if let limit = limits.refuseAbovePerSource, ofSource >= limit {
            refuse(&job, .tooManyHalfOpenOfSource, hasCookie: needsCookie)
        } else if let limit = limits.refuseAbove, halves.halfOpenCount >= limit {
            refuse(&job, .tooManyHalfOpen, hasCookie: needsCookie)
        } else {
            open(arrival, from: source, &job, checksCookie: needsCookie)
        }
    }

    /// strongSwan counts what it has queued, too, and goes on demanding cookies for a while.
    private mutating func cookieIsNeeded(ofSource count: Int) -> Bool {
        let limits = settings.halfOpen
        if let threshold = limits.cookiesAbove, halves.halfOpenCount >= threshold {
            cookiesUntil = now + limits.cookieCalmDown
            return true
        }
        if let threshold = limits.cookiesAbovePerSource, count >= threshold { return true }
        return now < cookiesUntil
    }

    private func refuse(_ job: inout Job, _ reason: DropReason, hasCookie: Bool) {
        job.work = .drop
        job.reason = reason
        job.priority = .receiver
        setPrice(of: &job, .refuse)
        if hasCookie { job.price += settings.costs[.cookieCheck] }
    }

    private mutating func open(_ arrival: PacketArrival, from source: UInt64, _ job: inout Job, checksCookie: Bool) {
        let id = halves.insert(arrival.half, shard: arrival.shard, source: source, state: .queued)
        job.record = id
        job.opensHalf = true
        job.work = checksCookie ? .handleIfCookieIsTrue : .handle
        if arrival.note.operation == .ikeSAInit, let method = arrival.note.keyExchange,
            keyExchanges >> UInt64(method.place) & 1 == 1
        {
            setPrice(of: &job, .ikeSAInit)
            job.price += settings.costs[method]
        } else {
            // INVALID_KE_PAYLOAD, NO_PROPOSAL_CHOSEN or no valid request at all.
            setPrice(of: &job, .refuse)
        }
        if checksCookie { job.price += settings.costs[.cookieCheck] }
    }

    // MARK: All that follows it

    private mutating func decide(_ arrival: PacketArrival, _ job: inout Job) {
        let known = halves.id(of: arrival.spi)
        guard let id = known ?? halves.id(of: arrival.half) else { return decideOnUnknown(arrival, &job) }
        guard halves[id].half.client == arrival.half.client else { return discard(&job, .forged) }
        guard let operation = PricedOperation(requestOf: arrival.exchange, arrival.note.operation) else {
            return discard(&job, .useless)
        }
        job.record = id
        job.half = halves[id].half
        job.priority = Priority(of: arrival.exchange)
        if arrival.exchange == .ikeAuth, !arrival.isResponse { job.wantedAddresses = arrival.note.wantedAddresses }
        if arrival.note.fragmentTotal > 0, !completesMessage(arrival, id, isKnown: known != nil) {
            return setPriceOfFragment(of: &job, arrival, id, isKnown: known != nil)
        }
        if arrival.isResponse {
            // Of a key exchange half was paid with the request, when the key pair was made.
            setPrice(of: &job, .ownResponse)
            if let method = arrival.note.keyExchange { job.price += settings.costs[method].half }
            if arrival.exchange == .ikeFollowupKE, let method = arrival.note.keyExchange {
                // Nothing but an answer begins the request that follows it, with its key pair.
                job.price += settings.costs[.ownRequest]
                job.price += settings.costs[method].half
            }
            return
        }
        guard operation != .discard else { return setPrice(of: &job, .discard) }
        switch known == nil ? .new : standing(of: arrival, id) {
        case .inWork: discard(&job, .inWork)
        case .old: discard(&job, .old)
        case .answered: setPrice(of: &job, .retransmissionAnswered)
        case .new:
            if known != nil { job.spi = arrival.spi.rawValue }
            setPrice(of: &job, operation)
            if operation != .ikeAuthPSK, let method = arrival.note.keyExchange {
                job.price += settings.costs[method]
            }
            if operation == .ikeAuthPSK, arrival.note.isSigned { job.price += settings.costs.verification }
            // The answer to the first IKE_AUTH request shows who the gateway is.
            if operation == .ikeAuthPSK || operation == .eapRound, settings.signs, arrival.messageID.rawValue == 1 {
                job.price += settings.costs.signature
            }
        }
    }

    /// Of requests that overlap one may be new, or may be answered again, although later ones have been taken: its
    /// sender says which, and the half knows better.
    private mutating func standing(of arrival: PacketArrival, _ id: SlotID) -> RequestWindow.Standing {
        inWindow(halves[id].take(arrival.messageID), arrival)
    }

    private func inWindow(_ standing: RequestWindow.Standing, _ arrival: PacketArrival) -> RequestWindow.Standing {
        guard settings.windowSize > 1, standing == .old || standing == .inWork else { return standing }
        return arrival.note.isRetransmission ? .answered : .new
    }

    /// A request is told that there is no such IKE SA, as long as not too many are; a response is not.
    private mutating func decideOnUnknown(_ arrival: PacketArrival, _ job: inout Job) {
        guard !arrival.isResponse, unknownSPIAnswers.perSecond > 0, unknownSPIAnswers.admits(at: now) else {
            return discard(&job, .unknownSPI)
        }
        job.work = .refuseUnknown
        job.priority = .receiver
        setPrice(of: &job, .refuse)
    }

    /// Whether a fragment makes its message whole; what is answered or in work already is never whole again.
    private mutating func completesMessage(_ arrival: PacketArrival, _ id: SlotID, isKnown: Bool) -> Bool {
        let half = halves[id].half
        let isNew = arrival.isResponse || !isKnown || standing(ofFragment: arrival, id) == .new
        // What is sent again behind a later request is of use where it was not whole before.
        guard isNew || (settings.windowSize > 1 && fragments.has(arrival, of: half)) else { return false }
        // How many requests of its own overlap is the client's to say.
        let isOwn = arrival.isResponse && settings.windowSize > 1
        return fragments.completes(arrival, of: half, atMost: isOwn ? .max : settings.windowSize)
    }

    private func standing(ofFragment arrival: PacketArrival, _ id: SlotID) -> RequestWindow.Standing {
        inWindow(halves[id].standing(of: arrival.messageID), arrival)
    }

    /// A fragment by itself costs what a packet costs that is looked at: the exchange is paid with the one that makes
    /// the message whole, and the answer from memory with the first one (RFC 7383 section 2.6.1).
    private func setPriceOfFragment(of job: inout Job, _ arrival: PacketArrival, _ id: SlotID, isKnown: Bool) {
        setPrice(of: &job, .discard)
        guard isKnown, !arrival.isResponse else { return }
        switch standing(ofFragment: arrival, id) {
        case .new: break
        case .inWork: discard(&job, .inWork)
        case .old: discard(&job, .old)
        case .answered: if arrival.note.fragmentNumber == 1 { setPrice(of: &job, .retransmissionAnswered) }
        }
    }

    /// Looked at and thrown away.
    private func discard(_ job: inout Job, _ reason: DropReason) {
        job.record = Job.noRecord
        job.work = .drop
        job.reason = reason
        job.priority = .receiver
        job.wantedAddresses = []
        setPrice(of: &job, .discard)
    }

    private func setPrice(of job: inout Job, _ operation: PricedOperation) {
        job.operation = operation
        job.price = settings.costs[operation]
    }
}

extension PricedOperation {
    /// What a request costs, by its header and by what its sender says is in it; nil for an exchange that nobody knows.
    ///
    /// Where the two do not fit the half will find nothing that it can use: such a request is looked at, no more.
    fileprivate init?(requestOf exchange: ExchangeType, _ noted: Operation) {
        switch (exchange, noted) {
        case (.ikeAuth, .ikeAuth): self = .ikeAuthPSK
        case (.ikeAuth, .eap): self = .eapRound
        case (.createChildSA, .createChild), (.createChildSA, .rekeyChild): self = .createChildSA
        case (.createChildSA, .rekeyIKE): self = .rekeyIKESA
        case (.informational, .delete): self = .delete
        // A message with a key exchange and no more: what INFORMATIONAL costs, and the key exchange.
        case (.ikeIntermediate, .ikeIntermediate), (.ikeFollowupKE, .followUp): self = .informational
        case (.informational, .informational), (.informational, .liveness): self = .informational
        case (.ikeAuth, _), (.createChildSA, _), (.informational, _), (.ikeIntermediate, _), (.ikeFollowupKE, _):
            self = .discard
        default: return nil
        }
    }
}

extension Priority {
    /// strongSwan 5.9's job priorities: IKE_AUTH is dear and often waits, INFORMATIONAL is cheap.
    fileprivate init(of exchange: ExchangeType) {
        switch exchange {
        case .informational: self = .high
        case .ikeAuth: self = .low
        default: self = .medium
        }
    }
}

extension PacketNote {
    /// The note in one word.
    fileprivate var digestBits: UInt64 {
        UInt64(operation.rawValue) | (isRetransmission ? 1 << 8 : 0) | (hasCookie ? 1 << 9 : 0)
            | UInt64((keyExchange?.place ?? 15)) << 10 | (isSigned ? 1 << 32 : 0)
            | UInt64(fragmentNumber) << 40 | UInt64(fragmentTotal) << 48
    }
}

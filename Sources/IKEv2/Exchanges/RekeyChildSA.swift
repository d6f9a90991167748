import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// What becomes of a CREATE_CHILD_SA request of the peer.
    enum Handling {
        /// It has been answered, or waits for a key exchange.
        case taken
        /// It does not decode, which the caller answers (RFC 7296 section 2.21.3).
        case malformed
    }

    /// A CREATE_CHILD_SA exchange of the peer that waits for a key exchange operation.
    struct IncomingExchange: ~Copyable {
        enum Agreement {
            case child(ChildAnswer, replacing: ChildSPI?)
            case ike(Selection<IKESuite>, ownSPI: IKESPI)
        }
        let agreement: Agreement
        let peerNonce: [UInt8]
        let nonce: [UInt8]
        var method: KeyExchangeMethod
        /// Whether the result of an operation is awaited, or the peer's next request.
        var isComputing = true
        var followUp: Box<AnsweredFollowUp>?
    }
}

// CREATE_CHILD_SA for a Child SA, begun by the peer: a further one, or a rekey (RFC 7296 sections 1.3.1 and 1.3.3).
extension IKESA.Established {
    /// Takes HDR, SK {[N(REKEY_SA)], [N(USE_TRANSPORT_MODE)], SA, Ni, [KEi], TSi, TSr}.
    mutating func takeChildRequest(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA.Handling {
        // RFC 7296 section 2.25.2: the IKE SA is being rekeyed or closed, so that the new Child SA could be lost.
        if isSuperseded || isToBeClosed || rival != nil || draftPurpose == .rekeyIKE {
            return refuse(.temporaryFailure, &turn)
        }
        var replaced: ChildSPI?
        if contents.hasNotify(.rekeySA) {
            guard let named = contents.notifiedChild(.rekeySA) else { return .malformed }
            guard let index = childIndex(outbound: named) else {
                // It may be the one that this end's own exchange has made at the peer, and whose answer is on its way:
                // CHILD_SA_NOT_FOUND would make the peer forget what is about to be installed here.
                return outgoing == .awaitingAnswer || outgoing == .awaitingAgreement || hasFlights
                    ? refuse(.temporaryFailure, &turn) : refuseUnknownChild(named, &turn)
            }
            guard children[index].status == .active else { return refuse(.temporaryFailure, &turn) }
            replaced = children[index].inbound
            bringForward(rekeyOf: children[index].inbound)
        }
        let limit = policy.values.childLimit
        guard children.count < (replaced == nil ? limit : 2 * limit) else { return refuse(.noAdditionalSAs, &turn) }
        do throws(DecodeError) {
            return try answerChildRequest(contents, replacing: replaced, policy: policy, &turn)
        } catch {
            return .malformed
        }
    }

    private mutating func answerChildRequest(
        _ contents: borrowing Contents,
        replacing replaced: ChildSPI?,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) throws(DecodeError) -> IKESA.Handling {
        let peerNonce = try Nonce(contents.nonce).data.copied()
        let brought = try contents.keyExchangeMethod()
        guard
            let selection = try policy.childOffer.select(contents.securityAssociation, .offer(bringing: brought))
        else { return refuse(.noProposalChosen, &turn) }
        if let method = selection.suite.keyExchange, brought != method { return demand(method, &turn) }
        if !selection.additional.isEmpty, let replaced, draftPurpose == .rekeyChild(replaced) {
            // Each end waits for some time of its own, so that one of them is first.
            return refuse(.temporaryFailure, &turn)
        }
        let isTransport = agreesToTransport(contents, replacing: replaced, policy: policy)
        guard let sides = narrowedSides(contents, replaced: replaced, isTransport: isTransport, policy: policy),
            replaced == nil || !refusesRekey(policy)
        else { return refuse(.tsUnacceptable, &turn) }
        let answer = IKESA.ChildAnswer(
            selection: selection,
            inbound: freshChildSPI(),
            outbound: selection.childSPI,
            initiatorSelectors: sides.initiator,
            responderSelectors: sides.responder,
            isTransport: isTransport
        )
        let nonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        guard let method = selection.suite.keyExchange else {
            let keys = childKeys(answer.suite, ni: peerNonce, nr: nonce, &turn)
            self.answer(answer, replacing: replaced, nonce: nonce, publicValue: nil, link: nil, &turn)
            finishIncomingChild(
                answer,
                replacing: replaced,
                peerNonce: peerNonce,
                nonce: nonce,
                keys: keys,
                policy: policy,
                &turn
            )
            return .taken
        }
        let agreement = IKESA.IncomingExchange.Agreement.child(answer, replacing: replaced)
        try ask(agreement, method, contents, peerNonce: peerNonce, nonce: nonce, &turn)
        return .taken
    }

    /// Whether this is one of the rekeys that the policy has refused at random.
    private mutating func refusesRekey(_ policy: PeerPolicy) -> Bool {
        let share = policy.values.lifeCycle.refusedChildRekeys
        return share > .zero && origin.chance.chance(share)
    }

    /// Asks for the value that answers the peer's KE payload.
    mutating func ask(
        _ agreement: IKESA.IncomingExchange.Agreement,
        _ method: KeyExchangeMethod,
        _ contents: borrowing Contents,
        peerNonce: [UInt8],
        nonce: [UInt8],
        _ turn: inout Turn
    ) throws(DecodeError) {
        let publicValue = try KeyExchange(contents.keyExchange).data.copied()
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.respond(.init(method: method, peerPublicValue: publicValue, randomness: randomness)))
        incoming = Box(
            IKESA.IncomingExchange(agreement: agreement, peerNonce: peerNonce, nonce: nonce, method: method)
        )
    }

    /// HDR, SK {N(error)}
    mutating func refuse(_ type: NotifyType, _ turn: inout Turn) -> IKESA.Handling {
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(type) }
        return .taken
    }

    /// HDR, SK {N(INVALID_KE_PAYLOAD)} (RFC 7296 section 1.3)
    mutating func demand(_ method: KeyExchangeMethod, _ turn: inout Turn) -> IKESA.Handling {
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { encoder in
            encoder.notify(.invalidKEPayload, integer: method.rawValue)
        }
        return .taken
    }

    /// HDR, SK {N(CHILD_SA_NOT_FOUND)} (RFC 7296 section 2.25.1)
    private mutating func refuseUnknownChild(_ spi: ChildSPI, _ turn: inout Turn) -> IKESA.Handling {
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { encoder in
            encoder.notify(.childSANotFound, protocolID: .esp, spi: spi)
        }
        return .taken
    }

    /// TSi and TSr, narrowed to what the old Child SA has, or to what the policy allows.
    func narrowedSides(
        _ contents: borrowing Contents,
        replaced: ChildSPI?,
        isTransport: Bool,
        policy: PeerPolicy
    ) -> (initiator: [TrafficSelector], responder: [TrafficSelector])? {
        guard let (offeredPeer, offeredOwn) = contents.writtenSelectors else { return nil }
        if isTransport { return transportSides(offeredPeer, offeredOwn) }
        let sides: (initiator: [TrafficSelector], responder: [TrafficSelector])
        if let replaced, let index = childIndex(inbound: replaced) {
            sides.initiator = narrow(offeredPeer, to: children[index].remoteSelectors)
            sides.responder = narrow(offeredOwn, to: children[index].localSelectors)
        } else {
            sides.initiator = narrow(offeredPeer, to: peerSelectors(policy))
            sides.responder = narrow(offeredOwn, to: ownSelectors(policy))
        }
        return sides.initiator.isEmpty || sides.responder.isEmpty ? nil : sides
    }

    /// HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Nr, [KEr], TSi, TSr, [N(ADDITIONAL_KEY_EXCHANGE)]}
    mutating func answer(
        _ answer: IKESA.ChildAnswer,
        replacing old: ChildSPI?,
        nonce: [UInt8],
        publicValue: [UInt8]?,
        link: [UInt8]?,
        _ turn: inout Turn
    ) {
        let operation: Operation = old == nil ? .createChild : .rekeyChild
        let method = answer.suite.keyExchange
        let note = PacketNote(operation, isResponse: true, keyExchange: method)
        respond(.createChildSA, note, &turn) { encoder in
            if answer.isTransport { encoder.notify(.useTransportMode) }
            encoder.answer(answer.selection, spi: answer.inbound)
            encoder.nonce(nonce)
            if let method, let publicValue {
                encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            }
            encoder.trafficSelectors(initiator: answer.initiatorSelectors)
            encoder.trafficSelectors(responder: answer.responderSelectors)
            if let link { encoder.notify(.additionalKeyExchange, link) }
        }
    }

    /// The peer's exchange is done.
    mutating func finishIncomingChild(
        _ answer: IKESA.ChildAnswer,
        replacing old: ChildSPI?,
        peerNonce: [UInt8],
        nonce: [UInt8],
        keys: consuming ChildKeys,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        install(answer, keys, isExchangeInitiator: false, policy: policy, &turn)
        guard let old else {
            turn.output.report(.childInstalled(inbound: answer.inbound, outbound: answer.outbound))
            return
        }
        if let index = childIndex(inbound: old) { children[index].supersede() }
        tasks.removeAll { $0.kind == .rekeyChild(old) }
        if draftPurpose == .rekeyChild(old) {
            draft?.value.collision = IKESA.Collision(inbound: answer.inbound, lowestNonce: lower(peerNonce, nonce))
        }
        turn.output.report(
            .childRekeyed(
                replaced: old,
                inbound: answer.inbound,
                outbound: answer.outbound,
                due: turn.now,
                fromHere: false
            )
        )
    }
}

/// Whether one nonce comes before another when compared octet by octet (RFC 7296 section 2.8.1).
func isLower(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.lexicographicallyPrecedes(other)
}

func lower(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] { isLower(other, one) ? other : one }

// The end of a rekey that began here, with and without a collision (RFC 7296 sections 2.8.1 and 2.25.1).
extension IKESA.Established {
    mutating func settleChildRekey(
        old: ChildSPI,
        new answer: IKESA.ChildAnswer,
        lowestNonce: [UInt8],
        collision: IKESA.Collision?,
        due: Instant,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        turn.output.report(
            .childRekeyed(
                replaced: old,
                inbound: answer.inbound,
                outbound: answer.outbound,
                due: due,
                fromHere: true
            )
        )
        if let collision, isLower(lowestNonce, collision.lowestNonce) {
            // The SA with the lowest nonce is the redundant one, and its creator closes it; the peer deletes the old.
            if let index = childIndex(inbound: answer.inbound) { children[index].supersede() }
            enqueue(.deleteChild(answer.inbound), notBefore: turn.now)
            return
        }
        // The peer closes the one that it made.
        if let collision, let index = childIndex(inbound: collision.inbound) { children[index].supersede() }
        guard let index = childIndex(inbound: old) else { return }
        children[index].supersede()
        children[index].deletion = turn.now + policy.values.overlap
    }

    /// A rekey that began here has failed for good.
    mutating func giveUpRekey(of old: ChildSPI, _ reason: CloseReason, _ turn: inout Turn) {
        // The peer has rekeyed or deleted it meanwhile: nothing is left to do.
        guard let index = childIndex(inbound: old), children[index].status == .active else { return }
        guard reason == .refused(.childSANotFound) else {
            // It lives on until its hard lifetime ends.
            children[index].isTaskQueued = false
            children[index].soft = .never
            return
        }
        // The peer does not have it any more: gone here too, and made anew (RFC 7296 section 2.25).
        removeChild(inbound: old, &turn)
        enqueue(.createChild, notBefore: turn.now)
    }
}

extension ChildSA {
    /// Its successor carries the traffic from now on.
    mutating func supersede() {
        status = .superseded
        soft = .never
    }
}

extension Contents {
    /// The method of the KE payload, if there is one that this build can compute.
    func keyExchangeMethod() throws(DecodeError) -> KeyExchangeMethod? {
        guard has(.keyExchange) else { return nil }
        return KeyExchangeMethod(rawValue: try KeyExchange(keyExchange).method.rawValue)
    }
}

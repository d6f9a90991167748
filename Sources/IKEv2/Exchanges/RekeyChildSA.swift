import BasicContainers
import IKECrypto
import IKEWire
import Primitives

// CREATE_CHILD_SA for a Child SA, begun by the peer: a further one, or a rekey (RFC 7296 sections 1.3.1 and 1.3.3).
extension IKESA.Established {
    /// Takes HDR, SK {[N(REKEY_SA)], SA, Ni, [KEi], TSi, TSr}.
    mutating func takeChildRequest(_ contents: borrowing Contents, policy: PeerPolicy, _ turn: inout Turn) {
        // RFC 7296 section 2.25.2: the IKE SA is being rekeyed, so that the new Child SA could be lost.
        if isSuperseded || rival != nil || draftPurpose == .rekeyIKE { return refuse(.temporaryFailure, &turn) }
        var replaced: ChildSPI?
        if contents.hasNotify(.rekeySA) {
            guard let named = contents.notifiedChild(.rekeySA), let index = childIndex(outbound: named) else {
                return refuseUnknownChild(contents.notifiedChild(.rekeySA), &turn)
            }
            guard children[index].status == .active else { return refuse(.temporaryFailure, &turn) }
            replaced = children[index].inbound
        }
        guard let nonce = try? Nonce(contents.nonce) else { return refuse(.invalidSyntax, &turn) }
        let brought = contents.keyExchangeMethod
        guard
            let selection = try? selectChild(
                contents.securityAssociation, allowed: policy.values.childProposals, preferring: brought,
                ignoringKeyExchange: false
            ), let outbound = selection.proposal.childSPI
        else { return refuse(.noProposalChosen, &turn) }
        if let method = selection.suite.keyExchange, brought != method { return demand(method, &turn) }
        guard let sides = narrowedSides(contents, replaced: replaced, policy: policy) else {
            return refuse(.tsUnacceptable, &turn)
        }
        var answer = IKESA.ChildAnswer(
            suite: selection.suite, proposal: selection.proposal,
            inbound: turn.cryptography.childSPI(&origin.material), outbound: outbound,
            initiatorSelectors: sides.initiator, responderSelectors: sides.responder
        )
        answer.proposal.spi = answer.inbound.octets
        let own = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        guard let method = selection.suite.keyExchange else {
            finishIncomingChild(
                answer, replacing: replaced, peerNonce: nonce.data.copied(), nonce: own, secret: nil,
                publicValue: nil, policy: policy, &turn
            )
            return
        }
        let agreement = IKESA.IncomingExchange.Agreement.child(answer, replacing: replaced)
        ask(agreement, method, contents, peerNonce: nonce.data.copied(), nonce: own, &turn)
    }

    /// Asks for the value that answers the peer's KE payload.
    mutating func ask(
        _ agreement: IKESA.IncomingExchange.Agreement, _ method: KeyExchangeMethod, _ contents: borrowing Contents,
        peerNonce: [UInt8], nonce: [UInt8], _ turn: inout Turn
    ) {
        guard let keyExchange = try? KeyExchange(contents.keyExchange) else { return refuse(.invalidSyntax, &turn) }
        let randomness = turn.cryptography.secret(count: method.randomByteCount, from: &origin.material)
        turn.output.ask(
            .respond(.init(method: method, peerPublicValue: keyExchange.data.copied(), randomness: randomness))
        )
        incoming = IKESA.IncomingExchange(agreement: agreement, peerNonce: peerNonce, nonce: nonce, method: method)
    }

    /// HDR, SK {N(INVALID_KE_PAYLOAD)} (RFC 7296 section 1.3)
    mutating func demand(_ method: KeyExchangeMethod, _ turn: inout Turn) {
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { encoder in
            encoder.notify(.invalidKEPayload, integer: method.rawValue)
        }
    }

    /// HDR, SK {N(CHILD_SA_NOT_FOUND)} (RFC 7296 section 2.25.1)
    private mutating func refuseUnknownChild(_ spi: ChildSPI?, _ turn: inout Turn) {
        guard let spi else { return refuse(.invalidSyntax, &turn) }
        respond(.createChildSA, PacketNote(.refusal, isResponse: true), &turn) { encoder in
            encoder.notify(.childSANotFound, protocolID: .esp, spi: spi)
        }
    }

    private func narrowedSides(
        _ contents: borrowing Contents, replaced: ChildSPI?, policy: PeerPolicy
    ) -> (initiator: [TrafficSelector], responder: [TrafficSelector])? {
        var own = ownSelectors(policy)
        // What the peer was given stays what it may carry.
        var peer = children.count > 0 ? children[0].remoteSelectors : peerSelectors(policy)
        if let replaced, let index = childIndex(inbound: replaced) {
            own = children[index].localSelectors
            peer = children[index].remoteSelectors
        }
        guard let offeredPeer = contents.selectors(contents.initiatorSelectors),
            let offeredOwn = contents.selectors(contents.responderSelectors)
        else { return nil }
        let sides = (initiator: narrow(offeredPeer, to: peer), responder: narrow(offeredOwn, to: own))
        return sides.initiator.isEmpty || sides.responder.isEmpty ? nil : sides
    }

    /// HDR, SK {SA, Nr, [KEr], TSi, TSr}
    private mutating func finishIncomingChild(
        _ answer: IKESA.ChildAnswer, replacing old: ChildSPI?, peerNonce: [UInt8], nonce: [UInt8],
        secret: consuming SharedSecret?, publicValue: [UInt8]?, policy: PeerPolicy, _ turn: inout Turn
    ) {
        let keys = childKeys(answer.suite, secret: secret, ni: peerNonce, nr: nonce, &turn)
        install(answer, keys, isExchangeInitiator: false, policy: policy, &turn)
        let operation: Operation = old == nil ? .createChild : .rekeyChild
        let method = answer.suite.keyExchange
        let note = PacketNote(operation, isResponse: true, keyExchange: method)
        respond(.createChildSA, note, &turn) { encoder in
            encoder.securityAssociation([answer.proposal])
            encoder.nonce(nonce)
            if let method, let publicValue {
                encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            }
            encoder.trafficSelectors(initiator: answer.initiatorSelectors)
            encoder.trafficSelectors(responder: answer.responderSelectors)
        }
        guard let old else {
            turn.output.report(.childInstalled(inbound: answer.inbound, outbound: answer.outbound))
            return
        }
        if let index = childIndex(inbound: old) { children[index].supersede() }
        tasks.removeAll { $0.kind == .rekeyChild(old) }
        if draftPurpose == .rekeyChild(old) {
            draft?.collision = IKESA.Collision(lowestNonce: lower(peerNonce, nonce))
        }
        turn.output.report(
            .childRekeyed(
                replaced: old, inbound: answer.inbound, outbound: answer.outbound, due: turn.now, fromHere: false
            )
        )
    }

    /// Answers the peer's CREATE_CHILD_SA request once the key exchange is computed.
    mutating func finishIncoming(
        _ incoming: consuming IKESA.IncomingExchange, _ result: consuming KeyExchangeResult, policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        switch consume result {
        case .responded(let response):
            switch incoming.agreement {
            case .child(let answer, let replaced):
                let publicValue = response.publicValue
                finishIncomingChild(
                    answer, replacing: replaced, peerNonce: incoming.peerNonce, nonce: incoming.nonce,
                    secret: response.takeSecret(), publicValue: publicValue, policy: policy, &turn
                )
            case .ike(let selection, let peerSPI, let ownSPI):
                finishIncomingRekey(
                    incoming, selection, peerSPI: peerSPI, ownSPI: ownSPI, response, policy: policy, &turn
                )
            }
        case .generated: preconditionFailure("a request to respond is answered with a response")
        case .finished: preconditionFailure("a request to respond is answered with a response")
        case .refused:
            refuse(.invalidSyntax, &turn)
        }
    }
}

// The end of a rekey that began here, with and without a collision (RFC 7296 sections 2.8.1 and 2.25.1).
extension IKESA.Established {
    mutating func settleChildRekey(
        old: ChildSPI, new answer: IKESA.ChildAnswer, lowestNonce: [UInt8], collision: IKESA.Collision?,
        due: Instant, policy: PeerPolicy, _ turn: inout Turn
    ) {
        turn.output.report(
            .childRekeyed(
                replaced: old, inbound: answer.inbound, outbound: answer.outbound, due: due, fromHere: true
            )
        )
        if let collision, isLower(lowestNonce, collision.lowestNonce) {
            // The SA with the lowest nonce is the redundant one, and its creator closes it; the peer deletes the old.
            if let index = childIndex(inbound: answer.inbound) { children[index].supersede() }
            enqueue(.deleteChild(answer.inbound), notBefore: turn.now)
            return
        }
        guard let index = childIndex(inbound: old) else { return }
        children[index].supersede()
        children[index].deletion = turn.now + policy.values.overlap
    }

    mutating func takeChildRekeyRefusal(
        _ error: NotifyType, old: ChildSPI, due: Instant, wait: Duration, _ turn: inout Turn
    ) {
        // The peer has rekeyed or deleted it meanwhile: nothing is left to do.
        guard let index = childIndex(inbound: old), children[index].status == .active else { return }
        children[index].isTaskQueued = false
        switch error {
        case .temporaryFailure:
            children[index].isTaskQueued = true
            enqueue(.rekeyChild(old), due: due, notBefore: turn.now + wait)
        case .childSANotFound:
            // The peer does not have it any more: gone here too, and made anew (RFC 7296 section 2.25.1).
            turn.output.report(.childRekeyFailed(old, error))
            removeChild(inbound: old, &turn)
            enqueue(.createChild, notBefore: turn.now)
        default:
            // It lives on until its hard lifetime ends.
            turn.output.report(.childRekeyFailed(old, error))
            children[index].soft = .never
        }
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
    var keyExchangeMethod: KeyExchangeMethod? {
        guard has(.keyExchange), let payload = try? KeyExchange(keyExchange) else { return nil }
        return KeyExchangeMethod(rawValue: payload.method.rawValue)
    }
}

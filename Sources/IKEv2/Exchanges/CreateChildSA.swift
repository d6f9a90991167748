import BasicContainers
import IKECrypto
import IKEWire
import Primitives

/// What came of the Child SA that an IKE_AUTH request asks for.
enum FirstChild {
    case installed(IKESA.ChildAnswer)
    case refused(NotifyType)
}

// The first Child SA, which IKE_AUTH makes (RFC 7296 section 1.2).
extension IKESA.Established {
    /// The initiator's side: takes SAr2, TSi, TSr, or the reason why they are not there.
    mutating func takeFirstChild(
        _ contents: borrowing Contents, inbound: ChildSPI, initiatorNonce: [UInt8], responderNonce: [UInt8],
        policy: PeerPolicy, _ turn: inout Turn
    ) {
        let values = policy.values
        guard contents.has(.childOfIKEAuth) else {
            turn.output.report(.childRefused(contents.firstError ?? .noProposalChosen))
            return
        }
        guard
            let selection = try? selectChild(
                contents.securityAssociation, allowed: values.childProposals, preferring: nil,
                ignoringKeyExchange: true
            ), let outbound = selection.proposal.childSPI,
            let local = contents.selectors(contents.initiatorSelectors),
            let remote = contents.selectors(contents.responderSelectors),
            isNarrowing(local, of: values.offeredLocalSelectors), isNarrowing(remote, of: values.remoteSelectors)
        else {
            turn.output.report(.childRefused(.tsUnacceptable))
            enqueue(.close(.malformedAnswer), notBefore: turn.now)
            return
        }
        let answer = IKESA.ChildAnswer(
            suite: selection.suite, proposal: selection.proposal, inbound: inbound, outbound: outbound,
            initiatorSelectors: local, responderSelectors: remote
        )
        let keys = turn.cryptography.deriveChildKeys(
            selection.suite, prf: channel.suite.prf, sk_d: channel.keys.d, ni: initiatorNonce.rawSpan,
            nr: responderNonce.rawSpan
        )
        install(answer, keys, isExchangeInitiator: true, policy: policy, &turn)
        turn.output.report(.childInstalled(inbound: inbound, outbound: outbound))
    }

    /// The responder's side: chooses, narrows and installs, or says why not; the caller sends the answer.
    mutating func answerFirstChild(
        _ contents: borrowing Contents, lease: IPAddress?, initiatorNonce: [UInt8], responderNonce: [UInt8],
        policy: PeerPolicy, _ turn: inout Turn
    ) -> FirstChild {
        let values = policy.values
        guard lease != nil || !contents.requestsAddress else { return .refused(.internalAddressFailure) }
        guard lease != nil || !values.requiresAddressRequest else { return .refused(.failedCPRequired) }
        guard
            let selection = try? selectChild(
                contents.securityAssociation, allowed: values.childProposals, preferring: nil,
                ignoringKeyExchange: true
            ), let outbound = selection.proposal.childSPI
        else { return .refused(.noProposalChosen) }
        let remote = lease.map { [TrafficSelector(IPPrefix(address: $0, length: 32))] } ?? values.remoteSelectors
        guard let offeredRemote = contents.selectors(contents.initiatorSelectors),
            let offeredLocal = contents.selectors(contents.responderSelectors),
            case let (initiatorSide, responderSide) = (
                narrow(offeredRemote, to: remote), narrow(offeredLocal, to: values.localSelectors)
            ), !initiatorSide.isEmpty, !responderSide.isEmpty
        else { return .refused(.tsUnacceptable) }
        var answer = IKESA.ChildAnswer(
            suite: selection.suite, proposal: selection.proposal,
            inbound: turn.cryptography.childSPI(&origin.material), outbound: outbound,
            initiatorSelectors: initiatorSide, responderSelectors: responderSide
        )
        answer.proposal.spi = answer.inbound.octets
        let keys = turn.cryptography.deriveChildKeys(
            selection.suite, prf: channel.suite.prf, sk_d: channel.keys.d, ni: initiatorNonce.rawSpan,
            nr: responderNonce.rawSpan
        )
        install(answer, keys, isExchangeInitiator: false, policy: policy, &turn)
        return .installed(answer)
    }

    mutating func install(
        _ answer: IKESA.ChildAnswer, _ keys: consuming ChildKeys, isExchangeInitiator: Bool, policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let lifetime = policy.values.childLifetime
        children.append(
            ChildSA(
                inbound: answer.inbound,
                outbound: answer.outbound,
                suite: answer.suite,
                keys: keys,
                localSelectors: isExchangeInitiator ? answer.initiatorSelectors : answer.responderSelectors,
                remoteSelectors: isExchangeInitiator ? answer.responderSelectors : answer.initiatorSelectors,
                soft: origin.softDeadline(lifetime, from: turn.now),
                hard: lifetime.hard.map { turn.now + $0 } ?? .never,
                isExchangeInitiator: isExchangeInitiator
            )
        )
    }

    func childIndex(inbound: ChildSPI) -> Int? {
        for index in 0..<children.count where children[index].inbound == inbound { return index }
        return nil
    }

    func childIndex(outbound: ChildSPI) -> Int? {
        for index in 0..<children.count where children[index].outbound == outbound { return index }
        return nil
    }

    mutating func removeChild(inbound: ChildSPI, _ turn: inout Turn) {
        guard let index = childIndex(inbound: inbound) else { return }
        _ = children.remove(at: index)
        turn.output.report(.childDeleted(inbound: inbound))
    }
}

// CREATE_CHILD_SA for a Child SA, begun here.
extension IKESA.Established {
    /// HDR, SK {[N(REKEY_SA)], SA, Ni, [KEi], TSi, TSr}
    mutating func sendChildRequest(_ draft: borrowing IKESA.Draft, policy: PeerPolicy, _ turn: inout Turn) {
        let values = policy.values
        var operation = Operation.createChild
        var old: ChildSPI?
        var local = ownSelectors(policy)
        var remote = peerSelectors(policy)
        if case .rekeyChild(let replaced) = draft.purpose {
            operation = .rekeyChild
            old = replaced
            if let index = childIndex(inbound: replaced) {
                local = children[index].localSelectors
                remote = children[index].remoteSelectors
            }
        }
        let proposals = values.childProposals.numbered(spi: [])
        let note = PacketNote(operation, isResponse: false, keyExchange: draft.method)
        let method = draft.method
        let publicValue = draft.publicValue
        let (nonce, inbound) = (draft.nonce, draft.inbound)
        channel.request(.createChildSA, note, origin: &origin, policy: policy, &turn) { encoder in
            if let old { encoder.notify(.rekeySA, protocolID: .esp, spi: old) }
            encoder.securityAssociation(proposals, spi: inbound.octets.rawSpan)
            encoder.nonce(nonce)
            if let method { encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue) }
            encoder.trafficSelectors(initiator: local)
            encoder.trafficSelectors(responder: remote)
        }
    }

    /// What this end may carry in a further Child SA: the policy's selectors, or the address that was assigned.
    func ownSelectors(_ policy: PeerPolicy) -> [TrafficSelector] {
        if !policy.values.localSelectors.isEmpty { return policy.values.localSelectors }
        return children.count > 0 ? children[0].localSelectors : policy.values.offeredLocalSelectors
    }

    /// What the peer may carry in a further Child SA; where the policy says nothing, what it carries already.
    func peerSelectors(_ policy: PeerPolicy) -> [TrafficSelector] {
        if children.count > 0, policy.values.remoteSelectors.isEmpty { return children[0].remoteSelectors }
        return policy.values.remoteSelectors
    }

    /// HDR, SK {SA, Nr, [KEr], TSi, TSr}
    func readChildAnswer(
        _ contents: borrowing Contents, _ draft: borrowing IKESA.Draft, policy: PeerPolicy
    ) -> IKESA.ChildAnswer? {
        guard contents.has(.createChild),
            let selection = try? selectChild(
                contents.securityAssociation, allowed: policy.values.childProposals, preferring: draft.method,
                ignoringKeyExchange: false
            ), selection.suite.keyExchange == nil || selection.suite.keyExchange == draft.method,
            let outbound = selection.proposal.childSPI,
            let local = contents.selectors(contents.initiatorSelectors),
            let remote = contents.selectors(contents.responderSelectors), !local.isEmpty, !remote.isEmpty
        else { return nil }
        return IKESA.ChildAnswer(
            suite: selection.suite, proposal: selection.proposal, inbound: draft.inbound, outbound: outbound,
            initiatorSelectors: local, responderSelectors: remote
        )
    }

    mutating func finishChild(
        _ draft: consuming IKESA.Draft, _ answer: IKESA.ChildAnswer, peerNonce: [UInt8],
        secret: consuming SharedSecret?, policy: PeerPolicy, _ turn: inout Turn
    ) {
        let keys = childKeys(answer.suite, secret: secret, ni: draft.nonce, nr: peerNonce, &turn)
        install(answer, keys, isExchangeInitiator: true, policy: policy, &turn)
        switch draft.purpose {
        case .child:
            turn.output.report(.childInstalled(inbound: answer.inbound, outbound: answer.outbound))
        case .rekeyChild(let old):
            let lowest = lower(draft.nonce, peerNonce)
            settleChildRekey(
                old: old, new: answer, lowestNonce: lowest, collision: draft.collision, due: draft.due,
                policy: policy, &turn
            )
        case .rekeyIKE:
            preconditionFailure("a Child SA's answer belongs to a Child SA's request")
        }
    }

    func childKeys(
        _ suite: ChildSuite, secret: consuming SharedSecret?, ni: [UInt8], nr: [UInt8], _ turn: inout Turn
    ) -> ChildKeys {
        if let secret = secret.take() {
            return turn.cryptography.deriveChildKeys(
                suite, prf: channel.suite.prf, sk_d: channel.keys.d, sharedSecret: secret, ni: ni.rawSpan,
                nr: nr.rawSpan
            )
        }
        return turn.cryptography.deriveChildKeys(
            suite, prf: channel.suite.prf, sk_d: channel.keys.d, ni: ni.rawSpan, nr: nr.rawSpan
        )
    }
}

extension Proposal {
    /// The Child SPI that a proposal names.
    var childSPI: ChildSPI? {
        guard spi.count == ChildSPI.byteCount else { return nil }
        return ChildSPI(rawValue: spi.reduce(0 as UInt32) { $0 << 8 | UInt32($1) })
    }

    /// The IKE SPI that a proposal names.
    var ikeSPI: IKESPI? {
        guard spi.count == IKESPI.byteCount else { return nil }
        return IKESPI(rawValue: spi.reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
    }
}

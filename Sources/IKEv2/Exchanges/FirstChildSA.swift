import IKECrypto
import IKEWire
import Primitives

/// What came of the Child SA that an IKE_AUTH request asks for.
enum FirstChild {
    case installed(IKESA.ChildAnswer)
    case refused(NotifyType)
    /// It asks for none (RFC 6023).
    case notWanted
}

// The first Child SA, which IKE_AUTH makes (RFC 7296 section 1.2).
extension IKESA.Established {
    /// The initiator's side: takes SAr2, TSi, TSr, or the reason why they are not there.
    mutating func takeFirstChild(
        _ contents: borrowing Contents,
        inbound: ChildSPI,
        initiatorNonce: [UInt8],
        responderNonce: [UInt8],
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        guard contents.has(.childOfIKEAuth) else {
            turn.output.report(.childRefused(contents.firstError ?? .noProposalChosen))
            return
        }
        guard
            let selection = try? policy.firstChildOffer.select(contents.securityAssociation, .answer),
            let local = contents.selectors(contents.initiatorSelectors),
            let remote = contents.selectors(contents.responderSelectors),
            isNarrowing(local, of: policy.localOffer), isNarrowing(remote, of: policy.values.remoteSelectors)
        else {
            // The peer has made a Child SA that was not offered: nothing can be done with it.
            turn.output.report(.childRefused(.invalidSyntax))
            enqueue(.close(.malformedAnswer), notBefore: turn.now)
            return
        }
        let offered = policy.values.remoteSelectors
        let answer = IKESA.ChildAnswer(
            selection: selection,
            inbound: inbound,
            outbound: selection.childSPI,
            initiatorSelectors: local == policy.localOffer ? policy.localOffer : local,
            responderSelectors: remote == offered ? offered : remote
        )
        let keys = turn.cryptography.deriveChildKeys(
            selection.suite,
            prf: channel.suite.prf,
            sk_d: channel.keys.d,
            ni: initiatorNonce.rawSpan,
            nr: responderNonce.rawSpan
        )
        install(answer, keys, isExchangeInitiator: true, policy: policy, &turn)
        turn.output.report(.childInstalled(inbound: inbound, outbound: answer.outbound))
    }

    /// The responder's side: chooses, narrows and installs, or says why not; the caller sends the answer.
    mutating func answerFirstChild(
        _ contents: borrowing Contents,
        lease: InnerAddresses,
        requested: AddressFamilies,
        initiatorNonce: [UInt8],
        responderNonce: [UInt8],
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> FirstChild {
        // What can be given of what was asked for is enough (RFC 7296 section 3.15.4).
        guard !lease.isEmpty || requested.isEmpty else { return .refused(.internalAddressFailure) }
        guard !lease.isEmpty || !policy.values.requiresAddressRequest else { return .refused(.failedCPRequired) }
        guard
            let selection = try? policy.firstChildOffer.select(contents.securityAssociation, .offer(bringing: nil))
        else { return .refused(.noProposalChosen) }
        guard let offeredRemote = contents.selectors(contents.initiatorSelectors),
            let offeredLocal = contents.selectors(contents.responderSelectors)
        else { return .refused(.tsUnacceptable) }
        innerAddresses = lease
        arePeerAddresses = !lease.isEmpty
        let initiatorSide = narrow(offeredRemote, to: peerSelectors(policy))
        let responderSide = narrow(offeredLocal, to: ownSelectors(policy))
        guard !initiatorSide.isEmpty, !responderSide.isEmpty else {
            innerAddresses = InnerAddresses()
            arePeerAddresses = false
            return .refused(.tsUnacceptable)
        }
        let answer = IKESA.ChildAnswer(
            selection: selection,
            inbound: freshChildSPI(),
            outbound: selection.childSPI,
            initiatorSelectors: initiatorSide,
            responderSelectors: responderSide
        )
        let keys = turn.cryptography.deriveChildKeys(
            selection.suite,
            prf: channel.suite.prf,
            sk_d: channel.keys.d,
            ni: initiatorNonce.rawSpan,
            nr: responderNonce.rawSpan
        )
        install(answer, keys, isExchangeInitiator: false, policy: policy, &turn)
        return .installed(answer)
    }
}

import BasicContainers
import IKECrypto
import IKEWire
import Primitives

// CREATE_CHILD_SA for a Child SA, begun here (RFC 7296 sections 1.3.1 and 1.3.3).
extension IKESA.Established {
    /// HDR, SK {[N(REKEY_SA)], [N(USE_TRANSPORT_MODE)], SA, Ni, [KEi], TSi, TSr}
    mutating func sendChildRequest(
        _ draft: borrowing IKESA.Draft,
        replacing old: ChildSPI?,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let operation: Operation = old == nil ? .createChild : .rekeyChild
        let note = PacketNote(operation, isResponse: false, keyExchange: draft.method)
        let (nonce, inbound, method, publicValue) = (draft.nonce, draft.inbound, draft.method, draft.publicValue)
        let (local, remote, isTransport) = (draft.localSelectors, draft.remoteSelectors, draft.isTransport)
        channel.request(.createChildSA, note, origin: &origin, policy: policy, &turn) { encoder in
            if let old { encoder.notify(.rekeySA, protocolID: .esp, spi: old) }
            if isTransport { encoder.notify(.useTransportMode) }
            encoder.offer(policy.childOffer, spi: inbound)
            encoder.nonce(nonce)
            if let method { encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue) }
            encoder.trafficSelectors(initiator: local)
            encoder.trafficSelectors(responder: remote)
        }
    }

    /// What this end may carry in a further Child SA: the policy's selectors, or the addresses that were assigned.
    func ownSelectors(_ policy: PeerPolicy) -> [TrafficSelector] {
        guard policy.values.localSelectors.isEmpty, !arePeerAddresses, !innerAddresses.isEmpty else {
            return policy.localOffer
        }
        return .each(of: innerAddresses)
    }

    /// What the peer may carry in a further Child SA: the addresses that it was given, or the policy's selectors.
    func peerSelectors(_ policy: PeerPolicy) -> [TrafficSelector] {
        guard arePeerAddresses, !innerAddresses.isEmpty else { return policy.values.remoteSelectors }
        return .each(of: innerAddresses)
    }

    /// HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Nr, [KEr], TSi, TSr}
    func readChildAnswer(
        _ contents: borrowing Contents,
        _ draft: borrowing IKESA.Draft,
        peerNonce: [UInt8],
        policy: PeerPolicy
    ) -> IKESA.DraftAnswer? {
        guard contents.has(.createChild),
            let selection = try? policy.childOffer.select(contents.securityAssociation, .answer),
            selection.suite.keyExchange == nil || selection.suite.keyExchange == draft.method,
            let answer = readChildAnswer(
                contents,
                selection,
                inbound: draft.inbound,
                offered: (draft.localSelectors, draft.remoteSelectors),
                asksForTransport: draft.isTransport
            )
        else { return nil }
        return .child(answer, peerNonce: peerNonce)
    }

    /// What an answer of either exchange makes of a Child SA that was offered: [N(USE_TRANSPORT_MODE)], SA, TSi, TSr;
    /// nil where its selectors are not of what was offered.
    func readChildAnswer(
        _ contents: borrowing Contents,
        _ selection: Selection<ChildSuite>,
        inbound: ChildSPI,
        offered: (own: [TrafficSelector], peer: [TrafficSelector]),
        asksForTransport: Bool
    ) -> IKESA.ChildAnswer? {
        guard let written = contents.writtenSelectors else { return nil }
        let isTransport = asksForTransport && contents.hasNotify(.useTransportMode)
        let local =
            isTransport ? understood(written.initiator, ofPeer: false, as: offered.own) : written.initiator
        let remote =
            isTransport ? understood(written.responder, ofPeer: true, as: offered.peer) : written.responder
        guard isNarrowing(local, of: offered.own), isNarrowing(remote, of: offered.peer) else { return nil }
        // What is as offered shares the offer's own arrays.
        return IKESA.ChildAnswer(
            selection: selection,
            inbound: inbound,
            outbound: selection.childSPI,
            initiatorSelectors: local == offered.own ? offered.own : local,
            responderSelectors: remote == offered.peer ? offered.peer : remote,
            isTransport: isTransport
        )
    }

    mutating func finishChild(
        _ draft: borrowing IKESA.Draft,
        _ answer: IKESA.ChildAnswer,
        peerNonce: [UInt8],
        keys: consuming ChildKeys,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        install(answer, keys, isExchangeInitiator: true, policy: policy, &turn)
        guard answer.isTransport == draft.isTransport else {
            giveUp(draft.purpose, .refused(.useTransportMode), &turn)
            return reject(tunnel: answer.inbound, &turn)
        }
        switch draft.purpose {
        case .child:
            turn.output.report(.childInstalled(inbound: answer.inbound, outbound: answer.outbound))
        case .rekeyChild(let old):
            let lowest = lower(draft.nonce, peerNonce)
            settleChildRekey(
                old: old,
                new: answer,
                lowestNonce: lowest,
                collision: draft.collision,
                due: draft.due,
                policy: policy,
                &turn
            )
        case .rekeyIKE:
            preconditionFailure("a Child SA's answer belongs to a Child SA's request")
        }
        if draft.unknownDeleted.contains(answer.outbound) { removeChild(inbound: answer.inbound, &turn) }
    }

    /// Remembers a Delete that came before the answer that names its Child SA.
    mutating func noteDeletion(ofUnknown spi: ChildSPI) {
        draft?.value.noteDeletion(ofUnknown: spi)
        guard let windows else { return }
        for index in 0..<windows.flights.count { windows.flights[index].draft?.value.noteDeletion(ofUnknown: spi) }
    }

    /// KEYMAT without a key exchange of its own (RFC 7296 section 2.17).
    func childKeys(_ suite: ChildSuite, ni: [UInt8], nr: [UInt8], _ turn: inout Turn) -> ChildKeys {
        turn.cryptography.deriveChildKeys(
            suite,
            prf: channel.suite.prf,
            sk_d: channel.keys.d,
            ni: ni.rawSpan,
            nr: nr.rawSpan
        )
    }

    /// KEYMAT with the shared secret of a new key exchange.
    func childKeys(
        _ suite: ChildSuite,
        secret: borrowing SharedSecret,
        additional: borrowing JoinedSecrets,
        ni: [UInt8],
        nr: [UInt8],
        _ turn: inout Turn
    ) -> ChildKeys {
        turn.cryptography.deriveChildKeys(
            suite,
            prf: channel.suite.prf,
            sk_d: channel.keys.d,
            sharedSecret: secret,
            ni: ni.rawSpan,
            nr: nr.rawSpan,
            additional: additional.bytes
        )
    }
}

extension IKESA.Draft {
    fileprivate mutating func noteDeletion(ofUnknown spi: ChildSPI) {
        // A peer that names others without end gets no more room.
        if unknownDeleted.count < 16 { unknownDeleted.append(spi) }
    }
}

// The Child SAs of an IKE SA.
extension IKESA.Established {
    mutating func install(
        _ answer: IKESA.ChildAnswer,
        _ keys: consuming ChildKeys,
        isExchangeInitiator: Bool,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        // One Child SA is what most have: no room is kept for more than there are.
        children.reserveCapacity(children.count + 1)
        children.append(
            ChildSA(
                inbound: answer.inbound,
                outbound: answer.outbound,
                suite: answer.suite,
                keys: keys,
                localSelectors: isExchangeInitiator ? answer.initiatorSelectors : answer.responderSelectors,
                remoteSelectors: isExchangeInitiator ? answer.responderSelectors : answer.initiatorSelectors,
                soft: origin.softDeadline(policy.values.childLifetime, from: turn.now),
                hard: policy.values.childLifetime.hard.map { turn.now + $0 } ?? .never,
                isExchangeInitiator: isExchangeInitiator,
                isTransport: answer.isTransport
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
        tasks.removeAll { $0.kind == .deleteChild(inbound) || $0.kind == .rekeyChild(inbound) }
        turn.output.report(.childDeleted(inbound: inbound))
    }

    /// An SPI that none of this end's Child SAs has.
    mutating func freshChildSPI() -> ChildSPI {
        while true {
            let spi = origin.childSPI()
            if childIndex(inbound: spi) == nil { return spi }
        }
    }
}

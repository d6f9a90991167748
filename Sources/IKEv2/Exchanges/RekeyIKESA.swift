import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A finished rekey of the IKE SA by the peer, while this end's own is under way (RFC 7296 section 2.8.2).
    struct Rival: ~Copyable {
        var channel: Channel
        let lowestNonce: [UInt8]

        consuming func takeChannel() -> Channel { channel }
    }
}

// CREATE_CHILD_SA for the IKE SA itself (RFC 7296 sections 1.3.2, 2.8 and 2.18).
extension IKESA.Established {
    /// HDR, SK {SA, Ni, KEi}
    mutating func sendRekeyRequest(_ draft: borrowing IKESA.Draft, policy: PeerPolicy, _ turn: inout Turn) {
        guard let method = draft.method else {
            preconditionFailure("a rekey of an IKE SA always has a key exchange")
        }
        let note = PacketNote(.rekeyIKE, isResponse: false, keyExchange: method)
        let (spi, nonce, publicValue) = (draft.ikeSPI, draft.nonce, draft.publicValue)
        channel.request(.createChildSA, note, origin: &origin, policy: policy, &turn) { encoder in
            encoder.offer(policy.ikeRekeyOffer, spi: spi)
            encoder.nonce(nonce)
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
        }
    }

    /// HDR, SK {SA, Nr, KEr}
    func readRekeyAnswer(
        _ contents: borrowing Contents,
        _ draft: borrowing IKESA.Draft,
        peerNonce: [UInt8],
        policy: PeerPolicy
    ) -> IKESA.DraftAnswer? {
        guard contents.has(.rekeyIKE),
            let selection = try? policy.ikeRekeyOffer.select(contents.securityAssociation, .answer),
            selection.suite.keyExchange == draft.method, selection.ikeSPI != .zero
        else { return nil }
        return .ike(selection, peerNonce: peerNonce)
    }

    /// Takes HDR, SK {SA, Ni, KEi} from the peer.
    mutating func takeRekeyRequest(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA.Handling {
        // RFC 7296 section 2.25: the IKE SA is being closed, or a Child SA created, rekeyed or closed.
        guard !isSuperseded, !isToBeClosed, rival == nil, !isChangingChildren, !hasFlights else {
            return refuse(.temporaryFailure, &turn)
        }
        do throws(DecodeError) {
            let peerNonce = try Nonce(contents.nonce).data.copied()
            let brought = try contents.keyExchangeMethod()
            guard
                let selection = try policy.ikeRekeyOffer.select(
                    contents.securityAssociation,
                    .offer(bringing: brought)
                ), selection.ikeSPI != .zero
            else { return refuse(.noProposalChosen, &turn) }
            let method = selection.suite.keyExchange
            guard brought == method else { return demand(method, &turn) }
            // Each end waits for some time of its own, so that one of them is first.
            guard selection.additional.isEmpty || draftPurpose != .rekeyIKE else {
                return refuse(.temporaryFailure, &turn)
            }
            let nonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
            let agreement = IKESA.IncomingExchange.Agreement.ike(selection, ownSPI: origin.spis.next())
            try ask(agreement, method, contents, peerNonce: peerNonce, nonce: nonce, &turn)
            return .taken
        } catch {
            return .malformed
        }
    }

    private var isChangingChildren: Bool {
        switch outgoing {
        case .deletingChild: true
        case .awaitingKeyPair, .awaitingAnswer, .awaitingAgreement: draftPurpose != .rekeyIKE
        case .idle, .checkingLiveness, .updatingAddresses, .checkingPath: false
        }
    }

    /// HDR, SK {SA, Nr, KEr, [N(ADDITIONAL_KEY_EXCHANGE)]}
    mutating func answerRekey(
        _ incoming: borrowing IKESA.IncomingExchange,
        _ selection: Selection<IKESuite>,
        ownSPI: IKESPI,
        _ publicValue: [UInt8],
        link: [UInt8]?,
        _ turn: inout Turn
    ) {
        let (nonce, method) = (incoming.nonce, incoming.method)
        let note = PacketNote(.rekeyIKE, isResponse: true, keyExchange: method)
        respond(.createChildSA, note, &turn) { encoder in
            encoder.answer(selection, spi: ownSPI)
            encoder.nonce(nonce)
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            if let link { encoder.notify(.additionalKeyExchange, link) }
        }
    }

    /// The peer's rekey is done.
    mutating func finishIncomingRekey(
        _ incoming: borrowing IKESA.IncomingExchange,
        _ selection: Selection<IKESuite>,
        ownSPI: IKESPI,
        secret: borrowing SharedSecret,
        additional: borrowing JoinedSecrets,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let (nonce, peerNonce) = (incoming.nonce, incoming.peerNonce)
        let spis = IKESPIPair(initiator: selection.ikeSPI, responder: ownSPI)
        let new = successor(
            spis,
            isInitiator: false,
            selection.suite,
            secret,
            additional,
            ni: peerNonce,
            nr: nonce,
            &turn
        )
        // This end's own rekey has been sent: which one lives is decided when it is answered.
        guard draftPurpose != .rekeyIKE else {
            rival = Box(IKESA.Rival(channel: new, lowestNonce: lower(peerNonce, nonce)))
            return
        }
        handOver(to: new, due: turn.now, fromHere: false, policy: policy, &turn)
    }

    /// The new IKE SA's keys and its empty window (RFC 7296 section 2.18).
    private func successor(
        _ spis: IKESPIPair,
        isInitiator: Bool,
        _ suite: IKESuite,
        _ secret: borrowing SharedSecret,
        _ additional: borrowing JoinedSecrets,
        ni: [UInt8],
        nr: [UInt8],
        _ turn: inout Turn
    ) -> Channel {
        let keys = turn.cryptography.rederiveIKEKeys(
            suite,
            oldPRF: channel.suite.prf,
            oldSK_d: channel.keys.d,
            sharedSecret: secret,
            ni: ni.rawSpan,
            nr: nr.rawSpan,
            spii: spis.initiator.rawValue,
            spir: spis.responder.rawValue,
            additional: additional.bytes
        )
        turn.output.report(.keysDerived(spis))
        var new = Channel(
            spis: spis,
            isInitiator: isInitiator,
            fragmentPacketByteCount: channel.fragmentPacketByteCount,
            suite: suite,
            keys: keys,
            path: channel.path,
            nat: channel.nat,
            firstRequest: .zero,
            firstExpected: .zero,
            at: turn.now
        )
        new.inheritMobility(from: channel)
        return new
    }

    /// The end of this end's own rekey, with and without a rival (RFC 7296 section 2.8.2).
    consuming func finishRekey(
        _ draft: borrowing IKESA.Draft,
        _ selection: Selection<IKESuite>,
        peerNonce: [UInt8],
        secret: borrowing SharedSecret,
        additional: borrowing JoinedSecrets,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        let spis = IKESPIPair(initiator: draft.ikeSPI, responder: selection.ikeSPI)
        let new = successor(
            spis,
            isInitiator: true,
            selection.suite,
            secret,
            additional,
            ni: draft.nonce,
            nr: peerNonce,
            &turn
        )
        guard let rival = rival.take()?.take() else {
            handOver(to: new, due: draft.due, fromHere: true, policy: policy, &turn)
            return IKESA.Closing.begin(channel, origin, .rekeyed, policy: policy, &turn)
        }
        if isLower(lower(draft.nonce, peerNonce), rival.lowestNonce) {
            // This end made the redundant one, and closes it; the peer closes the old one.
            turn.redundant = Box(IKESA.Closing.begin(new, origin.forSuccessor(), .redundant, policy: policy, &turn))
            handOver(to: rival.takeChannel(), due: draft.due, fromHere: false, policy: policy, &turn)
            return .established(self)
        }
        var loser = IKESA.Established(rival.takeChannel(), origin.forSuccessor(), policy: policy, &turn)
        loser.becomeSuperseded(by: .redundant, policy: policy, &turn)
        turn.redundant = Box(.established(loser))
        handOver(to: new, due: draft.due, fromHere: true, policy: policy, &turn)
        return IKESA.Closing.begin(channel, origin, .rekeyed, policy: policy, &turn)
    }

    /// The peer's rekey is the one that counts: this end's own came to nothing.
    mutating func adoptRival(policy: PeerPolicy, _ turn: inout Turn) {
        guard let rival = rival.take()?.take() else { return }
        handOver(to: rival.takeChannel(), due: turn.now, fromHere: false, policy: policy, &turn)
    }

    func withRivalChannel<Result>(_ body: (borrowing Channel) -> Result) -> Result? {
        switch rival {
        case .some(let rival): body(rival.value.channel)
        case .none: nil
        }
    }

    /// Gives the Child SAs, and what is to be done about them, to the new IKE SA (RFC 7296 section 2.8).
    private mutating func handOver(
        to new: consuming Channel,
        due: Instant,
        fromHere: Bool,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let spis = new.spis
        var heir = IKESA.Established(new, origin.forSuccessor(), policy: policy, &turn)
        swap(&heir.children, &children)
        heir.innerAddresses = innerAddresses
        heir.arePeerAddresses = arePeerAddresses
        heir.inherit(extras)
        // The end of the old one's lifetime is not the new one's.
        heir.tasks = tasks.filter { $0.kind != .rekeyIKE && $0.kind != .close(.expired) }
        if heir.windows != nil { heir.enqueue(.announceWindow, notBefore: turn.now) }
        turn.output.report(.ikeRekeyed(old: channel.spis, new: spis, due: due, fromHere: fromHere))
        turn.successor = Box(heir.startNext(policy: policy, &turn))
        becomeSuperseded(by: .rekeyed, policy: policy, &turn)
    }

    /// Waits for the peer's Delete, but not for ever.
    private mutating func becomeSuperseded(by end: CloseReason, policy: PeerPolicy, _ turn: inout Turn) {
        superseded = end
        tasks = []
        draft = nil
        soft = .never
        // The peer deletes it within what its retransmissions may take.
        hard = turn.now + policy.values.retransmission.total
    }
}

extension RetransmissionSchedule {
    /// How long a request is kept up before it has failed.
    var total: Duration { waits.reduce(.zero, +) }
}

import BasicContainers
import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// What a CREATE_CHILD_SA exchange is for (RFC 7296 section 1.3).
    enum Purpose: Hashable, Sendable, BitwiseCopyable {
        case child
        /// Names the old Child SA by the SPI at this end.
        case rekeyChild(ChildSPI)
        case rekeyIKE
    }

    /// A CREATE_CHILD_SA exchange that this end began.
    struct Draft: ~Copyable {
        let purpose: Purpose
        let due: Instant
        /// Since when the peer has answered with TEMPORARY_FAILURE, or `.never`.
        let failingSince: Instant
        let nonce: [UInt8]
        var method: KeyExchangeMethod?
        var publicValue: [UInt8] = []
        var privateKey: EphemeralSecret?
        /// The new Child SA's SPI at this end.
        var inbound = ChildSPI(rawValue: 0)
        /// What was offered for the new Child SA.
        var localSelectors: [TrafficSelector] = []
        var remoteSelectors: [TrafficSelector] = []
        var isTransport = false
        /// The new IKE SA's SPI at this end.
        var ikeSPI = IKESPI.zero
        var restarts = 0
        var answer: DraftAnswer?
        /// The peer's exchange for the same Child SA, finished while this one is under way (RFC 7296 section 2.8.1).
        var collision: Collision?
        /// The key exchanges that follow the answer (RFC 9370 section 2.2.4).
        var followUp: Box<InitiatedFollowUp>?
        /// What the peer deleted that is not known here: maybe the Child SA that its answer is about to name.
        var unknownDeleted: [ChildSPI] = []

        init(_ task: PendingTask, _ purpose: Purpose, nonce: [UInt8]) {
            self.purpose = purpose
            due = task.due
            failingSince = task.failingSince
            self.nonce = nonce
        }
    }

    /// The peer's answer to a draft, kept while its shared secret is computed.
    enum DraftAnswer {
        case child(ChildAnswer, peerNonce: [UInt8])
        case ike(Selection<IKESuite>, peerNonce: [UInt8])
    }

    /// What two ends agreed about a Child SA.
    struct ChildAnswer: Sendable {
        let selection: Selection<ChildSuite>
        let inbound: ChildSPI
        let outbound: ChildSPI
        let initiatorSelectors: [TrafficSelector]
        let responderSelectors: [TrafficSelector]
        var isTransport = false

        var suite: ChildSuite { selection.suite }
    }

    struct Collision: Sendable {
        /// The Child SA that the peer's exchange made.
        let inbound: ChildSPI
        /// The lower of the peer's exchange's two nonces.
        let lowestNonce: [UInt8]
    }
}

// The exchanges of this end: what is sent.
extension IKESA.Established {
    var draftPurpose: IKESA.Purpose? {
        switch draft {
        case .some(let draft): draft.value.purpose
        case .none: nil
        }
    }

    mutating func beginDraft(
        _ task: IKESA.PendingTask,
        _ purpose: IKESA.Purpose,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let nonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        var draft = IKESA.Draft(task, purpose, nonce: nonce)
        switch purpose {
        case .child:
            draft.isTransport = policy.values.childMode == .transport
            offer(in: &draft, ownSelectors(policy), peerSelectors(policy), policy: policy, &turn)
        case .rekeyChild(let old):
            guard let index = childIndex(inbound: old) else { return }
            draft.isTransport = children[index].isTransport
            offer(
                in: &draft,
                children[index].localSelectors,
                children[index].remoteSelectors,
                policy: policy,
                &turn
            )
        case .rekeyIKE:
            draft.ikeSPI = origin.spis.next()
            draft.method = policy.ikeMethod
        }
        let method = draft.method
        self.draft = Box(draft)
        if let method {
            ask(forKeyPair: method, &turn)
        } else {
            sendDraft(policy: policy, &turn)
        }
    }

    private mutating func offer(
        in draft: inout IKESA.Draft,
        _ local: [TrafficSelector],
        _ remote: [TrafficSelector],
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        draft.inbound = freshChildSPI()
        draft.method = policy.childMethod
        // In transport mode the ends may have other addresses by now.
        (draft.localSelectors, draft.remoteSelectors) = draft.isTransport ? endSelectors : (local, remote)
    }

    mutating func ask(forKeyPair method: KeyExchangeMethod, _ turn: inout Turn) {
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.generate(.init(method: method, randomness: randomness)))
        outgoing = .awaitingKeyPair
    }

    /// Takes the key pair that the draft waits for, and sends the request.
    consuming func sendDraft(
        _ result: consuming KeyExchangeResult,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        outgoing = .idle
        switch consume result {
        case .generated(let pair):
            draft?.value.publicValue = pair.publicValue
            draft?.value.privateKey = pair.privateKey.copy()
        case .refused:
            // This end could not compute, which leaves the SAs as they are.
            if let purpose = draftPurpose { giveUp(purpose, .invalidKeyExchange, &turn) }
            draft = nil
            return startNext(policy: policy, &turn)
        default: preconditionFailure("a request for a key pair is answered with one")
        }
        if isToBeClosed {
            draft = nil
            return startNext(policy: policy, &turn)
        }
        sendDraft(policy: policy, &turn)
        return .established(self)
    }

    private mutating func sendDraft(policy: PeerPolicy, _ turn: inout Turn) {
        guard let draft = draft.take()?.take() else { preconditionFailure("a draft is sent while there is one") }
        let isFollowUp = draft.followUp != nil
        switch draft.purpose {
        case _ where isFollowUp: sendFollowUp(draft, policy: policy, &turn)
        case .child: sendChildRequest(draft, replacing: nil, policy: policy, &turn)
        case .rekeyChild(let old): sendChildRequest(draft, replacing: old, policy: policy, &turn)
        case .rekeyIKE: sendRekeyRequest(draft, policy: policy, &turn)
        }
        self.draft = Box(draft)
        outgoing = .awaitingAnswer
    }
}

// The exchanges of this end: what is answered.
extension IKESA.Established {
    /// Takes the peer's answer to the draft: a refusal, or what was chosen.
    consuming func takeDraftAnswer(
        _ contents: borrowing Contents,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard var draft = draft.take()?.take() else {
            preconditionFailure("an answer is taken while there is a draft")
        }
        outgoing = .idle
        if draft.followUp != nil { return takeFollowUpAnswer(contents, draft, policy: policy, &turn) }
        if !contents.has(.securityAssociation), let error = contents.firstError {
            return takeRefusal(error, contents.demandedKeyExchange, draft, policy: policy, &turn)
        }
        guard let answer = readAnswer(contents, draft, policy: policy) else {
            return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn)
        }
        draft.answer = answer
        let additional = answer.additional.methods
        if !additional.isEmpty {
            guard let link = contents.notifyData(.additionalKeyExchange) else {
                return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn)
            }
            draft.followUp = Box(IKESA.InitiatedFollowUp(methods: additional, link: link))
        }
        guard let method = answer.keyExchange else {
            return finishWithoutKeyExchange(draft, policy: policy, &turn)
        }
        guard contents.has(.keyExchange), let keyExchange = try? KeyExchange(contents.keyExchange),
            keyExchange.method.rawValue == method.rawValue, let privateKey = draft.privateKey.take()
        else { return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn) }
        turn.output.ask(
            .finish(
                .init(
                    method: method,
                    privateKey: privateKey,
                    publicValue: draft.publicValue,
                    peerPublicValue: keyExchange.data.copied()
                )
            )
        )
        self.draft = Box(draft)
        outgoing = .awaitingAgreement
        return .established(self)
    }

    private func readAnswer(
        _ contents: borrowing Contents,
        _ draft: borrowing IKESA.Draft,
        policy: PeerPolicy
    ) -> IKESA.DraftAnswer? {
        guard contents.has(.nonce), let nonce = try? Nonce(contents.nonce) else { return nil }
        switch draft.purpose {
        case .child: return readChildAnswer(contents, draft, peerNonce: nonce.data.copied(), policy: policy)
        case .rekeyChild: return readChildAnswer(contents, draft, peerNonce: nonce.data.copied(), policy: policy)
        case .rekeyIKE: return readRekeyAnswer(contents, draft, peerNonce: nonce.data.copied(), policy: policy)
        }
    }

    /// Takes the shared secret that the draft waits for.
    consuming func finishDraft(
        _ result: consuming KeyExchangeResult,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard let draft = draft.take()?.take() else {
            preconditionFailure("an agreement is finished while there is a draft")
        }
        outgoing = .idle
        switch consume result {
        case .finished(let secret):
            guard draft.followUp == nil else { return follow(secret, draft, policy: policy, &turn) }
            return finish(draft, secret: secret, additional: JoinedSecrets(), policy: policy, &turn)
        case .refused:
            return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn)
        default: preconditionFailure("a request for an agreement is answered with one")
        }
    }

    private consuming func finishWithoutKeyExchange(
        _ draft: consuming IKESA.Draft,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        guard case .child(let answer, let peerNonce) = draft.answer else {
            preconditionFailure("a rekey of an IKE SA has a key exchange")
        }
        let keys = childKeys(answer.suite, ni: draft.nonce, nr: peerNonce, &turn)
        finishChild(draft, answer, peerNonce: peerNonce, keys: keys, policy: policy, &turn)
        return startNext(policy: policy, &turn)
    }

    consuming func finish(
        _ draft: consuming IKESA.Draft,
        secret: borrowing SharedSecret,
        additional: borrowing JoinedSecrets,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        switch draft.answer {
        case .child(let answer, let peerNonce):
            let keys = childKeys(
                answer.suite,
                secret: secret,
                additional: additional,
                ni: draft.nonce,
                nr: peerNonce,
                &turn
            )
            finishChild(draft, answer, peerNonce: peerNonce, keys: keys, policy: policy, &turn)
            return startNext(policy: policy, &turn)
        case .ike(let selection, let peerNonce):
            return finishRekey(
                draft,
                selection,
                peerNonce: peerNonce,
                secret: secret,
                additional: additional,
                policy: policy,
                &turn
            )
        case nil:
            preconditionFailure("a draft is finished once it is answered")
        }
    }
}

extension IKESA.DraftAnswer {
    /// The method of the new SA's own key exchange.
    fileprivate var keyExchange: KeyExchangeMethod? {
        switch self {
        case .child(let answer, _): answer.suite.keyExchange
        case .ike(let selection, _): selection.suite.keyExchange
        }
    }

    /// The key exchanges that follow it.
    fileprivate var additional: AdditionalKeyExchanges {
        switch self {
        case .child(let answer, _): answer.selection.additional
        case .ike(let selection, _): selection.additional
        }
    }
}

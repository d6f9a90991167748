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
        let nonce: [UInt8]
        var method: KeyExchangeMethod?
        var publicValue: [UInt8] = []
        var privateKey: SecretBytes?
        /// The new Child SA's SPI at this end.
        var inbound = ChildSPI(rawValue: 0)
        /// The new IKE SA's SPI at this end.
        var ikeSPI = IKESPI.zero
        var restarts = 0
        var answer: DraftAnswer?
        /// The peer's exchange for the same SA, finished while this one is under way (RFC 7296 section 2.8.1).
        var collision: Collision?
    }

    /// The peer's answer to a draft, kept while its shared secret is computed.
    enum DraftAnswer {
        case child(ChildAnswer, peerNonce: [UInt8])
        case ike(Selection<IKESuite>, peerSPI: IKESPI, peerNonce: [UInt8])
    }

    /// What two ends agreed about a Child SA.
    struct ChildAnswer: Sendable {
        var suite: ChildSuite
        /// The chosen proposal, with the SPI of the end that sends it.
        var proposal: Proposal
        var inbound: ChildSPI
        var outbound: ChildSPI
        var initiatorSelectors: [TrafficSelector]
        var responderSelectors: [TrafficSelector]
    }

    struct Collision: Sendable {
        /// The lower of the peer's exchange's two nonces.
        let lowestNonce: [UInt8]
    }

    /// A CREATE_CHILD_SA exchange of the peer that waits for a key exchange operation.
    struct IncomingExchange: ~Copyable {
        enum Agreement {
            case child(ChildAnswer, replacing: ChildSPI?)
            case ike(Selection<IKESuite>, peerSPI: IKESPI, ownSPI: IKESPI)
        }
        let agreement: Agreement
        let peerNonce: [UInt8]
        let nonce: [UInt8]
        let method: KeyExchangeMethod
    }

    /// A finished rekey of the IKE SA by the peer, while this end's own is under way.
    struct Rival: ~Copyable {
        let channel: Channel
        let lowestNonce: [UInt8]
    }
}

/// Whether one nonce comes before another when compared octet by octet (RFC 7296 section 2.8.1).
func isLower(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.lexicographicallyPrecedes(other)
}

func lower(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] { isLower(other, one) ? other : one }

// The exchanges of this end.
extension IKESA.Established {
    var draftPurpose: IKESA.Purpose? {
        switch draft {
        case .some(let draft): draft.purpose
        case .none: nil
        }
    }

    mutating func beginDraft(_ purpose: IKESA.Purpose, due: Instant, policy: PeerPolicy, _ turn: inout Turn) {
        let nonce = turn.cryptography.octets(count: Initiation.nonceByteCount, from: &origin.material)
        var draft = IKESA.Draft(purpose: purpose, due: due, nonce: nonce)
        switch purpose {
        case .child, .rekeyChild:
            draft.inbound = turn.cryptography.childSPI(&origin.material)
            draft.method = policy.values.childProposals.firstKeyExchange
        case .rekeyIKE:
            draft.ikeSPI = origin.spis.next()
            draft.method = policy.values.ikeProposals.firstKeyExchange
        }
        if let method = draft.method {
            ask(forKeyPair: method, &turn)
            self.draft = consume draft
        } else {
            self.draft = consume draft
            sendDraft(policy: policy, &turn)
        }
    }

    private mutating func ask(forKeyPair method: KeyExchangeMethod, _ turn: inout Turn) {
        let randomness = turn.cryptography.secret(count: method.randomByteCount, from: &origin.material)
        turn.output.ask(.generate(.init(method: method, randomness: randomness)))
        outgoing = .awaitingKeyPair
    }

    mutating func sendDraft(
        _ result: consuming KeyExchangeResult, policy: PeerPolicy, _ turn: inout Turn
    ) {
        switch consume result {
        case .generated(let pair):
            draft?.publicValue = pair.publicValue
            draft?.privateKey = pair.privateKey.copy()
        case .responded: preconditionFailure("a request for a key pair is answered with one")
        case .finished: preconditionFailure("a request for a key pair is answered with one")
        case .refused:
            outgoing = .idle
            draft = nil
            return
        }
        sendDraft(policy: policy, &turn)
    }

    private mutating func sendDraft(policy: PeerPolicy, _ turn: inout Turn) {
        guard let draft = draft.take() else { preconditionFailure("a draft is sent while there is one") }
        switch draft.purpose {
        case .child, .rekeyChild: sendChildRequest(draft, policy: policy, &turn)
        case .rekeyIKE: sendRekeyRequest(draft, policy: policy, &turn)
        }
        self.draft = consume draft
        outgoing = .awaitingAnswer
    }

    /// Takes the peer's answer to the draft: a refusal, or what was chosen.
    consuming func takeDraftAnswer(
        _ contents: borrowing Contents, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        guard var draft = draft.take() else { preconditionFailure("an answer is taken while there is a draft") }
        outgoing = .idle
        if !contents.has(.securityAssociation), let error = contents.firstError {
            takeRefusal(error, contents.demandedKeyExchange, draft, policy: policy, &turn)
            // A rival that was finished meanwhile is the IKE SA from now on.
            if outgoing == .idle { adoptRival(policy: policy, &turn) }
            return startNext(policy: policy, &turn)
        }
        guard let answer = readAnswer(contents, draft, policy: policy) else {
            return close(.malformedAnswer, policy: policy, &turn)
        }
        guard let method = draft.method, contents.has(.keyExchange) else {
            guard draft.method == nil || answer.wantsNoKeyExchange else {
                return close(.malformedAnswer, policy: policy, &turn)
            }
            draft.answer = answer
            return finish(draft, secret: nil, policy: policy, &turn)
        }
        guard let keyExchange = try? KeyExchange(contents.keyExchange), keyExchange.method.rawValue == method.rawValue,
            let privateKey = draft.privateKey.take()
        else { return close(.malformedAnswer, policy: policy, &turn) }
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
        draft.answer = answer
        self.draft = consume draft
        outgoing = .awaitingAgreement
        return .established(self)
    }

    private func readAnswer(
        _ contents: borrowing Contents, _ draft: borrowing IKESA.Draft, policy: PeerPolicy
    ) -> IKESA.DraftAnswer? {
        guard let nonce = try? Nonce(contents.nonce) else { return nil }
        switch draft.purpose {
        case .child, .rekeyChild:
            guard let answer = readChildAnswer(contents, draft, policy: policy) else { return nil }
            return .child(answer, peerNonce: nonce.data.copied())
        case .rekeyIKE:
            return readRekeyAnswer(contents, draft, peerNonce: nonce.data.copied(), policy: policy)
        }
    }

    consuming func finishDraft(
        _ result: consuming KeyExchangeResult, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        guard let draft = draft.take() else { preconditionFailure("an agreement is finished while there is a draft") }
        outgoing = .idle
        switch consume result {
        case .finished(let secret):
            return finish(draft, secret: secret, policy: policy, &turn)
        case .generated: preconditionFailure("a request for an agreement is answered with one")
        case .responded: preconditionFailure("a request for an agreement is answered with one")
        case .refused:
            return close(.malformedAnswer, policy: policy, &turn)
        }
    }

    private consuming func finish(
        _ draft: consuming IKESA.Draft, secret: consuming SharedSecret?, policy: PeerPolicy, _ turn: inout Turn
    ) -> IKESA {
        switch draft.answer {
        case .child(let answer, let peerNonce):
            finishChild(draft, answer, peerNonce: peerNonce, secret: secret, policy: policy, &turn)
            return startNext(policy: policy, &turn)
        case .ike(let selection, let peerSPI, let peerNonce):
            guard let secret = secret.take() else { return close(.malformedAnswer, policy: policy, &turn) }
            return finishRekey(
                draft, selection, peerSPI: peerSPI, peerNonce: peerNonce, secret: secret, policy: policy, &turn
            )
        case nil:
            preconditionFailure("a draft is finished once it is answered")
        }
    }

    /// What each refusal asks for (RFC 7296 sections 1.3 and 2.25).
    private mutating func takeRefusal(
        _ error: NotifyType, _ demanded: UInt16?, _ draft: consuming IKESA.Draft, policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        var draft = draft
        if error == .invalidKEPayload, let method = demanded.flatMap(KeyExchangeMethod.init(rawValue:)),
            method != draft.method, draft.restarts < Initiation.mostRestarts,
            draft.isOffered(method, policy: policy)
        {
            draft.restarts += 1
            draft.method = method
            ask(forKeyPair: method, &turn)
            self.draft = consume draft
            return
        }
        let wait = policy.values.retryWait + origin.chance.duration(upTo: policy.values.retryWait)
        switch draft.purpose {
        case .child:
            guard error == .temporaryFailure else {
                turn.output.report(.childRefused(error))
                return
            }
            enqueue(.createChild, due: draft.due, notBefore: turn.now + wait)
        case .rekeyChild(let old):
            takeChildRekeyRefusal(error, old: old, due: draft.due, wait: wait, &turn)
        case .rekeyIKE:
            guard error != .temporaryFailure || rival != nil else {
                enqueue(.rekeyIKE, due: draft.due, notBefore: turn.now + wait)
                return
            }
            if rival == nil { turn.output.report(.ikeRekeyFailed(channel.spis, error)) }
        }
    }
}

extension IKESA.Draft {
    fileprivate func isOffered(_ method: KeyExchangeMethod, policy: PeerPolicy) -> Bool {
        switch purpose {
        case .child, .rekeyChild: policy.values.childProposals.offers(method)
        case .rekeyIKE: policy.values.ikeProposals.offers(method)
        }
    }
}

extension IKESA.DraftAnswer {
    /// Whether the peer chose a Child SA without a key exchange of its own.
    fileprivate var wantsNoKeyExchange: Bool {
        switch self {
        case .child(let answer, _): answer.suite.keyExchange == nil
        case .ike: false
        }
    }
}

import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// What follows this end's CREATE_CHILD_SA request, once it is answered (RFC 9370 section 2.2.4).
    struct InitiatedFollowUp: ~Copyable {
        /// The exchanges that are not done yet, the one that goes on first.
        var methods: [KeyExchangeMethod]
        /// What the peer knows its state by.
        var link: [UInt8]
        /// SK(0).
        var first: SharedSecret?
        /// SK(1) | SK(2) | ...
        var others = JoinedSecrets()

        init(methods: [KeyExchangeMethod], link: [UInt8]) {
            self.methods = methods
            self.link = link
        }
    }

    /// What follows the answer to the peer's CREATE_CHILD_SA request.
    struct AnsweredFollowUp: ~Copyable {
        var methods: [KeyExchangeMethod]
        var link: [UInt8]
        let first: SharedSecret
        var others = JoinedSecrets()
        /// When the peer is taken to have forgotten it.
        var expiry: Instant

        /// RFC 9370 section 2.2.4 finds 5 to 20 seconds reasonable.
        static let patience = Duration.seconds(20)
    }
}

// What follows a request of this end's.
extension IKESA.Established {
    /// HDR, SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)(link(n))}
    mutating func sendFollowUp(_ draft: borrowing IKESA.Draft, policy: PeerPolicy, _ turn: inout Turn) {
        guard let method = draft.method, let link = draft.link else {
            preconditionFailure("an exchange that follows another has a method and a link")
        }
        let note = PacketNote(.followUp, isResponse: false, keyExchange: method)
        let publicValue = draft.publicValue
        channel.request(.ikeFollowupKE, note, origin: &origin, policy: policy, &turn) { encoder in
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            encoder.notify(.additionalKeyExchange, link)
        }
    }

    /// Keeps a secret that the draft waited for, and goes on to the next key exchange or to the end.
    consuming func follow(
        _ secret: consuming SharedSecret,
        _ draft: consuming IKESA.Draft,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        var draft = draft
        guard var followUp = draft.followUp.take()?.take() else {
            preconditionFailure("a secret follows where key exchanges do")
        }
        if followUp.first == nil {
            followUp.first = consume secret
        } else {
            followUp.others.append(secret.bytes)
            followUp.methods.removeFirst()
        }
        if let method = followUp.methods.first {
            draft.method = method
            draft.followUp = Box(followUp)
            self.draft = Box(draft)
            ask(forKeyPair: method, &turn)
            return .established(self)
        }
        guard let first = followUp.first.take() else {
            preconditionFailure("the first secret comes before those that follow")
        }
        return finish(draft, secret: first, additional: followUp.others, policy: policy, &turn)
    }

    /// Takes HDR, SK {KEr(n), [N(ADDITIONAL_KEY_EXCHANGE)(link(n+1))]}, or a refusal.
    consuming func takeFollowUpAnswer(
        _ contents: borrowing Contents,
        _ draft: consuming IKESA.Draft,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA {
        var draft = draft
        if !contents.has(.keyExchange), let error = contents.firstError {
            return takeRefusal(error, nil, draft, policy: policy, &turn)
        }
        guard let method = draft.method, let value = contents.publicValue(of: method),
            let privateKey = draft.privateKey.take(), var followUp = draft.followUp.take()
        else { return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn) }
        if followUp.value.methods.count > 1 {
            guard let link = contents.notifyData(.additionalKeyExchange) else {
                return close(.malformedAnswer, failing: draft.purpose, policy: policy, &turn)
            }
            followUp.value.link = link
        }
        draft.followUp = consume followUp
        turn.output.ask(
            .finish(
                .init(
                    method: method,
                    privateKey: privateKey,
                    publicValue: draft.publicValue,
                    peerPublicValue: value
                )
            )
        )
        self.draft = Box(draft)
        outgoing = .awaitingAgreement
        return .established(self)
    }
}

// What follows a request of the peer's.
extension IKESA.Established {
    /// Whether the peer's exchange waits for a result here, and not for the peer.
    var isComputingAnswer: Bool {
        switch incoming {
        case .some(let incoming): incoming.value.isComputing
        case .none: false
        }
    }

    /// When what the peer has begun is forgotten, or `.never`.
    var followUpExpiry: Instant {
        switch incoming {
        case .some(let incoming): incoming.value.expiry
        case .none: .never
        }
    }

    /// Answers the peer's request once a key exchange of it is computed.
    mutating func finishIncoming(
        _ incoming: consuming IKESA.IncomingExchange,
        _ result: consuming KeyExchangeResult,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> IKESA.Handling {
        switch consume result {
        case .responded(let response):
            var incoming = incoming
            if let followUp = incoming.followUp.take() {
                goOn(incoming, followUp.take(), response, policy: policy, &turn)
            } else {
                answer(incoming, response, policy: policy, &turn)
            }
            return .taken
        case .refused:
            // RFC 6989 section 5: the peer's value is not in its group.
            return .malformed
        default: preconditionFailure("a request to respond is answered with a response")
        }
    }

    /// Answers CREATE_CHILD_SA, which ends the exchange or is followed by others.
    private mutating func answer(
        _ incoming: consuming IKESA.IncomingExchange,
        _ response: borrowing KeyExchangeResult.Response,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        let methods = incoming.agreement.additional.methods
        let link = methods.isEmpty ? nil : newLink(&turn)
        switch incoming.agreement {
        case .child(let answer, let replaced):
            self.answer(
                answer,
                replacing: replaced,
                nonce: incoming.nonce,
                publicValue: response.publicValue,
                link: link,
                &turn
            )
        case .ike(let selection, let ownSPI):
            answerRekey(incoming, selection, ownSPI: ownSPI, response.publicValue, link: link, &turn)
        }
        guard let link else {
            return finish(incoming, response.sharedSecret, JoinedSecrets(), policy: policy, &turn)
        }
        let followUp = IKESA.AnsweredFollowUp(
            methods: methods,
            link: link,
            first: SharedSecret(copying: response.sharedSecret.bytes),
            expiry: turn.now + IKESA.AnsweredFollowUp.patience
        )
        wait(incoming, followUp)
    }

    private mutating func newLink(_ turn: inout Turn) -> [UInt8] {
        turn.cryptography.octets(count: 8, from: &origin.material)
    }

    private mutating func wait(
        _ incoming: consuming IKESA.IncomingExchange,
        _ followUp: consuming IKESA.AnsweredFollowUp
    ) {
        var incoming = incoming
        incoming.isComputing = false
        incoming.followUp = Box(followUp)
        self.incoming = Box(incoming)
    }

    /// Takes HDR, SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)(link(n))}.
    mutating func takeFollowUpRequest(_ contents: borrowing Contents, _ turn: inout Turn) -> IKESA.Handling {
        guard var incoming = incoming.take()?.take(), let followUp = incoming.followUp.take()?.take() else {
            return refuseFollowUp(&turn)
        }
        let isLinked = contents.notifyData(.additionalKeyExchange) == followUp.link
        let method = followUp.methods[0]
        guard isLinked else {
            wait(incoming, followUp)
            return refuseFollowUp(&turn)
        }
        guard let value = contents.publicValue(of: method) else { return .malformed }
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.respond(.init(method: method, peerPublicValue: value, randomness: randomness)))
        incoming.method = method
        incoming.isComputing = true
        incoming.followUp = Box(followUp)
        self.incoming = Box(incoming)
        return .taken
    }

    /// HDR, SK {N(STATE_NOT_FOUND)} (RFC 9370 section 2.2.4)
    private mutating func refuseFollowUp(_ turn: inout Turn) -> IKESA.Handling {
        respond(.ikeFollowupKE, PacketNote(.refusal, isResponse: true), &turn) { $0.notify(.stateNotFound) }
        return .taken
    }

    /// HDR, SK {KEr(n), [N(ADDITIONAL_KEY_EXCHANGE)(link(n+1))]}
    private mutating func goOn(
        _ incoming: consuming IKESA.IncomingExchange,
        _ followUp: consuming IKESA.AnsweredFollowUp,
        _ response: borrowing KeyExchangeResult.Response,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        var followUp = followUp
        followUp.others.append(response.sharedSecret.bytes)
        followUp.methods.removeFirst()
        let link = followUp.methods.isEmpty ? nil : newLink(&turn)
        let (method, publicValue) = (incoming.method, response.publicValue)
        let note = PacketNote(.followUp, isResponse: true, keyExchange: method)
        respond(.ikeFollowupKE, note, &turn) { encoder in
            encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
            if let link { encoder.notify(.additionalKeyExchange, link) }
        }
        guard let link else { return finish(incoming, followUp.first, followUp.others, policy: policy, &turn) }
        followUp.link = link
        followUp.expiry = turn.now + IKESA.AnsweredFollowUp.patience
        wait(incoming, followUp)
    }

    /// Makes what the peer's exchange was for.
    private mutating func finish(
        _ incoming: borrowing IKESA.IncomingExchange,
        _ secret: borrowing SharedSecret,
        _ additional: borrowing JoinedSecrets,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        switch incoming.agreement {
        case .child(let answer, let replaced):
            let keys = childKeys(
                answer.suite,
                secret: secret,
                additional: additional,
                ni: incoming.peerNonce,
                nr: incoming.nonce,
                &turn
            )
            finishIncomingChild(
                answer,
                replacing: replaced,
                peerNonce: incoming.peerNonce,
                nonce: incoming.nonce,
                keys: keys,
                policy: policy,
                &turn
            )
        case .ike(let selection, let ownSPI):
            finishIncomingRekey(
                incoming,
                selection,
                ownSPI: ownSPI,
                secret: secret,
                additional: additional,
                policy: policy,
                &turn
            )
        }
    }
}

extension IKESA.Draft {
    /// What the peer knows the exchange by.
    fileprivate var link: [UInt8]? {
        switch followUp {
        case .some(let followUp): followUp.value.link
        case .none: nil
        }
    }
}

extension IKESA.IncomingExchange {
    fileprivate var expiry: Instant {
        switch followUp {
        case .some(let followUp): isComputing ? .never : followUp.value.expiry
        case .none: .never
        }
    }
}

extension IKESA.IncomingExchange.Agreement {
    /// The key exchanges that follow the first one.
    fileprivate var additional: AdditionalKeyExchanges {
        switch self {
        case .child(let answer, _): answer.selection.additional
        case .ike(let selection, _): selection.additional
        }
    }
}

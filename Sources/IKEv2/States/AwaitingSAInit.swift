import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator whose IKE_SA_INIT request is on its way.
    package struct AwaitingSAInit: ~Copyable {
        var initiation: Initiation
        let pair: KeyExchangeResult.KeyPair
        var request: OutstandingRequest

        var deadline: Instant { request.deadline }
        var spis: IKESPIPair { IKESPIPair(initiator: initiation.spi, responder: .zero) }

        /// Takes the responder's answer, which nothing protects: what does not answer the request changes nothing.
        consuming func receive(_ datagram: RawSpan, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard let answer = initiation.read(datagram, policy: policy, &turn) else {
                turn.output.report(.dropped)
                return .awaitingSAInit(self)
            }
            switch consume answer {
            case .cookie(let cookie):
                return retry(cookie: cookie, policy: policy, &turn)
            case .otherKeyExchange(let method):
                return retry(method: method, policy: policy, &turn)
            case .refused(let type):
                return .closed(spis: spis, type == .noProposalChosen ? .noProposalChosen : .refused(type), &turn)
            case .unusable(let reason):
                return .closed(spis: spis, reason, &turn)
            case .accepted(let answer):
                guard !policy.refusesChild(answer) else { return .closed(spis: spis, .childlessUnsupported, &turn) }
                return agree(answer, &turn)
            }
        }

        /// The same request again, behind the cookie (RFC 7296 section 2.6).
        private consuming func retry(cookie: [UInt8], policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard initiation.restarts < Initiation.mostRestarts, cookie != initiation.cookie else {
                turn.output.report(.dropped)
                return .awaitingSAInit(self)
            }
            initiation.restarts += 1
            initiation.cookie = cookie
            request = initiation.send(publicValue: pair.publicValue, policy: policy, &turn)
            return .awaitingSAInit(self)
        }

        /// A new request with the method that the responder wants, if the policy offered it (RFC 7296 section 1.2).
        ///
        /// What it has been given already it wanted of the request before: its answer comes twice, or late.
        private consuming func retry(method: UInt16, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            if initiation.restarts > 0, method == initiation.method.rawValue {
                turn.output.report(.dropped)
                return .awaitingSAInit(self)
            }
            guard let method = KeyExchangeMethod(rawValue: method), method != initiation.method,
                policy.values.ikeProposals.offers(method), initiation.restarts < Initiation.mostRestarts
            else { return .closed(spis: spis, .invalidKeyExchange, &turn) }
            initiation.restarts += 1
            initiation.method = method
            initiation.askForKeyPair(&turn)
            return .awaitingKeyPair(AwaitingKeyPair(initiation: initiation))
        }

        private consuming func agree(_ answer: consuming AcceptedAnswer, _ turn: inout Turn) -> IKESA {
            turn.output.ask(
                .finish(
                    .init(
                        method: initiation.method,
                        privateKey: pair.privateKey.copy(),
                        publicValue: pair.publicValue,
                        peerPublicValue: answer.publicValue
                    )
                )
            )
            return .awaitingAgreement(
                AwaitingAgreement(
                    initiation: initiation,
                    answer: answer,
                    requestMessage: request.message
                )
            )
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard request.deadline <= turn.now else { return .awaitingSAInit(self) }
            guard request.retransmit(at: turn.now, schedule: policy.values.retransmission) else {
                return .closed(spis: spis, .timeout, &turn)
            }
            var note = request.note
            note.isRetransmission = true
            turn.output.send(request.message.rawSpan, over: initiation.route.plain, note)
            turn.output.report(.retransmitted(.ikeSAInit))
            return .awaitingSAInit(self)
        }
    }
}

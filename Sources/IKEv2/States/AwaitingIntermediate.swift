import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator between IKE_SA_INIT and IKE_AUTH, whose additional key exchanges go on in IKE_INTERMEDIATE
    /// (RFC 9242, RFC 9370 section 2.2.2).
    package struct AwaitingIntermediate: ~Copyable {
        var channel: Channel
        var progress: Box<Progress>

        /// What an IKE SA needs for this alone.
        struct Progress: ~Copyable {
            var agreed: AwaitingAgreement
            /// The exchanges that are not done yet, the one that goes on first.
            var methods: [KeyExchangeMethod]
            var authentication = IntermediateAuthentication()
            /// This end's key pair, while its request is on its way.
            var pair: KeyExchangeResult.KeyPair?
        }

        var spis: IKESPIPair { channel.spis }
        var deadline: Instant { channel.outstanding?.deadline ?? .never }

        static func begin(
            _ agreed: consuming AwaitingAgreement,
            _ channel: consuming Channel,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let methods = agreed.answer.additional.methods
            let state = AwaitingIntermediate(
                channel: channel,
                progress: Box(Progress(agreed: agreed, methods: methods))
            )
            return state.goOn(policy: policy, &turn)
        }

        /// Asks for the next key pair, or begins IKE_AUTH.
        private consuming func goOn(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard let method = progress.value.methods.first else {
                var progress = progress.take()
                progress.agreed.intermediate = progress.authentication.octets(ikeAuth: channel.nextRequest)
                return AwaitingAuth.begin(progress.takeAgreed(), channel, policy: policy, &turn)
            }
            let randomness = turn.cryptography.randomness(
                for: method,
                from: &progress.value.agreed.initiation.origin.material
            )
            turn.output.ask(.generate(.init(method: method, randomness: randomness)))
            return .awaitingIntermediate(self)
        }

        /// Takes the key pair or the shared secret that was asked for.
        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch consume result {
            case .generated(let pair):
                send(pair, policy: policy, &turn)
                return .awaitingIntermediate(self)
            case .finished(let secret):
                var keys = channel.intermediateKeys(
                    secret,
                    ni: progress.value.agreed.initiation.nonce,
                    nr: progress.value.agreed.answer.nonce,
                    turn
                )
                channel.exchangeKeys(with: &keys)
                turn.output.report(.keysDerived(channel.spis))
                progress.value.methods.removeFirst()
                return goOn(policy: policy, &turn)
            case .refused: return .closed(spis: channel.spis, .invalidKeyExchange, &turn)
            default: preconditionFailure("a key exchange that was asked for gives a key pair or a secret")
            }
        }

        /// HDR, SK {KEi(n)}
        private mutating func send(
            _ pair: consuming KeyExchangeResult.KeyPair,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) {
            var authentication = progress.value.authentication
            var origin = progress.value.agreed.initiation.origin
            channel.sendIntermediate(
                progress.value.methods[0],
                pair.publicValue,
                isResponse: false,
                &authentication,
                origin: &origin,
                policy: policy,
                &turn
            )
            progress.value.authentication = authentication
            progress.value.agreed.initiation.origin = origin
            progress.value.pair = consume pair
        }

        /// Takes HDR, SK {KEr(n)}, or a refusal; whatever else the peer sends waits until it is known.
        consuming func receive(
            _ datagram: RawSpan,
            over arrival: Path,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard channel.outstanding != nil else { return drop(&turn) }
            switch channel.receive(datagram, over: arrival, &turn) {
            case .nothing: return .awaitingIntermediate(self)
            case .request: return drop(&turn)
            case .unreadableRequest: return drop(&turn)
            case .unreadableResponse: return .closed(spis: channel.spis, .malformedAnswer, &turn)
            case .response(_, let contents): return read(contents, &turn)
            }
        }

        private consuming func drop(_ turn: inout Turn) -> IKESA {
            turn.output.report(.dropped)
            return .awaitingIntermediate(self)
        }

        private consuming func read(_ contents: consuming Contents, _ turn: inout Turn) -> IKESA {
            let method = progress.value.methods[0]
            guard let value = contents.publicValue(of: method), let pair = progress.value.pair.take() else {
                let error = contents.firstError
                turn.giveBack(contents.takeBuffer())
                return .closed(spis: channel.spis, error.map { .refused($0) } ?? .malformedAnswer, &turn)
            }
            channel.absorbIntermediate(contents, isResponse: true, &progress.value.authentication, turn)
            turn.giveBack(contents.takeBuffer())
            turn.output.ask(
                .finish(
                    .init(
                        method: method,
                        privateKey: pair.privateKey.copy(),
                        publicValue: pair.publicValue,
                        peerPublicValue: value
                    )
                )
            )
            return .awaitingIntermediate(self)
        }

        consuming func advance(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            guard channel.retransmitIfDue(policy: policy, &turn) else {
                return .closed(spis: channel.spis, .timeout, &turn)
            }
            return .awaitingIntermediate(self)
        }
    }
}

extension IKESA.AwaitingIntermediate.Progress {
    fileprivate consuming func takeAgreed() -> IKESA.AwaitingAgreement { agreed }
}

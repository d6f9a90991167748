import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator that has the responder's KE payload and has asked for the shared secret.
    package struct AwaitingAgreement: ~Copyable {
        var initiation: Initiation
        let answer: AcceptedAnswer
        let requestMessage: [UInt8]
        /// IntAuth, once the additional key exchanges are done (RFC 9242 section 3.3.2).
        var intermediate: [UInt8] = []

        var spis: IKESPIPair { IKESPIPair(initiator: initiation.spi, responder: answer.responderSPI) }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let spis = IKESPIPair(initiator: initiation.spi, responder: answer.responderSPI)
            switch consume result {
            case .finished(let secret):
                let keys = turn.cryptography.deriveIKEKeys(
                    answer.suite,
                    sharedSecret: secret,
                    ni: initiation.nonce.rawSpan,
                    nr: answer.nonce.rawSpan,
                    spii: spis.initiator.rawValue,
                    spir: spis.responder.rawValue
                )
                turn.output.report(.keysDerived(spis))
                // A NAT on the way moves everything that follows to port 4500 (RFC 7296 section 2.23); who may move
                // behind one goes there at once (RFC 4555 section 3.3).
                let isEncapsulated = answer.nat.isAny || answer.detectsNATs && policy.wantsEncapsulation
                let path = isEncapsulated ? initiation.route.encapsulated : initiation.route.plain
                let channel = Channel(
                    spis: spis,
                    isInitiator: true,
                    fragmentPacketByteCount: policy.fragmentPacketByteCount(over: path, answer.takesFragments),
                    suite: answer.suite,
                    keys: keys,
                    path: path,
                    nat: answer.nat,
                    firstRequest: MessageID(rawValue: 1),
                    firstExpected: .zero,
                    at: turn.now
                )
                guard answer.additional.isEmpty else {
                    return AwaitingIntermediate.begin(self, channel, policy: policy, &turn)
                }
                return AwaitingAuth.begin(self, channel, policy: policy, &turn)
            case .refused:
                return .closed(spis: spis, .invalidKeyExchange, &turn)
            default: preconditionFailure("a request for an agreement is answered with one")
            }
        }
    }
}

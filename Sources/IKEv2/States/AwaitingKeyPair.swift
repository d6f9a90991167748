import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator that has asked for the key pair of its KE payload, and has sent nothing yet.
    package struct AwaitingKeyPair: ~Copyable {
        var initiation: Initiation

        var spis: IKESPIPair { IKESPIPair(initiator: initiation.spi, responder: .zero) }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            switch consume result {
            case .generated(let pair):
                let request = initiation.send(publicValue: pair.publicValue, policy: policy, &turn)
                return .awaitingSAInit(AwaitingSAInit(initiation: initiation, pair: pair, request: request))
            case .refused:
                return .closed(
                    spis: IKESPIPair(initiator: initiation.spi, responder: .zero),
                    .invalidKeyExchange,
                    &turn
                )
            default: preconditionFailure("a request for a key pair is answered with one")
            }
        }
    }
}

import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator that has the responder's IKE_AUTH, and has asked whether its certificates and signature are good.
    package struct AwaitingVerdict: ~Copyable {
        var state: AwaitingAuth
        var contents: Box<Contents>

        var spis: IKESPIPair { state.channel.spis }

        /// The responder has made the IKE SA, so that it is told.
        consuming func abandon(policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
            Closing.begin(state.channel, state.origin, .deletedHere, policy: policy, &turn)
        }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let contents = contents.take()
            guard let reason = result.objection() else { return state.goOn(contents, policy: policy, &turn) }
            return state.reject(contents, reason, policy: policy, &turn)
        }
    }
}

extension KeyExchangeResult {
    /// Why a peer's certificates or its signature are not good; nil where they are.
    consuming func objection() -> CloseReason? {
        switch consume self {
        case .verified(let proof): proof.closeReason
        case .refused: .authenticationFailed
        default: preconditionFailure("a request for a verdict is answered with one")
        }
    }
}

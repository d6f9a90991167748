import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder that has an IKE_AUTH request, and has asked whether its certificates and signature are good.
    package struct Verifying: ~Copyable {
        var state: HalfOpen
        var contents: Box<Contents>
        /// The inner address that was ready for the peer when its request came.
        let lease: InnerAddresses

        var spis: IKESPIPair { state.channel.spis }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let contents = contents.take()
            guard let reason = result.objection() else {
                return state.prove(contents, lease: lease, policy: policy, &turn)
            }
            return state.reject(contents, reason, &turn)
        }
    }
}

import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// A responder that knows who the peer is, and has asked for the signature of its IKE_AUTH response.
    package struct Signing: ~Copyable {
        var state: HalfOpen
        var contents: Box<Contents>
        let lease: InnerAddresses
        let credential: Credential

        var spis: IKESPIPair { state.channel.spis }

        static func begin(
            _ state: consuming HalfOpen,
            _ contents: consuming Contents,
            lease: InnerAddresses,
            _ credential: Credential,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            var state = state
            let identification = policy.identification(number: 0)
            let octets = state.initial.signedOctets(ofInitiator: false, identification.rawSpan, state.channel, turn)
            turn.askForSignature(of: octets, credential, state.initial.peerHashes, &state.origin, policy: policy)
            return .signing(Signing(state: state, contents: Box(contents), lease: lease, credential: credential))
        }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            let contents = contents.take()
            guard let proof = result.proof(of: credential) else {
                return state.reject(contents, .noCommonSignature, &turn)
            }
            return state.answer(proof, contents, lease: lease, policy: policy, &turn)
        }
    }
}

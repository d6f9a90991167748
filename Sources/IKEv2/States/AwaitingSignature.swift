import IKECrypto
import IKEWire
import Primitives

extension IKESA {
    /// An initiator that has asked for the signature of its IKE_AUTH request.
    package struct AwaitingSignature: ~Copyable {
        var channel: Channel
        let origin: Origin
        let initial: InitialExchange
        let credential: Credential

        var spis: IKESPIPair { channel.spis }

        static func begin(
            _ channel: consuming Channel,
            _ origin: Origin,
            _ initial: InitialExchange,
            _ credential: Credential,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            var origin = origin
            let identification = policy.identification(number: origin.number)
            let octets = initial.signedOctets(ofInitiator: true, identification.rawSpan, channel, turn)
            turn.askForSignature(of: octets, credential, initial.peerHashes, &origin, policy: policy)
            return .awaitingSignature(
                AwaitingSignature(channel: channel, origin: origin, initial: initial, credential: credential)
            )
        }

        consuming func complete(
            _ result: consuming KeyExchangeResult,
            policy: PeerPolicy,
            _ turn: inout Turn
        ) -> IKESA {
            guard let proof = result.proof(of: credential) else {
                return .closed(spis: channel.spis, .noCommonSignature, &turn)
            }
            return AwaitingAuth.send(proof, channel, origin, initial, policy: policy, &turn)
        }
    }
}

extension KeyExchangeResult {
    /// This end's proof by the signature that was asked for; nil where the key can make none that the peer takes.
    consuming func proof(of credential: Credential) -> Proof? {
        switch consume self {
        case .signed(let signature): Proof(signature, of: credential)
        case .refused: nil
        default: preconditionFailure("a request for a signature is answered with one")
        }
    }
}

extension Turn {
    /// Asks for a signature, with chance of the end's own.
    mutating func askForSignature(
        of octets: [UInt8],
        _ credential: Credential,
        _ peerHashes: SignatureHashes,
        _ origin: inout Origin,
        policy: PeerPolicy
    ) {
        let randomness = cryptography.secret(count: SignatureRequest.randomByteCount, from: &origin.material)
        output.ask(
            .sign(
                SignatureRequest(
                    credential: credential,
                    schemes: policy.values.authentication.schemes,
                    peerHashes: peerHashes,
                    octets: octets,
                    randomness: randomness
                )
            )
        )
    }
}

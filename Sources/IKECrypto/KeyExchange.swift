/// An expensive operation that a state machine asks its driver for.
///
/// The interface is that of a KEM: the initiator *generates*, the responder *responds* to the public value, the
/// initiator *finishes* with the answer. Randomness is passed in, so that the same request gives the same octets
/// everywhere. Signatures and their checks are asked for in the same way. Requests and results are plain data and may
/// cross to another thread.
package enum KeyExchangeRequest: ~Copyable, Sendable {
    case generate(Generate)
    case respond(Respond)
    case finish(Finish)
    case sign(SignatureRequest)
    case verify(VerificationRequest)

    package struct Generate: ~Copyable, Sendable {
        package let method: KeyExchangeMethod
        package let randomness: EphemeralSecret

        package init(method: KeyExchangeMethod, randomness: consuming EphemeralSecret) {
            self.method = method
            self.randomness = randomness
        }
    }

    package struct Respond: ~Copyable, Sendable {
        package let method: KeyExchangeMethod
        package let peerPublicValue: [UInt8]
        package let randomness: EphemeralSecret

        package init(method: KeyExchangeMethod, peerPublicValue: [UInt8], randomness: consuming EphemeralSecret) {
            self.method = method
            self.peerPublicValue = peerPublicValue
            self.randomness = randomness
        }
    }

    package struct Finish: ~Copyable, Sendable {
        package let method: KeyExchangeMethod
        package let privateKey: EphemeralSecret

        /// One's own public value, which spares computing it again from the private key.
        package let publicValue: [UInt8]

        package let peerPublicValue: [UInt8]

        package init(
            method: KeyExchangeMethod,
            privateKey: consuming EphemeralSecret,
            publicValue: [UInt8],
            peerPublicValue: [UInt8]
        ) {
            self.method = method
            self.privateKey = privateKey
            self.publicValue = publicValue
            self.peerPublicValue = peerPublicValue
        }
    }
}

/// What came of a `KeyExchangeRequest`.
package enum KeyExchangeResult: ~Copyable, Sendable {
    case generated(KeyPair)
    case responded(Response)
    case finished(SharedSecret)
    case signed(Signature)
    case verified(PeerProof)
    case refused(CryptoError)

    package struct KeyPair: ~Copyable, Sendable {
        package let publicValue: [UInt8]
        package let privateKey: EphemeralSecret

        package init(publicValue: [UInt8], privateKey: consuming EphemeralSecret) {
            self.publicValue = publicValue
            self.privateKey = privateKey
        }
    }

    package struct Response: ~Copyable, Sendable {
        package let publicValue: [UInt8]
        package let sharedSecret: SharedSecret

        package init(publicValue: [UInt8], sharedSecret: consuming SharedSecret) {
            self.publicValue = publicValue
            self.sharedSecret = sharedSecret
        }
    }
}

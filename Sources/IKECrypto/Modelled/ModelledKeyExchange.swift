import Primitives

/// A toy Diffie-Hellman of the real one's lengths: the private key is x, the public value X = x·g, the shared secret
/// x·y·g, in the field of 2^61 - 1.
///
/// Both ends agree, and a peer's value that was changed on the way does what it does with the real method: another
/// secret, or a refusal. It hides nothing.
enum ModelledKeyExchange {
    static func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) -> KeyExchangeResult.KeyPair {
        var state = (UInt64(0), UInt64(0))
        ModelledHash.mix(randomness.bytes, into: &state)
        // 1 <= x < 2^61 - 1
        let scalar = 1 + state.0 % (modulus - 1)
        let privateKey = EphemeralSecret(count: method.privateKeyByteCount)
        unsafe privateKey.mutableBuffer.storeBytes(of: scalar.littleEndian, as: UInt64.self)
        var publicValue = [UInt8](zeros: method.publicValueByteCount)
        let element = multiply(scalar, generator)
        unsafe publicValue.withUnsafeMutableBytes { unsafe write(element, method, into: $0) }
        return KeyExchangeResult.KeyPair(publicValue: publicValue, privateKey: privateKey)
    }

    static func agreement(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing EphemeralSecret,
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let scalar = unsafe UInt64(littleEndian: privateKey.bytes.unsafeLoadUnaligned(as: UInt64.self))
        let element = unsafe UInt64(bigEndian: peerPublicValue.rawSpan.unsafeLoadUnaligned(as: UInt64.self))
        var state = (multiply(scalar, element % modulus), UInt64(0))
        if element == 0 || element >= modulus || !isPublicValue(peerPublicValue, of: element, method) {
            switch method {
            // A changed point is not on its curve, and a changed number not in its subgroup.
            case .ecp192, .ecp256, .ecp384, .ecp521, .modp2048s256: throw .invalidPeerPublicValue
            case .modp2048, .modp3072, .modp4096: ModelledHash.mix(peerPublicValue.rawSpan, into: &state)
            case .curve448:
                guard !SmallOrder.isOfCurve448(peerPublicValue.rawSpan) else { throw .invalidPeerPublicValue }
                ModelledHash.mix(peerPublicValue.rawSpan, into: &state)
            case .curve25519:
                // RFC 7748 section 5: the most significant bit is ignored.
                var peer = peerPublicValue
                peer[31] &= 0x7F
                guard !SmallOrder.isOfCurve25519(peer.rawSpan) else { throw .invalidPeerPublicValue }
                if !isPublicValue(peer, of: element, method) { ModelledHash.mix(peer.rawSpan, into: &state) }
            case .mlKEM768, .mlKEM1024: preconditionFailure("a KEM has a model of its own")
            }
        }
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        unsafe ModelledHash.expand(state.0, state.1 ^ 0x5899_65CC_7537_4CC3, into: secret.mutableBuffer)
        return secret
    }

    /// A public value: the element in its first 8 octets, which keeps it below a MODP prime, then octets that follow
    /// from it.
    private static func write(_ element: UInt64, _ method: KeyExchangeMethod, into out: UnsafeMutableRawBufferPointer) {
        unsafe out.storeBytes(of: element.bigEndian, as: UInt64.self)
        unsafe ModelledHash.expand(
            element,
            0x9E37_79B9_7F4A_7C15,
            into: UnsafeMutableRawBufferPointer(rebasing: out[8...])
        )
        if method == .curve25519 { unsafe out[31] &= 0x7F }
    }

    /// Whether a value is, octet for octet, what follows from its element.
    private static func isPublicValue(_ value: [UInt8], of element: UInt64, _ method: KeyExchangeMethod) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: method.publicValueByteCount, alignment: 8) { expected in
            unsafe write(element, method, into: expected)
            return unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(expected)).elementsEqual(value.rawSpan)
        }
    }

    private static func multiply(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        // 2^61 is 1 in the field.
        let folded = (product.low & modulus) &+ (product.high &<< 3 | product.low &>> 61)
        return folded >= modulus ? folded - modulus : folded
    }

    private static let modulus: UInt64 = (1 << 61) - 1
    private static let generator: UInt64 = 37
}

import Primitives

/// Values of ML-KEM's lengths, and a secret that follows from both of them.
///
/// Both ends agree unless one of the values was changed on the way, which gives each end another secret, as the real
/// method's implicit rejection does. It hides nothing.
enum ModelledKEM {
    static func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) -> KeyExchangeResult.KeyPair {
        KeyExchangeResult.KeyPair(publicValue: key(method, of: randomness), privateKey: randomness.copy())
    }

    static func encapsulation(
        _ method: KeyExchangeMethod,
        to peerKey: [UInt8],
        randomness: borrowing EphemeralSecret
    ) -> KeyExchangeResult.Response {
        let ciphertext = octets(count: method.responseByteCount, of: randomness.bytes.extracting(0..<32))
        return KeyExchangeResult.Response(publicValue: ciphertext, sharedSecret: secret(method, peerKey, ciphertext))
    }

    static func decapsulation(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing EphemeralSecret,
        _ ciphertext: [UInt8]
    ) -> SharedSecret {
        secret(method, key(method, of: privateKey), ciphertext)
    }

    /// Coefficients of 11 bits are below q.
    private static func key(_ method: KeyExchangeMethod, of seed: borrowing EphemeralSecret) -> [UInt8] {
        var key = octets(count: method.publicValueByteCount, of: seed.bytes)
        for offset in stride(from: 0, to: key.count - 32, by: 3) {
            key[offset + 1] &= 0xF7
            key[offset + 2] &= 0x7F
        }
        return key
    }

    private static func octets(count: Int, of seed: RawSpan) -> [UInt8] {
        var state = (UInt64(0), UInt64(0))
        ModelledHash.mix(seed, into: &state)
        var octets = [UInt8](repeating: 0, count: count)
        unsafe octets.withUnsafeMutableBytes { unsafe ModelledHash.expand(state.0, state.1, into: $0) }
        return octets
    }

    private static func secret(_ method: KeyExchangeMethod, _ key: [UInt8], _ ciphertext: [UInt8]) -> SharedSecret {
        var state = (UInt64(0), UInt64(0))
        ModelledHash.mix(key.rawSpan, into: &state)
        ModelledHash.mix(ciphertext.rawSpan, into: &state)
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        unsafe ModelledHash.expand(state.0, state.1, into: secret.mutableBuffer)
        return secret
    }
}

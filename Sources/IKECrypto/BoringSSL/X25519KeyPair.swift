import Crypto

/// The key pairs of X25519 (RFC 7748 section 6.1), as BoringSSL computes them.
///
/// A public value is a multiple of a point that is known beforehand. BoringSSL keeps a table of it in 64-bit limbs, and
/// takes a third of libcrypto's time; the octets are the same. Agreements stay with libcrypto, which is as fast there.
enum X25519KeyPair {
    /// The key pair whose private key these 32 octets are.
    static func generate(randomness: borrowing EphemeralSecret) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let privateKey = randomness.copy()
        // SAFETY: `privateKey` outlives the call, and the initialiser only reads its octets.
        let octets = unsafe UnsafeRawBufferPointer(privateKey.mutableBuffer)
        do {
            let key = try unsafe Curve25519.KeyAgreement.PrivateKey(rawRepresentation: octets)
            let publicValue = Array(key.publicKey.rawRepresentation)
            return KeyExchangeResult.KeyPair(publicValue: publicValue, privateKey: privateKey)
        } catch {
            throw .libraryFailed
        }
    }
}

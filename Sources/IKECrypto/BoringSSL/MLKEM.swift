import CBoringSSL
import Primitives

/// ML-KEM (FIPS 203) as a key exchange method: the initiator sends an encapsulation key, the responder a ciphertext
/// (draft-ietf-ipsecme-ikev2-mlkem).
///
/// The private key is the seed d | z that the key pair is made from; an encapsulation takes m from the first half of
/// its randomness. Both are given, so that the same request gives the same octets.
enum MLKEM {
    static func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) -> KeyExchangeResult.KeyPair {
        let privateKey = randomness.copy()
        let seed = unsafe privateKey.mutableBuffer.baseAddress
        let key = unsafe octets(count: method.publicValueByteCount) { key in
            // SAFETY: the key and the seed have the method's lengths.
            switch method {
            case .mlKEM768: unsafe cboring_mlkem768_key(key, seed)
            default: unsafe cboring_mlkem1024_key(key, seed)
            }
        }
        return KeyExchangeResult.KeyPair(publicValue: key, privateKey: privateKey)
    }

    /// - Parameter peerKey: of the method's length.
    static func encapsulation(
        _ method: KeyExchangeMethod,
        to peerKey: [UInt8],
        randomness: borrowing EphemeralSecret
    ) throws(CryptoError) -> KeyExchangeResult.Response {
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        let (out, m) = unsafe (secret.mutableBuffer.baseAddress, randomness.mutableBuffer.baseAddress)
        var status: Int32 = 0
        let ciphertext = unsafe octets(count: method.responseByteCount) { ciphertext in
            status =
                switch method {
                case .mlKEM768: unsafe cboring_mlkem768_encapsulate(ciphertext, out, peerKey, m)
                default: unsafe cboring_mlkem1024_encapsulate(ciphertext, out, peerKey, m)
                }
        }
        guard status == 1 else { throw .invalidPeerPublicValue }
        return KeyExchangeResult.Response(publicValue: ciphertext, sharedSecret: secret)
    }

    /// - Parameter ciphertext: of the method's length.
    static func decapsulation(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing EphemeralSecret,
        _ ciphertext: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let secret = SharedSecret(count: method.sharedSecretByteCount)
        let (out, seed) = unsafe (secret.mutableBuffer.baseAddress, privateKey.mutableBuffer.baseAddress)
        let status =
            switch method {
            case .mlKEM768: unsafe cboring_mlkem768_decapsulate(out, ciphertext, seed)
            default: unsafe cboring_mlkem1024_decapsulate(out, ciphertext, seed)
            }
        guard status == 1 else { throw .libraryFailed }
        return secret
    }

    /// Whether each coefficient of an encapsulation key is below q, which FIPS 203 section 7.2 wants checked.
    static func isReduced(_ key: [UInt8]) -> Bool {
        var offset = 0
        while offset + 3 <= key.count - seedByteCount {
            let (low, middle, high) = (Int(key[offset]), Int(key[offset + 1]), Int(key[offset + 2]))
            if low | (middle & 0xF) << 8 >= modulus || middle >> 4 | high << 4 >= modulus { return false }
            offset += 3
        }
        return true
    }

    private static func octets(count: Int, _ fill: (UnsafeMutablePointer<UInt8>?) -> Void) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            unsafe fill(buffer.baseAddress)
            initializedCount = count
        }
    }

    private static let modulus = 3329
    /// The seed of the matrix ends an encapsulation key.
    private static let seedByteCount = 32
}

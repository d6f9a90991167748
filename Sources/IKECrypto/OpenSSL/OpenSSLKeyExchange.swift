import COpenSSL

/// The key exchange methods as libcrypto computes them, each with the objects that it needs again and again.
struct OpenSSLKeyExchange: ~Copyable {
    private let curve25519: X25519
    private let p256: EllipticCurve
    private let p384: EllipticCurve
    private let modp2048: MODPGroup
    private let modp3072: MODPGroup

    init() throws(CryptoError) {
        let curve25519 = try X25519()
        let p256 = try EllipticCurve(NID_X9_62_prime256v1, coordinateByteCount: 32)
        let p384 = try EllipticCurve(NID_secp384r1, coordinateByteCount: 48)
        let modp2048 = try MODPGroup(.modp2048)
        let modp3072 = try MODPGroup(.modp3072)
        self.curve25519 = curve25519
        self.p256 = p256
        self.p384 = p384
        self.modp2048 = modp2048
        self.modp3072 = modp3072
    }

    /// Refuses what every backend must refuse before it computes: a wrong length, a MODP value out of range.
    borrowing func validate(_ publicValue: [UInt8], for method: KeyExchangeMethod) throws(CryptoError) {
        guard publicValue.count == method.publicValueByteCount else { throw .invalidPeerPublicValue }
        switch method {
        case .modp2048: try modp2048.validate(publicValue)
        case .modp3072: try modp3072.validate(publicValue)
        case .ecp256, .ecp384, .curve25519: break
        }
    }

    borrowing func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing SecretBytes
    ) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        switch method {
        case .curve25519: try curve25519.keyPair(randomness: randomness)
        case .ecp256: try p256.keyPair(randomness: randomness)
        case .ecp384: try p384.keyPair(randomness: randomness)
        case .modp2048: try modp2048.keyPair(randomness: randomness)
        case .modp3072: try modp3072.keyPair(randomness: randomness)
        }
    }

    borrowing func agreement(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing SecretBytes,
        _ publicValue: [UInt8],
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        switch method {
        case .curve25519: try curve25519.agreement(privateKey, publicValue, peerPublicValue)
        case .ecp256: try p256.agreement(privateKey, peerPublicValue)
        case .ecp384: try p384.agreement(privateKey, peerPublicValue)
        case .modp2048: try modp2048.agreement(privateKey, peerPublicValue)
        case .modp3072: try modp3072.agreement(privateKey, peerPublicValue)
        }
    }
}

/// Throws unless libcrypto reports success.
func require(_ status: Int32, else error: CryptoError = .libraryFailed) throws(CryptoError) {
    guard status == 1 else {
        ERR_clear_error()
        throw error
    }
}

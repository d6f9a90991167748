import COpenSSL

/// The key exchange methods as libcrypto computes them, each with the objects that it needs again and again; the key
/// pairs of X25519 and all of ML-KEM are BoringSSL's.
struct OpenSSLKeyExchange: ~Copyable {
    private let curve25519: MontgomeryCurve
    private let curve448: MontgomeryCurve
    private let p192: EllipticCurve
    private let p256: EllipticCurve
    private let p384: EllipticCurve
    private let p521: EllipticCurve
    private let modp2048: MODPGroup
    private let modp3072: MODPGroup
    private let modp4096: MODPGroup
    private let modp2048s256: MODPGroup

    init() throws(CryptoError) {
        let curve25519 = try MontgomeryCurve("X25519", byteCount: 32)
        let curve448 = try MontgomeryCurve("X448", byteCount: 56)
        let p192 = try EllipticCurve(NID_X9_62_prime192v1, coordinateByteCount: 24)
        let p256 = try EllipticCurve(NID_X9_62_prime256v1, coordinateByteCount: 32)
        let p384 = try EllipticCurve(NID_secp384r1, coordinateByteCount: 48)
        let p521 = try EllipticCurve(NID_secp521r1, coordinateByteCount: 66)
        let modp2048 = try MODPGroup(.modp2048)
        let modp3072 = try MODPGroup(.modp3072)
        let modp4096 = try MODPGroup(.modp4096)
        let modp2048s256 = try MODPGroup(.modp2048s256)

        self.curve25519 = curve25519
        self.curve448 = curve448
        self.p192 = p192
        self.p256 = p256
        self.p384 = p384
        self.p521 = p521
        self.modp2048 = modp2048
        self.modp3072 = modp3072
        self.modp4096 = modp4096
        self.modp2048s256 = modp2048s256
    }

    borrowing func keyPair(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        switch method {
        case .curve25519: try X25519KeyPair.generate(randomness: randomness)
        case .curve448: try curve448.keyPair(randomness: randomness)
        case .ecp192: try p192.keyPair(randomness: randomness)
        case .ecp256: try p256.keyPair(randomness: randomness)
        case .ecp384: try p384.keyPair(randomness: randomness)
        case .ecp521: try p521.keyPair(randomness: randomness)
        case .modp2048: try modp2048.keyPair(randomness: randomness)
        case .modp3072: try modp3072.keyPair(randomness: randomness)
        case .modp4096: try modp4096.keyPair(randomness: randomness)
        case .modp2048s256: try modp2048s256.keyPair(randomness: randomness)
        case .mlKEM768, .mlKEM1024: MLKEM.keyPair(method, randomness: randomness)
        }
    }

    borrowing func agreement(
        _ method: KeyExchangeMethod,
        _ privateKey: borrowing EphemeralSecret,
        _ publicValue: [UInt8],
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        switch method {
        case .curve25519: try curve25519.agreement(privateKey, publicValue, peerPublicValue)
        case .curve448: try curve448.agreement(privateKey, publicValue, peerPublicValue)
        case .ecp192: try p192.agreement(privateKey, peerPublicValue)
        case .ecp256: try p256.agreement(privateKey, peerPublicValue)
        case .ecp384: try p384.agreement(privateKey, peerPublicValue)
        case .ecp521: try p521.agreement(privateKey, peerPublicValue)
        case .modp2048: try modp2048.agreement(privateKey, peerPublicValue)
        case .modp3072: try modp3072.agreement(privateKey, peerPublicValue)
        case .modp4096: try modp4096.agreement(privateKey, peerPublicValue)
        case .modp2048s256: try modp2048s256.agreement(privateKey, peerPublicValue)
        case .mlKEM768, .mlKEM1024: try MLKEM.decapsulation(method, privateKey, peerPublicValue)
        }
    }

    /// The private key of the pair that `keyPair` makes from random octets.
    borrowing func privateKey(
        _ method: KeyExchangeMethod,
        randomness: borrowing EphemeralSecret
    ) throws(CryptoError) -> EphemeralSecret {
        switch method {
        case .curve25519, .curve448, .mlKEM768, .mlKEM1024: randomness.copy()
        case .ecp192: try p192.privateKey(randomness: randomness)
        case .ecp256: try p256.privateKey(randomness: randomness)
        case .ecp384: try p384.privateKey(randomness: randomness)
        case .ecp521: try p521.privateKey(randomness: randomness)
        case .modp2048: try modp2048.privateKey(randomness: randomness)
        case .modp3072: try modp3072.privateKey(randomness: randomness)
        case .modp4096: try modp4096.privateKey(randomness: randomness)
        case .modp2048s256: try modp2048s256.privateKey(randomness: randomness)
        }
    }

    /// Whether a peer's value is on its curve, where it should be on one.
    borrowing func isOnCurve(_ method: KeyExchangeMethod, _ publicValue: [UInt8]) -> Bool {
        switch method {
        case .ecp192: p192.accepts(publicValue)
        case .ecp256: p256.accepts(publicValue)
        case .ecp384: p384.accepts(publicValue)
        case .ecp521: p521.accepts(publicValue)
        case .curve25519, .curve448, .modp2048, .modp3072, .modp4096, .modp2048s256, .mlKEM768, .mlKEM1024: true
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

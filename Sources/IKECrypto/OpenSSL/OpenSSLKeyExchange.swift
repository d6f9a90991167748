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

/// Which public values are refused before anything is computed with them, whatever computes: those of a wrong length,
/// and MODP values that are not above 1 and below p - 1 (RFC 6989 section 2.1).
struct PublicValueRanges: Sendable {
    private let largestOf2048: [UInt8]
    private let largestOf3072: [UInt8]

    init() throws(CryptoError) {
        largestOf2048 = try Self.largest(.modp2048)
        largestOf3072 = try Self.largest(.modp3072)
    }

    /// The prime less one, most significant octet first.
    private static func largest(_ method: KeyExchangeMethod) throws(CryptoError) -> [UInt8] {
        var octets = try MODPGroup.prime(of: method).octets(count: method.publicValueByteCount)
        octets[octets.count - 1] -= 1
        return octets
    }

    func validate(_ publicValue: [UInt8], for method: KeyExchangeMethod) throws(CryptoError) {
        guard publicValue.count == method.publicValueByteCount else { throw .invalidPeerPublicValue }
        switch method {
        case .modp2048: try validate(publicValue, below: largestOf2048)
        case .modp3072: try validate(publicValue, below: largestOf3072)
        case .ecp256, .ecp384, .curve25519: break
        }
    }

    private func validate(_ publicValue: [UInt8], below largest: [UInt8]) throws(CryptoError) {
        let isAboveOne = publicValue.last! > 1 || publicValue.dropLast().contains { $0 != 0 }
        guard isAboveOne, publicValue.lexicographicallyPrecedes(largest) else { throw .invalidPeerPublicValue }
    }
}

/// Throws unless libcrypto reports success.
func require(_ status: Int32, else error: CryptoError = .libraryFailed) throws(CryptoError) {
    guard status == 1 else {
        ERR_clear_error()
        throw error
    }
}

/// A pseudorandom function (Transform Type 2); the raw value is its IANA number.
///
/// Its preferred key length is its output length (RFC 7296 section 2.13).
package enum PRF: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case hmacSHA256 = 5
    case hmacSHA384 = 6
    case hmacSHA512 = 7

    package var outputByteCount: Int {
        switch self {
        case .hmacSHA256: 32
        case .hmacSHA384: 48
        case .hmacSHA512: 64
        }
    }
}

/// An integrity algorithm (Transform Type 3) of RFC 4868, its code truncated to half; the raw value is its IANA number.
package enum IntegrityAlgorithm: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// AUTH_HMAC_SHA2_256_128.
    case hmacSHA256 = 12
    /// AUTH_HMAC_SHA2_384_192.
    case hmacSHA384 = 13
    /// AUTH_HMAC_SHA2_512_256.
    case hmacSHA512 = 14

    package var keyByteCount: Int { function.outputByteCount }

    package var icvByteCount: Int { function.outputByteCount / 2 }

    var function: PRF {
        switch self {
        case .hmacSHA256: .hmacSHA256
        case .hmacSHA384: .hmacSHA384
        case .hmacSHA512: .hmacSHA512
        }
    }
}

/// An encryption algorithm (Transform Type 1) with its key length.
package enum Cipher: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case aesCBC128, aesCBC192, aesCBC256
    case aesGCM128, aesGCM192, aesGCM256
    case chaCha20Poly1305

    /// The cipher with an IANA number and the value of the Key Length attribute, where there is one.
    package init?(id: UInt16, keyBitCount: UInt16?) {
        guard let cipher = Self.allCases.first(where: { $0.id == id && $0.keyLengthAttribute == keyBitCount }) else {
            return nil
        }
        self = cipher
    }

    /// The IANA number.
    package var id: UInt16 {
        switch self {
        case .aesCBC128, .aesCBC192, .aesCBC256: 12
        case .aesGCM128, .aesGCM192, .aesGCM256: 20
        case .chaCha20Poly1305: 28
        }
    }

    package var keyBitCount: UInt16 {
        switch self {
        case .aesCBC128, .aesGCM128: 128
        case .aesCBC192, .aesGCM192: 192
        case .aesCBC256, .aesGCM256, .chaCha20Poly1305: 256
        }
    }

    /// The value of the Key Length attribute; nil for a cipher with one key length, which must not carry it.
    package var keyLengthAttribute: UInt16? { self == .chaCha20Poly1305 ? nil : keyBitCount }

    /// Whether the cipher authenticates too, so that no integrity algorithm goes with it (RFC 5282, RFC 7634).
    package var isAEAD: Bool { saltByteCount > 0 }

    /// How much keying material the cipher takes, its salt included.
    package var keyByteCount: Int { Int(keyBitCount) / 8 + saltByteCount }

    package var saltByteCount: Int {
        switch self {
        case .aesCBC128, .aesCBC192, .aesCBC256: 0
        case .aesGCM128, .aesGCM192, .aesGCM256, .chaCha20Poly1305: 4
        }
    }

    package var ivByteCount: Int { isAEAD ? 8 : 16 }

    /// What the padded plaintext is a multiple of.
    package var blockByteCount: Int { isAEAD ? 1 : 16 }

    /// The ICV of an AEAD cipher; 0 where an integrity algorithm gives it.
    package var icvByteCount: Int { isAEAD ? 16 : 0 }
}

/// A key exchange method (Transform Type 4); the raw value is its IANA number.
package enum KeyExchangeMethod: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case modp2048 = 14
    case modp3072 = 15
    case ecp256 = 19
    case ecp384 = 20
    case curve25519 = 31

    package var publicValueByteCount: Int {
        switch self {
        case .modp2048: 256
        case .modp3072: 384
        case .ecp256: 64
        case .ecp384: 96
        case .curve25519: 32
        }
    }

    package var sharedSecretByteCount: Int {
        switch self {
        case .modp2048: 256
        case .modp3072: 384
        case .ecp256: 32
        case .ecp384: 48
        case .curve25519: 32
        }
    }

    /// How many random octets a key pair is made from.
    ///
    /// MODP exponents have the length that RFC 3526 section 8 asks for; a scalar of a NIST curve is drawn 64 bits too
    /// long and reduced, so that it has no bias (FIPS 186-5 A.2.1).
    package var randomByteCount: Int {
        switch self {
        case .modp2048: 32
        case .modp3072: 36
        case .ecp256: 40
        case .ecp384: 56
        case .curve25519: 32
        }
    }

    package var privateKeyByteCount: Int {
        switch self {
        case .modp2048: 32
        case .modp3072: 36
        case .ecp256: 32
        case .ecp384: 48
        case .curve25519: 32
        }
    }
}

/// The algorithms of an IKE SA; `integrity` is nil with an AEAD cipher.
package struct IKESuite: Hashable, Sendable, BitwiseCopyable {
    package var cipher: Cipher
    package var integrity: IntegrityAlgorithm?
    package var prf: PRF
    package var keyExchange: KeyExchangeMethod

    package init(cipher: Cipher, integrity: IntegrityAlgorithm?, prf: PRF, keyExchange: KeyExchangeMethod) {
        self.cipher = cipher
        self.integrity = integrity
        self.prf = prf
        self.keyExchange = keyExchange
    }

    package var icvByteCount: Int { integrity?.icvByteCount ?? cipher.icvByteCount }
}

/// The algorithms of a Child SA; `keyExchange` is nil without forward secrecy of its own.
package struct ChildSuite: Hashable, Sendable, BitwiseCopyable {
    package var cipher: Cipher
    package var integrity: IntegrityAlgorithm?
    package var keyExchange: KeyExchangeMethod?
    package var usesESN: Bool

    package init(
        cipher: Cipher,
        integrity: IntegrityAlgorithm?,
        keyExchange: KeyExchangeMethod?,
        usesESN: Bool
    ) {
        self.cipher = cipher
        self.integrity = integrity
        self.keyExchange = keyExchange
        self.usesESN = usesESN
    }

    package var icvByteCount: Int { integrity?.icvByteCount ?? cipher.icvByteCount }
}

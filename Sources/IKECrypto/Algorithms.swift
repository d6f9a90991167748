/// A pseudorandom function (Transform Type 2); the raw value is its IANA number.
///
/// Its preferred key length is its output length (RFC 7296 section 2.13).
package enum PRF: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case hmacSHA1 = 2
    case hmacSHA256 = 5
    case hmacSHA384 = 6
    case hmacSHA512 = 7

    package var outputByteCount: Int {
        switch self {
        case .hmacSHA1: 20
        case .hmacSHA256: 32
        case .hmacSHA384: 48
        case .hmacSHA512: 64
        }
    }
}

/// An integrity algorithm (Transform Type 3) of RFC 2404 or RFC 4868; the raw value is its IANA number.
package enum IntegrityAlgorithm: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// AUTH_HMAC_SHA1_96.
    case hmacSHA1 = 2
    /// AUTH_HMAC_SHA2_256_128.
    case hmacSHA256 = 12
    /// AUTH_HMAC_SHA2_384_192.
    case hmacSHA384 = 13
    /// AUTH_HMAC_SHA2_512_256.
    case hmacSHA512 = 14

    package var keyByteCount: Int { function.outputByteCount }

    /// The code is cut to 96 bits, or to half of it.
    package var icvByteCount: Int {
        switch self {
        case .hmacSHA1: 12
        case .hmacSHA256: 16
        case .hmacSHA384: 24
        case .hmacSHA512: 32
        }
    }

    var function: PRF {
        switch self {
        case .hmacSHA1: .hmacSHA1
        case .hmacSHA256: .hmacSHA256
        case .hmacSHA384: .hmacSHA384
        case .hmacSHA512: .hmacSHA512
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
    /// Whether packets carry no IV (RFC 8750).
    package var hasImplicitIV: Bool

    package init(
        cipher: Cipher,
        integrity: IntegrityAlgorithm?,
        keyExchange: KeyExchangeMethod?,
        usesESN: Bool,
        hasImplicitIV: Bool = false
    ) {
        self.cipher = cipher
        self.integrity = integrity
        self.keyExchange = keyExchange
        self.usesESN = usesESN
        self.hasImplicitIV = hasImplicitIV
    }

    package var icvByteCount: Int { integrity?.icvByteCount ?? cipher.icvByteCount }
}

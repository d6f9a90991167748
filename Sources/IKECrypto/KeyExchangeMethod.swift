/// A key exchange method (Transform Type 4); the raw value is its IANA number.
package enum KeyExchangeMethod: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case modp2048 = 14
    case modp3072 = 15
    case modp4096 = 16
    case ecp256 = 19
    case ecp384 = 20
    case ecp521 = 21
    /// The 2048-bit MODP group with a subgroup of 256 bits (RFC 5114 section 2.3).
    case modp2048s256 = 24
    case ecp192 = 25
    case curve25519 = 31
    case curve448 = 32
    /// FIPS 203, by draft-ietf-ipsecme-ikev2-mlkem.
    case mlKEM768 = 36
    case mlKEM1024 = 37

    /// Whether the responder's value answers the initiator's, and is of another kind.
    package var isKEM: Bool { self == .mlKEM768 || self == .mlKEM1024 }

    /// The initiator's value; the responder's too, unless the method is a KEM.
    package var publicValueByteCount: Int {
        switch self {
        case .modp2048, .modp2048s256: 256
        case .modp3072: 384
        case .modp4096: 512
        case .ecp192: 48
        case .ecp256: 64
        case .ecp384: 96
        case .ecp521: 132
        case .curve25519: 32
        case .curve448: 56
        case .mlKEM768: 1184
        case .mlKEM1024: 1568
        }
    }

    /// The responder's value.
    package var responseByteCount: Int { self == .mlKEM768 ? 1088 : publicValueByteCount }

    /// An ECP public value has both coordinates of a point, and the shared secret is the first (RFC 5903 section 7).
    package var sharedSecretByteCount: Int {
        if isECP { return publicValueByteCount / 2 }
        return self == .mlKEM768 || self == .mlKEM1024 ? 32 : publicValueByteCount
    }

    /// How many random octets a key pair is made from.
    ///
    /// MODP exponents have the length that RFC 3526 section 8 asks for; what is reduced by a group's order is drawn 64
    /// bits too long, so that it has no bias (FIPS 186-5 A.2.1). A KEM's encapsulation takes the first half.
    package var randomByteCount: Int {
        isECP || self == .modp2048s256 ? privateKeyByteCount + 8 : privateKeyByteCount
    }

    package var privateKeyByteCount: Int {
        switch self {
        case .modp2048: 32
        case .modp3072: 36
        case .modp4096: 40
        case .modp2048s256: 32
        case .ecp192: 24
        case .ecp256: 32
        case .ecp384: 48
        case .ecp521: 66
        case .curve25519: 32
        case .curve448: 56
        case .mlKEM768, .mlKEM1024: 64
        }
    }

    private var isECP: Bool {
        switch self {
        case .ecp192, .ecp256, .ecp384, .ecp521: true
        case .modp2048, .modp3072, .modp4096, .modp2048s256, .curve25519, .curve448, .mlKEM768, .mlKEM1024: false
        }
    }
}

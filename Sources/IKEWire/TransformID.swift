/// An encryption algorithm, transform type 1 (RFC 7296 section 3.3.2).
public struct EncryptionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether the algorithm authenticates too, so that no integrity transform goes with it (RFC 5282 section 8).
    @inlinable
    public var isAEAD: Bool {
        switch self {
        case .aesCCM8, .aesCCM12, .aesCCM16, .aesGCM8, .aesGCM12, .aesGCM16, .nullAESGMAC, .chacha20Poly1305: true
        case .aesCCM8ImplicitIV, .aesGCM16ImplicitIV, .chacha20Poly1305ImplicitIV: true
        default: false
        }
    }

    @inlinable public static var tripleDES: Self { Self(rawValue: 3) }
    @inlinable public static var null: Self { Self(rawValue: 11) }
    @inlinable public static var aesCBC: Self { Self(rawValue: 12) }
    @inlinable public static var aesCTR: Self { Self(rawValue: 13) }
    @inlinable public static var aesCCM8: Self { Self(rawValue: 14) }
    @inlinable public static var aesCCM12: Self { Self(rawValue: 15) }
    @inlinable public static var aesCCM16: Self { Self(rawValue: 16) }
    @inlinable public static var aesGCM8: Self { Self(rawValue: 18) }
    @inlinable public static var aesGCM12: Self { Self(rawValue: 19) }
    @inlinable public static var aesGCM16: Self { Self(rawValue: 20) }
    @inlinable public static var nullAESGMAC: Self { Self(rawValue: 21) }
    @inlinable public static var chacha20Poly1305: Self { Self(rawValue: 28) }
    @inlinable public static var aesCCM8ImplicitIV: Self { Self(rawValue: 29) }
    @inlinable public static var aesGCM16ImplicitIV: Self { Self(rawValue: 30) }
    @inlinable public static var chacha20Poly1305ImplicitIV: Self { Self(rawValue: 31) }

    /// Whether packets carry no IV, for which ESP counts, and IKE may not be asked (RFC 8750 sections 3 and 5).
    @inlinable
    public var hasImplicitIV: Bool {
        self == .aesCCM8ImplicitIV || self == .aesGCM16ImplicitIV || self == .chacha20Poly1305ImplicitIV
    }
}

extension EncryptionID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .tripleDES: "ENCR_3DES"
        case .null: "ENCR_NULL"
        case .aesCBC: "ENCR_AES_CBC"
        case .aesCTR: "ENCR_AES_CTR"
        case .aesCCM8: "ENCR_AES_CCM_8"
        case .aesCCM12: "ENCR_AES_CCM_12"
        case .aesCCM16: "ENCR_AES_CCM_16"
        case .aesGCM8: "ENCR_AES_GCM_8"
        case .aesGCM12: "ENCR_AES_GCM_12"
        case .aesGCM16: "ENCR_AES_GCM_16"
        case .nullAESGMAC: "ENCR_NULL_AUTH_AES_GMAC"
        case .chacha20Poly1305: "ENCR_CHACHA20_POLY1305"
        case .aesCCM8ImplicitIV: "ENCR_AES_CCM_8_IIV"
        case .aesGCM16ImplicitIV: "ENCR_AES_GCM_16_IIV"
        case .chacha20Poly1305ImplicitIV: "ENCR_CHACHA20_POLY1305_IIV"
        default: nil
        }
    }

    public var description: String { name ?? "EncryptionID(\(rawValue))" }
}

/// A pseudorandom function, transform type 2 (RFC 7296 section 3.3.2).
public struct PRFID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var hmacMD5: Self { Self(rawValue: 1) }
    @inlinable public static var hmacSHA1: Self { Self(rawValue: 2) }
    @inlinable public static var aes128XCBC: Self { Self(rawValue: 4) }
    @inlinable public static var hmacSHA256: Self { Self(rawValue: 5) }
    @inlinable public static var hmacSHA384: Self { Self(rawValue: 6) }
    @inlinable public static var hmacSHA512: Self { Self(rawValue: 7) }
    @inlinable public static var aes128CMAC: Self { Self(rawValue: 8) }
}

extension PRFID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .hmacMD5: "PRF_HMAC_MD5"
        case .hmacSHA1: "PRF_HMAC_SHA1"
        case .aes128XCBC: "PRF_AES128_XCBC"
        case .hmacSHA256: "PRF_HMAC_SHA2_256"
        case .hmacSHA384: "PRF_HMAC_SHA2_384"
        case .hmacSHA512: "PRF_HMAC_SHA2_512"
        case .aes128CMAC: "PRF_AES128_CMAC"
        default: nil
        }
    }

    public var description: String { name ?? "PRFID(\(rawValue))" }
}

/// An integrity algorithm, transform type 3 (RFC 7296 section 3.3.2).
public struct IntegrityID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var none: Self { Self(rawValue: 0) }
    @inlinable public static var hmacMD5: Self { Self(rawValue: 1) }
    @inlinable public static var hmacSHA1: Self { Self(rawValue: 2) }
    @inlinable public static var aesXCBC: Self { Self(rawValue: 5) }
    @inlinable public static var aesCMAC: Self { Self(rawValue: 8) }
    @inlinable public static var hmacSHA256: Self { Self(rawValue: 12) }
    @inlinable public static var hmacSHA384: Self { Self(rawValue: 13) }
    @inlinable public static var hmacSHA512: Self { Self(rawValue: 14) }
}

extension IntegrityID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .none: "NONE"
        case .hmacMD5: "AUTH_HMAC_MD5_96"
        case .hmacSHA1: "AUTH_HMAC_SHA1_96"
        case .aesXCBC: "AUTH_AES_XCBC_96"
        case .aesCMAC: "AUTH_AES_CMAC_96"
        case .hmacSHA256: "AUTH_HMAC_SHA2_256_128"
        case .hmacSHA384: "AUTH_HMAC_SHA2_384_192"
        case .hmacSHA512: "AUTH_HMAC_SHA2_512_256"
        default: nil
        }
    }

    public var description: String { name ?? "IntegrityID(\(rawValue))" }
}

/// A key exchange method, transform type 4 (RFC 7296 section 3.3.2, RFC 9370).
public struct KeyExchangeID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var none: Self { Self(rawValue: 0) }
    @inlinable public static var modp768: Self { Self(rawValue: 1) }
    @inlinable public static var modp1024: Self { Self(rawValue: 2) }
    @inlinable public static var modp1536: Self { Self(rawValue: 5) }
    @inlinable public static var modp2048: Self { Self(rawValue: 14) }
    @inlinable public static var modp3072: Self { Self(rawValue: 15) }
    @inlinable public static var modp4096: Self { Self(rawValue: 16) }
    @inlinable public static var modp6144: Self { Self(rawValue: 17) }
    @inlinable public static var modp8192: Self { Self(rawValue: 18) }
    @inlinable public static var ecp256: Self { Self(rawValue: 19) }
    @inlinable public static var ecp384: Self { Self(rawValue: 20) }
    @inlinable public static var ecp521: Self { Self(rawValue: 21) }
    @inlinable public static var modp1024s160: Self { Self(rawValue: 22) }
    @inlinable public static var modp2048s224: Self { Self(rawValue: 23) }
    @inlinable public static var modp2048s256: Self { Self(rawValue: 24) }
    @inlinable public static var ecp192: Self { Self(rawValue: 25) }
    @inlinable public static var ecp224: Self { Self(rawValue: 26) }
    @inlinable public static var curve25519: Self { Self(rawValue: 31) }
    @inlinable public static var curve448: Self { Self(rawValue: 32) }
    @inlinable public static var mlKEM512: Self { Self(rawValue: 35) }
    @inlinable public static var mlKEM768: Self { Self(rawValue: 36) }
    @inlinable public static var mlKEM1024: Self { Self(rawValue: 37) }
}

extension KeyExchangeID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .none: "NONE"
        case .modp768: "MODP_768"
        case .modp1024: "MODP_1024"
        case .modp1536: "MODP_1536"
        case .modp2048: "MODP_2048"
        case .modp3072: "MODP_3072"
        case .modp4096: "MODP_4096"
        case .modp6144: "MODP_6144"
        case .modp8192: "MODP_8192"
        case .ecp256: "ECP_256"
        case .ecp384: "ECP_384"
        case .ecp521: "ECP_521"
        case .modp1024s160: "MODP_1024_160"
        case .modp2048s224: "MODP_2048_224"
        case .modp2048s256: "MODP_2048_256"
        case .ecp192: "ECP_192"
        case .ecp224: "ECP_224"
        case .curve25519: "CURVE_25519"
        case .curve448: "CURVE_448"
        case .mlKEM512: "ML_KEM_512"
        case .mlKEM768: "ML_KEM_768"
        case .mlKEM1024: "ML_KEM_1024"
        default: nil
        }
    }

    public var description: String { name ?? "KeyExchangeID(\(rawValue))" }
}

/// Whether sequence numbers have 64 bits, transform type 5 (RFC 7296 section 3.3.2).
public struct ESNID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var disabled: Self { Self(rawValue: 0) }
    @inlinable public static var enabled: Self { Self(rawValue: 1) }
}

extension ESNID: CustomStringConvertible {
    /// What the RFCs call this value, or nil where they do not.
    public var name: String? {
        switch self {
        case .disabled: "no ESN"
        case .enabled: "ESN"
        default: nil
        }
    }

    public var description: String { name ?? "ESNID(\(rawValue))" }
}

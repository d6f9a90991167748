/// An encryption algorithm (Transform Type 1) with its key length.
package enum Cipher: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case aesCBC128, aesCBC192, aesCBC256
    /// AES-GCM with an ICV of 16 octets.
    case aesGCM128, aesGCM192, aesGCM256
    case chaCha20Poly1305
    /// AES-GCM with an ICV of 12 octets.
    case aesGCM12With128, aesGCM12With192, aesGCM12With256
    /// AES-GCM with an ICV of 8 octets.
    case aesGCM8With128, aesGCM8With192, aesGCM8With256

    /// The cipher with an IANA number and the value of the Key Length attribute, where there is one.
    package init?(id: UInt16, keyBitCount: UInt16?) {
        switch (id, keyBitCount) {
        case (12, 128): self = .aesCBC128
        case (12, 192): self = .aesCBC192
        case (12, 256): self = .aesCBC256
        case (18, 128): self = .aesGCM8With128
        case (18, 192): self = .aesGCM8With192
        case (18, 256): self = .aesGCM8With256
        case (19, 128): self = .aesGCM12With128
        case (19, 192): self = .aesGCM12With192
        case (19, 256): self = .aesGCM12With256
        case (20, 128): self = .aesGCM128
        case (20, 192): self = .aesGCM192
        case (20, 256): self = .aesGCM256
        case (28, nil): self = .chaCha20Poly1305
        default: return nil
        }
    }

    /// The IANA number.
    package var id: UInt16 {
        switch self {
        case .aesCBC128, .aesCBC192, .aesCBC256: 12
        case .aesGCM8With128, .aesGCM8With192, .aesGCM8With256: 18
        case .aesGCM12With128, .aesGCM12With192, .aesGCM12With256: 19
        case .aesGCM128, .aesGCM192, .aesGCM256: 20
        case .chaCha20Poly1305: 28
        }
    }

    package var keyBitCount: UInt16 {
        switch self {
        case .aesCBC128, .aesGCM128, .aesGCM12With128, .aesGCM8With128: 128
        case .aesCBC192, .aesGCM192, .aesGCM12With192, .aesGCM8With192: 192
        case .aesCBC256, .aesGCM256, .aesGCM12With256, .aesGCM8With256, .chaCha20Poly1305: 256
        }
    }

    /// The value of the Key Length attribute; nil for a cipher with one key length, which must not carry it.
    package var keyLengthAttribute: UInt16? { self == .chaCha20Poly1305 ? nil : keyBitCount }

    /// Whether the cipher authenticates too, so that no integrity algorithm goes with it (RFC 5282, RFC 7634).
    package var isAEAD: Bool {
        switch self {
        case .aesCBC128, .aesCBC192, .aesCBC256: false
        default: true
        }
    }

    /// How much keying material the cipher takes, its salt included.
    package var keyByteCount: Int { Int(keyBitCount) / 8 + saltByteCount }

    package var saltByteCount: Int { isAEAD ? 4 : 0 }

    package var ivByteCount: Int { isAEAD ? 8 : 16 }

    /// What the padded plaintext is a multiple of.
    package var blockByteCount: Int { isAEAD ? 1 : 16 }

    /// The ICV of an AEAD cipher; 0 where an integrity algorithm gives it.
    package var icvByteCount: Int {
        switch self {
        case .aesCBC128, .aesCBC192, .aesCBC256: 0
        case .aesGCM8With128, .aesGCM8With192, .aesGCM8With256: 8
        case .aesGCM12With128, .aesGCM12With192, .aesGCM12With256: 12
        case .aesGCM128, .aesGCM192, .aesGCM256, .chaCha20Poly1305: 16
        }
    }
}

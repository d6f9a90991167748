/// A hash that signatures are made over; the raw value is its IANA number (RFC 7427 section 7, RFC 8420 section 4).
package enum SignatureHash: UInt16, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case sha1 = 1
    case sha256 = 2
    case sha384 = 3
    case sha512 = 4
    /// None: the algorithm takes the octets whole.
    case identity = 5

    var bitCount: Int32 {
        switch self {
        case .sha1: 160
        case .sha256: 256
        case .sha384: 384
        case .sha512: 512
        case .identity: 0
        }
    }
}

/// Which hashes an end knows.
package struct SignatureHashes: OptionSet, Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package init(_ hash: SignatureHash) { self.init(rawValue: 1 << UInt8(hash.rawValue)) }
}

/// How a signature is made and how the AUTH payload says so.
package enum SignatureScheme: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    // Method 14 names the algorithm itself (RFC 7427, RFC 8420).
    case ed25519
    case ecdsaSHA256, ecdsaSHA384, ecdsaSHA512
    case rsaPSSSHA256, rsaPSSSHA384, rsaPSSSHA512
    case rsaPKCS1SHA256, rsaPKCS1SHA384, rsaPKCS1SHA512
    // Methods of one algorithm each (RFC 4754, RFC 7296 section 3.8).
    case ecdsaP256, ecdsaP384, ecdsaP521
    case rsaSHA1

    /// The Auth Method of the AUTH payload.
    package var method: UInt8 {
        switch self {
        case .rsaSHA1: 1
        case .ecdsaP256: 9
        case .ecdsaP384: 10
        case .ecdsaP521: 11
        default: Self.digitalSignature
        }
    }

    package static let digitalSignature: UInt8 = 14

    package var namesItself: Bool { method == Self.digitalSignature }

    package var hash: SignatureHash {
        switch self {
        case .ed25519: .identity
        case .ecdsaSHA256, .rsaPSSSHA256, .rsaPKCS1SHA256, .ecdsaP256: .sha256
        case .ecdsaSHA384, .rsaPSSSHA384, .rsaPKCS1SHA384, .ecdsaP384: .sha384
        case .ecdsaSHA512, .rsaPSSSHA512, .rsaPKCS1SHA512, .ecdsaP521: .sha512
        case .rsaSHA1: .sha1
        }
    }

    var isPSS: Bool {
        switch self {
        case .rsaPSSSHA256, .rsaPSSSHA384, .rsaPSSSHA512: true
        default: false
        }
    }

    /// Whether the signature is r | s (RFC 4754 section 7) instead of a structure.
    var isRaw: Bool {
        switch self {
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: true
        default: false
        }
    }

    /// What is used, best first, unless a policy says otherwise: everything but SHA-1 (RFC 8247 section 3.2).
    package static let standard: [SignatureScheme] = allCases.filter { $0 != .rsaSHA1 }

    /// Whether a key of this kind can make such signatures.
    package func fits(_ key: SignatureKey) -> Bool {
        switch (self, key) {
        case (.ed25519, .ed25519): true
        case (.ecdsaSHA256, .p256), (.ecdsaSHA256, .p384), (.ecdsaSHA256, .p521): true
        case (.ecdsaSHA384, .p256), (.ecdsaSHA384, .p384), (.ecdsaSHA384, .p521): true
        case (.ecdsaSHA512, .p256), (.ecdsaSHA512, .p384), (.ecdsaSHA512, .p521): true
        case (.ecdsaP256, .p256), (.ecdsaP384, .p384), (.ecdsaP521, .p521): true
        case (.rsaPSSSHA256, .rsa), (.rsaPSSSHA384, .rsa), (.rsaPSSSHA512, .rsa): true
        case (.rsaPKCS1SHA256, .rsa), (.rsaPKCS1SHA384, .rsa), (.rsaPKCS1SHA512, .rsa), (.rsaSHA1, .rsa): true
        default: false
        }
    }

    /// The scheme to sign with: of those that the key fits and the peer knows, the first whose hash is as strong as the
    /// key's curve, or else the first.
    package static func choose(
        from schemes: [SignatureScheme],
        key: SignatureKey,
        peerHashes: SignatureHashes
    ) -> SignatureScheme? {
        let usable = schemes.filter {
            $0.fits(key) && (!$0.namesItself || peerHashes.contains(SignatureHashes($0.hash)))
        }
        return usable.first { key.ownHash == nil || $0.hash == key.ownHash } ?? usable.first
    }
}

/// What kind of key signs.
package enum SignatureKey: Hashable, Sendable, BitwiseCopyable {
    case rsa(modulusByteCount: Int)
    case p256, p384, p521
    case ed25519

    /// The hash that goes with the key's curve (RFC 4754).
    var ownHash: SignatureHash? {
        switch self {
        case .p256: .sha256
        case .p384: .sha384
        case .p521: .sha512
        case .rsa, .ed25519: nil
        }
    }

    /// How long a signature is at most.
    package func signatureByteCount(_ scheme: SignatureScheme) -> Int {
        switch self {
        case .rsa(let modulusByteCount): modulusByteCount
        case .p256: scheme.isRaw ? 64 : 72
        case .p384: scheme.isRaw ? 96 : 104
        case .p521: scheme.isRaw ? 132 : 139
        case .ed25519: 64
        }
    }
}

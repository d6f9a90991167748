/// The keys of an IKE SA, under the letters of RFC 7296 section 2.14: `d` is SK_d, `ai` SK_ai and so on.
///
/// `ai` and `ar` are empty with an AEAD cipher; `ei` and `er` end in its salt; `pi` and `pr` are empty once the IKE SA
/// is established.
package struct IKEKeys: ~Copyable, Sendable {
    package let d: SecretBytes
    package let ai: SecretBytes
    package let ar: SecretBytes
    package let ei: SecretBytes
    package let er: SecretBytes
    package internal(set) var pi: SecretBytes
    package internal(set) var pr: SecretBytes

    /// Forgets SK_pi and SK_pr, which are for IKE_AUTH and what comes before it alone.
    package mutating func forgetAuthentication() {
        pi = SecretBytes()
        pr = SecretBytes()
    }

    package borrowing func isEqual(to other: borrowing IKEKeys) -> Bool {
        let ends = d.isEqual(to: other.d) && pi.isEqual(to: other.pi) && pr.isEqual(to: other.pr)
        return ends && ai.isEqual(to: other.ai) && ar.isEqual(to: other.ar)
            && ei.isEqual(to: other.ei) && er.isEqual(to: other.er)
    }
}

/// The keys of a Child SA pair (RFC 7296 section 2.17): what the initiator of the exchange sends with, and the
/// responder.
package struct ChildKeys: ~Copyable, Sendable {
    package let initiatorEncryption: SecretBytes
    package let initiatorIntegrity: SecretBytes
    package let responderEncryption: SecretBytes
    package let responderIntegrity: SecretBytes

    package borrowing func isEqual(to other: borrowing ChildKeys) -> Bool {
        initiatorEncryption.isEqual(to: other.initiatorEncryption)
            && initiatorIntegrity.isEqual(to: other.initiatorIntegrity)
            && responderEncryption.isEqual(to: other.responderEncryption)
            && responderIntegrity.isEqual(to: other.responderIntegrity)
    }
}

extension Cryptography {
    /// The keys of a first IKE SA (RFC 7296 section 2.14): SKEYSEED = prf(Ni | Nr, g^ir).
    package borrowing func deriveIKEKeys(
        _ suite: IKESuite,
        sharedSecret: borrowing SharedSecret,
        ni: RawSpan,
        nr: RawSpan,
        spii: UInt64,
        spir: UInt64
    ) -> IKEKeys {
        let spis = [spii.bigEndian, spir.bigEndian] as InlineArray<2, UInt64>
        let spiOctets = unsafe spis.span.bytes
        return switch backend {
        case .openSSL: KeySchedule<HMAC>.ikeKeys(suite, sharedSecret, ni, nr, spiOctets)
        case .modelled: KeySchedule<ModelledHash>.ikeKeys(suite, sharedSecret, ni, nr, spiOctets)
        }
    }

    /// The keys of a rekeyed IKE SA (RFC 7296 section 2.18): SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr), under
    /// the old SA's PRF.
    ///
    /// - Parameter additional: SK(1) | ... | SK(n), which go behind Nr (RFC 9370 section 2.2.4).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package borrowing func rederiveIKEKeys(
        _ suite: IKESuite,
        oldPRF: PRF,
        oldSK_d: borrowing SecretBytes,
        sharedSecret: borrowing SharedSecret,
        ni: RawSpan,
        nr: RawSpan,
        spii: UInt64,
        spir: UInt64,
        additional: RawSpan = RawSpan()
    ) -> IKEKeys {
        let seed = prf(oldPRF, key: oldSK_d.bytes, sharedSecret.bytes, ni, nr, additional)
        let spis = [spii.bigEndian, spir.bigEndian] as InlineArray<2, UInt64>
        let spiOctets = unsafe spis.span.bytes
        return switch backend {
        case .openSSL: KeySchedule<HMAC>.ikeKeys(suite, seed: seed, ni, nr, spiOctets)
        case .modelled: KeySchedule<ModelledHash>.ikeKeys(suite, seed: seed, ni, nr, spiOctets)
        }
    }

    /// The keys of a Child SA (RFC 7296 section 2.17): KEYMAT = prf+(SK_d, Ni | Nr).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package borrowing func deriveChildKeys(
        _ suite: ChildSuite,
        prf function: PRF,
        sk_d: borrowing SecretBytes,
        ni: RawSpan,
        nr: RawSpan
    ) -> ChildKeys {
        switch backend {
        case .openSSL: KeySchedule<HMAC>.childKeys(suite, function, sk_d, RawSpan(), ni, nr)
        case .modelled: KeySchedule<ModelledHash>.childKeys(suite, function, sk_d, RawSpan(), ni, nr)
        }
    }

    /// The keys of a Child SA with a key exchange of its own (RFC 7296 section 2.17):
    /// KEYMAT = prf+(SK_d, g^ir (new) | Ni | Nr).
    ///
    /// - Parameter additional: SK(1) | ... | SK(n), which go behind Nr (RFC 9370 section 2.2.4).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package borrowing func deriveChildKeys(
        _ suite: ChildSuite,
        prf function: PRF,
        sk_d: borrowing SecretBytes,
        sharedSecret: borrowing SharedSecret,
        ni: RawSpan,
        nr: RawSpan,
        additional: RawSpan = RawSpan()
    ) -> ChildKeys {
        let rest = JoinedSecrets(joining: nr, additional)
        return switch backend {
        case .openSSL: KeySchedule<HMAC>.childKeys(suite, function, sk_d, sharedSecret.bytes, ni, rest.bytes)
        case .modelled: KeySchedule<ModelledHash>.childKeys(suite, function, sk_d, sharedSecret.bytes, ni, rest.bytes)
        }
    }
}

/// The key schedule over one way to compute PRFs.
enum KeySchedule<Function: PseudorandomFunction & ~Copyable> {
    static func prf(
        _ function: PRF,
        key: RawSpan,
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        _ d: RawSpan = RawSpan()
    ) -> SecretBytes {
        var keyed = Function(function, key: key)
        if !a.isEmpty { keyed.absorb(a) }
        if !b.isEmpty { keyed.absorb(b) }
        if !c.isEmpty { keyed.absorb(c) }
        if !d.isEmpty { keyed.absorb(d) }
        return keyed.finish(function)
    }

    static func ikeKeys(
        _ suite: IKESuite,
        _ sharedSecret: borrowing SharedSecret,
        _ ni: RawSpan,
        _ nr: RawSpan,
        _ spis: RawSpan
    ) -> IKEKeys {
        let nonces = SharedSecret(joining: ni, nr)
        let seed = prf(suite.prf, key: nonces.bytes, sharedSecret.bytes)
        return ikeKeys(suite, seed: seed, ni, nr, spis)
    }

    /// {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr).
    static func ikeKeys(
        _ suite: IKESuite,
        seed: borrowing SecretBytes,
        _ ni: RawSpan,
        _ nr: RawSpan,
        _ spis: RawSpan
    ) -> IKEKeys {
        let function = suite.prf.outputByteCount
        let integrity = suite.integrity?.keyByteCount ?? 0
        let encryption = suite.cipher.keyByteCount
        var keyed = Function(suite.prf, key: seed.bytes)
        let material = SharedSecret(count: 3 * function + 2 * integrity + 2 * encryption)
        unsafe keyed.expand(suite.prf, ni, nr, spis, into: material.mutableBuffer)
        var offset = 0
        return IKEKeys(
            d: material.take(function, at: &offset),
            ai: material.take(integrity, at: &offset),
            ar: material.take(integrity, at: &offset),
            ei: material.take(encryption, at: &offset),
            er: material.take(encryption, at: &offset),
            pi: material.take(function, at: &offset),
            pr: material.take(function, at: &offset)
        )
    }

    static func childKeys(
        _ suite: ChildSuite,
        _ function: PRF,
        _ parentKey: borrowing SecretBytes,
        _ sharedSecret: RawSpan,
        _ ni: RawSpan,
        _ nr: RawSpan
    ) -> ChildKeys {
        let integrity = suite.integrity?.keyByteCount ?? 0
        let encryption = suite.cipher.keyByteCount
        var keyed = Function(function, key: parentKey.bytes)
        let material = SharedSecret(count: 2 * encryption + 2 * integrity)
        unsafe keyed.expand(function, sharedSecret, ni, nr, into: material.mutableBuffer)
        var offset = 0
        return ChildKeys(
            initiatorEncryption: material.take(encryption, at: &offset),
            initiatorIntegrity: material.take(integrity, at: &offset),
            responderEncryption: material.take(encryption, at: &offset),
            responderIntegrity: material.take(integrity, at: &offset)
        )
    }
}

extension SharedSecret {
    /// Room for what is longer than one key: Ni | Nr as a key, and keying material that is cut into keys.
    fileprivate init(joining one: RawSpan, _ other: RawSpan) {
        self.init(count: one.byteCount + other.byteCount)
        let room = unsafe mutableBuffer
        unsafe one.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
        unsafe other.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: room[one.byteCount...]).copyMemory(from: $0)
        }
    }

    fileprivate borrowing func take(_ count: Int, at offset: inout Int) -> SecretBytes {
        defer { offset += count }
        return SecretBytes(copying: bytes.extracting(offset..<offset + count))
    }
}

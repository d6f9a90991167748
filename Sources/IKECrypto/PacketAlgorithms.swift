/// The algorithms of one direction of an ESP SA, and the form that they give its packets.
package struct PacketAlgorithms: Hashable, Sendable, BitwiseCopyable {
    package let cipher: Cipher
    /// Nil with an AEAD cipher.
    package let integrity: IntegrityAlgorithm?
    /// Whether sequence numbers have 64 bits, of which packets carry the lower 32 (RFC 4303 section 2.2.1).
    package let usesESN: Bool
    /// Whether packets carry no IV, which is the sequence number (RFC 8750).
    package let hasImplicitIV: Bool

    // Asked for several times with each packet, so that they are kept.
    @usableFromInline let ivOctets: UInt8
    @usableFromInline let icvOctets: UInt8
    @usableFromInline let blockOctets: UInt8

    package init(_ suite: ChildSuite) {
        self.init(
            cipher: suite.cipher,
            integrity: suite.integrity,
            usesESN: suite.usesESN,
            hasImplicitIV: suite.hasImplicitIV
        )
    }

    package init(cipher: Cipher, integrity: IntegrityAlgorithm?, usesESN: Bool, hasImplicitIV: Bool = false) {
        precondition(cipher.isAEAD == (integrity == nil), "an integrity algorithm goes with a cipher that is not AEAD")
        precondition(cipher.isAEAD || !hasImplicitIV, "only a cipher that counts has an implicit IV")
        self.cipher = cipher
        self.integrity = integrity
        self.usesESN = usesESN
        self.hasImplicitIV = hasImplicitIV
        ivOctets = hasImplicitIV ? 0 : UInt8(cipher.ivByteCount)
        icvOctets = UInt8(integrity?.icvByteCount ?? cipher.icvByteCount)
        blockOctets = UInt8(max(4, cipher.blockByteCount))
    }

    /// The algorithms with IANA numbers, those of RFC 8750 section 5 among them; nil for what is not known.
    package init?(encryptionID: UInt16, keyBitCount: UInt16?, integrityID: UInt16?, usesESN: Bool) {
        guard let (cipher, hasImplicitIV) = Cipher.ofPackets(id: encryptionID, keyBitCount: keyBitCount) else {
            return nil
        }
        let integrity = integrityID.flatMap(IntegrityAlgorithm.init)
        guard (integrity == nil) == (integrityID == nil), cipher.isAEAD == (integrity == nil) else { return nil }
        self.init(cipher: cipher, integrity: integrity, usesESN: usesESN, hasImplicitIV: hasImplicitIV)
    }

    @inlinable package var ivByteCount: Int { Int(ivOctets) }

    @inlinable package var icvByteCount: Int { Int(icvOctets) }

    /// What the padded plaintext is a multiple of: the cipher's block, and 4 octets at least (RFC 4303 section 2.4).
    @inlinable package var blockByteCount: Int { Int(blockOctets) }
}

extension Cipher {
    /// The cipher of ESP packets with an IANA number, and whether these carry no IV (RFC 8750 section 5); nil for what
    /// is not known.
    package static func ofPackets(id: UInt16, keyBitCount: UInt16?) -> (cipher: Cipher, hasImplicitIV: Bool)? {
        let explicitID =
            switch id {
            case aesGCMImplicitIV: Cipher.aesGCM128.id
            case chaCha20Poly1305ImplicitIV: Cipher.chaCha20Poly1305.id
            default: id
            }
        return Cipher(id: explicitID, keyBitCount: keyBitCount).map { ($0, explicitID != id) }
    }

    /// ENCR_AES_GCM_16_IIV.
    fileprivate static let aesGCMImplicitIV: UInt16 = 30
    /// ENCR_CHACHA20_POLY1305_IIV.
    fileprivate static let chaCha20Poly1305ImplicitIV: UInt16 = 31
}

extension ChildSuite {
    /// The IANA number of the encryption algorithm.
    package var encryptionID: UInt16 {
        guard hasImplicitIV else { return cipher.id }
        return cipher == .chaCha20Poly1305 ? Cipher.chaCha20Poly1305ImplicitIV : Cipher.aesGCMImplicitIV
    }
}

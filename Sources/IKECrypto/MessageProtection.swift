/// The parts of a message that ends in an Encrypted payload: what is authenticated alone, the IV, what is encrypted,
/// the ICV (RFC 7296 section 3.14).
///
/// SAFETY: it lives only while its message is borrowed for one call.
@unsafe
struct MessageParts {
    let associated: UnsafeRawBufferPointer
    let iv: UnsafeRawBufferPointer
    let body: UnsafeMutableRawBufferPointer
    let icv: UnsafeMutableRawBufferPointer

    /// Everything before the ICV.
    let authenticated: UnsafeRawBufferPointer

    /// The parts, or nil where the message is too short or its ciphertext does not fill whole blocks.
    init?(_ message: UnsafeMutableRawBufferPointer, bodyOffset: Int, cipher: Cipher, icvByteCount: Int) {
        let start = bodyOffset + cipher.ivByteCount
        let end = message.count - icvByteCount
        // At least the octet of the pad length is encrypted.
        guard bodyOffset >= 0, start < end, (end - start) % cipher.blockByteCount == 0 else { return nil }
        unsafe associated = UnsafeRawBufferPointer(rebasing: message[..<bodyOffset])
        unsafe iv = UnsafeRawBufferPointer(rebasing: message[bodyOffset..<start])
        unsafe body = UnsafeMutableRawBufferPointer(rebasing: message[start..<end])
        unsafe icv = UnsafeMutableRawBufferPointer(rebasing: message[end...])
        unsafe authenticated = UnsafeRawBufferPointer(rebasing: message[..<end])
    }
}

extension Cryptography {
    /// Encrypts and authenticates a whole message in place.
    ///
    /// - Parameters:
    ///   - message: Everything from the IKE header on: associated data | IV | padded plaintext | room for the ICV.
    ///   - bodyOffset: Where the IV begins. With an AEAD cipher what stands before it is associated data (RFC 5282
    ///     section 5.1); without, the integrity algorithm covers everything before the ICV.
    ///   - encryptionKey: SK_e, its salt included.
    ///   - integrityKey: SK_a, empty with an AEAD cipher.
    package borrowing func seal(
        _ message: inout MutableRawSpan,
        bodyOffset: Int,
        cipher: Cipher,
        integrity: IntegrityAlgorithm?,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) {
        let icvByteCount = Self.icvByteCount(cipher, integrity, encryptionKey, integrityKey)
        unsafe message.withUnsafeMutableBytes { message in
            guard
                let parts = unsafe MessageParts(
                    message,
                    bodyOffset: bodyOffset,
                    cipher: cipher,
                    icvByteCount: icvByteCount
                )
            else { preconditionFailure("a message to seal has room for its ICV and fills whole blocks") }
            switch backend {
            case .modelled:
                unsafe ModelledHash.icv(encryptionKey, integrityKey, of: parts.authenticated, into: parts.icv)
            case .openSSL:
                unsafe ciphers.encrypt(cipher, key: encryptionKey, parts)
                guard let integrity else { break }
                unsafe Self.withICV(integrity, integrityKey, parts) { unsafe parts.icv.copyMemory(from: $0) }
            }
        }
    }

    /// Checks and decrypts a whole message in place, and returns where its padded plaintext stands.
    ///
    /// What does not pass the check, which takes a time independent of where it differs, leaves no plaintext: the
    /// message must not be read after an error.
    package borrowing func open(
        _ message: inout MutableRawSpan,
        bodyOffset: Int,
        cipher: Cipher,
        integrity: IntegrityAlgorithm?,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) throws(CryptoError) -> Range<Int> {
        let icvByteCount = Self.icvByteCount(cipher, integrity, encryptionKey, integrityKey)
        let plaintext =
            bodyOffset
            + cipher.ivByteCount..<max(
                bodyOffset + cipher.ivByteCount,
                message.byteCount - icvByteCount
            )
        let failure: CryptoError? = unsafe message.withUnsafeMutableBytes { message in
            guard
                let parts = unsafe MessageParts(
                    message,
                    bodyOffset: bodyOffset,
                    cipher: cipher,
                    icvByteCount: icvByteCount
                )
            else { return .malformedMessage }
            return unsafe isOpened(parts, cipher, integrity, encryptionKey, integrityKey) ? nil : .notAuthentic
        }
        if let failure { throw failure }
        return plaintext
    }

    private borrowing func isOpened(
        _ parts: MessageParts,
        _ cipher: Cipher,
        _ integrity: IntegrityAlgorithm?,
        _ encryptionKey: borrowing SecretBytes,
        _ integrityKey: borrowing SecretBytes
    ) -> Bool {
        switch backend {
        case .modelled:
            let code = SecretBytes(count: unsafe parts.icv.count)
            unsafe ModelledHash.icv(encryptionKey, integrityKey, of: parts.authenticated, into: code.mutableBuffer)
            return unsafe code.isEqual(to: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv)))
        case .openSSL:
            if let integrity {
                let isAuthentic = unsafe Self.withICV(integrity, integrityKey, parts) { code in
                    unsafe constantTimeEquals(
                        RawSpan(_unsafeBytes: code),
                        RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv))
                    )
                }
                guard isAuthentic else { return false }
            }
            return unsafe ciphers.decrypt(cipher, key: encryptionKey, parts)
        }
    }

    /// The HMAC over everything before the ICV, cut to the ICV's length.
    private static func withICV<Result>(
        _ integrity: IntegrityAlgorithm,
        _ key: borrowing SecretBytes,
        _ parts: MessageParts,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        var function = HMAC(integrity.function, key: key.bytes)
        unsafe function.absorb(RawSpan(_unsafeBytes: parts.authenticated))
        let code = function.finish(integrity.function)
        return unsafe body(UnsafeRawBufferPointer(rebasing: code.mutableBuffer[..<integrity.icvByteCount]))
    }

    private static func icvByteCount(
        _ cipher: Cipher,
        _ integrity: IntegrityAlgorithm?,
        _ encryptionKey: borrowing SecretBytes,
        _ integrityKey: borrowing SecretBytes
    ) -> Int {
        precondition(cipher.isAEAD == (integrity == nil), "an integrity algorithm goes with a cipher that is not AEAD")
        precondition(encryptionKey.count == cipher.keyByteCount, "an encryption key has its cipher's length")
        precondition(integrityKey.count == integrity?.keyByteCount ?? 0, "an integrity key has its algorithm's length")
        return integrity?.icvByteCount ?? cipher.icvByteCount
    }
}

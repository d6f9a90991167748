import COpenSSL

/// What libcrypto keeps of the keys of one direction of a Child SA: a cipher with its key schedule, and the padded keys
/// of HMAC already absorbed.
@safe
struct OpenSSLPacketContext: ~Copyable {
    private let cipher: OpaquePointer
    /// Nil with an AEAD cipher.
    private let hmac: UnsafeMutablePointer<cossl_hmac>?
    private let encrypts: Int32

    fileprivate init(
        _ algorithm: OpaquePointer?,
        _ algorithms: PacketAlgorithms,
        encrypts: Bool,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("there is memory for a context") }
        let isMade = unsafe encryptionKey.bytes.withUnsafeBytes { key in
            let octets = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            // What is told to a context once, libcrypto tells it again for each packet: an AEAD cipher is not told that
            // there is no padding, which it never has.
            return unsafe EVP_CipherInit_ex(context, algorithm, nil, octets, nil, encrypts ? 1 : 0) == 1
                && (algorithms.cipher.isAEAD || EVP_CIPHER_CTX_set_padding(context, 0) == 1)
        }
        precondition(isMade, "libcrypto takes a key of the right length")
        unsafe cipher = context
        self.encrypts = encrypts ? 1 : 0
        guard let integrity = algorithms.integrity else {
            unsafe hmac = nil
            return
        }
        let state = UnsafeMutablePointer<cossl_hmac>.allocate(capacity: 1)
        unsafe integrityKey.bytes.withUnsafeBytes {
            unsafe cossl_hmac_start(state, integrity.function.digest, $0.baseAddress, $0.count)
        }
        unsafe hmac = state
    }

    // libcrypto wipes what a context holds when it frees it.
    deinit {
        unsafe EVP_CIPHER_CTX_free(cipher)
        if let hmac = unsafe hmac {
            unsafe cossl_wipe(hmac, MemoryLayout<cossl_hmac>.size)
            unsafe hmac.deallocate()
        }
    }
}

extension CipherContexts {
    /// A context of its own with keys; the algorithm is that of the shared one, which was fetched once.
    func packetContext(
        _ algorithms: PacketAlgorithms,
        encrypts: Bool,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) -> OpenSSLPacketContext {
        unsafe OpenSSLPacketContext(
            EVP_CIPHER_CTX_get0_cipher(pointer(of: algorithms.cipher)),
            algorithms,
            encrypts: encrypts,
            encryptionKey: encryptionKey,
            integrityKey: integrityKey
        )
    }
}

extension OpenSSLPacketContext {
    func seal(_ parts: PacketParts, _ number: UInt64, salt: UInt32, _ algorithms: PacketAlgorithms) {
        let isDone: Bool
        if algorithms.integrity == nil {
            isDone =
                unsafe start(parts, number, salt, algorithms) && run(parts.body)
                && finish()
                && cossl_get_tag(cipher, parts.icv.baseAddress, Int32(parts.icv.count)) == 1
        } else {
            // From an IV of zeros on, the first block becomes the encrypted counter, and is the IV of all that follows.
            isDone = unsafe startBlocks(iv: nil) && run(parts.blocks)
            unsafe code(parts, number, algorithms) { unsafe parts.icv.copyMemory(from: $0) }
        }
        precondition(isDone, "libcrypto encrypts a packet of whole blocks")
    }

    /// Whether the ICV is the packet's; where it is not, there is no plaintext.
    func open(_ parts: PacketParts, _ number: UInt64, salt: UInt32, _ algorithms: PacketAlgorithms) -> Bool {
        if algorithms.integrity == nil {
            let isStarted =
                unsafe start(parts, number, salt, algorithms)
                && cossl_set_tag(cipher, parts.icv.baseAddress, Int32(parts.icv.count)) == 1
                && run(parts.body)
            precondition(isStarted, "libcrypto decrypts a packet of whole blocks")
            if finish() { return true }
            unsafe parts.body.initializeMemory(as: UInt8.self, repeating: 0)
            return false
        }
        let isGenuine = unsafe code(parts, number, algorithms) { code in
            unsafe constantTimeEquals(
                RawSpan(_unsafeBytes: code),
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv))
            )
        }
        guard isGenuine else { return false }
        let isDone = unsafe startBlocks(iv: parts.iv) && run(parts.body)
        precondition(isDone, "libcrypto decrypts a packet of whole blocks")
        return true
    }

    /// Sets the nonce and absorbs the associated data of an AEAD cipher.
    private func start(
        _ parts: PacketParts,
        _ number: UInt64,
        _ salt: UInt32,
        _ algorithms: PacketAlgorithms
    ) -> Bool {
        var nonce = unsafe parts.nonce(salt, number, algorithms)
        let hasNonce = unsafe withUnsafeBytes(of: &nonce) {
            unsafe EVP_CipherInit_ex(
                cipher,
                nil,
                nil,
                nil,
                $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
                encrypts
            ) == 1
        }
        guard hasNonce else { return false }
        guard algorithms.usesESN else {
            return unsafe absorb(UnsafeRawPointer(parts.packet), PacketProtection.headerByteCount)
        }
        var associated = unsafe parts.associatedWithESN(number)
        return unsafe withUnsafeBytes(of: &associated) {
            unsafe absorb($0.baseAddress!, PacketParts.associatedByteCountWithESN)
        }
    }

    private func absorb(_ associated: UnsafeRawPointer, _ byteCount: Int) -> Bool {
        var written: Int32 = 0
        let octets = unsafe associated.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_CipherUpdate(cipher, nil, &written, octets, Int32(byteCount)) == 1
    }

    private func startBlocks(iv: UnsafeMutableRawPointer?) -> Bool {
        var zeros = (UInt64(0), UInt64(0))
        return unsafe withUnsafeBytes(of: &zeros) { zeros in
            let octets = unsafe iv.map { UnsafeRawPointer($0) } ?? zeros.baseAddress!
            return unsafe EVP_CipherInit_ex(
                cipher,
                nil,
                nil,
                nil,
                octets.assumingMemoryBound(to: UInt8.self),
                encrypts
            ) == 1
        }
    }

    private func run(_ body: UnsafeMutableRawBufferPointer) -> Bool {
        var written: Int32 = 0
        let octets = unsafe body.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard unsafe EVP_CipherUpdate(cipher, octets, &written, octets, Int32(body.count)) == 1 else { return false }
        return Int(written) == body.count
    }

    private func finish() -> Bool {
        var nothing: UInt8 = 0
        var written: Int32 = 0
        return unsafe EVP_CipherFinal_ex(cipher, &nothing, &written) == 1
    }

    /// Lends the HMAC over everything before the ICV, and with ESN over the upper half of the sequence number behind it
    /// (RFC 4303 section 2.2.1), cut to the ICV's length.
    private func code<Result>(
        _ parts: PacketParts,
        _ number: UInt64,
        _ algorithms: PacketAlgorithms,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let hmac = unsafe hmac else { preconditionFailure("HMAC goes with a cipher that is not AEAD") }
        let authenticated = unsafe parts.authenticated
        unsafe cossl_hmac_update(hmac, authenticated.baseAddress, authenticated.count)
        if algorithms.usesESN {
            var high = UInt32(truncatingIfNeeded: number &>> 32).bigEndian
            unsafe withUnsafeBytes(of: &high) { unsafe cossl_hmac_update(hmac, $0.baseAddress, $0.count) }
        }
        var code = InlineArray<64, UInt8>(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &code) { code in
            unsafe cossl_hmac_finish(hmac, code.baseAddress?.assumingMemoryBound(to: UInt8.self))
            return unsafe body(UnsafeRawBufferPointer(rebasing: code[..<parts.icv.count]))
        }
    }
}

extension PacketParts {
    /// The IV and what is encrypted behind it.
    fileprivate var blocks: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: iv, count: ivByteCount + body.count)
    }
}

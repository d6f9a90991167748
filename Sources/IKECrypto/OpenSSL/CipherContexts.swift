import COpenSSL

/// One context per algorithm of libcrypto, fetched once and given a new key for each message.
///
/// A shorter ICV is the first octets of the whole one, so that AES-GCM's all come from one context.
struct CipherContexts: ~Copyable {
    private let contexts: InlineArray<7, CipherContext>

    init() throws(CryptoError) {
        contexts = try InlineArray { (index: Int) throws(CryptoError) in
            try CipherContext(Self.ciphers[index])
        }
    }

    /// Encrypts octets in place, and writes the tag of an AEAD cipher behind them.
    borrowing func encrypt(_ cipher: Cipher, key: borrowing SecretBytes, _ parts: MessageParts) {
        let context = unsafe contexts[Self.place(of: cipher)].pointer
        let isDone =
            unsafe Self.start(context, cipher, key, parts, encrypts: 1)
            && Self.run(context, parts.body)
            && (!cipher.isAEAD
                || Self.finish(context) && cossl_get_tag(context, parts.icv.baseAddress, Int32(parts.icv.count)) == 1)
        precondition(isDone, "libcrypto encrypts a message of whole blocks")
    }

    /// Decrypts octets in place; false, and the octets are zeros, where the tag of an AEAD cipher is not theirs.
    borrowing func decrypt(_ cipher: Cipher, key: borrowing SecretBytes, _ parts: MessageParts) -> Bool {
        let context = unsafe contexts[Self.place(of: cipher)].pointer
        let isStarted =
            unsafe Self.start(context, cipher, key, parts, encrypts: 0)
            && (!cipher.isAEAD || cossl_set_tag(context, parts.icv.baseAddress, Int32(parts.icv.count)) == 1)
            && Self.run(context, parts.body)
        precondition(isStarted, "libcrypto decrypts a message of whole blocks")
        guard cipher.isAEAD else { return true }
        if unsafe Self.finish(context) { return true }
        unsafe parts.body.initializeMemory(as: UInt8.self, repeating: 0)
        return false
    }

    /// The context of an algorithm, which lives as long as these do.
    borrowing func pointer(of cipher: Cipher) -> OpaquePointer { unsafe contexts[Self.place(of: cipher)].pointer }

    private static let ciphers: InlineArray<7, Cipher> = [
        .aesCBC128, .aesCBC192, .aesCBC256, .aesGCM128, .aesGCM192, .aesGCM256, .chaCha20Poly1305,
    ]

    private static func place(of cipher: Cipher) -> Int {
        switch cipher {
        case .aesCBC128: 0
        case .aesCBC192: 1
        case .aesCBC256: 2
        case .aesGCM128, .aesGCM12With128, .aesGCM8With128: 3
        case .aesGCM192, .aesGCM12With192, .aesGCM8With192: 4
        case .aesGCM256, .aesGCM12With256, .aesGCM8With256: 5
        case .chaCha20Poly1305: 6
        }
    }

    /// Sets key and nonce, and absorbs the associated data of an AEAD cipher.
    private static func start(
        _ context: OpaquePointer,
        _ cipher: Cipher,
        _ key: borrowing SecretBytes,
        _ parts: MessageParts,
        encrypts: Int32
    ) -> Bool {
        // The nonce is salt | IV (RFC 4106 section 4, RFC 7634 section 2); with CBC there is no salt.
        var nonce = InlineArray<16, UInt8>(repeating: 0)
        let saltByteCount = cipher.saltByteCount
        let status = unsafe key.bytes.withUnsafeBytes { key in
            unsafe withUnsafeMutableBytes(of: &nonce) { nonce in
                for index in 0..<saltByteCount { unsafe nonce[index] = key[key.count - saltByteCount + index] }
                for index in unsafe 0..<parts.iv.count { unsafe nonce[saltByteCount + index] = parts.iv[index] }
                return unsafe EVP_CipherInit_ex(
                    context,
                    nil,
                    nil,
                    key.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    nonce.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    encrypts
                )
            }
        }
        guard status == 1 else { return false }
        guard cipher.isAEAD else { return true }
        var written: Int32 = 0
        let data = unsafe parts.associated.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_CipherUpdate(context, nil, &written, data, Int32(parts.associated.count)) == 1
    }

    private static func run(_ context: OpaquePointer, _ body: UnsafeMutableRawBufferPointer) -> Bool {
        guard body.count > 0 else { return true }
        var written: Int32 = 0
        let octets = unsafe body.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard unsafe EVP_CipherUpdate(context, octets, &written, octets, Int32(body.count)) == 1 else { return false }
        return Int(written) == body.count
    }

    private static func finish(_ context: OpaquePointer) -> Bool {
        var nothing: UInt8 = 0
        var written: Int32 = 0
        return unsafe EVP_CipherFinal_ex(context, &nothing, &written) == 1
    }
}

/// Owns one `EVP_CIPHER_CTX`.
@safe
struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init(_ cipher: Cipher) throws(CryptoError) {
        let algorithm = try CipherAlgorithm(cipher)
        guard let pointer = unsafe EVP_CIPHER_CTX_new() else { throw .libraryFailed }
        // CBC: the messages carry the padding of RFC 7296 section 3.14, and no other. AEAD ciphers never have any, and
        // libcrypto would be told so again with each message.
        guard
            unsafe EVP_CipherInit_ex(pointer, algorithm.pointer, nil, nil, nil, 1) == 1,
            unsafe cipher.isAEAD || EVP_CIPHER_CTX_set_padding(pointer, 0) == 1
        else {
            unsafe EVP_CIPHER_CTX_free(pointer)
            throw .libraryFailed
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_CIPHER_CTX_free(pointer) }
}

/// Owns one `EVP_CIPHER`.
@safe
struct CipherAlgorithm: ~Copyable {
    let pointer: OpaquePointer

    init(_ cipher: Cipher) throws(CryptoError) {
        let name: StaticString =
            switch cipher {
            case .aesCBC128: "AES-128-CBC"
            case .aesCBC192: "AES-192-CBC"
            case .aesCBC256: "AES-256-CBC"
            case .aesGCM128, .aesGCM12With128, .aesGCM8With128: "AES-128-GCM"
            case .aesGCM192, .aesGCM12With192, .aesGCM8With192: "AES-192-GCM"
            case .aesGCM256, .aesGCM12With256, .aesGCM8With256: "AES-256-GCM"
            case .chaCha20Poly1305: "ChaCha20-Poly1305"
            }
        let text = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let pointer = unsafe EVP_CIPHER_fetch(nil, text, nil) else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_CIPHER_free(pointer) }
}

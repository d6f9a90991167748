import COpenSSL
import Primitives

/// X25519 (RFC 7748, RFC 8031).
@safe
struct X25519: ~Copyable {
    private let keyContext: PublicKeyContext

    init() throws(CryptoError) {
        let keyContext = try PublicKeyContext(named: "X25519")
        try require(unsafe EVP_PKEY_fromdata_init(keyContext.pointer))
        self.keyContext = keyContext
    }

    borrowing func keyPair(randomness: borrowing SecretBytes) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let key = try PublicKey(context: keyContext, private: randomness.bytes, public: RawSpan())
        var publicValue = [UInt8](repeating: 0, count: Self.byteCount)
        var count = Self.byteCount
        try require(unsafe EVP_PKEY_get_raw_public_key(key.pointer, &publicValue, &count))
        return KeyExchangeResult.KeyPair(publicValue: publicValue, privateKey: randomness.copy())
    }

    /// The shared secret; an all-zero one is refused (RFC 7748 section 6.1, RFC 6989 section 2.4 in spirit).
    borrowing func agreement(
        _ privateKey: borrowing SecretBytes,
        _ publicValue: [UInt8],
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let key = try PublicKey(context: keyContext, private: privateKey.bytes, public: publicValue.rawSpan)
        let peer = try PublicKey(context: keyContext, private: RawSpan(), public: peerPublicValue.rawSpan)
        let derivation = try PublicKeyContext(for: key)
        try require(unsafe EVP_PKEY_derive_init(derivation.pointer))
        try require(unsafe EVP_PKEY_derive_set_peer_ex(derivation.pointer, peer.pointer, 0))
        let secret = SharedSecret(count: Self.byteCount)
        var count = Self.byteCount
        let target = unsafe secret.mutableBuffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try require(unsafe EVP_PKEY_derive(derivation.pointer, target, &count), else: .invalidPeerPublicValue)
        return secret
    }

    static let byteCount = 32
}

/// Owns one `EVP_PKEY_CTX`.
@safe
struct PublicKeyContext: ~Copyable {
    let pointer: OpaquePointer

    init(named name: StaticString) throws(CryptoError) {
        let text = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let pointer = unsafe EVP_PKEY_CTX_new_from_name(nil, text, nil) else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    init(for key: borrowing PublicKey) throws(CryptoError) {
        guard let pointer = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_CTX_free(pointer) }
}

/// Owns one `EVP_PKEY`.
@safe
struct PublicKey: ~Copyable {
    let pointer: OpaquePointer

    /// A key of the parts that are not empty.
    init(
        context: borrowing PublicKeyContext,
        private privatePart: RawSpan,
        public publicPart: RawSpan
    ) throws(CryptoError) {
        precondition(privatePart.isEmpty || privatePart.byteCount == X25519.byteCount, "a private key has 32 octets")
        precondition(publicPart.isEmpty || publicPart.byteCount == X25519.byteCount, "a public value has 32 octets")
        var key: OpaquePointer?
        let context = unsafe context.pointer
        let status = unsafe privatePart.withUnsafeBytes { privateOctets in
            unsafe publicPart.withUnsafeBytes { publicOctets in
                unsafe cossl_x25519_key(
                    context,
                    &key,
                    privateOctets.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    publicOctets.baseAddress?.assumingMemoryBound(to: UInt8.self)
                )
            }
        }
        guard status == 1, let key = unsafe key else {
            ERR_clear_error()
            throw .libraryFailed
        }
        unsafe self.pointer = key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}

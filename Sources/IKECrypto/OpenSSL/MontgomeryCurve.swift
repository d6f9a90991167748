import COpenSSL
import Primitives

/// X25519 or X448 (RFC 7748, RFC 8031), whose keys and secrets all have one length.
@safe
struct MontgomeryCurve: ~Copyable {
    private let keyContext: PublicKeyContext
    private let byteCount: Int

    init(_ name: StaticString, byteCount: Int) throws(CryptoError) {
        let keyContext = try PublicKeyContext(named: name)
        try require(unsafe EVP_PKEY_fromdata_init(keyContext.pointer))
        self.keyContext = keyContext
        self.byteCount = byteCount
    }

    borrowing func keyPair(randomness: borrowing EphemeralSecret) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let key = try self.key(private: randomness.bytes, public: RawSpan())
        var publicValue = [UInt8](repeating: 0, count: byteCount)
        var count = byteCount
        try require(unsafe EVP_PKEY_get_raw_public_key(key.pointer, &publicValue, &count))
        return KeyExchangeResult.KeyPair(publicValue: publicValue, privateKey: randomness.copy())
    }

    /// The shared secret; an all-zero one is refused (RFC 7748 section 6).
    borrowing func agreement(
        _ privateKey: borrowing EphemeralSecret,
        _ publicValue: [UInt8],
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let key = try self.key(private: privateKey.bytes, public: publicValue.rawSpan)
        let peer = try self.key(private: RawSpan(), public: peerPublicValue.rawSpan)
        let derivation = try PublicKeyContext(for: key)
        try require(unsafe EVP_PKEY_derive_init(derivation.pointer))
        try require(unsafe EVP_PKEY_derive_set_peer_ex(derivation.pointer, peer.pointer, 0))
        let secret = SharedSecret(count: byteCount)
        var count = byteCount
        let target = unsafe secret.mutableBuffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try require(unsafe EVP_PKEY_derive(derivation.pointer, target, &count), else: .invalidPeerPublicValue)
        return secret
    }

    /// A key of the parts that are not empty.
    private borrowing func key(private privatePart: RawSpan, public publicPart: RawSpan) throws(CryptoError)
        -> PublicKey
    {
        for part in [privatePart.byteCount, publicPart.byteCount] where part != 0 {
            precondition(part == byteCount, "a key has its curve's length")
        }
        return try PublicKey(context: keyContext, private: privatePart, public: publicPart)
    }
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
        var key: OpaquePointer?
        let context = unsafe context.pointer
        let status = unsafe privatePart.withUnsafeBytes { privateOctets in
            unsafe publicPart.withUnsafeBytes { publicOctets in
                unsafe cossl_raw_key(
                    context,
                    &key,
                    privateOctets.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    privateOctets.count,
                    publicOctets.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    publicOctets.count
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

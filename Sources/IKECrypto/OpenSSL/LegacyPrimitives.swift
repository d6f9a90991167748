import COpenSSL

/// An MD5 digest: what RADIUS authenticates its answers with (RFC 2865 section 3).
package struct MD5Digest: Equatable, Sendable, BitwiseCopyable {
    package var octets = SIMD16<UInt8>.zero

    package static let byteCount = 16

    /// Lends the octets.
    package func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        unsafe withUnsafeBytes(of: octets) { unsafe body($0.bytes) }
    }

    /// Whether the octets are this digest, in a time that depends on their count alone.
    package func isEqual(to bytes: RawSpan) -> Bool { withBytes { constantTimeEquals($0, bytes) } }
}

// EAP and RADIUS know no better ones; they are real with every backend.
extension Cryptography {
    /// MD5 of the pieces one after the other (RFC 1321).
    package borrowing func md5(
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        _ d: RawSpan = RawSpan()
    ) -> MD5Digest {
        var state = MD5_CTX()
        var digest = MD5Digest()
        unsafe MD5_Init(&state)
        unsafe a.withUnsafeBytes { unsafe _ = MD5_Update(&state, $0.baseAddress, $0.count) }
        unsafe b.withUnsafeBytes { unsafe _ = MD5_Update(&state, $0.baseAddress, $0.count) }
        unsafe c.withUnsafeBytes { unsafe _ = MD5_Update(&state, $0.baseAddress, $0.count) }
        unsafe d.withUnsafeBytes { unsafe _ = MD5_Update(&state, $0.baseAddress, $0.count) }
        unsafe withUnsafeMutableBytes(of: &digest.octets) {
            unsafe _ = MD5_Final($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
        }
        return digest
    }

    /// HMAC-MD5 of a message (RFC 2104), for Message-Authenticator (RFC 3579 section 3.2).
    package borrowing func hmacMD5(key: RawSpan, _ message: RawSpan) -> MD5Digest {
        var pad = [UInt8](repeating: 0, count: 64)
        if key.byteCount > pad.count {
            let short = md5(key)
            for place in 0..<MD5Digest.byteCount { pad[place] = short.octets[place] }
        } else {
            for place in 0..<key.byteCount { pad[place] = unsafe key.unsafeLoad(fromByteOffset: place, as: UInt8.self) }
        }
        for place in pad.indices { pad[place] ^= 0x36 }
        let inner = md5(unsafe pad.span.bytes, message)
        for place in pad.indices { pad[place] ^= 0x36 ^ 0x5C }
        return inner.withBytes { unsafe md5(pad.span.bytes, $0) }
    }

    /// MD4 of a message (RFC 1320), for NT password hashes.
    package borrowing func md4(_ message: RawSpan) -> SecretBytes {
        var state = MD4_CTX()
        let digest = SecretBytes(count: 16)
        unsafe MD4_Init(&state)
        unsafe message.withUnsafeBytes { unsafe _ = MD4_Update(&state, $0.baseAddress, $0.count) }
        unsafe _ = MD4_Final(digest.mutableBuffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
        return digest
    }

    /// One block under DES in ECB mode, with a key of 7 octets that has no parity bits yet (RFC 2759 section 8.6).
    package borrowing func desEncrypt(_ block: RawSpan, key: RawSpan) -> InlineArray<8, UInt8> {
        precondition(block.byteCount == 8 && key.byteCount == 7, "DES takes a block of 8 octets and a key of 56 bits")
        var out = InlineArray<8, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &out) { out in
            unsafe block.withUnsafeBytes { block in
                unsafe key.withUnsafeBytes { key in
                    unsafe cossl_des_encrypt(
                        key.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        block.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        out.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    )
                }
            }
        }
        return out
    }
}

import COpenSSL

/// A SHA-1 digest: what NAT detection carries (RFC 7296 section 2.23).
package struct SHA1Digest: Equatable, Sendable, BitwiseCopyable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var third: UInt32 = 0

    package static let byteCount = 20

    package var octets: [UInt8] { unsafe withUnsafeBytes(of: self) { unsafe [UInt8]($0.prefix(Self.byteCount)) } }

    /// Lends the octets.
    package func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        unsafe withUnsafeBytes(of: self) { unsafe body($0.bytes.extracting(first: Self.byteCount)) }
    }

    /// Whether the octets of a notification are this digest.
    package func isEqual(to bytes: RawSpan) -> Bool {
        guard bytes.byteCount == Self.byteCount else { return false }
        return unsafe SHA1Digest(
            first: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
            second: bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
            third: bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self)
        ) == self
    }
}

/// A SHA-256 digest.
package struct SHA256Digest: Equatable, Sendable, BitwiseCopyable {
    var words: SIMD4<UInt64> = .zero

    package static let byteCount = 32

    package var octets: [UInt8] { unsafe withUnsafeBytes(of: words) { unsafe [UInt8]($0) } }
}

extension Cryptography {
    /// SHA-1 of the pieces one after the other; real with every backend.
    package borrowing func sha1(_ a: RawSpan, _ b: RawSpan = RawSpan(), _ c: RawSpan = RawSpan()) -> SHA1Digest {
        if a.byteCount + b.byteCount + c.byteCount <= SHA1Block.mostOctets { return SHA1Block(a, b, c).digest }
        var state = SHA_CTX()
        var digest = SHA1Digest()
        unsafe SHA1_Init(&state)
        unsafe a.withUnsafeBytes { unsafe _ = SHA1_Update(&state, $0.baseAddress, $0.count) }
        unsafe b.withUnsafeBytes { unsafe _ = SHA1_Update(&state, $0.baseAddress, $0.count) }
        unsafe c.withUnsafeBytes { unsafe _ = SHA1_Update(&state, $0.baseAddress, $0.count) }
        unsafe withUnsafeMutableBytes(of: &digest) {
            unsafe _ = SHA1_Final($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
        }
        return digest
    }

    /// SHA-256 of the pieces one after the other; real with every backend.
    package borrowing func sha256(
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        _ d: RawSpan = RawSpan()
    ) -> SHA256Digest {
        var state = SHA256_CTX()
        var digest = SHA256Digest()
        unsafe SHA256_Init(&state)
        unsafe a.withUnsafeBytes { unsafe _ = SHA256_Update(&state, $0.baseAddress, $0.count) }
        unsafe b.withUnsafeBytes { unsafe _ = SHA256_Update(&state, $0.baseAddress, $0.count) }
        unsafe c.withUnsafeBytes { unsafe _ = SHA256_Update(&state, $0.baseAddress, $0.count) }
        unsafe d.withUnsafeBytes { unsafe _ = SHA256_Update(&state, $0.baseAddress, $0.count) }
        unsafe withUnsafeMutableBytes(of: &digest) {
            unsafe _ = SHA256_Final($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
        }
        return digest
    }

    /// HMAC-SHA-256 of the pieces one after the other, for cookies (RFC 7296 section 2.6); real with every backend.
    package borrowing func hmacSHA256(
        key: RawSpan,
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        _ d: RawSpan = RawSpan()
    ) -> SecretBytes {
        var function = HMAC(.hmacSHA256, key: key)
        function.absorb(a)
        function.absorb(b)
        function.absorb(c)
        function.absorb(d)
        let code = SecretBytes(count: PRF.hmacSHA256.outputByteCount)
        unsafe function.finish(into: code.mutableBuffer.baseAddress!)
        return code
    }
}

/// A message that fills one block with its padding (FIPS 180-4 section 5.1.1), as NAT detection's do: it takes one call
/// instead of five.
private struct SHA1Block {
    static let mostOctets = 55

    private var octets = InlineArray<64, UInt8>(repeating: 0)

    init(_ a: RawSpan, _ b: RawSpan, _ c: RawSpan) {
        var count = 0
        unsafe withUnsafeMutableBytes(of: &octets) { block in
            unsafe Self.append(a, to: block, &count)
            unsafe Self.append(b, to: block, &count)
            unsafe Self.append(c, to: block, &count)
            unsafe block[count] = 0x80
            unsafe block.storeBytes(of: UInt64(8 * count).bigEndian, toByteOffset: 56, as: UInt64.self)
        }
    }

    @inline(__always)
    private static func append(_ octets: RawSpan, to block: UnsafeMutableRawBufferPointer, _ count: inout Int) {
        guard !octets.isEmpty else { return }
        let start = count
        unsafe octets.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: block[start...]).copyMemory(from: $0)
        }
        count += octets.byteCount
    }

    var digest: SHA1Digest {
        var state = SHA_CTX()
        unsafe SHA1_Init(&state)
        unsafe withUnsafeBytes(of: octets) {
            unsafe SHA1_Transform(&state, $0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        let words: InlineArray<5, UInt32> = [
            state.h0.bigEndian, state.h1.bigEndian, state.h2.bigEndian, state.h3.bigEndian, state.h4.bigEndian,
        ]
        var digest = SHA1Digest()
        unsafe withUnsafeMutableBytes(of: &digest) { out in
            unsafe withUnsafeBytes(of: words) { unsafe out.copyMemory(from: $0) }
        }
        return digest
    }
}

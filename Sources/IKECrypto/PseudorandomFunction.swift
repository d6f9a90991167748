/// prf(K, ·) of RFC 7296 section 2.13, with the key absorbed once.
protocol PseudorandomFunction: ~Copyable {
    init(_ function: PRF, key: RawSpan)

    mutating func absorb(_ bytes: RawSpan)

    /// Writes the function's output for what was absorbed, and begins anew under the same key.
    mutating func finish(into out: UnsafeMutableRawPointer)

    /// The first octets of prf+(K, a | b | c); it begins with nothing absorbed, and leaves nothing.
    mutating func expand(
        _ function: PRF,
        _ a: RawSpan,
        _ b: RawSpan,
        _ c: RawSpan,
        into out: UnsafeMutableRawBufferPointer
    )
}

extension PseudorandomFunction where Self: ~Copyable {
    mutating func finish(_ function: PRF) -> SecretBytes {
        let output = SecretBytes(count: function.outputByteCount)
        unsafe finish(into: output.mutableBuffer.baseAddress!)
        return output
    }

    /// prf+(K, S) = T1 | T2 | ..., where Tn = prf(K, Tn-1 | S | n), and S = a | b | c (RFC 7296 section 2.13).
    mutating func expand(
        _ function: PRF,
        _ a: RawSpan,
        _ b: RawSpan,
        _ c: RawSpan,
        into out: UnsafeMutableRawBufferPointer
    ) {
        let block = SecretBytes(count: function.outputByteCount)
        var offset = 0
        var number = InlineArray<1, UInt8>(repeating: 1)
        while offset < out.count {
            if offset > 0 { absorb(block.bytes) }
            if !a.isEmpty { absorb(a) }
            if !b.isEmpty { absorb(b) }
            if !c.isEmpty { absorb(c) }
            unsafe absorb(number.span.bytes)
            unsafe finish(into: block.mutableBuffer.baseAddress!)
            let end = min(offset + block.count, out.count)
            let part = unsafe UnsafeRawBufferPointer(rebasing: block.mutableBuffer[..<(end - offset)])
            unsafe UnsafeMutableRawBufferPointer(rebasing: out[offset..<end]).copyMemory(from: part)
            offset = end
            number[0] &+= 1
        }
    }
}

extension Cryptography {
    /// prf(key, a | b | c | d).
    ///
    /// The modelled backend also hashes where a piece ends: both ends cut their octets the same way.
    package borrowing func prf(
        _ function: PRF,
        key: RawSpan,
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        _ d: RawSpan = RawSpan()
    ) -> SecretBytes {
        switch backend {
        case .openSSL: KeySchedule<HMAC>.prf(function, key: key, a, b, c, d)
        case .modelled: KeySchedule<ModelledHash>.prf(function, key: key, a, b, c, d)
        }
    }

    /// The first octets of prf+(key, a | b | c), at most 255 times the function's output.
    package borrowing func prfPlus(
        _ function: PRF,
        key: RawSpan,
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan(),
        count: Int
    ) -> [UInt8] {
        precondition(count <= 255 * function.outputByteCount, "prf+ counts its blocks in one octet")
        var octets = [UInt8](repeating: 0, count: count)
        unsafe octets.withUnsafeMutableBytes { out in
            switch backend {
            case .openSSL:
                var keyed = HMAC(function, key: key)
                unsafe keyed.expand(function, a, b, c, into: out)
            case .modelled:
                var keyed = ModelledHash(function, key: key)
                unsafe keyed.expand(function, a, b, c, into: out)
            }
        }
        return octets
    }

    /// The AUTH data of a shared key (RFC 7296 section 2.15):
    /// prf(prf(shared secret, "Key Pad for IKEv2"), message | nonce | prf(SK_p, IDx') | IntAuth).
    ///
    /// - Parameters:
    ///   - messageOctets: The signer's own first message, whole.
    ///   - nonce: The other side's nonce, without its payload header.
    ///   - identificationBody: The signer's Identification payload, without its generic header.
    ///   - intermediate: IntAuth, where IKE_INTERMEDIATE exchanges came first (RFC 9242 section 3.3.2).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package borrowing func pskAuthentication(
        _ function: PRF,
        psk: RawSpan,
        messageOctets: RawSpan,
        nonce: RawSpan,
        sk_p: borrowing SecretBytes,
        identificationBody: RawSpan,
        intermediate: RawSpan = RawSpan()
    ) -> SecretBytes {
        let pad: InlineArray<17, UInt8> = [
            0x4B, 0x65, 0x79, 0x20, 0x50, 0x61, 0x64, 0x20, 0x66, 0x6F, 0x72, 0x20, 0x49, 0x4B, 0x45, 0x76, 0x32,
        ]
        let key = prf(function, key: psk, unsafe pad.span.bytes)
        let identification = prf(function, key: sk_p.bytes, identificationBody)
        return prf(function, key: key.bytes, messageOctets, nonce, identification.bytes, intermediate)
    }
}

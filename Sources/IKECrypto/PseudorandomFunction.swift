/// prf(K, ·) of RFC 7296 section 2.13, with the key absorbed once.
protocol PseudorandomFunction: ~Copyable {
    init(_ function: PRF, key: RawSpan)

    mutating func absorb(_ bytes: RawSpan)

    /// Writes the function's output for what was absorbed, and begins anew under the same key.
    mutating func finish(into out: UnsafeMutableRawPointer)
}

extension PseudorandomFunction where Self: ~Copyable {
    mutating func finish(_ function: PRF) -> SecretBytes {
        let output = SecretBytes(count: function.outputByteCount)
        unsafe finish(into: output.mutableBuffer.baseAddress!)
        return output
    }
}

extension Cryptography {
    /// prf(key, a | b | c).
    ///
    /// The modelled backend also hashes where a piece ends: both ends cut their octets the same way.
    package borrowing func prf(
        _ function: PRF,
        key: RawSpan,
        _ a: RawSpan,
        _ b: RawSpan = RawSpan(),
        _ c: RawSpan = RawSpan()
    ) -> SecretBytes {
        switch backend {
        case .openSSL: KeySchedule<HMAC>.prf(function, key: key, a, b, c)
        case .modelled: KeySchedule<ModelledHash>.prf(function, key: key, a, b, c)
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
                unsafe KeySchedule<HMAC>.expand(&keyed, function, a, b, c, into: out)
            case .modelled:
                var keyed = ModelledHash(function, key: key)
                unsafe KeySchedule<ModelledHash>.expand(&keyed, function, a, b, c, into: out)
            }
        }
        return octets
    }

    /// The AUTH data of a shared key (RFC 7296 section 2.15):
    /// prf(prf(shared secret, "Key Pad for IKEv2"), message | nonce | prf(SK_p, IDx')).
    ///
    /// - Parameters:
    ///   - messageOctets: The signer's own first message, whole.
    ///   - nonce: The other side's nonce, without its payload header.
    ///   - identificationBody: The signer's Identification payload, without its generic header.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package borrowing func pskAuthentication(
        _ function: PRF,
        psk: RawSpan,
        messageOctets: RawSpan,
        nonce: RawSpan,
        sk_p: borrowing SecretBytes,
        identificationBody: RawSpan
    ) -> SecretBytes {
        let pad: InlineArray<17, UInt8> = [
            0x4B, 0x65, 0x79, 0x20, 0x50, 0x61, 0x64, 0x20, 0x66, 0x6F, 0x72, 0x20, 0x49, 0x4B, 0x45, 0x76, 0x32,
        ]
        let key = prf(function, key: psk, unsafe pad.span.bytes)
        let identification = prf(function, key: sk_p.bytes, identificationBody)
        return prf(function, key: key.bytes, messageOctets, nonce, identification.bytes)
    }
}

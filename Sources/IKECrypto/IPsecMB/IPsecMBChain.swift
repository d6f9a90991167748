import CIPsecMB

/// What libipsec-mb keeps of the keys of AES-CBC with HMAC: a key schedule, and the padded keys already absorbed.
@safe
struct IPsecMBChain: ~Copyable {
    private let chain: OpaquePointer

    init(
        _ integrity: IntegrityAlgorithm,
        encryptionKey: borrowing SecretBytes,
        integrityKey: borrowing SecretBytes
    ) {
        let made = unsafe encryptionKey.bytes.withUnsafeBytes { key in
            unsafe integrityKey.bytes.withUnsafeBytes { hashKey in
                unsafe cipsecmb_chain_make(
                    key.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    key.count,
                    integrity.ofIPsecMB,
                    hashKey.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    hashKey.count
                )
            }
        }
        guard let made = unsafe made else { preconditionFailure("there is memory for keys") }
        unsafe chain = made
    }

    deinit { unsafe cipsecmb_chain_end(chain) }
}

extension IPsecMBChain {
    /// From an IV of zeros on, the first block becomes the encrypted counter, and is the IV of all that follows.
    func seal(_ parts: PacketParts, _ number: UInt64, _ algorithms: PacketAlgorithms) {
        var high = UInt32(truncatingIfNeeded: number &>> 32).bigEndian
        let isDone = unsafe withUnsafeBytes(of: &high) { high in
            unsafe cipsecmb_chain_seal(
                chain,
                parts.packet.assumingMemoryBound(to: UInt8.self),
                PacketProtection.headerByteCount,
                parts.authenticated.count,
                high.baseAddress?.assumingMemoryBound(to: UInt8.self),
                algorithms.usesESN ? high.count : 0,
                parts.icv.baseAddress?.assumingMemoryBound(to: UInt8.self),
                parts.icv.count
            ) == 1
        }
        precondition(isDone, "libipsec-mb encrypts a packet of whole blocks")
    }

    /// Whether the ICV is the packet's; where it is not, there is no plaintext.
    func open(_ parts: PacketParts, _ number: UInt64, _ algorithms: PacketAlgorithms) -> Bool {
        var high = UInt32(truncatingIfNeeded: number &>> 32).bigEndian
        var code = InlineArray<32, UInt8>(repeating: 0)
        let isGenuine = unsafe withUnsafeMutableBytes(of: &code) { code in
            let isDone = unsafe withUnsafeBytes(of: &high) { high in
                unsafe cipsecmb_chain_open(
                    chain,
                    parts.packet.assumingMemoryBound(to: UInt8.self),
                    PacketProtection.headerByteCount + parts.ivByteCount,
                    parts.authenticated.count,
                    high.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    algorithms.usesESN ? high.count : 0,
                    code.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    parts.icv.count
                ) == 1
            }
            precondition(isDone, "libipsec-mb decrypts a packet of whole blocks")
            return unsafe constantTimeEquals(
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: code[..<parts.icv.count])),
                RawSpan(_unsafeBytes: UnsafeRawBufferPointer(parts.icv))
            )
        }
        if isGenuine { return true }
        unsafe parts.body.initializeMemory(as: UInt8.self, repeating: 0)
        return false
    }
}

extension IntegrityAlgorithm {
    fileprivate var ofIPsecMB: cipsecmb_hash {
        switch self {
        case .hmacSHA1: cipsecmb_hmac_sha1
        case .hmacSHA256: cipsecmb_hmac_sha256
        case .hmacSHA384: cipsecmb_hmac_sha384
        case .hmacSHA512: cipsecmb_hmac_sha512
        }
    }
}

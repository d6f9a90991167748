import CIPsecMB
import COpenSSL

/// What libipsec-mb keeps of the key of one direction of a Child SA: a key schedule and the powers of the hash key, and
/// room to compute in.
@safe
struct IPsecMBContext: ~Copyable {
    private let key: UnsafeMutablePointer<cipsecmb_key>

    init(_ cipher: Cipher, encrypts: Bool, encryptionKey: borrowing SecretBytes) {
        let made = unsafe encryptionKey.bytes.withUnsafeBytes { key in
            unsafe cipsecmb_key_make(
                cipher.ofIPsecMB,
                encrypts ? 1 : 0,
                key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
        }
        guard let made = unsafe made else { preconditionFailure("there is memory for a key") }
        unsafe key = made
    }

    // The library's room is wiped with the key: keystream stands in it.
    deinit { unsafe cipsecmb_key_end(key) }
}

extension IPsecMBContext {
    @inline(__always)
    func seal(_ parts: PacketParts, _ number: UInt64, salt: UInt32, _ algorithms: PacketAlgorithms) {
        unsafe compute(parts, number, salt, algorithms, icv: parts.icv.baseAddress!)
    }

    /// Whether the ICV is the packet's; where it is not, there is no plaintext.
    @inline(__always)
    func open(_ parts: PacketParts, _ number: UInt64, salt: UInt32, _ algorithms: PacketAlgorithms) -> Bool {
        var code = (UInt64(0), UInt64(0))
        let isGenuine = unsafe withUnsafeMutableBytes(of: &code) { code in
            unsafe compute(parts, number, salt, algorithms, icv: code.baseAddress!)
            return unsafe cossl_equal(code.baseAddress, parts.icv.baseAddress, parts.icv.count) == 1
        }
        if isGenuine { return true }
        unsafe parts.body.initializeMemory(as: UInt8.self, repeating: 0)
        return false
    }

    @inline(__always)
    private func compute(
        _ parts: PacketParts,
        _ number: UInt64,
        _ salt: UInt32,
        _ algorithms: PacketAlgorithms,
        icv: UnsafeMutableRawPointer
    ) {
        var nonce = unsafe parts.nonce(salt, number, algorithms)
        unsafe withUnsafeBytes(of: &nonce) { nonce in
            guard algorithms.usesESN else {
                unsafe cipsecmb_compute(
                    key,
                    nonce.baseAddress,
                    parts.packet,
                    PacketProtection.headerByteCount,
                    parts.body.baseAddress,
                    parts.body.count,
                    icv,
                    parts.icv.count
                )
                return
            }
            var associated = unsafe parts.associatedWithESN(number)
            unsafe withUnsafeBytes(of: &associated) { associated in
                unsafe cipsecmb_compute(
                    key,
                    nonce.baseAddress,
                    associated.baseAddress,
                    PacketParts.associatedByteCountWithESN,
                    parts.body.baseAddress,
                    parts.body.count,
                    icv,
                    parts.icv.count
                )
            }
        }
    }
}

extension Cipher {
    fileprivate var ofIPsecMB: cipsecmb_cipher {
        switch self {
        case .aesGCM128, .aesGCM12With128, .aesGCM8With128: cipsecmb_aes_gcm_128
        case .aesGCM192, .aesGCM12With192, .aesGCM8With192: cipsecmb_aes_gcm_192
        case .aesGCM256, .aesGCM12With256, .aesGCM8With256: cipsecmb_aes_gcm_256
        case .chaCha20Poly1305: cipsecmb_chacha20_poly1305
        case .aesCBC128, .aesCBC192, .aesCBC256: preconditionFailure("libcrypto computes what is not AEAD")
        }
    }
}

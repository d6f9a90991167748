import COpenSSL
import Primitives

/// A certificate, parsed.
@safe
final class X509Certificate {
    let pointer: OpaquePointer
    /// Made when it is asked for, since libcrypto takes as long for it as for a signature.
    private(set) lazy var publicKeyDigest = unsafe SHA256Digest(ofPublicKey: X509_get0_pubkey(pointer))
    /// Nil for a key that makes none of the signatures that are known here.
    let key: SignatureKey?

    init(_ octets: [UInt8]) throws(CryptoError) {
        guard let pointer = unsafe cossl_certificate(octets, octets.count) else { throw .unusableCertificate }
        let publicKey = unsafe X509_get0_pubkey(pointer)
        guard unsafe publicKey != nil else {
            unsafe X509_free(pointer)
            ERR_clear_error()
            throw .unusableCertificate
        }
        unsafe self.pointer = pointer
        key = unsafe SignatureKey(publicKey!)
    }

    deinit { unsafe X509_free(pointer) }

    /// The SHA-1 of the SubjectPublicKeyInfo.
    func keyDigest() throws(CryptoError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA1Digest.byteCount)
        try require(unsafe cossl_key_digest(pointer, &digest))
        return digest
    }

    var subject: [UInt8] {
        var octets: UnsafeMutablePointer<UInt8>?
        let count = unsafe cossl_subject(pointer, &octets)
        defer { unsafe cossl_free_octets(octets) }
        return unsafe [UInt8](UnsafeBufferPointer(start: octets, count: Int(max(0, count))))
    }

    /// Whether the subject has this identity (RFC 4945 section 3.1): the body of an Identification payload.
    func isNamed(_ identification: [UInt8]) -> Bool {
        guard identification.count > 4 else { return false }
        let kind: cossl_name
        switch identification[0] {
        case 1, 5: kind = cossl_name_address
        case 2: kind = cossl_name_host
        case 3: kind = cossl_name_mailbox
        case 9: kind = cossl_name_distinguished
        default: return false
        }
        let name = identification[4...]
        return unsafe name.withUnsafeBufferPointer {
            unsafe cossl_is_named(pointer, kind, $0.baseAddress, $0.count) == 1
        }
    }

    func isGenuine(_ data: SignatureData, over octets: [UInt8]) -> Bool {
        var signature = data.signature
        if data.scheme.isRaw {
            guard let key, signature.count == key.signatureByteCount(data.scheme) else { return false }
            var structure = [UInt8](repeating: 0, count: SignatureKey.largestSignature)
            var count = structure.count
            guard unsafe cossl_ecdsa_from_raw(signature, signature.count, &structure, &count) == 1 else { return false }
            signature = Array(structure[..<count])
        }
        return unsafe cossl_verify(
            X509_get0_pubkey(pointer),
            data.scheme.hash.bitCount,
            data.scheme.isPSS ? 1 : 0,
            octets,
            octets.count,
            signature,
            signature.count
        ) == 1
    }
}

/// The authorities' certificates.
///
/// SAFETY of `@unchecked Sendable`: libcrypto locks its store, and nothing is added once its owner has it.
@safe
final class X509Store: @unchecked Sendable {
    private let pointer: OpaquePointer

    init() throws(CryptoError) {
        guard let pointer = unsafe cossl_store() else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe X509_STORE_free(pointer) }

    func add(_ certificate: X509Certificate) throws(CryptoError) {
        try require(unsafe X509_STORE_add_cert(pointer, certificate.pointer))
    }

    /// When a chain leads from the first certificate to an authority, the time within which all of it is valid.
    func validity(of chain: [X509Certificate]) -> ClosedRange<Int64>? {
        let others: [OpaquePointer?] = unsafe chain.dropFirst().map { unsafe $0.pointer }
        var (from, until) = (Int64(0), Int64(0))
        let isTrusted = unsafe others.withUnsafeBufferPointer {
            unsafe cossl_is_trusted(pointer, chain[0].pointer, $0.baseAddress, $0.count, &from, &until)
        }
        guard isTrusted == 1, unsafe cossl_may_sign(chain[0].pointer) == 1 else { return nil }
        // A chain whose certificates were never valid together is valid at no time.
        return from <= until ? from...until : Int64.max...Int64.max
    }
}

/// A private key, parsed.
@safe
final class SigningKey {
    let pointer: OpaquePointer
    let key: SignatureKey
    /// Made when it is asked for, as a certificate's is.
    private(set) lazy var publicKeyDigest = unsafe SHA256Digest(ofPublicKey: pointer)

    init(_ octets: [UInt8]) throws(CryptoError) {
        guard let pointer = unsafe cossl_private_key(octets, octets.count) else { throw .unusableCredential }
        guard let key = unsafe SignatureKey(pointer) else {
            unsafe EVP_PKEY_free(pointer)
            throw .unusableCredential
        }
        unsafe self.pointer = pointer
        self.key = key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    func sign(
        _ octets: [UInt8],
        _ scheme: SignatureScheme,
        randomness: borrowing SecretBytes
    ) throws(CryptoError) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: max(SignatureKey.largestSignature, key.signatureByteCount(scheme)))
        var count = signature.count
        let status = unsafe randomness.bytes.withUnsafeBytes { seed in
            unsafe cossl_sign(
                pointer,
                scheme.hash.bitCount,
                scheme.isPSS ? 1 : 0,
                octets,
                octets.count,
                seed.baseAddress?.assumingMemoryBound(to: UInt8.self),
                seed.count,
                &signature,
                &count
            )
        }
        try require(status)
        signature.removeLast(signature.count - count)
        guard scheme.isRaw else { return signature }
        var raw = [UInt8](repeating: 0, count: key.signatureByteCount(scheme))
        try require(unsafe cossl_ecdsa_to_raw(signature, signature.count, &raw, raw.count))
        return raw
    }
}

extension SignatureKey {
    /// Of the curves.
    fileprivate static var largestSignature: Int { 139 }

    fileprivate init?(_ key: OpaquePointer) {
        switch unsafe cossl_kind_of(key) {
        case cossl_key_rsa: self = .rsa(modulusByteCount: Int(unsafe EVP_PKEY_get_size(key)))
        case cossl_key_p256: self = .p256
        case cossl_key_p384: self = .p384
        case cossl_key_p521: self = .p521
        case cossl_key_ed25519: self = .ed25519
        default: return nil
        }
    }
}

extension SHA256Digest {
    fileprivate init(ofPublicKey key: OpaquePointer) {
        var digest = SHA256Digest()
        unsafe withUnsafeMutableBytes(of: &digest) {
            unsafe _ = cossl_public_key_digest(key, $0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        self = digest
    }

    /// The digest of byte strings one behind the other, the length of each in front of it.
    init(of pieces: [[UInt8]]) {
        var state = SHA256_CTX()
        var digest = SHA256Digest()
        unsafe SHA256_Init(&state)
        for piece in pieces {
            var count = UInt64(piece.count)
            unsafe _ = SHA256_Update(&state, &count, 8)
            unsafe _ = SHA256_Update(&state, piece, piece.count)
        }
        unsafe withUnsafeMutableBytes(of: &digest) {
            unsafe _ = SHA256_Final($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
        }
        self = digest
    }
}

import COpenSSL
import Primitives

/// A kind of key pair that can be made.
package enum NewKey: String, CaseIterable, Hashable, Sendable {
    case rsa2048, rsa3072, rsa4096
    case ecdsa256, ecdsa384, ecdsa521
    case ed25519

    fileprivate var kind: cossl_key_kind {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: cossl_key_rsa
        case .ecdsa256: cossl_key_p256
        case .ecdsa384: cossl_key_p384
        case .ecdsa521: cossl_key_p521
        case .ed25519: cossl_key_ed25519
        }
    }

    fileprivate var modulusBitCount: Int32 {
        switch self {
        case .rsa3072: 3072
        case .rsa4096: 4096
        default: 2048
        }
    }
}

/// What a new certificate says.
package struct CertificateTerms: Hashable, Sendable {
    package var organization: String
    package var commonName: String
    /// A subject alternative name, as in `email:user@example.org`.
    package var alternativeName: String?
    /// In seconds since 1970.
    package var validity: ClosedRange<Int64>
    package var serial: UInt64
    package var isAuthority = false

    package init(
        organization: String,
        commonName: String,
        alternativeName: String? = nil,
        validity: ClosedRange<Int64>,
        serial: UInt64,
        isAuthority: Bool = false
    ) {
        self.organization = organization
        self.commonName = commonName
        self.alternativeName = alternativeName
        self.validity = validity
        self.serial = serial
        self.isAuthority = isAuthority
    }
}

/// A certificate of a test's authority, with its private key.
///
/// SAFETY of `@unchecked Sendable`: neither changes once it is made, and libcrypto locks what it computes when first
/// asked.
@safe
package final class IssuedCertificate: @unchecked Sendable {
    private let key: OpaquePointer
    private let certificate: OpaquePointer

    /// Makes a key pair and a certificate for it, signed by an issuer or by itself; the same seed gives the same ones.
    package init(
        _ terms: CertificateTerms,
        key newKey: NewKey,
        by issuer: IssuedCertificate?,
        seed: [UInt8]
    ) throws(CryptoError) {
        guard let key = unsafe cossl_generate_key(newKey.kind, newKey.modulusBitCount, seed, seed.count) else {
            throw .libraryFailed
        }
        let issuerKey = unsafe issuer?.key ?? key
        let issuerCertificate = unsafe issuer?.certificate
        let certificate = unsafe Self.certificate(terms, key, issuerCertificate, issuerKey, seed)
        guard let certificate = unsafe certificate else {
            unsafe EVP_PKEY_free(key)
            throw .libraryFailed
        }
        unsafe self.key = key
        unsafe self.certificate = certificate
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// X.509, in DER.
    package var octets: [UInt8] {
        var der: UnsafeMutablePointer<UInt8>?
        let count = unsafe cossl_encode_certificate(certificate, &der)
        return unsafe Self.take(der, count)
    }

    /// PKCS #8, in DER.
    package var privateKey: [UInt8] {
        var der: UnsafeMutablePointer<UInt8>?
        let count = unsafe cossl_encode_private_key(key, &der)
        return unsafe Self.take(der, count)
    }

    private static func take(_ der: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> [UInt8] {
        defer { unsafe cossl_free_octets(der) }
        return unsafe [UInt8](UnsafeBufferPointer(start: der, count: Int(max(0, count))))
    }

    private static func certificate(
        _ terms: CertificateTerms,
        _ key: OpaquePointer,
        _ issuer: OpaquePointer?,
        _ issuerKey: OpaquePointer,
        _ seed: [UInt8]
    ) -> OpaquePointer? {
        unsafe terms.organization.withCString { organization in
            unsafe terms.commonName.withCString { commonName in
                unsafe (terms.alternativeName ?? "").withCString { alternativeName in
                    var values = unsafe cossl_terms(
                        organization: organization,
                        common_name: commonName,
                        alternative_name: terms.alternativeName == nil ? nil : alternativeName,
                        valid_from: terms.validity.lowerBound,
                        valid_until: terms.validity.upperBound,
                        serial: terms.serial,
                        is_authority: terms.isAuthority ? 1 : 0
                    )
                    return unsafe cossl_issue(&values, key, issuer, issuerKey, seed, seed.count)
                }
            }
        }
    }
}

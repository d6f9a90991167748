import Primitives

/// A private key, and the certificates that say whose it is: the owner's first, then those that lead to an authority.
///
/// Plain octets, shared by all workers; each parses a key once and keeps it.
package final class Credential: Sendable {
    package let certificates: [[UInt8]]
    let privateKey: [UInt8]
    /// By which a worker finds the parsed key.
    let digest: SHA256Digest

    /// - Parameters:
    ///   - privateKey: PKCS #8, or the key's own structure, in DER.
    ///   - certificates: X.509 in DER.
    package init(privateKey: [UInt8], certificates: [[UInt8]]) {
        precondition(!certificates.isEmpty, "a credential has a certificate")
        self.privateKey = privateKey
        self.certificates = certificates
        digest = SHA256Digest(of: [privateKey])
    }

    /// The subject of the owner's certificate as an Identification payload holds it (ID_DER_ASN1_DN).
    package func subject() throws(CryptoError) -> [UInt8] { try X509Certificate(certificates[0]).subject }

    /// Throws unless the key and the certificates can be read and are each other's.
    package func validate() throws(CryptoError) {
        let key = try SigningKey(privateKey)
        for certificate in certificates { _ = try X509Certificate(certificate) }
        let owner = try X509Certificate(certificates[0])
        guard key.publicKeyDigest == owner.publicKeyDigest else { throw .unusableCredential }
    }
}

/// The authorities whose certificates are believed.
package final class TrustAnchors: Sendable {
    /// What a CERTREQ payload lists: the SHA-1 of each authority's SubjectPublicKeyInfo (RFC 7296 section 3.7).
    package let keyDigests: [UInt8]
    let store: X509Store
    let digest: SHA256Digest

    /// - Parameter certificates: X.509 in DER.
    package init(_ certificates: [[UInt8]]) throws(CryptoError) {
        let store = try X509Store()
        var digests: [UInt8] = []
        for octets in certificates {
            let certificate = try X509Certificate(octets)
            try store.add(certificate)
            digests += try certificate.keyDigest()
        }
        self.store = store
        keyDigests = digests
        digest = SHA256Digest(of: certificates)
    }
}

/// Why a peer that brought certificates is believed, or is not.
package enum PeerProof: Hashable, Sendable, BitwiseCopyable {
    case genuine
    /// The signature is not that of the certificate's key over what the peer should have signed.
    case notAuthentic
    /// No chain leads to an authority that is believed, or the certificate is not for signatures.
    case untrusted
    /// The chain is not valid at this time: not any more, or not yet.
    case expired
    /// The certificate is somebody else's (RFC 4945 section 3.1).
    case wrongName
}

/// A signature that a machine asks its driver for.
package struct SignatureRequest: ~Copyable, Sendable {
    package let credential: Credential
    /// What may be used, best first.
    package let schemes: [SignatureScheme]
    package let peerHashes: SignatureHashes
    /// What is signed (RFC 7296 section 2.15).
    package let octets: [UInt8]
    /// What all chance of the operation follows from: ECDSA's k, the salt of PSS.
    package let randomness: SecretBytes

    package init(
        credential: Credential,
        schemes: [SignatureScheme],
        peerHashes: SignatureHashes,
        octets: [UInt8],
        randomness: consuming SecretBytes
    ) {
        self.credential = credential
        self.schemes = schemes
        self.peerHashes = peerHashes
        self.octets = octets
        self.randomness = randomness
    }

    package static let randomByteCount = 32
}

/// A check of a peer's certificates and signature that a machine asks its driver for.
package struct VerificationRequest: Sendable {
    /// As the peer sent them, its own first.
    package var certificates: [[UInt8]]
    package var anchors: TrustAnchors
    /// The time, in seconds since 1970.
    package var time: Int64
    /// Who the peer says it is: the body of its Identification payload.
    package var identification: [UInt8]
    package var data: SignatureData
    package var octets: [UInt8]

    package init(
        certificates: [[UInt8]],
        anchors: TrustAnchors,
        time: Int64,
        identification: [UInt8],
        data: SignatureData,
        octets: [UInt8]
    ) {
        self.certificates = certificates
        self.anchors = anchors
        self.time = time
        self.identification = identification
        self.data = data
        self.octets = octets
    }
}

/// A signature, and by how much it is shorter than others of its key may be.
package struct Signature: Hashable, Sendable {
    package var scheme: SignatureScheme
    package var octets: [UInt8]
    /// ECDSA's structures differ in length; a message that is padded by so much is as long as any (RFC 3279).
    package var missingByteCount: Int
}

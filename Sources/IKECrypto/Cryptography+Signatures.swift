import Primitives

/// What one worker has parsed already: private keys, and chains with what came of them.
///
/// A place is taken by whoever comes last; no result depends on what is in it.
final class ParsedCredentials {
    private var keys: [(digest: SHA256Digest, key: SigningKey)?] = []
    private var chains: [ParsedChain?] = []

    func key(of credential: Credential) throws(CryptoError) -> SigningKey {
        let place = Self.place(of: credential.digest)
        if keys.isEmpty { keys = Array(repeating: nil, count: Self.count) }
        if let known = keys[place], known.digest == credential.digest { return known.key }
        let key = try SigningKey(credential.privateKey)
        keys[place] = (credential.digest, key)
        return key
    }

    /// The chain, or nil when a certificate of it cannot be read.
    func chain(_ certificates: [[UInt8]], _ anchors: TrustAnchors) -> ParsedChain? {
        let digest = SHA256Digest(of: certificates)
        let place = Self.place(of: digest)
        if chains.isEmpty { chains = Array(repeating: nil, count: Self.count) }
        if let known = chains[place], known.digest == digest, known.anchors == anchors.digest { return known }
        guard let chain = try? ParsedChain(certificates, digest: digest, anchors) else { return nil }
        chains[place] = chain
        return chain
    }

    private static let count = 256

    private static func place(of digest: SHA256Digest) -> Int { Int(digest.words[0] % UInt64(count)) }
}

/// A peer's certificates, parsed, and whether they lead to an authority.
struct ParsedChain {
    let digest: SHA256Digest
    let anchors: SHA256Digest
    let leaf: X509Certificate
    /// Nil: nobody vouches for it.
    let validity: ClosedRange<Int64>?

    init(_ certificates: [[UInt8]], digest: SHA256Digest, _ anchors: TrustAnchors) throws(CryptoError) {
        var chain: [X509Certificate] = []
        for certificate in certificates { chain.append(try X509Certificate(certificate)) }
        guard let leaf = chain.first else { throw .unusableCertificate }
        self.leaf = leaf
        self.digest = digest
        self.anchors = anchors.digest
        validity = anchors.store.validity(of: chain)
    }
}

extension Cryptography {
    /// Signs with the best scheme that both ends know.
    borrowing func perform(_ request: consuming SignatureRequest) -> KeyExchangeResult {
        do throws(CryptoError) {
            let key = try credentials.key(of: request.credential)
            guard
                let scheme = SignatureScheme.choose(
                    from: request.schemes,
                    key: key.key,
                    peerHashes: request.peerHashes
                )
            else { throw .noCommonSignature }
            let most = key.key.signatureByteCount(scheme)
            let octets: [UInt8]
            switch backend {
            case .openSSL: octets = try key.sign(request.octets, scheme, randomness: request.randomness)
            case .modelled:
                octets = ModelledHash.signature(key.publicKeyDigest, scheme, over: request.octets, byteCount: most)
            }
            return .signed(Signature(scheme: scheme, octets: octets, missingByteCount: most - octets.count))
        } catch {
            return .refused(error)
        }
    }

    /// Checks who the certificates are for, who vouches for them, until when, and what was signed with their key.
    borrowing func perform(_ request: VerificationRequest) -> KeyExchangeResult {
        .verified(proof(request))
    }

    /// The certificate whose key should have signed; nil where the certificates settle it, or no key can have.
    borrowing func trustedLeaf(of request: VerificationRequest) -> X509Certificate? {
        guard let chain = credentials.chain(request.certificates, request.anchors),
            let validity = chain.validity, validity.contains(request.time),
            chain.leaf.isNamed(request.identification),
            let key = chain.leaf.key, request.data.scheme.fits(key)
        else { return nil }
        return chain.leaf
    }

    private borrowing func proof(_ request: VerificationRequest) -> PeerProof {
        guard let chain = credentials.chain(request.certificates, request.anchors) else { return .untrusted }
        guard let validity = chain.validity else { return .untrusted }
        guard validity.contains(request.time) else { return .expired }
        guard chain.leaf.isNamed(request.identification) else { return .wrongName }
        guard let key = chain.leaf.key, request.data.scheme.fits(key) else { return .notAuthentic }
        switch backend {
        case .openSSL:
            return chain.leaf.isGenuine(request.data, over: request.octets) ? .genuine : .notAuthentic
        case .modelled:
            let expected = ModelledHash.signature(
                chain.leaf.publicKeyDigest,
                request.data.scheme,
                over: request.octets,
                byteCount: key.signatureByteCount(request.data.scheme)
            )
            return expected == request.data.signature ? .genuine : .notAuthentic
        }
    }
}

extension ModelledHash {
    /// Stands for a signature: whoever knows the public key can make it.
    fileprivate static func signature(
        _ publicKey: SHA256Digest,
        _ scheme: SignatureScheme,
        over octets: [UInt8],
        byteCount: Int
    ) -> [UInt8] {
        var hash = ModelledHash(.hmacSHA256, key: publicKey.octets.rawSpan)
        var signature = [UInt8](repeating: 0, count: byteCount)
        let name = [0xFF, scheme.rawValue]
        unsafe signature.withUnsafeMutableBytes {
            unsafe hash.expand(.hmacSHA256, name.rawSpan, octets.rawSpan, RawSpan(), into: $0)
        }
        return signature
    }
}

import IKECrypto
import IKEv2
import Primitives

/// An authority of the tests', and what it vouches for.
struct TestAuthority: Sendable {
    let root: IssuedCertificate
    let intermediate: IssuedCertificate

    /// Virtual time begins here, in 2027.
    static let epoch: Int64 = 1_800_000_000
    static let validity = epoch - 100_000_000...epoch + 100_000_000

    /// Whom everybody believes.
    static let ours = try! TestAuthority("ours")
    /// Whom nobody believes.
    static let other = try! TestAuthority("other")

    init(_ name: String) throws(CryptoError) {
        func terms(_ commonName: String) -> CertificateTerms {
            CertificateTerms(
                organization: name,
                commonName: commonName,
                validity: Self.validity,
                serial: 1,
                isAuthority: true
            )
        }
        root = try IssuedCertificate(terms("root"), key: .ecdsa256, by: nil, seed: Array(name.utf8))
        intermediate = try IssuedCertificate(
            terms("intermediate"),
            key: .ecdsa256,
            by: root,
            seed: Array((name + " intermediate").utf8)
        )
    }

    var anchors: TrustAnchors { try! TrustAnchors([root.octets]) }

    func credential(
        _ key: NewKey,
        _ alternativeName: String,
        validity: ClosedRange<Int64> = Self.validity,
        sendsChain: Bool = true,
        hasOwnKey: Bool = true
    ) -> Credential {
        let terms = CertificateTerms(
            organization: "tests",
            commonName: "end",
            alternativeName: alternativeName,
            validity: validity,
            serial: 3
        )
        let seed = Array(alternativeName.utf8)
        let issued = try! IssuedCertificate(terms, key: key, by: intermediate, seed: seed)
        let signer = hasOwnKey ? issued : try! IssuedCertificate(terms, key: key, by: nil, seed: [1])
        let chain = sendsChain ? [issued.octets, intermediate.octets] : [issued.octets]
        return Credential(privateKey: signer.privateKey, certificates: chain)
    }
}

/// What an end shows.
enum TestProof: Sendable, CustomStringConvertible {
    case sharedKey
    case signature(NewKey, [SignatureScheme] = SignatureScheme.standard)

    var description: String {
        switch self {
        case .sharedKey: "a shared key"
        case .signature(let key, let schemes):
            schemes == SignatureScheme.standard
                ? "\(key)" : "\(key) by \(schemes.map { "\($0)" }.joined(separator: ", "))"
        }
    }

    fileprivate var schemes: [SignatureScheme]? {
        switch self {
        case .sharedKey: nil
        case .signature(_, let schemes): schemes
        }
    }

    fileprivate func credentials(_ name: String) -> [Credential] {
        switch self {
        case .sharedKey: []
        case .signature(let key, _): [TestAuthority.ours.credential(key, name)]
        }
    }
}

extension PeerPolicy {
    /// A client that proves itself in one way, and wants the gateway to do so in another.
    static func client(
        by proof: TestProof,
        to peer: TestProof,
        _ change: (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .client { values in
            values.authentication.credentials = proof.credentials("email:user00001@example.org")
            values.expect(peer, proof)
            change(&values)
        }
    }

    static func gateway(
        by proof: TestProof,
        to peer: TestProof,
        _ change: (inout Values) -> Void = { _ in }
    ) -> PeerPolicy {
        .gateway { values in
            values.authentication.credentials = proof.credentials("DNS:gw.example.org")
            values.expect(peer, proof)
            change(&values)
        }
    }
}

extension PeerPolicy.Values {
    fileprivate mutating func expect(_ peer: TestProof, _ own: TestProof) {
        authentication.epoch = TestAuthority.epoch
        if let schemes = peer.schemes {
            authentication.acceptsSharedKey = false
            authentication.anchors = TestAuthority.ours.anchors
            authentication.schemes = schemes
        }
        if let schemes = own.schemes { authentication.schemes = schemes }
    }
}

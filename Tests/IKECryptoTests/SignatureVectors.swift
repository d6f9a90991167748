import Foundation
import IKECrypto
import Testing

/// A published signature, with the key that made it.
struct SignatureVector: Sendable, CustomTestStringConvertible {
    var name: String
    var scheme: SignatureScheme
    var credential: Credential
    var message: [UInt8]
    var signature: [UInt8]

    var testDescription: String { name }

    /// The head of the file says where they come from.
    static let all: [SignatureVector] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/signatures.txt").path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            preconditionFailure("the vectors stand beside the tests: \(path)")
        }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.components(separatedBy: " | ")
            return SignatureVector(
                name: cells[0],
                scheme: SignatureScheme.allCases.first { "\($0)" == cells[1] }!,
                credential: Credential(privateKey: hex(cells[2]), certificates: [hex(cells[3])]),
                message: hex(cells[4]),
                signature: hex(cells[5])
            )
        }
    }()
}

/// A test's authority and what it vouches for.
struct Authority {
    let certificate: IssuedCertificate
    let key: NewKey

    /// From 2020 to 2040.
    static let validity: ClosedRange<Int64> = 1_577_836_800...2_208_988_800
    static let now: Int64 = 1_800_000_000

    init(_ key: NewKey = .ecdsa256, name: String = "authority", by issuer: Authority? = nil) throws {
        let terms = CertificateTerms(
            organization: "test",
            commonName: name,
            validity: Self.validity,
            serial: 1,
            isAuthority: true
        )
        certificate = try IssuedCertificate(terms, key: key, by: issuer?.certificate, seed: Array(name.utf8))
        self.key = key
    }

    func credential(
        _ key: NewKey,
        alternativeName: String? = "email:user@example.org",
        validity: ClosedRange<Int64> = Self.validity,
        chain: [Authority] = []
    ) throws -> Credential {
        let terms = CertificateTerms(
            organization: "test",
            commonName: "user",
            alternativeName: alternativeName,
            validity: validity,
            serial: 2
        )
        let issued = try IssuedCertificate(terms, key: key, by: certificate, seed: Array("user".utf8))
        return Credential(
            privateKey: issued.privateKey,
            certificates: [issued.octets] + chain.map(\.certificate.octets)
        )
    }

    var anchors: TrustAnchors { get throws { try TrustAnchors([certificate.octets]) } }
}

/// One worker's cryptography.
final class Worker {
    let cryptography: Cryptography

    init(_ backend: CryptoBackend = .openSSL) throws {
        cryptography = try IKECryptoTests.cryptography(backend)
    }

    func sign(
        _ credential: Credential,
        _ schemes: [SignatureScheme],
        hashes: SignatureHashes = SignatureHashes(rawValue: .max),
        _ octets: [UInt8],
        randomness: UInt8 = 7
    ) -> Signature? {
        let request = SignatureRequest(
            credential: credential,
            schemes: schemes,
            peerHashes: hashes,
            octets: octets,
            randomness: [UInt8](repeating: randomness, count: SignatureRequest.randomByteCount).secret
        )
        switch cryptography.perform(.sign(request)) {
        case .signed(let signature): return signature
        default: return nil
        }
    }

    func verify(
        _ data: SignatureData,
        over octets: [UInt8],
        _ certificates: [[UInt8]],
        _ anchors: TrustAnchors,
        at time: Int64 = Authority.now,
        as identification: [UInt8] = mailbox("user@example.org")
    ) -> PeerProof? {
        let request = VerificationRequest(
            certificates: certificates,
            anchors: anchors,
            time: time,
            identification: identification,
            data: data,
            octets: octets
        )
        switch cryptography.perform(.verify(request)) {
        case .verified(let proof): return proof
        default: return nil
        }
    }
}

/// The body of an Identification payload.
func mailbox(_ text: String) -> [UInt8] { [3, 0, 0, 0] + Array(text.utf8) }

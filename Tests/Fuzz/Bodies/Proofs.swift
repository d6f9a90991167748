import IKECrypto
import Primitives

/// Takes any octets as a proof: a method, how long the AUTH data is, that data, and a certificate behind it.
///
/// The one authority that is believed vouches for nobody, so that no input may pass.
package func fuzzProof(_ input: [UInt8]) {
    guard input.count > 2 else { return }
    let end = min(input.count, 2 + Int(input[1]))
    guard let data = SignatureData(method: input[0], input.rawSpan.extracting(2..<end)) else { return }
    let again = SignatureData(method: data.scheme.method, data.octets.rawSpan)
    precondition(again == data, "AUTH data that was written is read")
    let request = VerificationRequest(
        certificates: [Array(input[end...])],
        anchors: anchors,
        time: 1_800_000_000,
        identification: [3, 0, 0, 0] + Array("user@example.org".utf8),
        data: data,
        octets: [1, 2, 3]
    )
    switch cryptography.value.perform(.verify(request)) {
    case .verified(let proof): precondition(proof != .genuine, "nobody is believed without an authority")
    default: preconditionFailure("a request for a verdict is answered with one")
    }
}

private let anchors: TrustAnchors = {
    let terms = CertificateTerms(
        organization: "fuzz",
        commonName: "authority",
        validity: 0...4_000_000_000,
        serial: 1,
        isAuthority: true
    )
    do {
        return try TrustAnchors([try IssuedCertificate(terms, key: .ed25519, by: nil, seed: [1]).octets])
    } catch {
        preconditionFailure("an authority can be made: \(error)")
    }
}()

/// One worker's, for the only thread that there is.
private struct Holder: ~Copyable, @unchecked Sendable {
    let value: Cryptography

    init() {
        do throws(CryptoError) {
            value = try Cryptography(backend: .openSSL, seed: [UInt8](repeating: 0, count: 32).rawSpan)
        } catch {
            preconditionFailure("libcrypto has what it needs: \(error)")
        }
    }
}

private let cryptography = Holder()

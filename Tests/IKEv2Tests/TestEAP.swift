import EAP
import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// A method of EAP, and what both ends have for it.
enum TestEAP: CaseIterable, CustomStringConvertible {
    case md5Challenge, gtc, mschapv2, tls

    var description: String { "\(type)" }

    var type: EAPType {
        switch self {
        case .md5Challenge: .md5Challenge
        case .gtc: .gtc
        case .mschapv2: .mschapv2
        case .tls: .tls
        }
    }

    func method(of role: TLSRole) -> EAPPolicy.Method {
        switch self {
        case .md5Challenge: .md5Challenge
        case .gtc: .gtc
        case .mschapv2: .mschapv2
        case .tls: .tls([role == .client ? Self.client : Self.server])
        }
    }

    private static let client = configuration(.client, "email:user00001@example.org")
    private static let server = configuration(.server, "DNS:gw.example.org")

    static func configuration(
        _ role: TLSRole,
        _ name: String,
        validity: ClosedRange<Int64> = TestAuthority.validity
    ) -> TLSConfiguration {
        let terms = CertificateTerms(
            organization: "tests",
            commonName: "end",
            alternativeName: name,
            validity: validity,
            serial: 3
        )
        let authority = TestAuthority.ours
        let issued = try! IssuedCertificate(terms, key: .ecdsa256, by: authority.intermediate, seed: Array(name.utf8))
        let chain = [issued.octets, authority.intermediate.octets].map { PEM.text("CERTIFICATE", $0) }.joined()
        return try! TLSConfiguration(
            role: role,
            chain: Array(chain.utf8),
            key: Array(PEM.text("PRIVATE KEY", issued.privateKey).utf8),
            trustAnchors: Array(PEM.text("CERTIFICATE", authority.root.octets).utf8)
        )
    }
}

extension PeerPolicy {
    /// A client that shows by EAP who it is, with the password "secret" where there is one.
    static func client(eap method: TestEAP, _ change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        .client { values in
            var eap = EAPPolicy(methods: [method.method(of: .client)])
            eap.password = Array("secret".utf8)
            values.authentication.eap = eap
            values.authentication.epoch = TestAuthority.epoch
            change(&values)
        }
    }

    /// A gateway that wants EAP, and shows by the shared key who it is.
    static func gateway(eap methods: TestEAP..., change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        .gateway { values in
            var eap = EAPPolicy(methods: methods.map { $0.method(of: .server) })
            eap.password = Array("secret".utf8)
            values.authentication.eap = eap
            values.authentication.acceptsSharedKey = false
            values.authentication.epoch = TestAuthority.epoch
            change(&values)
        }
    }
}

extension Network {
    /// Gives the responder the answer of the server behind it.
    func give(_ answer: consuming BackendAnswer) {
        turn.now = now
        responder?.take(answer, under: policies[1], &turn)
        settle(.responder)
    }

    /// The octets of each EAP packet that was sent, by whom.
    func packets(from side: Side) -> [[UInt8]] {
        wire.filter { $0.from == side && $0.note.operation == .eap }.compactMap { flight in
            guard let content = ring.open(flight.message, turn) else { return nil }
            var payloads = PayloadSequence(
                first: content.first,
                bytes: content.octets.rawSpan.extracting(content.range)
            )
            while let payload = try? payloads.next() {
                if payload.type == .eap { return payload.body.copied() }
            }
            return nil
        }
    }
}

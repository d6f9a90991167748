import Foundation
import GatewayRig
import Testing

/// The reverse of the other tests: somebody else's initiator, and our responder on UDP.
@Suite("strongSwan's initiators and our responder", .serialized)
struct CharonInitiatorTests {
    /// A way in which both ends authenticate, and how charon says that it has been gone.
    struct Case: CustomTestStringConvertible {
        let name: String
        /// The kind of the certificates' keys; without one there is a pre-shared key.
        var key: String?
        /// The client's proof and the gateway's, in swanctl's words; what the certificates say unless told.
        var proofs: (client: String, gateway: String)?
        var knobs: [String: String] = [:]
        /// What our responder signs with and takes: everything but SHA-1 unless said.
        var signatures: String?
        /// The body of our responder's `eap`.
        var eap: String?
        /// How charon says that it has believed our responder, and that it has proved itself.
        let believed: String
        let proved: String

        /// Whether it is our responder that asks for life when nothing is said: only one end ever does.
        var isAskedByUs: Bool { eap != nil }
        var testDescription: String { name }
    }

    private static let older = ["SIGNATURE_AUTHENTICATION": "no"]
    private static let password = "password: test-only"

    private static func signed(
        _ name: String,
        _ key: String,
        ours: String,
        theirs: String,
        signatures: String? = nil,
        knobs: [String: String] = [:]
    ) -> Case {
        Case(
            name: name,
            key: key,
            knobs: knobs,
            signatures: signatures,
            believed: "authentication of 'gw.example.org' with \(ours) successful",
            proved: "authentication of 'user-1@example.org' (myself) with \(theirs)"
        )
    }

    private static func eap(_ method: String, _ settings: String = password) -> Case {
        Case(
            name: "EAP \(method)",
            key: "ecdsa256",
            proofs: (client: "eap-\(method)", gateway: "pubkey"),
            eap: "method: \(method), \(settings)",
            believed: "authentication of 'gw.example.org' with ECDSA_WITH_SHA256_DER successful",
            proved: "EAP method EAP_\(method.uppercased()) succeeded"
        )
    }

    static let cases =
        [
            Case(
                name: "PSK",
                believed: "authentication of 'gw.example.org' with pre-shared key successful",
                proved: "authentication of 'user-1@example.org' (myself) with pre-shared key"
            ),
            signed(
                "RSA PSS",
                "rsa2048",
                ours: "RSA_EMSA_PSS_SHA2_256_SALT_32",
                theirs: "RSA_EMSA_PSS_SHA2_256_SALT_32",
                knobs: ["RSA_PSS": "yes"]
            ),
            signed(
                "RSA v1.5",
                "rsa2048",
                ours: "RSA_EMSA_PKCS1_SHA2_256",
                theirs: "RSA_EMSA_PKCS1_SHA2_256",
                signatures: "[rsa-pkcs1-sha256, rsa-pkcs1-sha384]"
            ),
            signed(
                "RSA, the older method",
                "rsa2048",
                ours: "RSA signature",
                theirs: "RSA signature",
                signatures: "[rsa-sha1]",
                knobs: older
            ),
            signed("ECDSA P-256", "ecdsa256", ours: "ECDSA_WITH_SHA256_DER", theirs: "ECDSA_WITH_SHA256_DER"),
            signed("ECDSA P-384", "ecdsa384", ours: "ECDSA_WITH_SHA384_DER", theirs: "ECDSA_WITH_SHA384_DER"),
            signed("ECDSA P-521", "ecdsa521", ours: "ECDSA_WITH_SHA512_DER", theirs: "ECDSA_WITH_SHA512_DER"),
        ]
        + zip(["256", "384", "521"], ["p256", "p384", "p521"]).map { size, name in
            signed(
                "ECDSA \(name), the older method",
                "ecdsa\(size)",
                ours: "ECDSA-\(size) signature",
                theirs: "ECDSA-\(size) signature",
                signatures: "[ecdsa-\(name)]",
                knobs: older
            )
        }
        + [
            signed("Ed25519", "ed25519", ours: "ED25519", theirs: "ED25519"),
            eap("md5"), eap("gtc"), eap("mschapv2"), eap("tls", "CREDENTIALS"),
            Case(
                name: "EAP tls alone",
                key: "ecdsa256",
                proofs: (client: "eap-tls", gateway: "eap-tls"),
                eap: "method: tls, only: true, CREDENTIALS",
                believed: "authentication of 'gw.example.org' with EAP successful",
                proved: "EAP method EAP_TLS succeeded"
            ),
        ]

    @Test(
        "they authenticate, both ends rekey Child SAs and IKE SAs and ask for life, one moves, and either end deletes",
        arguments: cases
    )
    func lives(_ values: Case) throws {
        let pki = try values.key.map { try TestPKI($0, hasIntermediate: $0 == "ed25519", clients: 2) }
        let rig = try Rig(knobs: Self.knobs(values, pki))
        let folder = try TemporaryFolder()
        let file = folder.path + "/workload.yaml"
        try Self.workload(values, pki).text.write(toFile: file, atomically: true, encoding: .utf8)
        let responder = try rig.start(
            [Rig.ikestorm, "gateway", file, "--address", Rig.gatewayAddress]
                + ["--allow", "10.99.0.0/16", "--allow", "10.98.1.1/32"],
            on: .gateway
        )
        try responder.waitUntilReady()
        let clients = try RealClients.start(in: rig)
        for client in 1...2 { try clients.initiate(client) }
        let first = try clients.associations()
        #expect(first.map(\.state) == ["ESTABLISHED", "ESTABLISHED"])

        // Theirs, and ours by our lifetimes.
        try clients.waitForLog(
            values.isAskedByUs ? #/parsed INFORMATIONAL request \d+ \[ \]/# : #/sending DPD request/#,
            times: 2
        )
        try clients.rekeyChildSAs()
        for client in 1...2 { try clients.rekeyIKESA(client) }
        let second = try clients.associations()
        #expect(Set(second.map(\.initiatorSPI)).isDisjoint(with: first.map(\.initiatorSPI)))
        #expect(Set(Self.installed(second)).isDisjoint(with: Self.installed(first)))
        #expect(Self.installed(second).count == 2)
        try clients.waitForLog(#/parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\) SA No/#, times: 2)
        try clients.waitForLog(#/parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]/#, times: 2)

        try clients.leaveAddress()
        let moved = try clients.waitForAssociations { all in
            all.count == 2 && all.contains { $0.localAddress == Rig.clientAddress }
                && all.allSatisfy { $0.state == "ESTABLISHED" }
        }
        #expect(moved.map(\.localAddress).sorted() == [Rig.clientAddress, "10.99.0.2"])

        try clients.terminate(1)
        let left = try clients.waitForAssociations { $0.map(\.connection) == ["client-2"] }
        #expect(left.map(\.connection) == ["client-2"])
        responder.interrupt()
        let outcome = try responder.wait(atMost: 20)
        #expect(outcome.errors.contains("served 2 IKE SAs"), "\(outcome.errors)")
        #expect(try clients.waitForAssociations { $0.isEmpty } == [])
        let log = try clients.log()
        #expect(log.contains("received DELETE for IKE_SA client-2"))
        #expect(log.contains("parsed INFORMATIONAL request") && log.contains("N(UPD_SA_ADDR)"))
        #expect(log.contains(values.believed), "\(log.suffix(4000))")
        #expect(log.contains(values.proved), "\(log.suffix(4000))")
        #expect(!log.contains("giving up after"))
    }

    private static func knobs(_ values: Case, _ pki: TestPKI?) -> [String: String] {
        var knobs = values.knobs.merging([
            "CLIENTS": "2", "DPD_DELAY": values.isAskedByUs ? "0s" : "1s",
            "IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519",
            "ESP_PROPOSALS": "aes256gcm16-x25519",
        ]) { $1 }
        if let pki { knobs["PKI"] = pki.folder }
        if let proofs = values.proofs { (knobs["LOCAL_AUTH"], knobs["REMOTE_AUTH"]) = (proofs.client, proofs.gateway) }
        return knobs
    }

    private static func workload(_ values: Case, _ pki: TestPKI?) -> LiveWorkload {
        var parts = LiveWorkload()
        parts.gatewayLifetimes =
            "{ ike: { rekey: 4s, jitter: 0%, over: 1m }, child: { rekey: 3s, jitter: 0%, over: 1m } }"
        parts.policy = "pool: [10.128.0.0/10]\n      mobike: true"
        if values.isAskedByUs { parts.policy += "\n      liveness: { every: 1s }" }
        parts.fragmentation = "standard"
        guard let pki else { return parts }
        let credentials = "certificates: \(pki.folder)/gateway.pem, authorities: \(pki.folder)/ca.pem"
        let signatures = values.signatures.map { ", signatures: \($0)" } ?? ""
        let eap = values.eap.map { ", eap: { \($0.replacing("CREDENTIALS", with: credentials)) }" } ?? ""
        parts.gatewayAuthentication = "{ \(credentials)\(signatures)\(eap) }"
        return parts
    }

    private static func installed(_ associations: [ListedIKESA]) -> [UInt32] {
        associations.flatMap(\.children).filter { $0.state == "INSTALLED" }.map(\.inboundSPI)
    }
}

import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("Certificates and strongSwan", .serialized)
struct CertificateTests {
    /// A kind of key, and how strongSwan calls its signatures.
    struct Case: CustomTestStringConvertible {
        let key: String
        var hasIntermediate = false
        var signatures: String?
        var knobs: [String: String] = [:]
        let ours: String
        let theirs: String
        var testDescription: String { "\(key)\(signatures.map { ", \($0)" } ?? "")" }
    }

    private static let cases = [
        Case(key: "rsa2048", ours: "RSA_EMSA_PSS_SHA2_256_SALT_32", theirs: "RSA_EMSA_PKCS1_SHA2_256"),
        Case(
            key: "rsa2048",
            signatures: "[rsa-pkcs1-sha512, rsa-pss-sha512]",
            knobs: ["RSA_PSS": "yes"],
            ours: "RSA_EMSA_PKCS1_SHA2_512",
            theirs: "RSA_EMSA_PSS_SHA2_512_SALT_64"
        ),
        Case(
            key: "rsa2048",
            signatures: "[rsa-sha1]",
            knobs: ["SIGNATURE_AUTHENTICATION": "no"],
            ours: "RSA signature",
            theirs: "RSA signature"
        ),
        Case(key: "ecdsa256", hasIntermediate: true, ours: "ECDSA_WITH_SHA256_DER", theirs: "ECDSA_WITH_SHA256_DER"),
        Case(
            key: "ecdsa256",
            signatures: "[ecdsa-p256]",
            knobs: ["SIGNATURE_AUTHENTICATION": "no"],
            ours: "ECDSA-256 signature",
            theirs: "ECDSA-256 signature"
        ),
        Case(key: "ecdsa384", ours: "ECDSA_WITH_SHA384_DER", theirs: "ECDSA_WITH_SHA384_DER"),
        Case(key: "ecdsa521", ours: "ECDSA_WITH_SHA512_DER", theirs: "ECDSA_WITH_SHA512_DER"),
        Case(
            key: "ecdsa521",
            signatures: "[ecdsa-p521]",
            knobs: ["SIGNATURE_AUTHENTICATION": "no"],
            ours: "ECDSA-521 signature",
            theirs: "ECDSA-521 signature"
        ),
        Case(key: "ed25519", hasIntermediate: true, ours: "ED25519", theirs: "ED25519"),
    ]

    @Test("our initiators and the gateway authenticate by certificates of every kind of key", arguments: cases)
    func initiates(_ values: Case) throws {
        let pki = try TestPKI(values.key, hasIntermediate: values.hasIntermediate, clients: 10)
        let gateway = try RealGateway.start(knobs: values.knobs.merging(["PKI": pki.folder]) { $1 })
        let workload = try pki.workload(signatures: values.signatures)
        let established = Mutex(0)
        var options = LiveOptions()
        options.beforeDrain = { _ in
            let listed = (try? gateway.associations()) ?? []
            established.withLock { $0 = listed.count { $0.state == "ESTABLISHED" && $0.children.count == 1 } }
        }
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        let log = try gateway.log()
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == 10, "\(log.suffix(4000))")
        #expect(established.withLock { $0 } == 10)
        #expect(log.contains("authentication of 'user-1@example.org' with \(values.ours) successful"))
        #expect(log.contains("authentication of 'gw.example.org' (myself) with \(values.theirs) successful"))
        #expect(try gateway.associations() == [])
    }

    @Test("a client with a shared key authenticates a gateway with a certificate")
    func mixes() throws {
        let pki = try TestPKI("ecdsa256", clients: 0)
        let gateway = try RealGateway.start(knobs: ["PKI": pki.folder, "REMOTE_AUTH": "psk"])
        var parts = LiveWorkload(count: 5)
        parts.authentication = "{ psk: test-only, authorities: \(pki.folder)/ca.pem }"
        let workload = try parts.validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == 5)
    }

    @Test("a gateway whose certificate has expired, or is of another authority, is found out by the canary")
    func refusesGateway() throws {
        let other = try TestPKI("ed25519", clients: 0)
        for (until, isOurs, words) in [
            ("2024-01-01T00:00:00Z", true, "is not valid now"),
            ("2049-01-01T00:00:00Z", false, "of no authority that the workload believes"),
        ] {
            let pki = try TestPKI("ecdsa256", until: until, clients: 0)
            let gateway = try RealGateway.start(knobs: ["PKI": pki.folder, "REMOTE_AUTH": "psk"])
            var parts = LiveWorkload(count: 1)
            parts.authentication = "{ psk: test-only, authorities: \(isOurs ? pki.folder : other.folder)/ca.pem }"
            let workload = try parts.validated()
            let refusal = refusal(of: workload, by: gateway)
            #expect(refusal.contains(words), "\(refusal)")
        }
    }

    @Test("a gateway whose certificate has another name than its workload's is found out by the canary, and told")
    func refusesName() throws {
        let pki = try TestPKI("ecdsa256", gateway: "other.example.org", clients: 0)
        let gateway = try RealGateway.start(knobs: ["PKI": pki.folder, "REMOTE_AUTH": "psk"])
        var parts = LiveWorkload(count: 1)
        parts.authentication = "{ psk: test-only, authorities: \(pki.folder)/ca.pem }"
        let refusal = refusal(of: try parts.validated(), by: gateway)
        #expect(refusal.contains("its certificate is not that of gw.example.org"), "\(refusal)")
        // RFC 7296 section 2.21.2: an INFORMATIONAL request under the new keys.
        let log = try gateway.log()
        #expect(log.contains("parsed INFORMATIONAL request 2 [ N(AUTH_FAILED) ]"), "\(log.suffix(3000))")
        #expect(try gateway.associations() == [])
    }

    @Test("a client whose certificate has expired, or is of another authority, is refused by AUTHENTICATION_FAILED")
    func refusesClient() throws {
        let good = try TestPKI("ecdsa256", clients: 1)
        for (until, words) in [
            ("2024-01-01T00:00:00Z", "subject certificate invalid"), ("2049-01-01T00:00:00Z", "no issuer certificate"),
        ] {
            // Another authority of the same name would have another key: its seed is its own.
            let bad = try TestPKI("ecdsa256", until: until, clients: 1, seed: until.hasPrefix("2049") ? 8 : 7)
            let gateway = try RealGateway.start(knobs: ["PKI": good.folder])
            var parts = LiveWorkload(count: 1)
            parts.authentication = "{ certificates: \(bad.folder)/clients.pem, authorities: \(good.folder)/ca.pem }"
            let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
            let workload = try WorkloadFile(text: text, path: "live.yaml").validated()
            let refusal = refusal(of: workload, by: gateway)
            #expect(refusal.contains("does not believe this client's certificate"), "\(refusal)")
            let log = try gateway.log()
            #expect(log.contains(words), "\(log.suffix(3000))")
            #expect(log.contains("generating IKE_AUTH response 1 [ N(AUTH_FAILED) ]"), "\(log.suffix(3000))")
            #expect(try gateway.associations() == [])
        }
    }

    /// Why a run offers no load.
    private func refusal(of workload: Workload, by gateway: RealGateway) -> String {
        let error = #expect(throws: LiveError.self) {
            _ = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        }
        return error.map { "\($0)" } ?? ""
    }
}

/// A folder of `ikestorm pki`, gone with the test.
final class TestPKI: Sendable {
    let folder: String

    init(
        _ key: String,
        hasIntermediate: Bool = false,
        gateway: String = "gw.example.org",
        until: String = "2049-12-31T23:59:59Z",
        clients: Int,
        seed: UInt64 = 7
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-pki-\(UUID().uuidString)").path
        var job = TestAuthorityJob(
            folder: folder,
            key: key,
            gateway: gateway,
            identity: "user-%d@example.org",
            clients: clients,
            from: "2020-01-01T00:00:00Z",
            until: until
        )
        job.hasIntermediate = hasIntermediate
        job.seed = seed
        _ = try job.run()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var gatewayAuthentication: String { "{ certificates: \(folder)/gateway.pem, authorities: \(folder)/ca.pem }" }

    func clientAuthentication(signatures: String?) -> String {
        "{ certificates: \(folder)/clients.pem, authorities: \(folder)/ca.pem"
            + (signatures.map { ", signatures: \($0)" } ?? "") + " }"
    }

    func workload(signatures: String?) throws -> Workload {
        var parts = LiveWorkload(count: 10)
        parts.authentication = clientAuthentication(signatures: signatures)
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        return try WorkloadFile(text: text, path: "live.yaml").validated()
    }
}

extension Command {
    /// Waits until our responder says that it answers.
    func waitUntilReady() throws {
        for _ in 0..<200 where !errors.contains("answering on") { Thread.sleep(forTimeInterval: 0.05) }
        #expect(errors.contains("answering on"), "\(errors)")
    }
}

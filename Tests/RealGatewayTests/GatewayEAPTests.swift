import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("Our initiators and strongSwan's own EAP", .serialized)
struct GatewayEAPTests {
    /// How the clients and the gateway prove themselves, and how charon says that it was done.
    struct Case: CustomTestStringConvertible {
        let method: String
        /// More of `authentication.eap`.
        var settings = "password: test-only"
        var isAlone = false
        var hasCertificates = false
        var testDescription: String { isAlone ? "\(method) alone" : method }
    }

    static let cases = [
        Case(method: "md5"), Case(method: "gtc"), Case(method: "mschapv2"),
        Case(method: "tls", settings: "CREDENTIALS", hasCertificates: true),
        Case(method: "tls", settings: "only: true, CREDENTIALS", isAlone: true, hasCertificates: true),
    ]

    @Test("a client gets in by each method, and alone where the method shows who the gateway is", arguments: cases)
    func authenticates(_ values: Case) throws {
        let pki = values.hasCertificates ? try TestPKI("ecdsa256", clients: 1) : nil
        var knobs = [
            "REMOTE_AUTH": "eap-\(values.method)", "LOCAL_AUTH": values.isAlone ? "eap-\(values.method)" : "psk",
        ]
        if let pki { knobs["PKI"] = pki.folder }
        let gateway = try RealGateway.start(knobs: knobs)
        let files = pki.map { "certificates: \($0.folder)/clients.pem, authorities: \($0.folder)/ca.pem" } ?? ""
        let eap = "method: \(values.method), \(values.settings.replacing("CREDENTIALS", with: files))"
        let outcome = try Self.run(
            gateway,
            values.isAlone ? "{ eap: { \(eap) } }" : "{ psk: test-only, eap: { \(eap) } }"
        )
        #expect(outcome.established == 1, "\(outcome.log.suffix(4000))")
        #expect(outcome.log.contains("EAP method EAP_\(values.method.uppercased()) succeeded"))
        let proof = values.isAlone ? "EAP" : "pre-shared key"
        #expect(outcome.log.contains("authentication of 'gw.example.org' (myself) with \(proof)"), "\(outcome.log)")
        #expect(outcome.log.contains("N(EAP_ONLY)") == values.isAlone)
        #expect(outcome.log.contains("authentication of 'user-1@example.org' with EAP successful"))
    }

    @Test(
        "the identity that the gateway asks for in EAP is what it looks the password up by",
        arguments: ["gtc", "mschapv2"]
    )
    func tellsIdentity(_ method: String) throws {
        let gateway = try RealGateway.start(
            knobs: ["LOCAL_AUTH": "psk", "REMOTE_AUTH": "eap-\(method)", "EAP_ID": "%any"]
        )
        let eap = "method: \(method), identity: guest-1@example.org, password: test-only"
        let outcome = try Self.run(gateway, "{ psk: test-only, eap: { \(eap) } }")
        #expect(outcome.established == 1, "\(outcome.log.suffix(4000))")
        #expect(outcome.log.contains("initiating EAP_IDENTITY method"))
        #expect(outcome.log.contains("received EAP identity 'guest-1@example.org'"))
        #expect(outcome.log.contains("authentication of 'user-1@example.org' with EAP successful"))
    }

    private static func run(
        _ gateway: RealGateway,
        _ authentication: String
    ) throws -> (established: UInt64, log: String) {
        var parts = LiveWorkload(count: 1, duration: "1s", fragmentation: "standard")
        parts.authentication = authentication
        parts.safety = parts.safety.replacing(
            "\"user*@example.org\"",
            with: "\"user*@example.org\", \"guest*@example.org\""
        )
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        let workload = try WorkloadFile(text: text, path: "live.yaml").validated()
        do {
            let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
            #expect(result.leftBehind == 0)
            let established = result.measurements.first?.counter(.handshakeEstablished).total ?? 0
            return (established, try gateway.log())
        } catch let error as LiveError {
            return (0, "\(error)\n\(try gateway.log())")
        }
    }
}

import Foundation
import GatewayRig
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("The matrix of strongSwan", .serialized)
struct MatrixTests {
    /// Everything that this version speaks, in words that strongSwan takes.
    private static var everything: [String: String] {
        let ciphers = MatrixCipher.all.map(\.child)
        let combined = ciphers.filter { !$0.contains("-") }.joined(separator: "-")
        let groups = MatrixCipher.keyExchanges.joined(separator: "-")
        let prfs = MatrixCipher.prfs.joined(separator: "-")
        let separate = "aes128-aes192-aes256-sha256-sha384-sha512-sha1"
        return [
            "IKE_PROPOSALS": "\(combined)-\(prfs)-\(groups),\(separate)-\(prfs)-\(groups)",
            "ESP_PROPOSALS": "\(combined)-\(groups)-none-noesn,\(separate)-\(groups)-none-noesn",
        ]
    }

    @Test("every combination that its build supports works, and the log shows why another does not")
    func showsAll() throws {
        let gateway = try RealGateway.start(knobs: Self.everything)
        let report = try matrix(of: gateway, try LiveWorkload().validated()) {
            $0.pace = MatrixPace(perSecond: 20)
            $0.featuresAtOnce = MatrixFeature.allCases.count
        }
        let grid = report.results.filter { $0.cell.kind == .algorithms }
        #expect(grid.count == MatrixCipher.all.count * MatrixCipher.keyExchanges.count)
        let unknown = ["ke1_mlkem768", "mlkem768", "ke1_mlkem1024", "mlkem1024"]
        for result in report.results where result.cell.name != "esn" && !unknown.contains(result.cell.name) {
            #expect(result.verdict == .works, "\(result.cell.name): \(result.verdict)")
        }
        // strongSwan has ML-KEM from version 6.0 on.
        for result in report.results where unknown.contains(result.cell.name) {
            #expect(result.verdict == .refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_SA_INIT"))
            #expect(result.explanation == "the gateway takes the same proposal without \(result.cell.name)")
        }
        // kernel-libipsec has no extended sequence numbers, so that its connection cannot have them.
        let extended = report.results.filter { $0.cell.name == "esn" }
        #expect(
            extended.map(\.verdict) == [.refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_AUTH, for the Child SA")]
        )
        #expect(extended.first?.explanation == "the gateway takes the same proposal without esn")
        let log = try gateway.log()
        #expect(lines(of: log, "received proposals unacceptable") == unknown.count)
        #expect(log.contains("received proposals: ESP:AES_GCM_16_256/EXT_SEQ"), "\(log.suffix(3_000))")
        #expect(report.exitCode == .pass)
        #expect(report.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    @Test("what its configuration lacks is refused, explained, and in its log, once for each cell")
    func explains() throws {
        let gateway = try RealGateway.start(
            knobs: [
                "IKE_PROPOSALS": "aes128gcm16-prfsha256-x25519-ecp256,aes256-sha256-x25519-ecp256",
                "ESP_PROPOSALS": "aes128gcm16,aes256-sha512", "MOBIKE": "no", "FRAGMENTATION": "no",
            ]
        )
        let report = try matrix(of: gateway, try LiveWorkload().validated()) {
            $0.pace = MatrixPace(perSecond: 20)
            $0.keyExchanges = ["x25519", "ecp256", "modp2048"]
            $0.features = [.fragmentation, .mobike]
            $0.featuresAtOnce = 2
            $0.gatewayLog = gateway.logFile
        }
        let grid = report.results.filter { $0.cell.kind == .algorithms }
        let working = grid.filter { $0.verdict == .works }.map(\.cell.name)
        #expect(Set(working) == ["aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-ecp256"])
        // The IKE SA is set up, and its Child SA refused.
        let childless = grid.filter {
            $0.verdict == .refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_AUTH, for the Child SA")
        }
        #expect(childless.map(\.cell.name) == ["aes256-sha256-x25519", "aes256-sha256-ecp256"])
        #expect(childless.allSatisfy { $0.explanation == "the gateway takes nothing with aes256-sha256 for ESP" })
        #expect(report.count(.refused) == report.explainedCount)
        #expect(report.count(.broken) == 0)
        let refusedFeatures = report.results.filter { $0.verdict.text.hasPrefix("no ") }.map(\.cell.name)
        #expect(refusedFeatures == ["fragments", "MOBIKE"])
        // A line of the log for each refusal, and none more.
        let log = try gateway.log()
        let inits = report.results.filter {
            $0.verdict == .refused(notify: "NO_PROPOSAL_CHOSEN", exchange: "IKE_SA_INIT")
        }
        #expect(lines(of: log, "received proposals unacceptable") == inits.count)
        let children = report.results.filter { $0.verdict.text == "NO_PROPOSAL_CHOSEN in IKE_AUTH, for the Child SA" }
        #expect(lines(of: log, "no acceptable proposal found") == children.count)
        // Each has its own line, by the number of its IKE SA.
        for (results, words) in [
            (inits, "received proposals unacceptable"), (children, "no acceptable proposal found"),
        ] {
            for result in results {
                #expect(result.evidence.count { $0.contains(words) } == 1, "\(result.cell.name): \(result.evidence)")
            }
            #expect(Set(results.map(\.evidence)).count == results.count)
        }
        for result in report.results where result.verdict == .works { #expect(result.evidence == []) }
        let text = report.page.text(style: .plain)
        #expect(
            text.contains("the gateway takes nothing with modp2048 (its log: received proposals unacceptable"),
            "\(text)"
        )
        #expect(report.exitCode == .pass)
    }

    /// What strongSwan calls them.
    private static let signatures = [
        "rsa2048": ["256", "384", "512"].map { "RSA_EMSA_PKCS1_SHA2_\($0)" } + ["RSA_EMSA_PSS_SHA2_384_SALT_48"],
        "ecdsa256": ["256", "384", "512"].map { "ECDSA_WITH_SHA\($0)_DER" } + ["ECDSA-256 signature"],
        "ed25519": ["ED25519"],
    ]

    @Test("every signature that the client's key can make works", arguments: ["rsa2048", "ecdsa256", "ed25519"])
    func authenticates(_ key: String) throws {
        let pki = try TestPKI(key, clients: 10)
        let gateway = try RealGateway.start(knobs: ["PKI": pki.folder])
        let report = try matrix(of: gateway, try pki.workload(signatures: nil)) {
            $0.pace = MatrixPace(perSecond: 10)
            $0.keyExchanges = ["x25519"]
            $0.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
            $0.features = []
        }
        let cells = report.results.filter { if case .authentication = $0.cell.kind { true } else { false } }
        let counts = ["rsa2048": 7, "ecdsa256": 5, "ed25519": 2]
        #expect(cells.count == counts[key], "\(cells.map(\.cell.name))")
        for result in cells { #expect(result.verdict == .works, "\(result.cell.name): \(result.verdict)") }
        let log = try gateway.log()
        for name in Self.signatures[key] ?? [] {
            #expect(log.contains("authentication of 'user-1@example.org' with \(name) successful"), "\(name)")
        }
    }

    @Test("the method of EAP that the gateway does works, and one that it does not have is refused")
    func speaksEAP() throws {
        let gateway = try RealGateway.start(knobs: ["LOCAL_AUTH": "psk", "REMOTE_AUTH": "eap-md5"])
        var parts = LiveWorkload()
        parts.authentication = "{ psk: test-only, eap: { method: [md5, mschapv2], password: test-only } }"
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        let workload = try WorkloadFile(text: text, path: "live.yaml").validated()
        let report = try matrix(of: gateway, workload) {
            $0.pace = MatrixPace(perSecond: 10)
            $0.keyExchanges = ["x25519"]
            $0.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
            $0.features = []
        }
        let cells = report.results.filter { if case .authentication = $0.cell.kind { true } else { false } }
        #expect(cells.map(\.cell.name) == ["laptops (EAP md5)", "laptops (EAP mschapv2)"])
        #expect(cells.map(\.verdict.kind) == [.works, .refused], "\(cells.map(\.verdict))")
        #expect(try gateway.log().contains("EAP method EAP_MD5 succeeded"))
        #expect(report.exitCode == .regression)
    }

    @Test("the command needs no workload: its table, its JSON, its files, and its exit code")
    func runsAsCommand() throws {
        let gateway = try RealGateway.start()
        let folder = try TemporaryFolder()
        let words = [
            Rig.ikestorm, "matrix", "--target", "10.98.1.2", "--identity", "user@example.org", "--psk", "test-only",
            "--gateway-identity", "gw.example.org", "--remote-ts", "10.0.0.0/8", "--sources", "10.99.0.0/24",
            "--key-exchanges", "x25519,modp4096", "--rate", "20", "--features-at-once", "13", "--json",
            "--markdown", folder.path + "/matrix.md", "--html", folder.path + "/matrix.html",
            "--gateway-log", gateway.logFile,
        ]
        let forbidden = try gateway.rig.run(words)
        #expect(forbidden.status == 96)
        #expect(forbidden.errors.contains("nothing was sent"))
        let outcome = try gateway.rig.run(words + ["--allow-target", "10.98.1.2"])
        #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output.suffix(3_000))")
        #expect(outcome.output.contains("\"schema\": \"ikestorm-matrix-1\""))
        #expect(outcome.output.contains("the gateway takes nothing with modp4096"))
        #expect(outcome.output.contains("> received proposals unacceptable"))
        let markdown = try String(contentsOfFile: folder.path + "/matrix.md", encoding: .utf8)
        #expect(markdown.contains("|  | x25519 | modp4096 |"))
        let html = try String(contentsOfFile: folder.path + "/matrix.html", encoding: .utf8)
        #expect(html.contains("<th>modp4096</th>"))
    }

    private func lines(of log: String, _ words: String) -> Int {
        log.split(separator: "\n").count { $0.contains(words) }
    }

    private func matrix(
        of gateway: RealGateway,
        _ workload: Workload,
        _ change: @escaping @Sendable (inout MatrixRun) -> Void
    ) throws -> MatrixReport {
        try gateway.rig.inside {
            let target = LiveTarget(address: IPAddress(v4: 0x0A62_0102))
            var run = MatrixRun(workload, target: target, options: LiveOptions())
            change(&run)
            return try run.run()
        }
    }
}

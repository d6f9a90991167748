import Primitives
import Testing
import Workload

@Suite("Authentication in a workload")
struct AuthenticationTests {
    private func workload(_ gateway: String, _ client: String, identity: String? = nil) throws -> Workload {
        var parts = BaseWorkload.text.split(
            separator: "authentication: { psk: test-only }",
            omittingEmptySubsequences: false
        )
        let last = parts.removeLast()
        var text = "\(parts[0])authentication: \(gateway)\(parts[1])authentication: \(client)\(last)"
        if let identity {
            text = text.replacing("identity: \"user%05d@example.org\"", with: "identity: \(identity)")
                .replacing("count: 100", with: "count: 2")
        }
        return try BaseWorkload.workload(text)
    }

    @Test("is read with the files that it names, and is written so that it is read alike")
    func reads() throws {
        let gateway = "{ certificates: gw.pem, authorities: ca.pem }"
        let client = "{ psk-file: clients.csv, authorities: ca.pem, signatures: [ed25519, rsa-sha1] }"
        let workload = try workload(gateway, client, identity: "{ file: clients.csv }")
        let policy = workload.gateways[0].policy.authentication
        #expect(policy.sharedKey == nil)
        #expect(policy.credentials?.credentials.map(\.privateKey) == [[4]])
        #expect(policy.credentials?.credentials.map(\.certificates) == [[[5], [6]]])
        #expect(policy.authorities?.certificates == [[1, 2, 3]])
        #expect(policy.signatures == Workload.SignatureName.standard)
        let profile = workload.profiles[0]
        #expect(profile.authentication.signatures == [.ed25519, .rsaSHA1])
        #expect(profile.identity.identity(1) == "O=tests, CN=one")
        #expect(profile.identity.identity(2) == "two@example.org")
        guard case .listed(let file) = profile.authentication.sharedKey else {
            Issue.record("a file of keys is a list")
            return
        }
        #expect(file.entries.map(\.key) == ["key 1", "key 2"])
        #expect(try BaseWorkload.workload(workload.resolved()) == workload)
    }

    struct Disagreement: CustomTestStringConvertible {
        let gateway: String
        let client: String
        let warning: String?
        var testDescription: String { "\(gateway) and \(client)" }
    }

    @Test(
        "is warned of where one end does not take the other's proof",
        arguments: [
            Disagreement(gateway: "{ psk: a }", client: "{ psk: b }", warning: "different pre-shared keys"),
            Disagreement(gateway: "{ psk-derived: a }", client: "{ psk-derived: b }", warning: "different pre-shared"),
            Disagreement(gateway: "{ psk-derived: a }", client: "{ psk-derived: a }", warning: nil),
            Disagreement(
                gateway: "{ certificates: gw.pem, authorities: ca.pem }",
                client: "{ certificates: gw.pem, authorities: ca.pem }",
                warning: nil
            ),
            Disagreement(
                gateway: "{ certificates: gw.pem, psk: a }",
                client: "{ psk: a, authorities: ca.pem }",
                warning: nil
            ),
            Disagreement(
                gateway: "{ certificates: gw.pem, psk: a }",
                client: "{ psk: a }",
                warning: "gw signs, and laptop believes no authority"
            ),
            Disagreement(
                gateway: "{ psk: a }",
                client: "{ certificates: gw.pem, psk: a }",
                warning: "laptop signs, and gw believes no authority"
            ),
            Disagreement(
                gateway: "{ certificates: gw.pem, authorities: ca.pem }",
                client: "{ psk: a, authorities: ca.pem }",
                warning: "laptop has a pre-shared key, and gw has none"
            ),
            Disagreement(
                gateway: "{ certificates: gw.pem, authorities: ca.pem, signatures: [ed25519] }",
                client: "{ certificates: gw.pem, authorities: ca.pem, signatures: [ecdsa-sha256] }",
                warning: "no signature in common"
            ),
            Disagreement(
                gateway: "{ certificates: gw.pem, authorities: ca.pem }",
                client: "{ certificates: gw.pem, authorities: ca.pem, signatures: [rsa-pss-sha256, rsa-sha1] }",
                warning: "RFC 8247 section 3.1 expects it to go, and section 3.2 forbids SHA-1"
            ),
        ]
    )
    func warns(_ disagreement: Disagreement) throws {
        let warnings = try workload(disagreement.gateway, disagreement.client).warnings().map(\.description)
        let ours = warnings.filter { $0.contains("authenticated") || $0.contains("SHA-1") }
        guard let warning = disagreement.warning else {
            #expect(ours == [])
            return
        }
        #expect(ours.contains { $0.contains(warning) }, "\(warnings)")
    }

    @Test("a list of 100,000 identities is read at once")
    func longList() throws {
        var list = "identity,psk\n"
        for number in 1...100_000 { list += "user\(number)@example.org,key \(number)\n" }
        let text = BaseWorkload.replacing("identity: \"user%05d@example.org\"", with: "identity: { file: long.csv }")
            .replacing("count: 100", with: "count: 100000")
        let file = try WorkloadFile(text: text, path: "base.yaml")
        let workload = try file.validated { name throws(UnitProblem) in
            name == "long.csv" ? list : BaseWorkload.costs ?? ""
        }
        #expect(workload.profiles[0].identity.identity(100_000) == "user100000@example.org")
    }
}

@Suite("PEM")
struct PEMTests {
    @Test("octets of every length come back", arguments: 0..<100)
    func roundTrip(_ count: Int) throws {
        let octets = (0..<count).map { UInt8($0 * 7 & 255) }
        let text =
            "before\n" + PEM.text("THING", octets) + "between\n" + PEM.text("OTHER", [1]).replacing("\n", with: "\r\n")
        let blocks = try PEM.blocks(of: text)
        #expect(blocks.map(\.label) == ["THING", "OTHER"])
        #expect(blocks.map(\.octets) == [octets, [1]])
    }

    @Test(
        "what is no block is told with its line",
        arguments: [
            ("-----BEGIN A-----\nAQ==\n", 1), ("\n-----END A-----\n", 2),
            ("-----BEGIN A-----\nAQ=\n-----END A-----\n", 1),
            ("-----BEGIN A-----\nAQ==\n-----END B-----\n", 3), ("-----BEGIN A-----\n-----BEGIN B-----\n", 1),
            ("-----BEGIN A-----\nA*==\n-----END A-----\n", 1),
        ]
    )
    func refuses(_ text: String, _ line: Int) {
        do throws(PEM.Problem) {
            _ = try PEM.blocks(of: text)
            Issue.record("it was taken")
        } catch {
            #expect(error.line == line)
        }
    }
}

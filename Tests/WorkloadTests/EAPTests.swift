import Primitives
import Testing
import Workload

@Suite("EAP and RADIUS in a workload")
struct EAPTests {
    private static func text(_ gateway: String, _ client: String, radius: String? = nil) -> String {
        var parts = BaseWorkload.text.split(
            separator: "authentication: { psk: test-only }",
            omittingEmptySubsequences: false
        )
        let last = parts.removeLast()
        let more = radius.map { "\n      radius: \($0)" } ?? ""
        return "\(parts[0])authentication: \(gateway)\(more)\(parts[1])authentication: \(client)\(last)"
    }

    private static let password = "{ psk: test-only, eap: { method: mschapv2, password: secret } }"

    @Test("are read with the files that they name, and are written so that they are read alike")
    func reads() throws {
        let gateway = """
            { certificates: gw.pem, eap: { method: [tls, gtc], certificates: gw.pem, authorities: ca.pem, \
            password-file: clients.csv, ask-identity: true } }
            """
        let client = """
            { authorities: ca.pem, eap: { method: tls, identity: "card-%d", certificates: gw.pem, \
            authorities: ca.pem, only: true } }
            """
        let radius =
            "{ latency: { exponential: { mean: 20ms } }, sockets: 4, workers: free, waits: [1s, 3s], servers: [192.0.2.5], secret: s }"
        let workload = try BaseWorkload.workload(Self.text(gateway, client, radius: radius))
        let theirs = try #require(workload.gateways[0].policy.authentication.eap)
        #expect(theirs.methods == [.tls, .gtc])
        #expect(theirs.asksIdentity && !theirs.isOnly)
        #expect(theirs.credentials?.credentials.count == 1)
        guard case .listed(let file) = theirs.password else {
            Issue.record("a file of passwords is a list")
            return
        }
        #expect(file.entries.count == 2)
        let ours = try #require(workload.profiles[0].authentication.eap)
        #expect(ours.methods == [.tls])
        #expect(ours.identity?.description == "card-%d")
        #expect(ours.isOnly)
        let server = try #require(workload.gateways[0].policy.radius)
        #expect(server.sockets == 4)
        #expect(server.workers == nil)
        #expect(server.waits == [.seconds(1), .seconds(3)])
        #expect(server.port == 1812)
        #expect(try BaseWorkload.workload(workload.resolved()) == workload)
    }

    @Test("without numbers RADIUS is asked as strongSwan asks it")
    func standard() throws {
        let workload = try BaseWorkload.workload(Self.text(Self.password, Self.password, radius: "{ latency: 30ms }"))
        let radius = try #require(workload.gateways[0].policy.radius)
        #expect(radius.sockets == 1)
        #expect(radius.workers == 16)
        #expect(radius.waits.map(\.nanoseconds) == [2_000_000_000, 2_800_000_000, 3_920_000_000, 5_488_000_000])
        #expect(radius.servers == [])
        #expect(workload.warnings().filter { $0.description.contains("authenticated") } == [])
    }

    struct Mistake: CustomTestStringConvertible {
        let gateway: String
        var radius: String?
        let problem: String
        var testDescription: String { problem }
    }

    @Test(
        "are refused where they cannot be",
        arguments: [
            Mistake(gateway: "{ psk: a, eap: { method: mschapv2 } }", problem: "has no password"),
            Mistake(gateway: "{ psk: a, eap: { method: peap, password: b } }", problem: "method of EAP"),
            Mistake(
                gateway: "{ psk: a, eap: { method: tls, certificates: gw.pem } }",
                problem: "EAP-TLS needs `authorities`"
            ),
            Mistake(
                gateway: "{ psk: a, eap: { method: mschapv2, password: b, only: true } }",
                problem: "RFC 5998 section 4 does not allow it alone"
            ),
            Mistake(gateway: "{ eap: { method: gtc, password: b } }", problem: "no proof of who the gateway is"),
            Mistake(
                gateway: "{ psk: a, eap: { method: gtc, password: b, password-derived: c } }",
                problem: "has no meaning beside"
            ),
            Mistake(
                gateway: "{ psk: a }",
                radius: "{ latency: 5ms }",
                problem: "RADIUS decides about EAP, and there is none"
            ),
            Mistake(
                gateway: password,
                radius: "{ servers: [127.0.0.1] }",
                problem: "RADIUS servers take nothing without a secret"
            ),
        ]
    )
    func refuses(_ mistake: Mistake) {
        do {
            _ = try BaseWorkload.workload(Self.text(mistake.gateway, Self.password, radius: mistake.radius))
            Issue.record("it was taken")
        } catch {
            #expect("\(error)".contains(mistake.problem), "\(error)")
        }
    }

    @Test(
        "are warned of where one end does not do what the other wants",
        arguments: [
            ("{ psk: a }", "{ psk: a, eap: { method: gtc, password: b } }", "asks for EAP, and gw has none"),
            ("{ psk: a, eap: { method: gtc, password: b } }", "{ psk: a }", "gw wants EAP, and laptop has none"),
            (
                "{ psk: a, eap: { method: gtc, password: b } }", "{ psk: a, eap: { method: md5, password: b } }",
                "have no method of EAP in common"
            ),
            (
                "{ psk: a, eap: { method: gtc, password: b } }", "{ psk: a, eap: { method: gtc, password: c } }",
                "have different passwords"
            ),
            (
                "{ psk: a, eap: { method: gtc, password: b } }", "{ psk: b, eap: { method: gtc, password: b } }",
                "have different pre-shared keys"
            ),
            (
                "{ certificates: gw.pem, eap: { method: gtc, password: b } }",
                "{ psk: b, eap: { method: gtc, password: b } }", "gw signs, and laptop believes no authority"
            ),
        ]
    )
    func warns(_ gateway: String, _ client: String, _ warning: String) throws {
        let warnings = try BaseWorkload.workload(Self.text(gateway, client)).warnings().map(\.description)
        #expect(warnings.contains { $0.contains(warning) }, "\(warnings)")
    }

    @Test("an outage of RADIUS is a fault of a gateway that asks it")
    func outage() throws {
        let fault = "outage: { kind: radius-outage, at: 1m, gateway: gw, for: 30s }"
        let text = Self.text(Self.password, Self.password, radius: "{ latency: 5ms }")
            .replacing("restart: { at: 2m, gateway: gw, down: 20s, keeps-state: false }", with: fault)
            .replacing("after restart", with: "after outage")
        let workload = try BaseWorkload.workload(text)
        #expect(workload.faults[0].effect == .radiusOutage(gateway: 0, lasting: .seconds(30)))
        #expect(workload.faults[0].end == .seconds(90))
        #expect(try BaseWorkload.workload(workload.resolved()) == workload)
        let without = text.replacing("radius: { latency: 5ms }", with: "")
        #expect(
            try BaseWorkload.workload(without).warnings().contains { $0.description.contains("asks no RADIUS server") }
        )
    }
}

import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("EAP with strongSwan and FreeRADIUS", .serialized)
struct EAPTests {
    private static let count = 500

    private static let server = ["RADIUS_USER": "DEFAULT"]

    /// The clients of a run, and their own half of EAP.
    private static func clients(_ method: String, _ pki: TestPKI?) -> LiveWorkload {
        var parts = LiveWorkload(count: count, rate: "50/s", duration: "20s")
        parts.retransmission = "{ first: 2s, factor: 2, tries: 4 }"
        if let pki {
            let files = "certificates: \(pki.folder)/clients.pem, authorities: \(pki.folder)/ca.pem"
            parts.authentication = "{ psk: test-only, eap: { method: \(method), \(files) } }"
            parts.fragmentation = "standard"
        } else {
            parts.authentication = "{ psk: test-only, eap: { method: \(method), password: test-only } }"
        }
        return parts
    }

    private static func pki(_ method: String) throws -> TestPKI? {
        method == "tls" ? try TestPKI("ecdsa256", clients: count) : nil
    }

    private static func validated(_ parts: LiveWorkload) throws -> Workload {
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        return try WorkloadFile(text: text, path: "live.yaml").validated()
    }

    @Test(
        "500 of our initiators get in through strongSwan's eap-radius and FreeRADIUS",
        arguments: ["mschapv2", "tls"]
    )
    func throughStrongSwan(_ method: String) throws {
        let pki = try Self.pki(method)
        let gateway = try RealGateway.start(
            knobs: ["LOCAL_AUTH": "psk", "REMOTE_AUTH": "eap-radius", "DOS_PROTECTION": "no", "MOBIKE": "no"]
        )
        var knobs = Self.server.merging(["DEFAULT_METHOD": method]) { $1 }
        if let pki { knobs["PKI"] = pki.folder }
        let radius = try RealRADIUSServer(knobs: knobs, beside: gateway.rig)
        let workload = try Self.validated(Self.clients(method, pki))
        let listed = Mutex(0)
        var options = LiveOptions()
        options.beforeDrain = { _ in
            let all = (try? gateway.associations()) ?? []
            listed.withLock { $0 = all.count { $0.state == "ESTABLISHED" && $0.children.count == 1 } }
        }
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        let log = try gateway.log()
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(Self.count), "\(log.suffix(2000))")
        #expect(listed.withLock { $0 } == Self.count)
        #expect(log.contains("RADIUS authentication of 'user-\(Self.count)@example.org' successful"))
        #expect(try radius.log().matches(of: /Login OK/).count >= Self.count)
        #expect(try gateway.associations() == [])
    }

    /// Our responder beside a RADIUS server, and its workload's file.
    private static func responder(
        _ parts: LiveWorkload,
        in rig: Rig,
        file: String
    ) throws -> Command {
        try parts.text.write(toFile: file, atomically: true, encoding: .utf8)
        let responder = try rig.start(
            [Rig.ikestorm, "gateway", file, "--address", Rig.gatewayAddress, "--allow", "10.99.0.0/16"]
                + ["--allow", "10.98.1.0/24"],
            on: .gateway
        )
        try responder.waitUntilReady()
        return responder
    }

    private static func temporaryFile() -> String {
        FileManager.default.temporaryDirectory.appending(path: "ikestorm-eap-\(UUID().uuidString).yaml").path
    }

    @Test("500 of our initiators get in through our responder and FreeRADIUS", arguments: ["mschapv2", "tls"])
    func throughOurs(_ method: String) throws {
        let pki = try Self.pki(method)
        let rig = try Rig()
        var knobs = Self.server.merging(["DEFAULT_METHOD": method]) { $1 }
        if let pki { knobs["PKI"] = pki.folder }
        let radius = try RealRADIUSServer(knobs: knobs, beside: rig)
        var parts = Self.clients(method, pki)
        parts.gatewayAuthentication = "{ psk: test-only, eap: { method: mschapv2, password: what-RADIUS-knows } }"
        parts.policy = """
            half-open: { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never }
                  pool: [10.128.0.0/10]
                  radius: { servers: [127.0.0.1], secret: test-only, waits: [3s, 3s, 3s] }
            """
        let file = Self.temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let responder = try Self.responder(parts, in: rig, file: file)
        let workload = try Self.validated(parts)
        let result = try rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(Self.count))
        #expect(try radius.log().matches(of: /Login OK/).count >= Self.count)
        responder.interrupt()
        let outcome = try responder.wait(atMost: 20)
        #expect(outcome.errors.contains("served"), "\(outcome.errors)")
    }

    @Test("strongSwan's initiators get in through the second RADIUS server where the first is dead, and that is said")
    func failsOver() throws {
        var workload = LiveWorkload()
        workload.gatewayAuthentication = "{ psk: test-only, eap: { method: md5, password: what-RADIUS-knows } }"
        workload.policy += """

                  radius: { servers: [127.0.0.9, 127.0.0.1], secret: test-only, waits: [300ms, 300ms] }
            """
        let knobs = ["LOCAL_AUTH": "eap-md5", "REMOTE_AUTH": "psk", "CLIENTS": "5"]
        let served = try ServedClients(workload, knobs: knobs)
        let radius = try RealRADIUSServer(knobs: Self.server, beside: served.rig)
        for client in 1...5 { try served.clients.initiate(client) }
        #expect(try served.clients.associations().map(\.state) == Array(repeating: "ESTABLISHED", count: 5))
        #expect(try radius.log().matches(of: /Login OK/).count == 5)
        try served.waitUntilSaid("a RADIUS server does not answer: the next one is asked")
        // The dead one is left alone for a while.
        let said = try served.stop()
        #expect(said.contains("served 5 IKE SAs, demanded 0 cookies, asked another RADIUS server 1 time\n"), "\(said)")
    }

    @Test("strongSwan's initiators are refused where no RADIUS server answers, and why is said")
    func findsNobody() throws {
        var workload = LiveWorkload()
        workload.gatewayAuthentication = "{ psk: test-only, eap: { method: md5, password: what-RADIUS-knows } }"
        workload.policy += """

                  radius: { servers: [127.0.0.9, 127.0.0.8], secret: test-only, waits: [200ms, 200ms] }
            """
        let served = try ServedClients(workload, knobs: ["LOCAL_AUTH": "eap-md5", "REMOTE_AUTH": "psk"])
        #expect(throws: Command.Failure.self) { try served.clients.initiate() }
        let log = try served.clients.log()
        #expect(log.contains("received EAP_FAILURE, EAP authentication failed"), "\(log.suffix(3000))")
        let said = try served.stop()
        #expect(said.contains("asked another RADIUS server 1 time, failed: 1 eap-no-backend"), "\(said)")
    }

    @Test("strongSwan's initiator with a wrong password gets EAP-Failure from our responder")
    func refuses() throws {
        let knobs = [
            "IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519", "ESP_PROPOSALS": "aes256gcm16-x25519",
            "LOCAL_AUTH": "eap-md5", "REMOTE_AUTH": "psk", "PASSWORD": "wrong",
        ]
        let rig = try Rig(knobs: knobs)
        var parts = LiveWorkload()
        parts.gatewayAuthentication = "{ psk: test-only, eap: { method: md5, password: test-only } }"
        let file = Self.temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let responder = try Self.responder(parts, in: rig, file: file)
        let clients = try RealClients.start(in: rig)
        #expect(throws: (any Error).self) { try clients.initiate(1) }
        let log = try clients.log()
        #expect(log.contains("received EAP_FAILURE, EAP authentication failed"), "\(log.suffix(3000))")
        responder.interrupt()
        _ = try responder.wait(atMost: 20)
    }
}

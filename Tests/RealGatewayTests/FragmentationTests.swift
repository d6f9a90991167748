import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 7383, each end with packets so small that all its longer messages go in fragments.
@Suite("Messages in fragments between ikestorm and strongSwan", .serialized)
struct FragmentationTests {
    @Test(
        "our clients set up, rekey and delete in fragments, and the gateway's are joined",
        arguments: [("160", "0%"), ("standard", "0%"), ("160", "2%")]
    )
    func clients(_ size: String, _ loss: String) throws {
        let gateway = try RealGateway.start(knobs: ["FRAGMENTATION": "force", "FRAGMENT_SIZE": "96", "LOG_LEVEL": "1"])
        let count = 20
        let workload = try LiveWorkload(
            count: count,
            rate: "20/s",
            duration: "10s",
            ike: "{ rekey: 4s, over: 60s }",
            child: "{ rekey: 3s, over: 60s }",
            retransmission: "{ first: 500ms, factor: 1.5, tries: 6 }",
            path: "{ one-way-delay: 1ms, loss: { random: \(loss) } }",
            fragmentation: size,
            longName: String(repeating: "-and-a-long-name", count: 60)
        ).validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.handshakeFailed).byReason == [])
        #expect(measured.counter(.childRekeyEstablished).total >= UInt64(count))
        #expect(measured.counter(.ikeRekeyEstablished).total >= UInt64(count))
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
        let log = try gateway.log()
        // What the gateway says of ours and of its own.
        #expect(log.contains("parsed IKE_AUTH request 1 [ EF(1/"))
        #expect(log.contains("received fragment #1 of"))
        #expect(log.contains("splitting IKE message"))
        #expect(log.contains("generating INFORMATIONAL response") && log.contains("[ EF(2/"))
        if size == "160" { #expect(log.contains("parsed CREATE_CHILD_SA request 2 [ EF(1/")) }
    }

    @Test("an IKE_AUTH of 14 kB, with a long chain of certificates, reaches the gateway and is believed")
    func longChain() throws {
        let pki = try TestPKI("rsa2048", hasIntermediate: true, clients: 1)
        let file = pki.folder + "/clients.pem"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        // Behind the chain comes a certificate that nobody needs, as often as charon takes one: there may be 8 in all.
        let filler = try Command.output(
            of: ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-keyout", "/dev/null", "-days", "3650", "-subj", "/CN=filler"]
                + ["-addext", "nsComment=" + String(repeating: "x", count: 2_000)]
        )
        try (text + String(repeating: filler, count: 6)).write(toFile: file, atomically: true, encoding: .utf8)
        let gateway = try RealGateway.start(knobs: ["PKI": pki.folder, "MAX_PACKET": "20000"])
        var parts = LiveWorkload(count: 1, duration: "1s", fragmentation: "standard")
        parts.authentication = pki.clientAuthentication(signatures: nil)
        let described = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        let workload = try WorkloadFile(text: described, path: "live.yaml").validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        let log = try gateway.log()
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == 1, "\(log.suffix(4000))")
        let lengths = log.matches(of: /reassembled fragmented IKE message \((\d+) bytes\)/).map { Int($0.1) ?? 0 }
        #expect(lengths.contains { $0 > 14_000 }, "\(lengths)")
        #expect(log.contains("authentication of 'user-1@example.org' with RSA_EMSA_P"))
        #expect(try gateway.associations() == [])
    }

    @Test("strongSwan's initiators meet our responder: IKE_AUTH, both rekeys, INFORMATIONAL and Delete")
    func responder() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/gateway.yaml"
        try LiveWorkload(fragmentation: "160").text.write(toFile: file, atomically: true, encoding: .utf8)
        let rig = try Rig(knobs: [
            "FRAGMENTATION": "force", "FRAGMENT_SIZE": "96", "CLIENTS": "3", "DPD_DELAY": "1s",
            "IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519", "ESP_PROPOSALS": "aes256gcm16-x25519",
        ])
        let clients = try RealClients.start(in: rig)
        let service = try rig.start(
            [
                Rig.ikestorm, "gateway", file, "--address", Rig.gatewayAddress, "--allow", "10.99.0.0/16",
                "--seconds", "60",
            ],
            on: .gateway
        )
        let deadline = ContinuousClock.now + .seconds(20)
        while !service.errors.contains("answering on") {
            try #require(ContinuousClock.now < deadline && service.isRunning, "\(service.errors)")
            usleep(50_000)
        }
        for client in 1...3 { try clients.initiate(client) }
        let before = try clients.associations()
        #expect(before.map(\.state) == ["ESTABLISHED", "ESTABLISHED", "ESTABLISHED"])
        try clients.rekeyChildSAs()
        try clients.rekeyIKESA(1)
        usleep(1_500_000)
        let after = try clients.associations()
        #expect(after.filter { $0.state == "ESTABLISHED" }.count == 3)
        #expect(Set(before.map(\.initiatorSPI)) != Set(after.map(\.initiatorSPI)))
        #expect(after.allSatisfy { $0.children.count { $0.state == "INSTALLED" } == 1 })
        for client in 1...3 { try clients.terminate(client) }
        #expect(try clients.associations() == [])
        service.interrupt()
        let outcome = try service.wait(atMost: 20)
        #expect(outcome.errors.contains("served 3 IKE SAs"))
        let log = try clients.log()
        for exchange in ["IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL"] {
            let requests = log.split(separator: "\n").filter { $0.contains("generating \(exchange) request") }
            #expect(requests.contains { $0.contains("EF(2/") }, "\(exchange)")
        }
        for exchange in ["IKE_AUTH", "CREATE_CHILD_SA"] {
            #expect(log.contains("parsed \(exchange) response") && log.contains("EF(1/"), "\(exchange)")
        }
        #expect(!log.contains("giving up after"))
        #expect(!log.contains("retransmit 1 of"))
    }
}

import Foundation
import GatewayRig
import Metrics
import Results
import Runner
import Testing
import Workload

@Suite("Ends that crash, of strongSwan's initiators and our responder", .serialized)
struct CharonCrashTests {
    private static let patience = ["RETRANSMIT_TIMEOUT": "0.5", "RETRANSMIT_BASE": "1.2", "RETRANSMIT_TRIES": "3"]

    @Test("our responder that has lost its state says INVALID_IKE_SPI where its policy wants that", arguments: [0, 10])
    func saysUnknown(limit: Int) throws {
        var workload = LiveWorkload()
        if limit > 0 { workload.policy += "\n      unknown-spis: \(limit)" }
        let served = try ServedClients(
            workload,
            knobs: Self.patience.merging(["CLIENTS": "2", "DPD_DELAY": "1s"]) { $1 }
        )
        for client in 1...2 { try served.clients.initiate(client) }
        try served.crashResponder()
        try served.clients.waitForLog(#/sending DPD request/#, times: 2)
        try served.clients.waitForLog(#/giving up after 3 retransmits/#, times: 2)
        let log = try served.clients.log()
        // What is not protected charon reads and drops, as it should (RFC 7296 section 2.21.4).
        let unprotected = log.matches(of: /received unencrypted informational: from 10\.98\.1\.2\[4500\]/).count
        let responses = log.matches(of: /INFORMATIONAL response with message ID \d+ processing failed/).count
        #expect(limit > 0 ? (2...8).contains(unprotected) && responses == unprotected : unprotected == 0, "\(log)")
        #expect(try served.clients.associations() == [])
        for client in 1...2 { try served.clients.initiate(client) }
        #expect(try served.stop().contains("served 2 IKE SAs"))
    }

    @Test("strongSwan that has crashed says INITIAL_CONTACT, and our responder drops what it had, or ignores that")
    func saysInitialContact() throws {
        for isObeyed in [true, false] {
            var workload = LiveWorkload()
            workload.policy += "\n      initial-contact: \(isObeyed ? "obey" : "ignore")"
            let served = try ServedClients(workload, knobs: ["CLIENTS": "2"])
            for client in 1...2 { try served.clients.initiate(client) }
            try served.crashClients()
            #expect(try served.clients.associations() == [])
            for client in 1...2 { try served.clients.initiate(client) }
            let listed = try served.clients.associations()
            #expect(listed.map(\.state) == ["ESTABLISHED", "ESTABLISHED"])
            #expect(try served.clients.log().matches(of: /IDi N\(INIT_CONTACT\)/).count == 2)
            try served.waitUntilSaid("\(isObeyed ? 2 : 4) IKE SAs, 0 half-open")
            let said = try served.stop()
            let last = said.matches(of: /(\d+) IKE SAs, 0 half-open/).last
            #expect(last?.output.1 == (isObeyed ? "2" : "4"), "\(said)")
            #expect(said.contains("dropped 2 for INITIAL_CONTACT") == isObeyed, "\(said)")
        }
    }

    @Test("our initiators that have lost their state say INVALID_IKE_SPI to strongSwan that asks for the old IKE SAs")
    func initiatorsSayUnknown() throws {
        let count = 5
        let gateway = try RealGateway.start(knobs: Self.patience.merging(["DPD_DELAY": "1s"]) { $1 })
        var parts = LiveWorkload(count: count, duration: "5s")
        parts.settings += "\n    unknown-spis: 10"
        let folder = try TemporaryFolder()
        let file = folder.path + "/workload.yaml"
        try parts.text.replacing("duration: 5s", with: "duration: 10m")
            .write(toFile: file, atomically: true, encoding: .utf8)
        let killed = try gateway.rig.start([
            Rig.ikestorm, "run", file, "--target", Rig.gatewayAddress, "--out", folder.path + "/run",
        ])
        let deadline = ContinuousClock.now + .seconds(20)
        while try gateway.associations().count(where: { $0.state == "ESTABLISHED" }) < count {
            try #require(ContinuousClock.now < deadline && killed.isRunning, "\(killed.errors)")
            Thread.sleep(forTimeInterval: 0.1)
        }
        killed.kill()
        _ = try killed.wait(atMost: 10)
        let old = Set(try gateway.associations().map(\.responderSPI))
        // The same addresses and ports again; under other names, since libipsec has one Child SA for an inner address.
        parts.longName = "-again"
        let workload = try parts.validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == UInt64(count))
        let log = try gateway.log()
        let answered = log.matches(of: /received unencrypted informational: from 10\.99\.\d+\.\d+\[4500\]/).count
        #expect(answered >= count, "\(log.suffix(4000))")
        #expect(log.matches(of: /giving up after 3 retransmits/).count == count)
        #expect(try gateway.associations().filter { old.contains($0.responderSPI) } == [])
    }
}

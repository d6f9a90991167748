import Foundation
import GatewayRig
import Testing

@Suite("strongSwan's initiators and our responder that do not believe each other", .serialized)
struct CharonRefusalTests {
    @Test("clients with certificates that are too old, nobody's and another's are refused, and why is told")
    func refusesClients() throws {
        let good = try TestPKI("ecdsa256", clients: 4)
        let stale = try TestPKI("ecdsa256", until: "2024-01-01T00:00:00Z", clients: 1)
        let stranger = try TestPKI("ed25519", clients: 2)
        let mixed = try TemporaryFolder()
        // Client 3 has the certificate of user-4, and client 4 has one of its own.
        let ends = [try stale.client(1), try stranger.client(2), try good.client(4), try good.client(4)]
        try ends.joined().write(toFile: mixed.path + "/clients.pem", atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(atPath: good.folder + "/ca.pem", toPath: mixed.path + "/ca.pem")
        let served = try ServedClients(Self.workload(good), knobs: ["PKI": mixed.path, "CLIENTS": "4"])

        let reasons = ["expired-certificate", "untrusted-certificate", "certificate-of-another"]
        for (index, reason) in reasons.enumerated() {
            #expect(throws: Command.Failure.self) { try served.clients.initiate(index + 1) }
            try served.waitUntilSaid("1 \(reason)")
        }
        try served.clients.initiate(4)
        let listed = try served.clients.associations()
        #expect(listed.map(\.connection) == ["client-4"])
        let log = try served.clients.log()
        for client in 1...3 {
            let refusals = log.split(separator: "\n").count {
                $0.contains("<client-\(client)|") && $0.hasSuffix("received AUTHENTICATION_FAILED notify error")
            }
            #expect(refusals == 1, "\(log.suffix(4000))")
        }
        let said = try served.stop()
        #expect(said.contains("served 1 IKE SAs"), "\(said)")
        #expect(said.contains("failed: " + reasons.map { "1 \($0)" }.joined(separator: ", ")), "\(said)")
    }

    @Test("a client with a wrong key, and one that offers what nobody takes, are told apart")
    func refusesOffers() throws {
        let served = try ServedClients(
            LiveWorkload(),
            knobs: [
                "PSK": "wrong", "CLIENTS": "2",
                "IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519;aes128gcm16-prfsha256-x25519",
            ]
        )
        for client in 1...2 { #expect(throws: Command.Failure.self) { try served.clients.initiate(client) } }
        let log = try served.clients.log()
        #expect(log.contains("received AUTHENTICATION_FAILED notify error"))
        #expect(log.contains("received NO_PROPOSAL_CHOSEN notify error"))
        let said = try served.stop()
        #expect(said.contains("served 0 IKE SAs"), "\(said)")
        #expect(said.contains("failed: 1 authentication-failed, 1 refused:NO_PROPOSAL_CHOSEN"), "\(said)")
    }

    @Test("a client that finds another's name in our certificate says so, and our IKE SA with it ends")
    func isRefused() throws {
        let pki = try TestPKI("ecdsa256", gateway: "other.example.org", clients: 1)
        var workload = Self.workload(pki)
        workload.gatewayIdentity = "other.example.org"
        let served = try ServedClients(workload, knobs: ["PKI": pki.folder, "IDENTITY": "gw.example.org"])
        #expect(throws: Command.Failure.self) { try served.clients.initiate() }
        let log = try served.clients.log()
        #expect(log.contains("constraint check failed: identity 'gw.example.org' required"), "\(log.suffix(4000))")
        #expect(log.contains(/generating INFORMATIONAL request \d+ \[ N\(AUTH_FAILED\) \]/))
        try served.waitUntilSaid("0 IKE SAs, 0 half-open, 1 established/s")
        #expect(try served.stop().contains("failed: 1 authentication-failed"))
    }

    private static func workload(_ pki: TestPKI) -> LiveWorkload {
        var workload = LiveWorkload()
        workload.gatewayAuthentication = pki.gatewayAuthentication
        workload.authentication = "{ psk: test-only, authorities: \(pki.folder)/ca.pem }"
        return workload
    }
}

extension TestPKI {
    /// One client's private key and certificates.
    func client(_ number: Int) throws -> String {
        let text = try String(contentsOfFile: folder + "/clients.pem", encoding: .utf8)
        let begin = "-----BEGIN PRIVATE KEY-----"
        return begin + text.split(separator: begin)[number - 1]
    }
}

import Foundation
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A run with EAP", .serialized)
struct EAPRunTests {
    private static func text(_ pki: String) -> String {
        """
        version: 1
        name: eap
        seed: 7
        gateways:
          gw: &gateway
            identity: gw.example.org
            policy: &policy
              authentication:
                psk: test-only
                eap: { method: [mschapv2, md5], password-derived: secret }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              half-open: { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never }
              pool: [10.128.0.0/16]
              radius: { latency: { exponential: { mean: 8ms } }, sockets: 2, workers: 8, waits: [1s, 1s] }
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
          tls:
            identity: gw.example.org
            policy:
              authentication:
                certificates: \(pki)/gateway.pem
                eap: { method: tls, certificates: \(pki)/gateway.pem, authorities: \(pki)/ca.pem, only: true }
              fragmentation: standard
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              half-open: { cookies-above: never, cookies-above-per-source: never, refuse-above-per-source: never }
              pool: [10.129.0.0/16]
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          laptop: &profile
            identity: "user%05d@example.org"
            authentication: { psk: test-only, eap: { method: mschapv2, password-derived: secret } }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            retransmission: { first: 1s, factor: 2, tries: 4 }
            reconnect: never
          stranger:
            identity: "other%05d@example.org"
            authentication: { psk: test-only, eap: { method: md5, password: wrong } }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            reconnect: never
          phone:
            identity: "user%05d@example.org"
            authentication:
              eap: { method: tls, certificates: \(pki)/clients.pem, authorities: \(pki)/ca.pem, only: true }
            fragmentation: standard
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            retransmission: { first: 1s, factor: 2, tries: 4 }
            reconnect: never
        paths:
          lte:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }
            loss: { random: 2% }
            mtu: 1500
        populations:
          laptops: { count: 40, profile: laptop, path: lte, gateway: gw, sources: [198.18.0.0/16] }
          strangers: { count: 3, profile: stranger, path: lte, gateway: gw, sources: [198.19.0.0/16] }
          phones: { count: 20, profile: phone, path: lte, gateway: tls, sources: [198.20.0.0/16] }
        arrivals:
          laptops: { population: laptops, constant: 4/s }
          strangers: { population: strangers, constant: 4/s }
          phones: { population: phones, constant: 2/s }
        run: { duration: 40s, epoch: "2026-01-01T00:00:00Z" }
        """
    }

    /// A folder of `ikestorm pki`, gone with the test.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "ikestorm-eap-\(UUID().uuidString)").path

        init() throws {
            var job = TestAuthorityJob(
                folder: path,
                key: "ecdsa256",
                gateway: "gw.example.org",
                identity: "user%05d@example.org",
                clients: 20,
                from: "2020-01-01T00:00:00Z",
                until: "2049-12-31T23:59:59Z"
            )
            job.seed = 1
            _ = try job.run()
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("is the same with any number of workers, batch size and cryptography")
    func isTheSame() throws {
        let folder = try Folder()
        let text = Self.text(folder.path)
        let one = try simulate(text)
        #expect(one.counter(.handshakeEstablished, of: "laptops").total == 40)
        #expect(one.counter(.handshakeEstablished, of: "phones").total == 20)
        #expect(one.counter(.handshakeEstablished, of: "strangers").total == 0)
        try expectNoTraceOfBatches(in: text, one)
    }

    private func established(_ text: String, in seconds: Int) throws -> UInt64 {
        let change = text.replacing("duration: 40s", with: "duration: \(seconds)s")
        return try simulate(change) { $0.crypto = .modelled }.counter(.handshakeEstablished, of: "laptops").total
    }

    @Test("a server that is away keeps everybody out, and one that is slow keeps them waiting")
    func outage() throws {
        let folder = try Folder()
        let text = Self.text(folder.path)
        let outage = "faults:\n  away: { kind: radius-outage, at: 0s, for: 20s, gateway: gw }\npaths:"
        #expect(try established(text.replacing("paths:", with: outage), in: 19) == 0)
        #expect(try established(text, in: 8) >= 25)
        // 400 ms for each of three rounds, two requests at a time: not two clients a second.
        let slow = text.replacing("{ exponential: { mean: 8ms } }", with: "400ms")
        let count = try established(slow, in: 8)
        #expect(count > 0 && count < 14)
    }
}

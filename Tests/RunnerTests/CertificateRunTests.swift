import Foundation
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A run with certificates", .serialized)
struct CertificateRunTests {
    private static func text(_ folder: String, epoch: String = "2026-01-01T00:00:00Z") -> String {
        """
        version: 1
        name: certificates
        seed: 7
        gateways:
          gw:
            identity: gw.example.org
            policy:
              authentication:
                { certificates: \(folder)/gateway.pem, authorities: \(folder)/ca.pem, psk-derived: secret }
              proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
              pool: [10.128.0.0/16]
            simulated: { cores: 2, costs: workloads/costs/strongswan-5.9.json }
        profiles:
          signing: &profile
            identity: "user%05d@example.org"
            authentication: { certificates: \(folder)/clients.pem, authorities: \(folder)/ca.pem }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            retransmission: { first: 1s, factor: 2, tries: 4 }
            reconnect: never
          keyed:
            identity: "laptop%05d@example.org"
            authentication: { psk-derived: secret, authorities: \(folder)/ca.pem }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            retransmission: { first: 1s, factor: 2, tries: 4 }
          listed:
            identity: { file: \(folder)/clients.csv }
            authentication: { psk-file: \(folder)/clients.csv, authorities: \(folder)/ca.pem }
            proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
            reconnect: never
        paths:
          lte:
            one-way-delay: { per-client: { uniform: [8ms, 60ms] }, jitter: { exponential: { mean: 3ms } } }
            loss: { random: 2% }
            bandwidth: { rate: 1Mbit/s }
            mtu: 1500
        populations:
          phones: { count: 40, profile: signing, path: lte, gateway: gw, sources: [198.18.0.0/16] }
          laptops: { count: 20, profile: keyed, path: lte, gateway: gw, sources: [198.19.0.0/16] }
          strangers: { count: 3, profile: listed, path: lte, gateway: gw, sources: [198.20.0.0/16] }
        arrivals:
          phones: { population: phones, constant: 4/s }
          laptops: { population: laptops, constant: 1/s }
          strangers: { population: strangers, constant: 4/s }
        run: { duration: 40s, epoch: "\(epoch)" }
        """
    }

    /// A folder of `ikestorm pki`, gone with the test.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "ikestorm-pki-\(UUID().uuidString)").path

        init(until: String = "2049-12-31T23:59:59Z") throws {
            var job = TestAuthorityJob(
                folder: path,
                key: "ecdsa256",
                gateway: "gw.example.org",
                identity: "user%05d@example.org",
                clients: 40,
                from: "2020-01-01T00:00:00Z",
                until: until
            )
            job.hasIntermediate = true
            job.seed = 1
            _ = try job.run()
            let list = "identity,psk\none@example.org,a\n\"O=tests, CN=two\",b\nthree.example.org,c\n"
            try list.write(toFile: path + "/clients.csv", atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("is the same with any number of workers, batch size and cryptography")
    func isTheSame() throws {
        let folder = try Folder()
        let text = Self.text(folder.path)
        let one = try simulate(text)
        #expect(one.counter(.handshakeEstablished, of: "phones").total == 40)
        #expect(one.counter(.handshakeEstablished, of: "laptops").total == 20)
        // Their keys are not those that the gateway derives.
        #expect(one.counter(.handshakeEstablished, of: "strangers").total == 0)
        try expectNoTraceOfBatches(in: text, one)
    }

    @Test("takes the gateway the longer the more its signatures cost")
    func isPriced() throws {
        let folder = try Folder()
        let table = try String(contentsOfFile: "workloads/costs/strongswan-5.9.json", encoding: .utf8)
        let costs = table.replacing(
            "\"key-exchanges\"",
            with: """
                "signatures": { "sign": { "base-ns": 40000000 }, "verify": { "base-ns": 60000000 } }, "key-exchanges"
                """
        )
        try costs.write(toFile: folder.path + "/costs.json", atomically: true, encoding: .utf8)
        let cheap = Self.text(folder.path).replacing("loss: { random: 2% }", with: "loss: none")
        let dear = cheap.replacing("workloads/costs/strongswan-5.9.json", with: folder.path + "/costs.json")
        let medians = try [cheap, dear].map { text in
            let outcome = try simulate(text) { $0.crypto = .modelled }
            let phones = outcome.measurements.first { $0.scope.population == "phones" && $0.scope.after == nil }
            return try #require(phones).latency(.handshakeLatency).p50
        }
        #expect((95_000_000...250_000_000).contains(medians[1] - medians[0]), "\(medians)")
    }

    @Test("has the same ends in real time, over loopback")
    func live() throws {
        let folder = try Folder()
        var parts = LoopbackWorkload(count: 40)
        parts.gatewayAuthentication = "{ certificates: \(folder.path)/gateway.pem, authorities: \(folder.path)/ca.pem }"
        parts.authentication = "{ certificates: \(folder.path)/clients.pem, authorities: \(folder.path)/ca.pem }"
        let workload = try parts.validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        #expect(result.measurements.first?.counter(.handshakeEstablished).total == 40)
        #expect(result.leftBehind == 0)
    }

    @Test("is asked for each identity of a file by what safety allows")
    func listedIdentities() throws {
        let folder = try Folder()
        var parts = LoopbackWorkload(count: 3)
        parts.identity = "{ file: \(folder.path)/clients.csv }"
        parts.authentication = "{ psk-file: \(folder.path)/clients.csv }"
        parts.safety = "{ allow-targets: [10.98.1.2], allow-inner: [10.0.0.0/8], allow-identities: [\"*.org\"] }"
        var options = LiveOptions()
        options.allowanceFile = "/nowhere"
        let elsewhere = LiveTarget(address: try #require(IPAddress("10.98.1.2")))
        let run = try LiveRun(try parts.validated(), targets: [elsewhere], options: options)
        let refused = try run.dryRunText.split(separator: "\n").filter { $0.hasPrefix("not allowed") }
        #expect(refused.count == 1)
        #expect(refused.first?.contains("the identity O=tests, CN=two among") == true)
    }

    @Test("lets in who comes before the certificates end, and counts the others by the reason")
    func expires() throws {
        let folder = try Folder(until: "2026-01-01T00:00:05Z")
        for crypto in [SimulatedOptions.Crypto.real, .modelled] {
            let outcome = try simulate(Self.text(folder.path)) { $0.crypto = crypto }
            // The gateway looks first, and tells no more than that it does not believe.
            let phones = outcome.counter(.handshakeFailed, of: "phones")
            #expect((15..<25).contains(phones.total))
            #expect(phones.byReason.first?.name == "authentication-failed")
            let laptops = outcome.counter(.handshakeFailed, of: "laptops")
            #expect(laptops.byReason.map(\.name).contains("expired-certificate"))
        }
    }
}

extension SimulatedOutcome {
    func counter(_ name: MetricName, of population: String) -> CounterRecord {
        measurements.first { $0.scope.population == population && $0.scope.after == nil }?.counter(name)
            ?? CounterRecord(total: 0)
    }
}

import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("strongSwan and half of its clients change certificates and authority under load", .serialized)
struct CertificateRolloverTests {
    /// What a client met with.
    private struct Meeting {
        var client: UInt32
        var at: Instant
        var reason: String?
    }

    @Test(
        "those who have not changed are refused from their next reauthentication on, until they have, and all come back"
    )
    func rollsOver() throws {
        let (old, new) = (try TestPKI("ecdsa256", clients: 40), try TestPKI("ed25519", clients: 40))
        let gateway = try RealGateway.start(knobs: ["PKI": old.folder])
        let meetings = Mutex<[Meeting]>([])
        let listed = Mutex<[ListedIKESA]>([])
        let folder = try TemporaryFolder()
        var options = LiveOptions()
        options.folder = folder.path
        options.records = true
        // No reauthentication begins any more, and each that has begun comes to its end.
        options.beforeDrain = { _ in
            for _ in 0..<50 {
                let associations = (try? gateway.associations()) ?? []
                listed.withLock { $0 = associations }
                if associations.count(where: Self.isWhole) == 40, associations.count == 40 { return }
                usleep(100_000)
            }
        }
        let chosen = options
        let workload = try workload(old, new)
        let result = try gateway.rig.inside {
            let sinks = RunSinks(event: { event in
                guard ["established", "closed"].contains(event.name) else { return }
                let reason = event.name == "closed" ? event.details.first { $0.key == "reason" }?.value : nil
                meetings.withLock { $0.append(Meeting(client: event.client, at: event.time, reason: reason)) }
            })
            return try LiveRun(workload, options: chosen).run(sinks: sinks) { progress in
                guard progress.time == .zero + .seconds(6) else { return }
                do { try gateway.rollOver(to: new.folder) } catch { Issue.record(error) }
            }
        }
        let measured = try #require(result.measurements.first)
        let log = try gateway.log()
        #expect(measured.counter(.handshakeOffered).total > 40, "\(log.suffix(3_000))")
        let left = listed.withLock { $0 }
        #expect(left.count == 40 && left.count(where: Self.isWhole) == 40, "\(left)")
        #expect(Set(left.map(\.remoteIdentity)).count == 40)
        #expect(result.leftBehind == 0)

        // Who fails: those who have not changed, and who came between the clients' change and the gateway's.
        let all = meetings.withLock { $0 }.sorted { $0.at < $1.at }
        let refused = all.filter { $0.reason == "authentication-failed" }
        let names = Set(refused.filter { $0.at > .zero + .seconds(7) }.map(\.client))
        #expect((10...30).contains(names.count), "\(names.count) of 40 clients were refused")
        // Why: the gateway does not believe their authority any more, and says so in its log alone.
        let reasons = Set(measured.counter(.handshakeFailed).byReason.map(\.name))
        #expect(reasons.isSubset(of: ["authentication-failed", "untrusted-certificate"]), "\(reasons)")
        #expect(reasons.contains("authentication-failed"))
        #expect(log.contains("no trusted ECDSA public key found for 'user-"))
        #expect(log.contains("with ED25519 successful"))
        // For how long: from the first refusal to the change at 12 s, and the wait of half a second behind it.
        for client in names {
            let own = all.filter { $0.client == client }
            let first = try #require(own.first { $0.reason == "authentication-failed" })
            let back = try #require(own.first { $0.reason == nil && $0.at > first.at })
            #expect(first.at >= .zero + .seconds(6) && back.at >= .zero + .seconds(12), "\(client)")
            #expect(back.at < .zero + .seconds(14), "client \(client) was out from \(first.at) to \(back.at)")
        }
        #expect(refused.allSatisfy { $0.at < .zero + .seconds(13) })
        // The recording knows who changed, and when.
        let replayed = try RecordedRun(folder: folder.path).replay()
        #expect(replayed.divergence == nil)
        #expect(!replayed.isCutShort)
        #expect(replayed.clients == 40)
    }

    private static func isWhole(_ association: ListedIKESA) -> Bool {
        association.state == "ESTABLISHED" && association.children.count == 1
    }

    /// 40 clients that reauthenticate every three seconds; half change at 6 s, the others at 12 s.
    private func workload(_ old: TestPKI, _ new: TestPKI) throws -> Workload {
        var parts = LiveWorkload(count: 40, rate: "40/s", duration: "17s")
        parts.authentication = old.clientAuthentication(signatures: nil)
        parts.gatewayAuthentication = old.gatewayAuthentication
        parts.settings = """
            reauthentication: { every: 3s, jitter: 50%, order: break-before-make }
                reconnect: { after: [timeout, delete, refused, authentication], wait: { from: 500ms, factor: 1 } }
                traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
            """
        let change = """
            gateway: gw, authorities: \(new.folder)/ca.pem, population: laptops,
                client-certificates: \(new.folder)/clients.pem
            """
        parts.faults = """
            faults:
              half: { kind: certificate-rollover, at: 6s, share: 50%, \(change), certificates: \(new.folder)/gateway.pem }
              rest: { kind: certificate-rollover, at: 12s, \(change) }
            """
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        return try WorkloadFile(text: text, path: "live.yaml").validated()
    }
}

import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

/// RFC 4555 against strongSwan.
@Suite("Clients of a live run that move, before strongSwan", .serialized)
struct LiveMobilityTests {
    /// Clients that all move half-way through the run.
    private static func workload(count: Int, duration: String, mobike: Bool, to path: String) throws -> Workload {
        try LiveWorkload(
            count: count,
            rate: "20/s",
            duration: duration,
            child: "{ rekey: 2s, over: 20s }",
            path: "{ one-way-delay: 1ms }\n  lte: { one-way-delay: 2ms, nat: { preset: linux-conntrack } }",
            faults: "faults: { leave: { kind: move, at: 3s, over: 1s, population: laptops, to: \(path) } }",
            mobike: mobike
        ).validated()
    }

    @Test("their IKE SAs go along, straight to another address or behind a NAT", arguments: ["home", "lte"])
    func keepIKESAs(path: String) throws {
        let gateway = try RealGateway.start(knobs: ["LOG_LEVEL": "2"])
        let count = 20
        let workload = try Self.workload(count: count, duration: "7s", mobike: true, to: path)
        let listed = Mutex<(before: [ListedIKESA], after: [ListedIKESA])>(([], []))
        var options = LiveOptions()
        options.beforeDrain = { _ in listed.withLock { $0.after = (try? gateway.associations()) ?? [] } }
        let chosen = options
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: chosen).run { progress in
                guard progress.time == .zero + .seconds(2) else { return }
                listed.withLock { $0.before = (try? gateway.associations()) ?? [] }
            }
        }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.mobikeMoves).total == UInt64(count))
        #expect(measured.counter(.mobikeUpdates).total == UInt64(count))
        #expect(measured.counter(.mobikeRestarts).total == 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        let (before, after) = listed.withLock { $0 }
        #expect(before.count == count && after.count == count)
        // The same IKE SAs, and not one at the address that it had.
        #expect(Set(before.map(\.initiatorSPI)) == Set(after.map(\.initiatorSPI)))
        #expect(Set(before.map(\.remoteAddress)).intersection(after.map(\.remoteAddress)) == [])
        #expect(Set(after.map(\.remoteAddress)).count == count)
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
        #expect(try gateway.log().contains("MOBIKE"))
    }

    /// Where clients begin, and where they move to and come back from.
    struct Way: CustomTestStringConvertible {
        var gateway: [String]
        var clients: [String]

        var testDescription: String { gateway.joined(separator: " to ") }

        static let all = [
            Way(gateway: ["10.98.1.2", "fd98:1::2"], clients: ["10.99.0.0/16", "fd98:1::1/128"]),
            Way(gateway: ["fd98:1::2", "10.98.1.2"], clients: ["fd98:1::1/128", "10.99.0.0/16"]),
        ]
    }

    @Test(
        "and from one address family to the other, where strongSwan says that it is there, and back",
        arguments: Way.all
    )
    func changeFamily(_ way: Way) throws {
        let gateway = try RealGateway.start(knobs: ["DOS_PROTECTION": "no"])
        let count = 20
        var parts = LiveWorkload(count: count, rate: "40/s", duration: "5s", child: "{ rekey: 2s, over: 20s }")
        parts.mobike = true
        parts.gatewayAddresses = "[\"\(way.gateway[0])\", \"\(way.gateway[1])\"]"
        parts.sources = way.clients[0]
        parts.safety = "{ allow-targets: [10.98.1.2, \"fd98:1::2\"], \(LiveSafetyTests.allowed) }"
        parts.faults = """
            faults:
              leave: { kind: move, at: 1500ms, over: 500ms, population: laptops, to: home, sources: ["\(way.clients[1])"] }
              return: { kind: move, at: 3500ms, over: 500ms, population: laptops, to: home }
            """
        let workload = try parts.validated()
        let lists = Mutex<[[ListedIKESA]]>([])
        let list: @Sendable () -> Void = { lists.withLock { $0.append((try? gateway.associations()) ?? []) } }
        var options = LiveOptions()
        options.beforeDrain = { _ in list() }
        let chosen = options
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: chosen).run { progress in
                if [1, 3].contains(where: { progress.time == .zero + .seconds($0) }) { list() }
            }
        }
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == UInt64(count))
        #expect(measured.counter(.mobikeMoves).total == 2 * UInt64(count))
        #expect(measured.counter(.mobikeUpdates).total == 2 * UInt64(count))
        #expect(measured.counter(.mobikeRestarts).total == 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        let heard = lists.withLock { $0 }
        try #require(heard.map(\.count) == [count, count, count])
        // The same IKE SAs all the time, and strongSwan has them where they are.
        #expect(Set(heard.map { Set($0.map(\.initiatorSPI)) }).count == 1)
        for (list, place) in zip(heard, [0, 1, 0]) {
            #expect(list.allSatisfy { $0.localAddress == way.gateway[place] })
            #expect(list.allSatisfy { $0.remoteAddress.contains(":") == way.clients[place].contains(":") })
        }
        #expect(result.touched.targets.map(\.address) == way.gateway.compactMap { IPAddress($0) }.sorted())
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    @Test("strongSwan moves as an initiator: our responder follows, and asks whether it is there")
    func followsStrongSwan() throws {
        let proposals = ["IKE_PROPOSALS": "aes256gcm16-prfsha384-x25519", "ESP_PROPOSALS": "aes256gcm16-x25519"]
        let rig = try Rig(knobs: proposals)
        var parts = LiveWorkload()
        parts.policy = "pool: [10.128.0.0/10]\n      mobike: true"
        let folder = try TemporaryFolder()
        let file = folder.path + "/workload.yaml"
        try parts.text.write(toFile: file, atomically: true, encoding: .utf8)
        let responder = try rig.start(
            [Rig.ikestorm, "gateway", file, "--address", Rig.gatewayAddress, "--port", "500", "--nat-port", "4500"]
                + ["--allow", "10.99.0.0/16", "--allow", "10.98.1.1/32"],
            on: .gateway
        )
        try responder.waitUntilReady()
        let clients = try RealClients.start(in: rig)
        try clients.initiate()
        let before = try #require(try clients.associations().first)
        #expect(before.localAddress == "10.99.0.1")
        try clients.leaveAddress()
        var after = before
        for _ in 0..<100 where after.localAddress == before.localAddress {
            Thread.sleep(forTimeInterval: 0.1)
            after = try clients.associations().first ?? before
        }
        #expect(after.localAddress == "10.98.1.1")
        #expect(after.initiatorSPI == before.initiatorSPI && after.responderSPI == before.responderSPI)
        // Both ends go on from there.
        try clients.rekeyChildSAs()
        try clients.rekeyIKESA()
        let log = try clients.log()
        #expect(log.contains("N(UPD_SA_ADDR)"), "\(log.suffix(4000))")
        // Our own request, with nothing but a cookie in it.
        #expect(log.contains("parsed INFORMATIONAL request 0 [ N(COOKIE2) ]"), "\(log.suffix(4000))")
        try clients.terminate()
        responder.interrupt()
        let outcome = try responder.wait(atMost: 20)
        #expect(outcome.errors.contains("served 1 IKE SA"), "\(outcome.errors)")
    }

    @Test("a recorded move is replayed: the same datagrams, reports and states")
    func replays() throws {
        let gateway = try RealGateway.start()
        let folder = try TemporaryFolder()
        let workload = try Self.workload(count: 20, duration: "6s", mobike: true, to: "lte")
        var options = LiveOptions()
        options.folder = folder.path
        options.records = true
        options.workers = 2
        let chosen = options
        let result = try gateway.rig.inside { try LiveRun(workload, options: chosen).run() }
        #expect(result.measurements.first?.counter(.mobikeUpdates).total == 20)
        let outcome = try RecordedRun(folder: folder.path).replay()
        #expect(outcome.divergence == nil)
        #expect(!outcome.isCutShort)
        #expect(outcome.clients == 20)
    }
}

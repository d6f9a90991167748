import Foundation
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// RFC 4555 with both address families: our responder is at 127.0.0.1 and at ::1.
@Suite("A live run whose clients move from one address family to the other", .serialized)
struct LiveFamilyTests {
    /// The responder's addresses, and where its clients go from each.
    struct Way: CustomTestStringConvertible {
        var addresses: [String]
        var sources: String

        var testDescription: String { addresses.joined(separator: " to ") + " and back" }
    }

    private static let ways = [
        Way(addresses: ["127.0.0.1", "::1"], sources: "[\"2001:db8:7::/64\"]"),
        Way(addresses: ["::1", "127.0.0.1"], sources: "[198.18.0.0/16]"),
    ]

    private static func workload(_ sources: String, mobike: Bool = true) throws -> Workload {
        try LoopbackWorkload(
            count: 20,
            duration: "4s",
            child: "{ rekey: 1s, over: 20s }",
            path: "{ one-way-delay: 1ms }\n  lte: { one-way-delay: 2ms, nat: { preset: linux-conntrack } }",
            faults: """
                faults:
                  leave: { kind: move, at: 1s, over: 500ms, population: laptops, to: lte, sources: \(sources) }
                  return: { kind: move, at: 2500ms, over: 500ms, population: laptops, to: home }
                """,
            traffic: "traffic: { talk: { population: laptops, echo: true, up: { packets: 20/s, size: 200B } } }",
            mobike: mobike
        ).validated()
    }

    @Test(
        "their IKE SAs and packets go along to where the responder says that it is, and back; so do recordings",
        arguments: ways
    )
    func keepIKESAs(_ way: Way) throws {
        let workload = try Self.workload(way.sources)
        let gateway = try LoopbackGateway(workload, at: way.addresses)
        let folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = LiveOptions()
        options.workers = 2
        options.folder = folder.path
        options.records = true
        let result = try LiveRun(workload, targets: [gateway.target], options: options).run()
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.mobikeMoves).total == 40)
        #expect(measured.counter(.mobikeUpdates).total == 40)
        #expect(measured.counter(.mobikeRestarts).total == 0)
        #expect(measured.counter(.childRekeyFailed).byReason == [])
        #expect(measured.counter(.childRekeyEstablished).total >= 40)
        #expect(measured.counter(.trafficReceived).total * 10 >= measured.counter(.trafficOffered).total * 9)
        #expect(result.touched.targets.map(\.address) == way.addresses.compactMap { IPAddress($0) }.sorted())
        #expect(result.touched.targets.allSatisfy { $0.sent > 400 && $0.received > 400 })
        #expect(result.touched.refused == 0)
        #expect(result.lateness.lostCount == 0)
        #expect(result.leftBehind == 0)
        let replayed = try RecordedRun(folder: folder.path).replay()
        #expect(replayed.divergence == nil && !replayed.isCutShort && replayed.clients == 20)
    }

    @Test(
        "who may not take its IKE SA along, or is not told of the other address, begins anew there",
        arguments: [true, false]
    )
    func beginAnew(_ isMobile: Bool) throws {
        // The workload's gateway has an address of IPv4 alone: nobody is told of the other one, and there of this one.
        let workload = try Self.workload(Self.ways[0].sources, mobike: isMobile)
        let gateway = try LoopbackGateway(workload, at: ["0.0.0.0", "::"])
        let target = LiveTarget(
            address: IPAddress(v4: 0x7F00_0001),
            port: gateway.target.port,
            encapsulatedPort: gateway.target.encapsulatedPort,
            others: [IPAddress(high: 0, low: 1)]
        )
        let result = try LiveRun(workload, targets: [target], options: LiveOptions()).run()
        let measured = try #require(result.measurements.first)
        #expect(measured.counter(.mobikeMoves).total == 40)
        #expect(measured.counter(.mobikeUpdates).total == (isMobile ? 20 : 0))
        #expect(measured.counter(.mobikeRestarts).total == (isMobile ? 20 : 40))
        #expect(measured.counter(.handshakeEstablished).total == (isMobile ? 40 : 60))
        #expect(result.lateness.lostCount == 0)
        #expect(result.leftBehind == 0)
    }

    @Test("to where the target is not, or may not be loaded, nobody is sent")
    func isRefused() throws {
        let workload = try Self.workload(Self.ways[0].sources)
        let none = try #require(throws: LiveError.self) {
            try LiveRun(workload, targets: [try #require(LiveTarget("127.0.0.1"))], options: LiveOptions())
        }
        #expect(none.exitCode == .usage)
        #expect(
            "\(none)" == "the clients of laptops move to 2001:db8:7::/64, and in real time gw has no IPv6 address: "
                + "write one more, as in --target 127.0.0.1,ADDRESS"
        )
        var options = LiveOptions()
        options.allowanceFile = "/nowhere"
        let target = try #require(LiveTarget("127.0.0.1,fd98:1::2"))
        let forbidden = try #require(throws: LiveError.self) {
            try LiveRun(workload, targets: [target], options: options).run()
        }
        #expect(forbidden.exitCode == .safetyAbort)
        #expect(
            "\(forbidden)".contains(
                "the workload's safety does not allow the target fd98:1::2 among its allow-targets"
            ),
            "\(forbidden)"
        )
    }

    @Test("an address that no move leads to is no target")
    func isNoTarget() throws {
        let workload = try LoopbackWorkload().validated()
        let target = try #require(LiveTarget("127.0.0.1,fd98:1::2,10.98.1.2"))
        #expect(try LiveRun(workload, targets: [target], options: LiveOptions()).targets == [LiveTarget("127.0.0.1")])
    }
}

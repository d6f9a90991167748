import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("The safety of a live run", .serialized)
struct LiveSafetyTests {
    /// A run that something forbids, and what it says.
    struct Forbidden: CustomTestStringConvertible, Sendable {
        let name: String
        let workload: LiveWorkload
        let saying: String
        /// What the machine-wide file allows; nil is no file.
        var machine: String?

        var testDescription: String { name }
    }

    static let allowed = #"allow-inner: [10.0.0.0/8], allow-identities: ["user*@example.org"]"#

    static let forbidden = [
        Forbidden(
            name: "a target",
            workload: LiveWorkload(safety: "{ \(allowed) }"),
            saying: "the workload's safety does not allow the target 10.98.1.2 among its allow-targets"
        ),
        Forbidden(
            name: "a target that clients would move to",
            workload: LiveWorkload(
                faults:
                    "faults: { go: { kind: move, at: 1s, population: laptops, to: home, sources: [\"fd98:1::1/128\"] } }",
                gatewayAddresses: "[10.98.1.2, \"fd98:1::2\"]"
            ),
            saying: "the workload's safety does not allow the target fd98:1::2 among its allow-targets"
        ),
        Forbidden(
            name: "an inner prefix",
            workload: LiveWorkload(
                safety: #"{ allow-targets: [10.98.1.2], allow-inner: [10.1.0.0/16], allow-identities: ["*"] }"#
            ),
            saying: "the workload's safety does not allow the inner prefix 10.0.0.0/8 among its allow-inner"
        ),
        Forbidden(
            name: "an identity",
            workload: LiveWorkload(
                count: 10,
                safety: #"{ allow-targets: [10.98.1.2], allow-inner: [10.0.0.0/8], allow-identities: ["user0000*"] }"#
            ),
            saying: "the workload's safety does not allow the identity user00010@example.org among its allow-identities"
        ),
        Forbidden(
            name: "a target that the machine does not allow",
            workload: LiveWorkload(),
            saying: "does not allow the target 10.98.1.2 among its allow-targets",
            machine: #"{ allow-targets: [10.98.1.3], allow-inner: [0.0.0.0/0], allow-identities: ["*"] }"#
        ),
    ]

    @Test(
        "a run towards what is not allowed sends nothing at all: a capture of the link shows it",
        arguments: forbidden
    )
    func sendsNothing(_ forbidden: Forbidden) throws {
        let rig = try Rig()
        let workload = try forbidden.workload.validated()
        var options = LiveOptions()
        let file = FileManager.default.temporaryDirectory.appending(path: "ikestorm-safety-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        options.allowanceFile = file.path
        if let machine = forbidden.machine { try machine.write(to: file, atomically: true, encoding: .utf8) }
        let chosen = options
        let packets = try rig.capturing {
            let error = try #require(throws: LiveError.self) {
                try rig.inside { try LiveRun(workload, options: chosen).run() }
            }
            #expect(error.exitCode == .safetyAbort)
            #expect("\(error)".contains(forbidden.saying))
            try rig.sendMark()
        }
        // The mark was sent behind the run, so that nothing of it can be missing from the capture.
        #expect(packets.filter { $0.source != Rig.gatewayAddress }.map(\.destinationPort) == [Rig.markPort])
    }

    @Test("the capture that shows that nothing was sent holds what an allowed run sends")
    func showsWhatIsSent() throws {
        let rig = try Rig()
        let workload = try LiveWorkload().validated()
        let packets = try rig.capturing {
            let error = try #require(throws: LiveError.self) {
                try rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
            }
            #expect(error.exitCode == .unreachable)
            try rig.sendMark()
        }
        let sent = packets.filter { $0.destination == Rig.gatewayAddress }
        #expect(sent.contains { $0.destinationPort == 500 && $0.source.hasPrefix("10.99.") }, "\(packets)")
        #expect(sent.last?.destinationPort == Rig.markPort)
    }

    @Test("a gateway that calls itself something else gets the canary alone")
    func stopsAtTheCanary() throws {
        let gateway = try RealGateway.start(knobs: ["IDENTITY": "other.example.org"])
        let workload = try LiveWorkload(count: 50).validated()
        let error = try #require(throws: LiveError.self) {
            try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        }
        #expect(error.exitCode == .safetyAbort)
        #expect("\(error)".contains("gw.example.org"))
        let attempts = try gateway.log().split(separator: "\n").filter { $0.contains("received packet") }.count
        #expect((1...3).contains(attempts))
    }

    @Test("ceilings hold attempts back, and count them as clipped")
    func clips() throws {
        let gateway = try RealGateway.start()
        let workload = try LiveWorkload(
            count: 100,
            rate: "100/s",
            duration: "3s",
            safety: "{ allow-targets: [10.98.1.2], \(Self.allowed), at-most: { set-ups: 10/s } }"
        ).validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        let measured = try #require(result.measurements.first)
        let offered = measured.counter(.handshakeOffered).total
        #expect((10...12).contains(offered))
        #expect(measured.counter(.clipped).total == 100 - offered)
    }

    @Test("an abort condition that comes true ends the run, and every SA is deleted")
    func aborts() throws {
        let gateway = try RealGateway.start()
        let workload = try LiveWorkload(
            count: 20,
            rate: "10/s",
            duration: "20s",
            safety: "{ allow-targets: [10.98.1.2], \(Self.allowed), abort-when: [handshake.success rate(2s) > 50%] }"
        ).validated()
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        #expect(result.abort?.condition == "handshake.success rate(2s) > 50%")
        #expect(result.duration < .seconds(10))
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }

    @Test("an interrupted run deletes every SA, and says that it was interrupted")
    func drains() throws {
        let gateway = try RealGateway.start()
        let workload = try LiveWorkload(count: 20, rate: "20/s", duration: "60s").validated()
        var options = LiveOptions()
        let interrupt = Interrupt()
        options.interrupt = interrupt
        let chosen = options
        let result = try gateway.rig.inside {
            try LiveRun(workload, options: chosen).run { if $0.up >= 10 { interrupt.request() } }
        }
        #expect(result.interruption == .drained)
        #expect(result.duration < .seconds(30))
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
    }
}

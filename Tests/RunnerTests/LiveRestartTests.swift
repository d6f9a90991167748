import Foundation
import IKEv2
import Metrics
import Primitives
import Results
import Runner
import Synchronization
import Testing
import Workload

@Suite("A live run whose responder restarts without its state", .serialized)
struct LiveRestartTests {
    private static let count = 20

    @Test(
        "clients hear that their IKE SAs are unknown where its policy says so, and all come again",
        arguments: [0, 1_000]
    )
    func comesAgain(limit: Int) throws {
        var parts = LoopbackWorkload(count: Self.count, duration: "7s")
        parts.policy = limit == 0 ? "subnets: []" : "unknown-spis: \(limit)"
        parts.retransmission = "{ first: 300ms, factor: 1.5, tries: 3 }"
        parts.settings = """
            liveness: { every: 1s }
                reconnect: { after: [timeout], wait: { from: 200ms, factor: 1 } }
            """
        let workload = try parts.validated()
        let holder = Holder(try LoopbackGateway(workload))
        let target = try #require(holder.gateway.withLock { $0?.target })
        let restarting = Thread {
            Thread.sleep(forTimeInterval: 2)
            holder.gateway.withLock { gateway in
                gateway = nil
                gateway = try? LoopbackGateway(workload, inPlaceOf: target)
            }
        }
        restarting.start()
        let result = try LiveRun(workload, targets: [target], options: LiveOptions()).run()
        let measured = try #require(result.measurements.first)
        let unknown = measured.counter(.unknownIKESPI).total
        #expect(limit == 0 ? unknown == 0 : unknown >= UInt64(Self.count), "\(unknown)")
        // What is not protected is a hint: it is silence that ends an IKE SA (RFC 7296 section 2.21.4).
        #expect(measured.counter(.tunnelsLost).byReason.map { "\($0.name) \($0.count)" } == ["timeout \(Self.count)"])
        #expect(measured.counter(.handshakeEstablished).total == UInt64(2 * Self.count))
        #expect(result.associations.map(\.state).filter { $0 == .established }.count == Self.count)
        #expect(holder.gateway.withLock { $0 != nil })
        #expect(result.leftBehind == 0)
    }

    /// The responder, whichever it is now.
    private final class Holder: Sendable {
        let gateway: Mutex<LoopbackGateway?>

        init(_ gateway: LoopbackGateway) { self.gateway = Mutex(gateway) }
    }
}

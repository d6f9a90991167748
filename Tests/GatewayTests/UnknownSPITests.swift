import Gateway
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.21.4.
@Suite("A gateway that has lost its IKE SAs")
struct UnknownSPITests {
    @Test("answers so many requests in a second, and no more", arguments: [0, 2] as [UInt32])
    func answers(limit: UInt32) {
        var world = FleetWorld(pool: "10.128.0.0/24") { $0.lifeCycle.unknownSPIAnswers = limit }
        for number in 1...5 as ClosedRange<UInt32> { world.connect(number: number) }
        world.restart()
        for client in world.clients { world.checkLiveness(client) }
        #expect(world.unknownCount == Int(limit))
        world.wait(for: .seconds(1))
        for client in world.clients { world.retransmit(client) }
        #expect(world.unknownCount == 2 * Int(limit))
    }
}

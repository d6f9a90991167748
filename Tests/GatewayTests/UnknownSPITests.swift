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

    @Test("tells so many clients in a second, in virtual time too, and looks at the rest for nothing")
    func desk() {
        var desk = DeskUnderTest { $0.unknownSPIAnswers = 2 }
        for client in 1...3 as ClosedRange<UInt32> { desk.request(Int64(client) * 1_000, client, .liveness, 5) }
        desk.request(1_001_000, 4, .liveness, 5)
        desk.request(1_002_000, 5, .liveness, 5, isResponse: true)
        let words = desk.run(until: 2_000_000).map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        #expect(
            words == [
                "1 refuseUnknown", "2 refuseUnknown", "3 drop(unknownSPI)", "4 refuseUnknown", "5 drop(unknownSPI)",
            ]
        )
    }
}

/// RFC 7296 section 1.5.
@Suite("A gateway that gets ESP packets of Child SAs that it does not have")
struct UnknownChildSPITests {
    private static let stranger = ChildSPI(rawValue: 0xDEAD_BEEF)
    /// HDR, N(INVALID_SPI).
    private static let unprotected = Header.byteCount + 12

    private static func spis(of client: FleetWorld.Initiator) -> [ChildSPI] {
        var spis: [ChildSPI] = []
        client.endpoint.forEachSA { spis += $0.childSPIs.map { $0[1] } }
        return spis
    }

    @Test("tells the client that sends them, over their IKE SA, and a stranger without protection")
    func answers() throws {
        var world = FleetWorld(pool: "10.128.0.0/24") { $0.lifeCycle.unknownSPIAnswers = 10 }
        for number in 1...3 as ClosedRange<UInt32> { world.connect(number: number) }
        let protected = world.sendESP(Self.stranger, from: 1)
        #expect(try #require(protected) > Self.unprotected)
        let bare = world.sendESP(Self.stranger, from: 7)
        #expect(bare == Self.unprotected)
        // What is here is not answered, wherever it comes from: a NAT may have changed its mind.
        let spi = try #require(Self.spis(of: world.clients[1]).first)
        for place in [1, 2, 7] {
            let answer = world.sendESP(spi, from: place)
            #expect(answer == nil)
        }
        // It is no more when its IKE SA is gone.
        world.delete(world.clients[1])
        for place in [1, 2] {
            let answer = world.sendESP(spi, from: place)
            #expect((try #require(answer) > Self.unprotected) == (place == 2))
        }
        #expect(world.peerCount == 2)
    }

    @Test("says so a few times in a second, and nothing where nobody wants it", arguments: [0, 3] as [UInt32])
    func isLimited(limit: UInt32) {
        var world = FleetWorld(pool: "10.128.0.0/24") { $0.lifeCycle.unknownSPIAnswers = limit }
        world.connect(number: 1)
        for _ in 1...2 {
            var count: UInt32 = 0
            for place in 0..<20 where world.sendESP(Self.stranger, from: place) != nil { count += 1 }
            #expect(count == limit)
            world.wait(for: .seconds(1))
        }
    }

    @Test("makes a client ask whether it is there, where it has lost everything")
    func hints() throws {
        var world = FleetWorld(pool: "10.128.0.0/24") { $0.lifeCycle.unknownSPIAnswers = 10 }
        world.connect(number: 1)
        let old = try #require(Self.spis(of: world.clients[0]).first)
        world.restart()
        let bare = world.sendESP(old, from: 0)
        #expect(bare == Self.unprotected)
        #expect(world.unknownCount == 1)
    }
}

/// RFC 7296 section 2.3.
@Suite("A desk whose clients' requests overlap")
struct OverlappingRequestTests {
    @Test("gives the half what comes behind a later request, and what comes again", arguments: [1, 4] as [UInt32])
    func takes(size: UInt32) {
        var desk = DeskUnderTest { $0.windowSize = size }
        desk.saInit(0, 1)
        desk.report(1_500, 1, .established)
        for (place, id) in ([2, 4, 3] as [UInt32]).enumerated() {
            desk.request(10_000 + Int64(place) * 10_000, 1, .liveness, id)
        }
        var again = PacketNote(.liveness, isResponse: false)
        again.isRetransmission = true
        desk.arrive(50_000, 1, .informational, 3, again, spi: DeskUnderTest.spi(1))
        let words = desk.run(until: 100_000).dropFirst().map { $0.split(separator: " ").last.map(String.init) ?? "" }
        #expect(
            words
                == (size == 1
                    ? ["handle", "handle", "drop(old)", "drop(old)"] : ["handle", "handle", "handle", "handle"])
        )
    }
}

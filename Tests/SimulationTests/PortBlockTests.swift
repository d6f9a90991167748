import Primitives
import Simulation
import Testing

/// RFC 6888 and RFC 7422.
@Suite("The ports of a shared NAT")
struct PortBlockTests {
    private static let addresses = [IPPrefix("203.0.113.4/31")!, IPPrefix("203.0.113.9/32")!]

    @Test("are handed out in blocks that do not overlap, round the addresses, until none is left")
    func handsOut() throws {
        var blocks = PortBlocks(addresses: Self.addresses, portsPerBlock: 8_000)
        #expect(blocks.capacity == 3 * 8)
        var taken: [PortBlock] = []
        while let block = blocks.take() { taken.append(block) }
        #expect(taken.count == blocks.capacity && blocks.usedCount == blocks.capacity)
        #expect(Set(taken).count == taken.count)
        #expect(taken.prefix(3).map { "\($0.address)" } == ["203.0.113.4", "203.0.113.5", "203.0.113.9"])
        for block in taken {
            #expect(block.firstPort >= 1_024 && (Int(block.firstPort) - 1_024) % 8_000 == 0 && block.count == 8_000)
        }
    }

    @Test("come again in the order in which they were given back")
    func comeAgain() throws {
        var blocks = PortBlocks(addresses: Self.addresses, portsPerBlock: 32_000)
        var taken: [PortBlock] = []
        while let block = blocks.take() { taken.append(block) }
        #expect(taken.count == 6)
        for place in [4, 1, 5] { blocks.giveBack(taken[place]) }
        #expect(blocks.usedCount == 3)
        for place in [4, 1, 5] { #expect(blocks.take() == taken[place]) }
        #expect(blocks.take() == nil)
    }

    @Test("are the only ones that a client's NAT gives", arguments: NATBehaviour.PortChoice.allCases)
    func staysInBlock(_ choice: NATBehaviour.PortChoice) {
        let behaviour = NATBehaviour(
            mapping: .addressAndPortDependent,
            filtering: .endpointIndependent,
            timeoutOneWay: .seconds(30),
            timeoutTwoWay: .seconds(60),
            ports: choice
        )
        let block = PortBlock(address: IPAddress("203.0.113.4")!, firstPort: 2_000, count: 8)
        let inner = IPAddress("192.168.0.2")!
        var nat = NAT(innerAddress: inner, outerAddress: IPAddress("198.51.100.1")!, seed: 7, name: 9)
        nat.use(block)
        #expect(nat.portBlock == block && nat.idleFrom(behaviour) == .zero)
        var now = Instant.zero
        for round in 0..<100 {
            now += .seconds(7)
            let remote = UDPEndpoint(address: IPAddress(v4: 0xC000_0201 + UInt32(round % 5)), port: 500)
            let outside = nat.outbound(from: round % 2 == 0 ? 500 : 2_003, to: remote, at: now, behaviour)
            #expect(outside.address == block.address)
            #expect((2_000..<2_008).contains(outside.port))
            #expect(nat.idleFrom(behaviour) == now + .seconds(30))
        }
        nat.use(nil)
        #expect(nat.portBlock == nil)
    }
}

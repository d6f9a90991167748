import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.23 and RFC 3948.
@Suite("A NAT is on the way")
struct PathTests {
    static let nat = IPAddress("203.0.113.9")!

    /// What the responder sees of the initiator behind the NAT.
    static func translate(_ offset: UInt16) -> (UDPEndpoint) -> UDPEndpoint {
        { UDPEndpoint(address: nat, port: 30_000 + offset + $0.port % 100) }
    }

    @Test("it is found, and everything after IKE_SA_INIT goes by port 4500 behind a marker")
    func moves() {
        tell { network in
            network.outside = Self.translate(0)
            network.run(for: .seconds(1))
            #expect(network.wire.map(\.path.isEncapsulated) == [false, false, true, true])
            #expect(network.wire.map { $0.octets.starts(with: [0, 0, 0, 0]) } == [false, false, true, true])
            #expect(network.wire[2].path.local == .gateway.on(4500))
            #expect(network.summary(of: .initiator)?.nat.isLocalBehindNAT == true)
            #expect(network.summary(of: .initiator)?.nat.isPeerBehindNAT == false)
            #expect(network.summary(of: .responder)?.nat.isPeerBehindNAT == true)
            #expect(network.summary(of: .responder)?.nat.isLocalBehindNAT == false)
            #expect(network.summary(of: .responder)?.path.remote == UDPEndpoint.client.on(4500).translated)
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.wire.dropFirst(4).allSatisfy { $0.path.isEncapsulated })
            #expect(network.summary(of: .initiator)?.nat.isLocalBehindNAT == true)
        }
    }

    @Test("none is: everything stays on port 500")
    func stays() {
        tell { network in
            network.run(for: .seconds(1))
            #expect(network.wire.allSatisfy { !$0.path.isEncapsulated })
            #expect(network.summary(of: .responder)?.nat.isAny == false)
        }
    }

    @Test("the end behind it keeps its mapping alive, and only that one, and only in silence")
    func keepsAlive() {
        let policy = { (values: inout PeerPolicy.Values) in values.natKeepalive = .seconds(20) }
        tell(initiator: .client(policy), responder: .gateway(policy)) { network in
            network.outside = Self.translate(0)
            network.run(for: .seconds(30))
            network.forgetStory()
            network.run(for: .seconds(61))
            expectStory(network, "--> 0xFF\n--> 0xFF\n--> 0xFF")
            #expect(network.wire.last?.octets == [0xFF])
            network.forgetStory()
            for _ in 0..<10 {
                network.command(.checkLiveness, at: .initiator)
                network.run(for: .seconds(10))
            }
            #expect(network.story.allSatisfy { $0.hasSuffix("SK {}") })
        }
    }

    @Test("and gives the initiator another port: the responder follows the next new message")
    func followsRebinding() {
        tell { network in
            network.outside = Self.translate(0)
            network.run(for: .seconds(1))
            network.outside = Self.translate(100)
            // What the responder sends now is lost, until the initiator says something.
            network.command(.checkLiveness, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.story.last?.hasSuffix("(lost)") == true)
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(30))
            let seen = Self.translate(100)(.client.on(4500))
            #expect(network.reports[1].contains(.peerMoved(seen)))
            #expect(network.summary(of: .responder)?.path.remote == seen)
            #expect(network.count(.responder) { $0 == .alive } == 1)
            #expect(network.count(.initiator) { $0 == .alive } == 1)
        }
    }

    @Test("and the end behind it does not follow the other one, whom nobody can move")
    func staysBehindNAT() {
        let network = Network()
        network.outside = Self.translate(0)
        network.run(for: .seconds(1))
        let path = network.summary(of: .initiator)!.path
        var elsewhere = path
        elsewhere.remote = UDPEndpoint(address: IPAddress("192.0.2.66")!, port: 4500)
        let request = network.forgedRequest(.informational, from: .responder) { _ in }
        network.receive(request, over: elsewhere, at: .initiator)
        #expect(network.summary(of: .initiator)?.path == path)
    }

    @Test("or none, and either end follows the other one's new address", arguments: Side.allCases)
    func followsWithoutNAT(_ side: Side) {
        let network = Network.established()
        var elsewhere = network.summary(of: side)!.path
        elsewhere.remote = UDPEndpoint(address: IPAddress("192.0.2.66")!, port: 500)
        // Not for what is not genuine.
        var request = network.forgedRequest(.informational, from: side.other) { _ in }
        request[request.count - 1] ^= 1
        network.receive(request, over: elsewhere, at: side)
        #expect(network.summary(of: side)?.path.remote != elsewhere.remote)
        request[request.count - 1] ^= 1
        network.receive(request, over: elsewhere, at: side)
        #expect(network.summary(of: side)?.path.remote == elsewhere.remote)
        #expect(network.reports[side.rawValue].last == .peerMoved(elsewhere.remote))
    }
}

extension UDPEndpoint {
    fileprivate var translated: UDPEndpoint { PathTests.translate(0)(self) }
}

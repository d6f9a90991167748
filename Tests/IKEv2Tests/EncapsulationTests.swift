import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.23 and RFC 3948.
@Suite("UDP port 4500 is used")
struct EncapsulationTests {
    private static let inside = IPAddress("10.0.0.9")!
    private static let forced: @Sendable (inout PeerPolicy.Values) -> Void = { $0.forcesEncapsulation = true }

    @Test("where one end says that it is behind a NAT, though it is not", arguments: Side.allCases)
    func isForced(_ side: Side) {
        tell(
            initiator: side == .initiator ? .client(Self.forced) : .client(),
            responder: side == .responder ? .gateway(Self.forced) : .gateway()
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.wire.map(\.path.isEncapsulated) == [false, false, true, true])
            #expect(network.summary(of: side.other)?.nat.isPeerBehindNAT == true)
            #expect(network.summary(of: side.other)?.nat.isLocalBehindNAT == false)
            // Who only says so has no mapping to be kept alive.
            #expect(network.summary(of: side)?.nat.isAny == false)
            network.command(.rekeyIKE, at: side)
            network.run(for: .seconds(1))
            #expect(network.wire.dropFirst(2).allSatisfy { $0.path.isEncapsulated })
        }
    }

    @Test("where the responder is behind a NAT, which keeps its mapping alive")
    func responderIsBehindNAT() {
        let keepalive = { (values: inout PeerPolicy.Values) in values.natKeepalive = .seconds(20) }
        tell(initiator: .client(keepalive), responder: .gateway(keepalive)) { network in
            network.gatewayInside = Self.inside
            network.run(for: .seconds(1))
            #expect(network.wire.map(\.path.isEncapsulated) == [false, false, true, true])
            #expect(network.summary(of: .initiator)?.nat.isPeerBehindNAT == true)
            #expect(network.summary(of: .initiator)?.nat.isLocalBehindNAT == false)
            #expect(network.summary(of: .responder)?.nat.isLocalBehindNAT == true)
            #expect(network.summary(of: .responder)?.path.local.address == Self.inside)
            network.forgetStory()
            network.run(for: .seconds(45))
            expectStory(network, "<-- 0xFF\n<-- 0xFF")
        }
    }

    @Test("where both are")
    func bothAreBehindNATs() {
        tell { network in
            network.gatewayInside = Self.inside
            network.outside = PathTests.translate(0)
            network.run(for: .seconds(1))
            for side in Side.allCases {
                #expect(network.summary(of: side)?.nat.isLocalBehindNAT == true)
                #expect(network.summary(of: side)?.nat.isPeerBehindNAT == true)
            }
            // A new port of the initiator's NAT is followed (RFC 7296 section 2.23).
            network.outside = PathTests.translate(100)
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.summary(of: .responder)?.path.remote == PathTests.translate(100)(.client.on(4500)))
        }
    }

    @Test("with MOBIKE, an initiator moves to a responder behind a NAT as to any other")
    func movesTowardsNAT() {
        tell(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.gatewayInside = Self.inside
            network.run(for: .seconds(1))
            network.move(to: .elsewhere)
            network.run(for: .seconds(1))
            #expect(network.summary(of: .initiator)?.nat.isPeerBehindNAT == true)
            #expect(network.summary(of: .responder)?.nat.isLocalBehindNAT == true)
            #expect(network.summary(of: .responder)?.path.remote == Route.elsewhere.encapsulated.local)
        }
    }
}

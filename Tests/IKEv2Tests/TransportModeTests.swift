import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 1.3.1 and 2.23.1.
@Suite("Transport mode")
struct TransportModeTests {
    private static let client = client()
    private static let gateway = PeerPolicy.gateway { $0.childMode = .transport }

    private static func client(_ change: (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .client { values in
            values.childMode = .transport
            values.requestedAddresses = []
            change(&values)
        }
    }

    private static func everything(of address: IPAddress) -> [TrafficSelector] {
        [TrafficSelector(IPPrefix(address: address, length: 32))]
    }

    private static func transport(_ client: PeerPolicy = client, _ body: (Network) -> Void) {
        tell(initiator: client, responder: gateway) { network in
            network.lease = InnerAddresses()
            body(network)
        }
    }

    /// Whether both ends have so many Child SAs in transport mode between what each takes for the two addresses.
    private func expectEnds(_ network: Network, count: Int, of side: Side, own: IPAddress, peer: IPAddress) {
        let children = network.children(of: side)
        #expect(children.count == count)
        for child in children {
            #expect(child.isTransport)
            #expect(child.localSelectors == Self.everything(of: own))
            #expect(child.remoteSelectors == Self.everything(of: peer))
        }
    }

    @Test("is asked for and agreed to, by IKE_AUTH and by CREATE_CHILD_SA, and survives rekeys from either end")
    func isNegotiated() {
        Self.transport(Self.client { $0.additionalChildren = 1 }) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, N(USE_TRANSPORT_MODE), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, N(USE_TRANSPORT_MODE), SAr2, TSi, TSr}
                --> HDR, SK {N(USE_TRANSPORT_MODE), SA, Ni, TSi, TSr}
                <-- HDR, SK {N(USE_TRANSPORT_MODE), SA, Nr, TSi, TSr}
                """
            )
            network.forgetStory()
            for side in Side.allCases {
                network.command(.rekeyChildren, at: side)
                network.run(for: .seconds(10))
            }
            #expect(network.story[0] == "--> HDR, SK {N(REKEY_SA), N(USE_TRANSPORT_MODE), SA, Ni, TSi, TSr}")
            #expect(network.story.contains("<-- HDR, SK {N(REKEY_SA), N(USE_TRANSPORT_MODE), SA, Ni, TSi, TSr}"))
            let (client, gateway) = (UDPEndpoint.client.address, UDPEndpoint.gateway.address)
            expectEnds(network, count: 2, of: .initiator, own: client, peer: gateway)
            expectEnds(network, count: 2, of: .responder, own: gateway, peer: client)
        }
    }

    @Test("through NATs at both ends has each end's own addresses in its selectors, also after rekeys from either end")
    func passesNATs() {
        let inside = IPAddress("10.0.0.9")!
        // Beside `tell`, which wants the selectors of both ends to be the same.
        let network = Network(initiator: Self.client, responder: Self.gateway)
        network.lease = InnerAddresses()
        network.gatewayInside = inside
        network.outside = PathTests.translate(0)
        network.run(for: .seconds(1))
        for side in Side.allCases {
            network.command(.rekeyChildren, at: side)
            network.run(for: .seconds(10))
        }
        let (client, gateway) = (UDPEndpoint.client.address, UDPEndpoint.gateway.address)
        expectEnds(network, count: 1, of: .initiator, own: client, peer: gateway)
        expectEnds(network, count: 1, of: .responder, own: inside, peer: PathTests.nat)
    }

    @Test("is rekeyed although the initiator's NAT takes another address between the request and its answer")
    func followsMeanwhile() {
        let network = Network(initiator: Self.client, responder: Self.gateway)
        network.lease = InnerAddresses()
        network.outside = PathTests.translate(0)
        network.run(for: .seconds(1))
        network.fate = { $0.from == .responder ? .isHeld : .arrives }
        network.command(.rekeyChildren, at: .responder)
        network.fate = { _ in .arrives }
        let other = IPAddress("203.0.113.77")!
        network.outside = { UDPEndpoint(address: other, port: PathTests.translate(0)($0).port) }
        network.release()
        network.run(for: .seconds(30))
        for side in Side.allCases {
            #expect(network.ends(side) == [])
            #expect(network.children(of: side).map(\.isTransport) == [true])
        }
        #expect(network.count(.responder) { if case .childRekeyed = $0 { true } else { false } } == 1)
    }

    @Test("that the responder does not agree to is tunnel mode, which the initiator deletes")
    func isDeclined() {
        let gateway = PeerPolicy.gateway { values in
            values.localSelectors = Self.everything(of: UDPEndpoint.gateway.address)
            values.remoteSelectors = Self.everything(of: UDPEndpoint.client.address)
        }
        tell(initiator: Self.client, responder: gateway) { network in
            network.lease = InnerAddresses()
            network.run(for: .seconds(1))
            #expect(network.story[3] == "<-- HDR, SK {IDr, AUTH, SAr2, TSi, TSr}")
            #expect(Array(network.story[4...]) == ["--> HDR, SK {D(ESP)}", "<-- HDR, SK {D(ESP)}"])
            #expect(network.count(.initiator) { $0 == .childRefused(.useTransportMode) } == 1)
            #expect(network.count(.initiator) { if case .childInstalled = $0 { true } else { false } } == 0)
            for side in Side.allCases { #expect(network.children(of: side).count == 0) }
        }
    }

    @Test("is not what an initiator gets that did not ask for it")
    func isNotForced() {
        tell(responder: Self.gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.story[3] == "<-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}")
            #expect(network.children(of: .initiator).map(\.isTransport) == [false])
        }
    }
}

import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 6023.
@Suite("IKE_AUTH without a Child SA")
struct ChildlessTests {
    private static func client(_ childless: Childless, _ change: (inout PeerPolicy.Values) -> Void = { _ in })
        -> PeerPolicy
    {
        .client { values in
            values.lifeCycle.childless = childless
            change(&values)
        }
    }

    private static let gateway = PeerPolicy.gateway { $0.lifeCycle.childless = .accepted }

    private static let detection = "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)"

    @Test(
        "is followed by CREATE_CHILD_SA for the first one, with the address that IKE_AUTH gave",
        arguments: [Childless.preferred, .required]
    )
    func begins(_ childless: Childless) {
        tell(initiator: Self.client(childless) { $0.additionalChildren = 1 }, responder: Self.gateway) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, \(Self.detection)
                <-- HDR, SAr1, KEr, Nr, \(Self.detection), N(CHILDLESS_IKEV2_SUPPORTED)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST)}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY)}
                --> HDR, SK {SA, Ni, TSi, TSr}
                <-- HDR, SK {SA, Nr, TSi, TSr}
                --> HDR, SK {SA, Ni, TSi, TSr}
                <-- HDR, SK {SA, Nr, TSi, TSr}
                """
            )
            #expect(network.children(of: .initiator).count == 2)
            let address = TrafficSelector(IPPrefix("10.128.0.7/32")!)
            #expect(network.children(of: .initiator).allSatisfy { $0.localSelectors == [address] })
            // The IKE SA is there before there is a Child SA.
            let news = network.news(.initiator).map { "\($0)".prefix { $0 != "(" } }
            #expect(news == ["established", "addressAssigned", "childInstalled", "childInstalled"])
        }
    }

    @Test(
        "is not begun with a responder that does not say that it takes it: IKE_AUTH makes the Child SA, or there is no IKE SA"
    )
    func needsSupport() {
        tell(initiator: Self.client(.preferred)) { network in
            network.run(for: .seconds(1))
            #expect(network.story[2] == "--> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}")
            #expect(network.children(of: .responder).count == 1)
        }
        let network = Network(initiator: Self.client(.required))
        network.run(for: .seconds(1))
        #expect(network.story.count == 2)
        #expect(network.ends(.initiator) == [.childlessUnsupported])
    }

    @Test("is not asked of an initiator that does not want it")
    func isOptional() {
        tell(responder: Self.gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.story.count == 4)
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("does without an address where none is left, and says so")
    func hasNoAddress() {
        tell(initiator: Self.client(.preferred), responder: Self.gateway) { network in
            network.lease = InnerAddresses()
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {IDr, AUTH, N(INTERNAL_ADDRESS_FAILURE)}")
            #expect(network.count(.initiator) { $0 == .childRefused(.internalAddressFailure) } == 1)
        }
    }

    @Test("is a malformed request to a responder that does not take it")
    func isRefused() {
        let network = Network(initiator: Self.client(.preferred), responder: Self.gateway)
        network.fate = { $0.note.operation == .ikeAuth ? .isHeld : .arrives }
        network.run(for: .milliseconds(100))
        network.policies[1] = .gateway()
        network.fate = { _ in .arrives }
        network.release()
        network.run(for: .seconds(1))
        #expect(network.ends(.responder) == [.malformedRequest])
        #expect(network.ends(.initiator) == [.refused(.invalidSyntax)])
    }

    @Test("goes before EAP, too, and CREATE_CHILD_SA behind it", arguments: TestEAP.allCases)
    func followsEAP(_ method: TestEAP) {
        let client = PeerPolicy.client(eap: method) { $0.lifeCycle.childless = .required }
        let gateway = PeerPolicy.gateway(eap: method) { $0.lifeCycle.childless = .accepted }
        tell(initiator: client, responder: gateway) { network in
            network.run(for: .seconds(2))
            #expect(network.story[2] == "--> HDR, SK {IDi, IDr, CP(CFG_REQUEST)}")
            #expect(
                network.story.suffix(4) == [
                    "--> HDR, SK {AUTH}", "<-- HDR, SK {AUTH, CP(CFG_REPLY)}",
                    "--> HDR, SK {SA, Ni, TSi, TSr}", "<-- HDR, SK {SA, Nr, TSi, TSr}",
                ]
            )
            let address = TrafficSelector(IPPrefix("10.128.0.7/32")!)
            #expect(network.children(of: .initiator).map(\.localSelectors) == [[address]])
        }
    }

    @Test("without AUTH is refused by a responder that has no EAP")
    func needsProof() {
        let network = Network(
            initiator: .client(eap: .gtc) { $0.lifeCycle.childless = .preferred },
            responder: Self.gateway
        )
        network.run(for: .seconds(1))
        #expect(network.ends(.responder) == [.authenticationFailed])
        #expect(network.ends(.initiator) == [.authenticationFailed])
    }

    @Test("with any one message lost comes to the same end", arguments: 0..<6)
    func survivesLoss(_ lost: Int) {
        tell(initiator: Self.client(.required), responder: Self.gateway) { network in
            var count = 0
            network.fate = { _ in
                defer { count += 1 }
                return count == lost ? .isLost : .arrives
            }
            network.run(for: .seconds(30))
            #expect(network.children(of: .initiator).count == 1)
        }
    }
}

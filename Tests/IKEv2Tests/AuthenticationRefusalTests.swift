import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("IKE_AUTH is refused")
struct AuthenticationRefusalTests {
    struct Refusal: CustomTestStringConvertible {
        let name: String
        var client = PeerPolicy.client()
        var gateway = PeerPolicy.gateway()
        let story: String
        let initiator: CloseReason
        let responder: CloseReason
        var testDescription: String { name }
    }

    private static let request = "--> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}\n"

    @Test(
        "to a peer that is not who it should be, and both ends know why",
        arguments: [
            Refusal(
                name: "the initiator has another key",
                client: .client { $0.preSharedKey = Array("another".utf8) },
                story: request + "<-- HDR, SK {N(AUTHENTICATION_FAILED)}",
                initiator: .authenticationFailed,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the responder wants another identity",
                gateway: .gateway { $0.peerIdentity = IdentityTemplate("else%05d@example.org") },
                story: request + "<-- HDR, SK {N(AUTHENTICATION_FAILED)}",
                initiator: .authenticationFailed,
                responder: .wrongIdentity
            ),
            Refusal(
                name: "the responder is not the one that is wanted",
                client: .client { $0.peerIdentity = IdentityTemplate("other.example.org") },
                story: request + """
                    <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                    --> HDR, SK {N(AUTHENTICATION_FAILED)}
                    <-- HDR, SK {}
                    """,
                initiator: .wrongIdentity,
                responder: .authenticationFailed
            ),
        ]
    )
    func refuses(_ refusal: Refusal) {
        tell(initiator: refusal.client, responder: refusal.gateway) { network in
            network.run(until: .zero + .milliseconds(15))
            network.forgetStory()
            network.run(for: .seconds(1))
            expectStory(network, refusal.story)
            #expect(network.ends(.initiator) == [refusal.initiator])
            #expect(network.ends(.responder) == [refusal.responder])
        }
    }

    @Test("a responder that does not know the key is told so by the initiator that found out")
    func refusesResponder() {
        // The responder takes the initiator's AUTH and answers with a wrong one: its octets are changed on the way by
        // somebody who knows the keys.
        var network = Network()
        network.fate = { $0.note.operation == .ikeAuth && $0.note.isResponse ? .isHeld : .arrives }
        network.run(for: .milliseconds(100))
        let answer = network.held[0]
        let forged = network.resealed(answer.message) { payloads in
            payloads.replacing(.authentication) { body in body[body.count - 1] ^= 1 }
        }
        network.held = []
        network.forgetStory()
        network.receive(forged, over: answer.path, at: .initiator)
        network.run(for: .seconds(1))
        expectStory(network, "--> HDR, SK {N(AUTHENTICATION_FAILED)}\n<-- HDR, SK {}")
        #expect(network.ends(.initiator) == [.authenticationFailed])
        #expect(network.ends(.responder) == [.authenticationFailed])
    }

    struct ChildRefusal: CustomTestStringConvertible {
        let name: String
        var client = PeerPolicy.client()
        var gateway = PeerPolicy.gateway()
        var hasLease = true
        let type: NotifyType
        var testDescription: String { name }
    }

    @Test(
        "for the Child SA only, and the IKE SA stays",
        arguments: [
            ChildRefusal(
                name: "no traffic selector in common",
                client: .client { $0.remoteSelectors = [TrafficSelector(IPPrefix("192.168.0.0/16")!)] },
                type: .tsUnacceptable
            ),
            ChildRefusal(name: "no address left", hasLease: false, type: .internalAddressFailure),
            ChildRefusal(
                name: "an address must be asked for",
                client: .client {
                    $0.requestedAddresses = []
                    $0.localSelectors = [TrafficSelector(IPPrefix("10.128.0.9/32")!)]
                },
                gateway: .gateway { $0.requiresAddressRequest = true },
                type: .failedCPRequired
            ),
            ChildRefusal(
                name: "no proposal in common",
                client: .client { $0.childProposals = .esp("aes256gcm16") },
                type: .noProposalChosen
            ),
        ]
    )
    func refusesChild(_ refusal: ChildRefusal) {
        tell(initiator: refusal.client, responder: refusal.gateway) { network in
            if !refusal.hasLease { network.lease = InnerAddresses() }
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {IDr, AUTH, N(\(refusal.type.name!))}")
            for side in Side.allCases {
                #expect(network.situation(of: side) == "established")
                #expect(network.children(of: side).isEmpty)
                #expect(network.reports[side.rawValue].contains(.childRefused(refusal.type)))
            }
        }
    }
}

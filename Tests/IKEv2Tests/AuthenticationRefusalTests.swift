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

    private static let signed = "--> HDR, SK {IDi, CERT, CERT, CERTREQ, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}\n"
    private static let refused = "<-- HDR, SK {N(AUTHENTICATION_FAILED)}"
    private static let answered = """
        <-- HDR, SK {IDr, CERT, CERT, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
        --> HDR, SK {N(AUTHENTICATION_FAILED)}
        <-- HDR, SK {}
        """
    private static let proof = TestProof.signature(.ecdsa256)

    private static func client(_ change: @escaping (inout AuthenticationPolicy) -> Void) -> PeerPolicy {
        .client(by: proof, to: proof) { change(&$0.authentication) }
    }

    private static func gateway(_ change: @escaping (inout AuthenticationPolicy) -> Void = { _ in }) -> PeerPolicy {
        .gateway(by: proof, to: proof) { change(&$0.authentication) }
    }

    private static let long = TestAuthority.epoch - 10_000...TestAuthority.epoch - 1
    private static let soon = TestAuthority.epoch + 1...TestAuthority.epoch + 10_000

    @Test(
        "to a peer whose certificate does not show who it is",
        arguments: [
            Refusal(
                name: "the initiator's has expired",
                client: client { $0.credentials = [.user(validity: long)] },
                gateway: gateway(),
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .expiredCertificate
            ),
            Refusal(
                name: "the initiator's is not valid yet",
                client: client { $0.credentials = [.user(validity: soon)] },
                gateway: gateway(),
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .expiredCertificate
            ),
            Refusal(
                name: "the initiator's is somebody else's",
                client: client { $0.credentials = [.user("email:user00002@example.org")] },
                gateway: gateway(),
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .certificateOfAnother
            ),
            Refusal(
                name: "the initiator's is of an authority that nobody believes",
                client: client { $0.credentials = [.user(of: .other)] },
                gateway: gateway(),
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .untrustedCertificate
            ),
            Refusal(
                name: "the initiator's lacks the intermediate one",
                client: client { policy in
                    policy.credentials = [
                        TestAuthority.ours.credential(.ecdsa256, "email:user00001@example.org", sendsChain: false)
                    ]
                },
                gateway: gateway(),
                story: signed.replacing("CERT, CERT,", with: "CERT,") + refused,
                initiator: .authenticationFailed,
                responder: .untrustedCertificate
            ),
            Refusal(
                name: "the initiator signs with another key",
                client: client { policy in
                    policy.credentials = [
                        TestAuthority.ours.credential(.ecdsa256, "email:user00001@example.org", hasOwnKey: false)
                    ]
                },
                gateway: gateway(),
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the initiator has a shared key, where certificates are wanted",
                client: .client(by: .sharedKey, to: proof),
                gateway: gateway(),
                story: signed.replacing("CERT, CERT, ", with: "") + refused,
                initiator: .authenticationFailed,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the initiator signs, where a shared key is wanted",
                client: .client(by: proof, to: .sharedKey) { $0.authentication.schemes = [.ecdsaP256] },
                gateway: .gateway(),
                story: signed.replacing("CERTREQ, ", with: "") + refused,
                initiator: .authenticationFailed,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the initiator signs by a scheme that is not wanted",
                client: client { $0.schemes = [.ecdsaP256] },
                gateway: gateway { $0.schemes = [.ecdsaSHA256] },
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the responder's has expired",
                client: client { _ in },
                gateway: gateway { $0.credentials = [.gateway(validity: long)] },
                story: signed + answered,
                initiator: .expiredCertificate,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the responder's is somebody else's",
                client: client { _ in },
                gateway: gateway { $0.credentials = [.gateway("DNS:other.example.org")] },
                story: signed + answered,
                initiator: .certificateOfAnother,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the responder's is of an authority that nobody believes",
                client: client { _ in },
                gateway: gateway { $0.credentials = [.gateway(of: .other)] },
                story: signed + answered,
                initiator: .untrustedCertificate,
                responder: .authenticationFailed
            ),
            Refusal(
                name: "the responder's key makes no signature that the initiator takes",
                client: client { $0.schemes = [.ecdsaSHA256] },
                gateway: gateway { policy in
                    policy.credentials = [TestAuthority.ours.credential(.ed25519, "DNS:gw.example.org")]
                },
                story: signed + refused,
                initiator: .authenticationFailed,
                responder: .noCommonSignature
            ),
        ]
    )
    func refusesCertificate(_ refusal: Refusal) { refuses(refusal) }

    @Test("an initiator whose key makes no signature that the responder takes ends by itself")
    func noCommonSignature() {
        let client = Self.client { policy in
            policy.credentials = [TestAuthority.ours.credential(.ed25519, "email:user00001@example.org")]
        }
        tell(initiator: client, responder: Self.gateway { $0.schemes = [.ecdsaSHA256] }) { network in
            network.run(for: .seconds(60))
            #expect(network.wire.count == 2)
            #expect(network.ends(.initiator) == [.noCommonSignature])
            #expect(network.ends(.responder) == [.halfOpenExpired])
        }
    }

    @Test("to whom no key is known")
    func unknownIdentity() {
        let list = IdentityList([.init(identity: "somebody@example.org", key: Array("test-only".utf8))])
        tell(responder: .gateway { $0.authentication.keys = .listed(list) }) { network in
            network.run(for: .seconds(1))
            #expect(network.story.last == Self.refused)
            #expect(network.ends(.responder) == [.authenticationFailed])
        }
    }

    @Test("from the second on in which a certificate has ended")
    func expiresMeanwhile() {
        // The request comes after 30 seconds.
        for (lifetime, expected) in [(30, nil), (29, CloseReason.expiredCertificate)] as [(Int64, CloseReason?)] {
            let validity = TestAuthority.epoch - 1...TestAuthority.epoch + lifetime
            let client = Self.client { $0.credentials = [.user(validity: validity)] }
            tell(initiator: client, responder: Self.gateway()) { network in
                network.delay = .seconds(10)
                network.run(for: .seconds(100))
                #expect(network.ends(.responder).first == expected)
            }
        }
    }

    @Test("a responder that does not know the key is told so by the initiator that found out")
    func refusesResponder() {
        // The responder takes the initiator's AUTH and answers with a wrong one: its octets are changed on the way by
        // somebody who knows the keys.
        let network = Network()
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

extension Credential {
    fileprivate static func user(
        _ name: String = "email:user00001@example.org",
        of authority: TestAuthority = .ours,
        validity: ClosedRange<Int64> = TestAuthority.validity
    ) -> Credential { authority.credential(.ecdsa256, name, validity: validity) }

    fileprivate static func gateway(
        _ name: String = "DNS:gw.example.org",
        of authority: TestAuthority = .ours,
        validity: ClosedRange<Int64> = TestAuthority.validity
    ) -> Credential { authority.credential(.ecdsa256, name, validity: validity) }
}

import EAP
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("EAP that comes to no good end")
struct EAPRefusalTests {
    struct Failure: CustomTestStringConvertible {
        let name: String
        let client: PeerPolicy
        let gateway: PeerPolicy
        let ends: [CloseReason]
        var testDescription: String { name }
    }

    private static func password(_ text: String) -> @Sendable (inout PeerPolicy.Values) -> Void {
        { $0.authentication.eap?.password = Array(text.utf8) }
    }

    private static let expired = TestEAP.configuration(
        .server,
        "DNS:gw.example.org",
        validity: TestAuthority.epoch - 1000...TestAuthority.epoch - 1
    )

    @Test(
        "ends the IKE SA at both ends, with EAP-Failure and a reason",
        arguments: [
            Failure(
                name: "a wrong password of MSCHAPv2",
                client: .client(eap: .mschapv2, password("wrong")),
                gateway: .gateway(eap: .mschapv2),
                ends: [.eapFailed(.mschapv2(error: 691)), .eapFailed(.wrongPassword)]
            ),
            Failure(
                name: "a wrong password of GTC",
                client: .client(eap: .gtc, password("wrong")),
                gateway: .gateway(eap: .gtc),
                ends: [.eapFailed(.rejected), .eapFailed(.wrongPassword)]
            ),
            Failure(
                name: "a name that nobody has",
                client: .client(eap: .md5Challenge),
                gateway: .gateway(eap: .md5Challenge) {
                    $0.authentication.eap?.passwords = .listed(IdentityList([.init(identity: "other", key: [1])]))
                },
                ends: [.eapFailed(.rejected), .eapFailed(.wrongPassword)]
            ),
            Failure(
                name: "no method in common",
                client: .client(eap: .gtc),
                gateway: .gateway(eap: .mschapv2, .tls),
                ends: [.eapFailed(.noCommonMethod), .eapFailed(.noCommonMethod)]
            ),
            Failure(
                name: "an expired certificate of the gateway's TLS",
                client: .client(eap: .tls),
                gateway: .gateway(eap: .tls) { $0.authentication.eap?.methods = [.tls([expired])] },
                ends: [.eapFailed(.tls(.certificateExpired)), .eapFailed(.tls(.alert(45)))]
            ),
        ]
    )
    func fails(_ failure: Failure) {
        tell(initiator: failure.client, responder: failure.gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {EAP}")
            #expect(network.wire.last?.note.operation == .refusal)
            #expect(network.ends(.initiator) == [failure.ends[0]])
            #expect(network.ends(.responder) == [failure.ends[1]])
            #expect(failure.ends.allSatisfy { $0.isOfAuthentication && $0.name.hasPrefix("eap-") })
        }
    }

    @Test("a gateway that does not know the password of MSCHAPv2 either is not believed")
    func judgesGateway() {
        // It passes what the client says on to a server that says yes to everything.
        let gateway = PeerPolicy.gateway(eap: .mschapv2) { $0.authentication.eap?.usesBackend = true }
        tell(initiator: .client(eap: .mschapv2), responder: gateway) { network in
            network.run(for: .milliseconds(35))
            var challenge: [UInt8] = [1, 7, 0, 27, 26, 1, 7, 0, 22, 16]
            challenge += [UInt8](repeating: 1, count: 16) + [UInt8(ascii: "x")]
            network.give(.challenge(challenge))
            network.run(for: .milliseconds(20))
            let text = Array(("S=" + String(repeating: "0", count: 40)).utf8)
            network.give(.challenge([1, 8, 0, UInt8(9 + text.count), 26, 3, 7, 0, UInt8(4 + text.count)] + text))
            network.run(for: .seconds(1))
            #expect(network.story.suffix(2) == ["--> HDR, SK {N(AUTHENTICATION_FAILED)}", "<-- HDR, SK {}"])
            #expect(network.ends(.initiator) == [.eapFailed(.authenticatorNotGenuine)])
            #expect(network.ends(.responder) == [.authenticationFailed])
        }
    }

    @Test("a gateway without EAP refuses a request without AUTH")
    func gatewayWithout() {
        tell(initiator: .client(eap: .mschapv2)) { network in
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {N(AUTHENTICATION_FAILED)}")
            #expect(network.ends(.initiator) == [.authenticationFailed])
            #expect(network.ends(.responder) == [.authenticationFailed])
        }
    }

    @Test("a gateway that wants EAP refuses a shared key")
    func clientWithout() {
        tell(responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {N(AUTHENTICATION_FAILED)}")
            #expect(network.ends(.initiator) == [.authenticationFailed])
        }
    }

    @Test("a client that wants EAP does not take an IKE SA without it")
    func gatewayEndsEarly() {
        let client = PeerPolicy.client(eap: .mschapv2) { $0.preSharedKey = Array("other".utf8) }
        tell(initiator: client, responder: .gateway(eap: .mschapv2)) { network in
            network.run(for: .seconds(1))
            #expect(network.story[3] == "<-- HDR, SK {IDr, AUTH, EAP}")
            #expect(network.story[4] == "--> HDR, SK {N(AUTHENTICATION_FAILED)}")
            #expect(network.ends(.initiator) == [.authenticationFailed])
            #expect(network.ends(.responder) == [.authenticationFailed])
        }
    }

    @Test("AUTH that the MSK does not make is refused, whichever end sends it", arguments: Side.allCases)
    func judgesLastProof(_ side: Side) {
        tell(
            initiator: .client(eap: .gtc),
            responder: .gateway(eap: .gtc) {
                $0.authentication.eap?.usesBackend = true
            }
        ) { network in
            network.run(for: .milliseconds(35))
            network.give(.challenge([1, 7, 0, 6, 6, 63]))
            network.run(for: .milliseconds(20))
            // GTC derives no key, so that the client takes SK_pi, and the gateway this one.
            network.give(.accept([], msk: SecretBytes(count: 64)))
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {N(AUTHENTICATION_FAILED)}")
            #expect(network.ends(side) == [.authenticationFailed])
        }
    }
}

@Suite("A server behind the gateway decides about EAP")
struct EAPBackendTests {
    private static let gateway = PeerPolicy.gateway(eap: .mschapv2) { $0.authentication.eap?.usesBackend = true }

    /// A server of the test's own, which hears what the gateway hands on.
    private struct Server: ~Copyable {
        var authenticator: EAPAuthenticator

        init(_ password: String) {
            authenticator = EAPAuthenticator(
                EAPAuthenticatorSettings(methods: [.mschapv2], name: Array("radius".utf8)),
                stream: KeyMaterialStream(entity: 5),
                unixTime: TestAuthority.epoch
            )
            self.password = Array(password.utf8)
        }

        let password: [UInt8]
        private var hasBegun = false

        mutating func answer(_ request: BackendRequest, _ turn: borrowing Turn) -> BackendAnswer {
            var reply = ByteWriter()
            if !hasBegun {
                hasBegun = true
                _ = authenticator.begin(cryptography: turn.cryptography, into: &reply)
                // The identity that the gateway sends unasked answers the request for it.
                let identifier = reply.bytes[1]
                var identity = request.eapMessage
                identity[1] = identifier
                return answer(identity, turn)
            }
            return answer(request.eapMessage, turn)
        }

        private mutating func answer(_ packet: [UInt8], _ turn: borrowing Turn) -> BackendAnswer {
            var reply = ByteWriter()
            let password = password
            let progress = authenticator.receive(
                packet.rawSpan,
                cryptography: turn.cryptography,
                password: { _ in password },
                into: &reply
            )
            switch consume progress {
            case .replied: return .challenge(reply.bytes)
            case .dropped: return .silence
            case .failed: return .reject(reply.bytes)
            case .succeeded(let success): return .accept(reply.bytes, msk: success.takeMSK())
            }
        }
    }

    /// Lets the server answer after a time, until nothing is asked any more.
    private static func run(_ network: Network, _ server: inout Server, after latency: Duration)
        -> [BackendRequest]
    {
        var requests: [BackendRequest] = []
        network.run(for: .milliseconds(50))
        while let request = network.backend.take() {
            requests.append(request)
            network.run(for: latency)
            network.give(server.answer(request, network.turn))
            network.run(for: .milliseconds(50))
        }
        return requests
    }

    @Test("and the gateway carries its packets, and has its key")
    func accepts() {
        tell(initiator: .client(eap: .mschapv2), responder: Self.gateway) { network in
            var server = Server("secret")
            let requests = Self.run(network, &server, after: .milliseconds(200))
            #expect(requests.map(\.isFirst) == [true, false, false])
            #expect(requests.allSatisfy { $0.userName == Array("user00001@example.org".utf8) })
            #expect(requests[0].eapMessage == [2, 0, 0, 26, 1] + Array("user00001@example.org".utf8))
            #expect(network.story[3] == "<-- HDR, SK {IDr, AUTH, EAP}")
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("while it takes its time a repeated request is neither answered nor asked for again")
    func isSlow() {
        let client = PeerPolicy.client(eap: .mschapv2) { $0.retransmission = .brief }
        tell(initiator: client, responder: Self.gateway) { network in
            var server = Server("secret")
            let requests = Self.run(network, &server, after: .milliseconds(2500))
            #expect(requests.count == 3)
            #expect(network.count(.initiator) { if case .retransmitted = $0 { true } else { false } } == 6)
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("and says no")
    func rejects() {
        tell(initiator: .client(eap: .mschapv2), responder: Self.gateway) { network in
            var server = Server("other")
            _ = Self.run(network, &server, after: .milliseconds(20))
            #expect(network.ends(.initiator) == [.eapFailed(.mschapv2(error: 691))])
            #expect(network.ends(.responder) == [.eapFailed(.rejected)])
        }
    }

    @Test("and says nothing, which is EAP-Failure to the client")
    func isSilent() {
        tell(initiator: .client(eap: .mschapv2), responder: Self.gateway) { network in
            network.run(for: .seconds(1))
            network.give(.silence)
            network.run(for: .seconds(1))
            #expect(network.story.suffix(1) == ["<-- HDR, SK {IDr, AUTH, EAP}"])
            #expect(network.ends(.initiator) == [.eapFailed(.rejected)])
            #expect(network.ends(.responder) == [.noBackend])
            network.give(.silence)
            #expect(network.story.count == 4)
        }
    }
}

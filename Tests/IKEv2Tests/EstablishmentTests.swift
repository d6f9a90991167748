import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("An IKE SA is established")
struct EstablishmentTests {
    @Test("IKE_SA_INIT and IKE_AUTH establish the IKE SA and its first Child SA at both ends")
    func establishes() {
        tell { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.reports[0].contains(.addressAssigned(IPAddress("10.128.0.7")!)))
            #expect(network.now.nanoseconds == 1_000_000_000)
        }
    }

    struct Suite: CustomTestStringConvertible {
        let ike: String
        let child: String
        var testDescription: String { "\(ike), \(child)" }
    }

    @Test(
        "with every suite that this build can compute",
        arguments: [
            Suite(ike: "aes128gcm16-prfsha256-x25519", child: "aes128gcm16"),
            Suite(ike: "aes256gcm16-prfsha384-ecp256", child: "aes256gcm16"),
            Suite(ike: "chacha20poly1305-prfsha512-ecp384", child: "chacha20poly1305"),
            Suite(ike: "aes128-sha256-prfsha256-modp2048", child: "aes128-sha256"),
            Suite(ike: "aes256-sha384-prfsha384-modp3072", child: "aes256-sha384"),
            Suite(ike: "aes192gcm16-prfsha1-modp4096", child: "aes192gcm16-esn"),
            Suite(ike: "aes192-sha512-ecp521", child: "aes192-sha512-ecp521"),
            Suite(ike: "aes256gcm12-prfsha256-x448", child: "aes256gcm12-x448-esn"),
            Suite(ike: "aes128gcm8-prfsha256-ecp192", child: "aes128gcm8-ecp192"),
            Suite(ike: "aes128-sha1-modp2048s256", child: "aes128-sha1-modp2048s256"),
            Suite(ike: "aes128gcm16-prfsha256-x25519", child: "aes256gcm16iiv-x25519-esn"),
            Suite(ike: "chacha20poly1305-prfsha256-x25519", child: "chacha20poly1305iiv"),
        ]
    )
    func establishes(_ suite: Suite) {
        let offer = { (values: inout PeerPolicy.Values) in
            values.ikeProposals = .ike(suite.ike)
            values.childProposals = .esp(suite.child)
        }
        tell(initiator: .client(offer), responder: .gateway(offer)) { network in
            network.run(for: .seconds(1))
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .seconds(1))
            network.command(.rekeyChildren, at: .responder)
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 1)
            #expect(network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } } == 1)
        }
    }

    @Test("a responder under load demands a cookie, keeps nothing, and goes on when it comes back")
    func demandsCookie() {
        tell { network in
            network.cookies = CookieIssuer(secret: [1, 2, 3])
            network.run(until: .zero + .milliseconds(15))
            #expect(network.situation(of: .responder) == "nothing")
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, N(COOKIE)
                --> HDR, N(COOKIE), SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
            #expect(network.wire.map(\.note.hasCookie) == [false, false, true, false, false, false])
        }
    }

    @Test("a responder that wants another key exchange method gets it, with the cookie kept")
    func retriesKeyExchange() {
        let client = PeerPolicy.client { $0.ikeProposals = .ike("aes128gcm16-prfsha256-x25519-ecp256") }
        let gateway = PeerPolicy.gateway { $0.ikeProposals = .ike("aes128gcm16-prfsha256-ecp256") }
        tell(initiator: client, responder: gateway) { network in
            network.cookies = CookieIssuer(secret: [1, 2, 3])
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, N(COOKIE)
                --> HDR, N(COOKIE), SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, N(INVALID_KE_PAYLOAD)
                --> HDR, N(COOKIE), SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
            #expect(network.summary(of: .initiator)?.suite.keyExchange == .ecp256)
        }
    }

    @Test("a responder's wish for another key exchange method is granted once, though it comes twice")
    func grantsWishOnce() {
        let client = PeerPolicy.client { $0.ikeProposals = .ike("aes128gcm16-prfsha256-x25519-ecp256") }
        let gateway = PeerPolicy.gateway { $0.ikeProposals = .ike("aes128gcm16-prfsha256-ecp256") }
        tell(initiator: client, responder: gateway) { network in
            network.fate = { $0.from == .responder ? .arrivesTwice : .arrives }
            network.run(for: .seconds(1))
            #expect(network.ends(.initiator) == [])
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.summary(of: .initiator)?.suite.keyExchange == .ecp256)
        }
    }

    @Test("a responder that goes on demanding cookies does not keep an initiator busy for ever")
    func endsCookieLoop() {
        tell(initiator: .client { $0.retransmission = .brief }) { network in
            // The secret is another one each time, so that no cookie is ever good.
            for round in 0..<10 {
                network.cookies = CookieIssuer(secret: [UInt8(round)])
                network.run(for: .milliseconds(20))
            }
            network.run(for: .seconds(10))
            #expect(network.ends(.initiator) == [.timeout])
            let demands = network.wire.count { $0.note.operation == .cookieDemand }
            #expect(network.story.count { $0.hasPrefix("--> HDR, N(COOKIE)") && !$0.contains("again") } == 4)
            #expect(demands < 10)
        }
    }

    struct Refusal: CustomTestStringConvertible {
        let name: String
        let client: PeerPolicy
        let gateway: PeerPolicy
        let answer: String
        let reason: CloseReason
        var testDescription: String { name }
    }

    @Test(
        "an IKE_SA_INIT request that cannot be met is refused without state",
        arguments: [
            Refusal(
                name: "no proposal in common",
                client: .client(),
                gateway: .gateway { $0.ikeProposals = .ike("aes256gcm16-prfsha384-x25519") },
                answer: "<-- HDR, N(NO_PROPOSAL_CHOSEN)",
                reason: .noProposalChosen
            ),
            Refusal(
                name: "a key exchange method that was not offered",
                client: .client { $0.ikeProposals = .ike("aes128gcm16-prfsha256-x25519") },
                gateway: .gateway { $0.ikeProposals = .ike("aes128gcm16-prfsha256-ecp256") },
                answer: "<-- HDR, N(NO_PROPOSAL_CHOSEN)",
                reason: .noProposalChosen
            ),
        ]
    )
    func refusesInitialRequest(_ refusal: Refusal) {
        tell(initiator: refusal.client, responder: refusal.gateway) { network in
            network.run(for: .seconds(1))
            #expect(network.story.count == 2)
            #expect(network.story.last == refusal.answer)
            #expect(network.ends(.initiator) == [refusal.reason])
            #expect(network.situation(of: .responder) == "nothing")
        }
    }

    @Test("what an initiator cannot use among the answers to IKE_SA_INIT ends the attempt or changes nothing")
    func judgesInitialAnswers() {
        let network = Network()
        network.fate = { _ in .isHeld }
        network.run(for: .seconds(1))
        let request = network.wire[0]
        // The answer to somebody else's request, one with a responder's flags turned round, and garbage.
        var foreign = request.message
        foreign[0] ^= 1
        foreign[19] = 0x20
        let path = Route.test.plain
        for datagram in [foreign, request.message, Array(request.message.prefix(20)), []] {
            network.receive(datagram, over: path, at: .initiator)
            #expect(network.situation(of: .initiator) == "awaitingSAInit")
        }
        #expect(network.reports[0] == [.dropped, .dropped, .dropped, .dropped])
    }
}

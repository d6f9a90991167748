import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 4555.
@Suite("The initiator moves to another address")
struct MobilityTests {
    static let address = IPAddress("203.0.113.77")!

    @Test("both ends say MOBIKE_SUPPORTED in IKE_AUTH, which goes by port 4500 at once")
    func agrees() {
        tell(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr, N(MOBIKE_SUPPORTED)}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr, N(MOBIKE_SUPPORTED)}
                """
            )
            #expect(network.wire.map(\.path.isEncapsulated) == [false, false, true, true])
            #expect(network.summary(of: .initiator)?.nat.isAny == false)
        }
    }

    @Test("one end alone wants MOBIKE, and nothing comes of it", arguments: Side.allCases)
    func disagrees(_ side: Side) {
        let mobile = side == .initiator
        tellEstablished(
            initiator: mobile ? .mobileClient() : .client(),
            responder: mobile ? .gateway() : .mobileGateway()
        ) { network in
            #expect(network.initiator.canMove(to: .elsewhere) == false)
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(network, "--> HDR, SK {}\n<-- HDR, SK {}")
        }
    }

    @Test("the responder follows, and asks whether the initiator is there")
    func moves() {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            #expect(network.initiator.canMove(to: .elsewhere) == true)
            let due = network.now
            network.move(to: .elsewhere)
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(COOKIE2)}
                --> HDR, SK {N(COOKIE2)}
                """
            )
            let seen = UDPEndpoint(address: Self.address, port: 4500)
            #expect(network.news(.initiator) == [.addressesUpdated(due: due, fromHere: true)])
            #expect(
                network.news(.responder) == [
                    .addressesUpdated(due: due + .milliseconds(10), fromHere: false), .peerMoved(seen),
                    .returnRoutable(seen),
                ]
            )
            #expect(network.summary(of: .responder)?.path.remote == seen)
            // Nothing else has changed, and both ends go on.
            #expect(network.children(of: .initiator).count == 1)
            for side in Side.allCases { network.command(.rekeyIKE, at: side) }
            network.run(for: .seconds(10))
            #expect(network.count(.responder) { if case .ikeRekeyed = $0 { true } else { false } } > 0)
        }
    }

    @Test("and a rekey later, whoever began it, it can move again", arguments: Side.allCases)
    func movesAfterRekey(_ side: Side) {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.command(.rekeyIKE, at: side)
            network.run(for: .seconds(1))
            #expect(network.initiator.canMove(to: .elsewhere) == true)
            network.move(to: .elsewhere)
            network.run(for: .seconds(1))
            #expect(network.count(.initiator) { if case .addressesUpdated = $0 { true } else { false } } == 1)
            #expect(network.summary(of: .responder)?.path.remote.address == Self.address)
        }
    }

    @Test("without a word about it, and the responder answers there but follows nobody")
    func answersWithoutFollowing() {
        let network = Network.established(initiator: .mobileClient(), responder: .mobileGateway())
        let path = network.summary(of: .responder)!.path
        var elsewhere = path
        elsewhere.remote = UDPEndpoint(address: Self.address, port: 4500)
        network.receive(
            network.forgedRequest(.informational, from: .initiator) { _ in },
            over: elsewhere,
            at: .responder
        )
        #expect(network.wire.last?.path.local == elsewhere.remote)
        #expect(network.summary(of: .responder)?.path == path)
        // What it has to say itself goes to where the initiator was.
        network.command(.checkLiveness, at: .responder)
        #expect(network.wire.last?.path.local == path.remote)
    }

    @Test("while a request is under way: that is sent again from there first")
    func movesInAnExchange() {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.fate = { _ in .isLost }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(1))
            network.fate = { _ in .arrives }
            network.move(to: .elsewhere)
            network.run(for: .seconds(20))
            expectStory(
                network,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (lost)
                --> HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} (again)
                <-- HDR, SK {SA, Nr, TSi, TSr}
                --> HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(COOKIE2)}
                --> HDR, SK {N(COOKIE2)}
                --> HDR, SK {D(ESP)}
                <-- HDR, SK {D(ESP)}
                """
            )
        }
    }

    @Test("twice in a row: the second address is the one that counts, whichever message is lost", arguments: 0..<4)
    func movesTwice(_ lost: Int) {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            var count = 0
            network.fate = { flight in
                guard !flight.note.isRetransmission else { return .arrives }
                count += 1
                return count == lost + 1 ? .isLost : .arrives
            }
            network.move(to: Route.test.from(IPAddress("203.0.113.1")!))
            network.run(for: .milliseconds(5))
            network.move(to: .elsewhere)
            network.run(for: .seconds(60))
            #expect(network.summary(of: .responder)?.path.remote.address == Self.address)
            #expect(network.summary(of: .initiator)?.path.local.address == Self.address)
            #expect(network.count(.initiator) { if case .addressesUpdated = $0 { true } else { false } } == 1)
            let seen = UDPEndpoint(address: Self.address, port: 4500)
            #expect(network.count(.responder) { $0 == .returnRoutable(seen) } >= 1)
        }
    }

    @Test("behind a NAT and out again: each end knows, and port 4500 stays")
    func meetsNAT() {
        tellEstablished(
            initiator: .mobileClient { $0.natKeepalive = .seconds(20) },
            responder: .mobileGateway()
        ) { network in
            network.outside = PathTests.translate(0)
            network.move(to: Route.test.from(IPAddress("192.168.0.2")!))
            network.run(for: .seconds(1))
            #expect(network.summary(of: .initiator)?.nat.isLocalBehindNAT == true)
            #expect(network.summary(of: .responder)?.nat.isPeerBehindNAT == true)
            #expect(network.summary(of: .responder)?.path.remote.address == PathTests.nat)
            network.forgetStory()
            network.run(for: .seconds(30))
            expectStory(network, "--> 0xFF")
            network.outside = { $0 }
            network.move(to: .elsewhere)
            network.run(for: .seconds(1))
            #expect(network.summary(of: .initiator)?.nat.isAny == false)
            #expect(network.summary(of: .responder)?.nat.isAny == false)
            network.forgetStory()
            network.run(for: .seconds(60))
            #expect(network.story.isEmpty)
            #expect(network.wire.dropFirst(2).allSatisfy { $0.path.isEncapsulated })
        }
    }

    @Test("or its NAT gives it another port: a liveness check finds that out")
    func noticesRebinding() {
        tell(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.outside = PathTests.translate(0)
            network.run(for: .seconds(1))
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            network.forgetStory()
            network.outside = PathTests.translate(100)
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)}
                <-- HDR, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)}
                --> HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(COOKIE2)}
                --> HDR, SK {N(COOKIE2)}
                """
            )
            #expect(network.summary(of: .responder)?.path.remote == PathTests.translate(100)(.client.on(4500)))
        }
    }

    @Test("from IPv4 to IPv6, where the responder has said that it can be reached there", arguments: [true, false])
    func changesFamily(_ isTold: Bool) {
        let gateway = IPAddress("2001:db8::1")!
        let route = Route.test.from(IPAddress("2001:db8:77::7")!, to: gateway)
        let mobility = MobilityPolicy(additionalAddresses: isTold ? [gateway] : [])
        tell(initiator: .mobileClient(), responder: .mobileGateway(mobility)) { network in
            network.run(for: .seconds(1))
            #expect(network.story.last?.contains("N(ADDITIONAL_IP6_ADDRESS)") == isTold)
            #expect(network.count(.initiator) { $0 == .peerAddressGiven(gateway) } == (isTold ? 1 : 0))
            #expect(network.initiator.canMove(to: route) == isTold)
            guard isTold else { return }
            network.move(to: route)
            network.run(for: .seconds(1))
            #expect(network.summary(of: .responder)?.path.remote == route.encapsulated.local)
            #expect(network.summary(of: .responder)?.path.local == route.encapsulated.remote)
            // And back again: to where the responder has said so from.
            #expect(network.initiator.canMove(to: .test) == true)
            network.move(to: .test)
            network.run(for: .seconds(1))
            #expect(network.initiator.canMove(to: route) == true)
            #expect(network.summary(of: .responder)?.path == Route.test.encapsulated.reversed)
        }
    }

    @Test("which the policy does not allow: the address is forgotten, and never used")
    func forgetsForbiddenAddresses() {
        let (allowed, forbidden) = (IPAddress("192.0.2.9")!, IPAddress("192.0.2.66")!)
        let gateways = [IPPrefix("192.0.2.0/28")!]
        let network = Network.established(
            initiator: .mobileClient(MobilityPolicy(allowedPeers: gateways)),
            responder: .mobileGateway()
        )
        let request = network.forgedRequest(.informational, from: .responder) { payloads in
            payloads.appendNotify(.additionalIPv4Address, [192, 0, 2, 66])
            payloads.appendNotify(.additionalIPv4Address, [192, 0, 2, 9])
            payloads.appendNotify(.additionalIPv4Address, [192, 0, 2])
        }
        network.receive(request, over: network.route.encapsulated, at: .initiator)
        #expect(network.news(.initiator) == [.peerAddressGiven(allowed)])
        let client = UDPEndpoint.client.address
        #expect(network.initiator.canMove(to: Route.test.from(client, to: allowed)) == true)
        #expect(network.initiator.canMove(to: Route.test.from(client, to: forbidden)) == false)
        // A later list takes the place of the earlier one.
        let none = network.forgedRequest(.informational, from: .responder) { $0.appendNotify(.noAdditionalAddresses) }
        network.receive(none, over: network.route.encapsulated, at: .initiator)
        #expect(network.initiator.canMove(to: Route.test.from(client, to: allowed)) == false)
    }

    @Test("where the responder lets nobody be: it is refused, and the IKE SA ends")
    func isRefused() {
        let policy = MobilityPolicy(allowedPeers: [IPPrefix("198.51.100.0/24")!])
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway(policy)) { network in
            network.move(to: .elsewhere)
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(UNACCEPTABLE_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                --> HDR, SK {D}
                <-- HDR, SK {}
                """
            )
            #expect(network.ends(.initiator) == [.refused(.unacceptableAddresses)])
            #expect(network.ends(.responder) == [.deletedByPeer])
        }
    }

    @Test("and another cookie comes back than was sent: the IKE SA is closed", arguments: Side.allCases)
    func closesOnAnotherCookie(_ side: Side) {
        let network = Network.established(initiator: .mobileClient(), responder: .mobileGateway())
        network.fate = { [side] flight in flight.to == side && flight.note.isResponse ? .isHeld : .arrives }
        network.move(to: .elsewhere)
        network.run(for: .seconds(1))
        let answer = network.held.removeLast()
        let forged = network.resealed(answer.message) { payloads in
            payloads.replacing(.notify) { body in
                if body.starts(with: [0, 0, 0x40, 0x11]) { body[body.count - 1] ^= 1 }
            }
        }
        network.receive(forged, over: answer.path, at: side)
        #expect(network.story.last == (side == .initiator ? "--> HDR, SK {D}" : "<-- HDR, SK {D}"))
    }

    @Test("while the responder closes the IKE SA: the cookie comes back all the same")
    func movesFromAClosingPeer() {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.fate = { _ in .isLost }
            network.command(.delete, at: .responder)
            network.fate = { _ in .arrives }
            network.move(to: .elsewhere)
            network.run(for: .milliseconds(100))
            #expect(network.ends(.initiator) == [])
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                <-- HDR, SK {D} (lost)
                --> HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}
                <-- HDR, SK {N(COOKIE2)}
                --> HDR, SK {D}
                <-- HDR, SK {}
                """
            )
            #expect(network.ends(.initiator) == [.deletedHere])
            #expect(network.ends(.responder) == [.deletedHere])
        }
    }

    @Test("and is gone again when the responder asks whether it is there: the cookie comes back all the same")
    func closesWhileItIsLookedFor() {
        tellEstablished(initiator: .mobileClient(), responder: .mobileGateway()) { network in
            network.fate = { $0.to == .initiator && !$0.note.isResponse ? .isLost : .arrives }
            network.move(to: .elsewhere)
            network.run(for: .milliseconds(100))
            network.fate = { _ in .isLost }
            network.command(.delete, at: .initiator)
            network.fate = { $0.to == .responder && !$0.note.isResponse ? .isLost : .arrives }
            network.advance(.responder)
            network.run(for: .seconds(3))
            network.fate = { _ in .arrives }
            network.run(for: .seconds(60))
            #expect(network.story.contains("--> HDR, SK {N(COOKIE2)}"))
            #expect(network.ends(.initiator) == [.deletedHere])
            #expect(network.ends(.responder) == [.deletedByPeer])
        }
    }

    @Test("that nobody answers from: the responder gives the IKE SA up")
    func isNotThere() {
        tellEstablished(
            initiator: .mobileClient(),
            responder: .mobileGateway { $0.retransmission = .brief }
        ) { network in
            network.fate = { $0.to == .initiator ? .isLost : .arrives }
            network.move(to: .elsewhere)
            network.run(for: .seconds(5))
            #expect(network.ends(.responder) == [.timeout])
            network.command(.delete, at: .initiator)
            network.run(for: .minutes(6))
        }
    }

    @Test("only the original initiator updates addresses: the responder's request changes nothing")
    func ignoresTheResponder() {
        let network = Network.established(initiator: .mobileClient(), responder: .mobileGateway())
        let path = network.summary(of: .initiator)!.path
        var elsewhere = path
        elsewhere.remote = UDPEndpoint(address: IPAddress("192.0.2.66")!, port: 4500)
        let request = network.forgedRequest(.informational, from: .responder) { $0.appendNotify(.updateSAAddresses) }
        network.receive(request, over: elsewhere, at: .initiator)
        #expect(network.summary(of: .initiator)?.path == path)
        #expect(network.wire.last?.path.local == elsewhere.remote)
    }
}

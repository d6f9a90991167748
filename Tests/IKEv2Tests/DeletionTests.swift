import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 1.4.1, 2.21 and 2.25.2.
@Suite("An IKE SA is closed")
struct DeletionTests {
    @Test("by either end", arguments: Side.allCases)
    func deletes(_ side: Side) {
        tellEstablished { network in
            network.command(.delete, at: side)
            network.run(for: .seconds(1))
            expectStory(network, from: side, "--> HDR, SK {D}\n<-- HDR, SK {}")
            #expect(network.ends(side) == [.deletedHere])
            #expect(network.ends(side.other) == [.deletedByPeer])
        }
    }

    @Test("by both ends at once")
    func bothDelete() {
        tellEstablished { network in
            network.command(.delete, at: .initiator)
            network.command(.delete, at: .responder)
            network.run(for: .seconds(1))
            expectStory(network, "--> HDR, SK {D}\n<-- HDR, SK {D}\n<-- HDR, SK {}\n--> HDR, SK {}")
            #expect(network.ends(.initiator) == [.deletedHere])
            #expect(network.ends(.responder) == [.deletedHere])
        }
    }

    @Test(
        "once the request that is under way has been answered",
        arguments: [IKESA.Command.createChild, .rekeyChildren, .checkLiveness]
    )
    func waitsForWindow(_ command: IKESA.Command) {
        tellEstablished { network in
            network.command(command, at: .initiator)
            network.command(.delete, at: .initiator)
            #expect(network.situation(of: .initiator) == "closing, Delete waits")
            network.run(for: .seconds(1))
            #expect(network.story.suffix(2) == ["--> HDR, SK {D}", "<-- HDR, SK {}"])
            #expect(network.story.count == 4)
            #expect(network.ends(.initiator) == [.deletedHere])
        }
    }

    @Test("together with what its own rekey has made of it", arguments: Side.allCases)
    func closesDuringRekey(_ side: Side) {
        tellEstablished { network in
            network.command(.rekeyIKE, at: side)
            network.command(.delete, at: side)
            network.run(for: .seconds(1))
            // The new IKE SA goes first: its Delete is sent as soon as it is known.
            #expect(Set(network.story.filter { $0.hasSuffix("SK {D}") }).count == 2)
            #expect(Set(network.ends(side)) == [.deletedHere, .rekeyed])
            #expect(network.count(of: side.other) == 0)
        }
    }

    @Test("together with both new ones of a simultaneous rekey", arguments: ChildCollisionTests.seeds)
    func closesDuringCollision(_ seed: UInt8) {
        for side in Side.allCases {
            tellEstablished(seed: seed) { network in
                network.command(.rekeyIKE, at: .initiator)
                network.command(.rekeyIKE, at: .responder)
                network.run(for: .milliseconds(15))
                network.command(.delete, at: side)
                network.run(for: .seconds(400))
                #expect(network.count(of: .initiator) == 0)
                #expect(network.count(of: .responder) == 0)
            }
        }
    }

    @Test("by the peer while this end rekeys it: the rekey is forgotten", arguments: Side.allCases)
    func deleteMeetsRekey(_ side: Side) {
        tellEstablished { network in
            network.command(.rekeyIKE, at: side)
            network.command(.delete, at: side.other)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {D}
                <-- HDR, SK {N(TEMPORARY_FAILURE)}
                --> HDR, SK {}
                """
            )
            #expect(network.ends(side) == [.deletedByPeer])
            #expect(network.ends(side.other) == [.deletedHere])
        }
    }

    @Test("and requests that come meanwhile get TEMPORARY_FAILURE")
    func refusesNewExchanges() {
        tellEstablished { network in
            network.fate = { $0.note.operation == .delete ? .isDelayed(.seconds(1)) : .arrives }
            network.command(.delete, at: .initiator)
            network.command(.createChild, at: .responder)
            network.run(for: .milliseconds(100))
            network.command(.checkLiveness, at: .responder)
            network.run(for: .milliseconds(100))
            expectStory(
                network,
                """
                --> HDR, SK {D} (late)
                <-- HDR, SK {SA, Ni, TSi, TSr}
                --> HDR, SK {N(TEMPORARY_FAILURE)}
                <-- HDR, SK {}
                --> HDR, SK {}
                """
            )
            network.run(for: .seconds(5))
            #expect(network.ends(.initiator) == [.deletedHere])
        }
    }

    @Test("even if the peer never answers")
    func closesAlone() {
        tellEstablished(
            initiator: .client { $0.retransmission = .brief },
            responder: .gateway { $0.liveness = .seconds(1) }
        ) {
            network in
            network.fate = { _ in .isLost }
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(5))
            #expect(network.ends(.initiator) == [.deletedHere])
            network.run(for: .minutes(5))
            #expect(network.ends(.responder) == [.timeout])
        }
    }

    @Test("by an initiator that gave up while IKE_AUTH was under way, once it knows that there is something to close")
    func closesAfterAuth() {
        tell { network in
            network.run(until: .zero + .milliseconds(25))
            #expect(network.situation(of: .initiator) == "awaitingAuth")
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.story.suffix(2) == ["--> HDR, SK {D}", "<-- HDR, SK {}"])
            #expect(network.ends(.responder) == [.deletedByPeer])
        }
    }

    @Test("but not by a Delete towards a responder that has refused IKE_AUTH")
    func closesAfterRefusal() {
        tell(initiator: .client { $0.preSharedKey = [1] }) { network in
            network.run(until: .zero + .milliseconds(25))
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.story.last == "<-- HDR, SK {N(AUTHENTICATION_FAILED)}")
            #expect(network.ends(.initiator) == [.deletedHere])
        }
    }

    @Test("at once before its keys exist")
    func abandons() {
        tell { network in
            network.command(.delete, at: .initiator)
            #expect(network.ends(.initiator) == [.deletedHere])
            network.run(for: .minutes(1))
            // The responder does not hear of it.
            #expect(network.ends(.responder) == [.halfOpenExpired])
        }
    }

    struct Offence: CustomTestStringConvertible {
        let name: String
        let exchange: ExchangeType
        let payloads: @Sendable (inout ForgedPayloads) -> Void
        var testDescription: String { name }
    }

    private static let offences = [
        Offence(name: "a Notify that is too short", exchange: .informational) { $0.append(.notify, [0]) },
        Offence(name: "a Delete whose SPIs are missing", exchange: .informational) {
            $0.append(.delete, [3, 4, 0, 2])
        },
        Offence(name: "a CREATE_CHILD_SA without payloads", exchange: .createChildSA) { _ in },
        Offence(name: "a nonce that is too short", exchange: .createChildSA) { payloads in
            payloads.append(.securityAssociation, [0])
            payloads.append(.nonce, [1, 2, 3])
            payloads.append(.trafficSelectorsInitiator)
            payloads.append(.trafficSelectorsResponder)
        },
        Offence(name: "a REKEY_SA that names nothing", exchange: .createChildSA) { payloads in
            payloads.appendNotify(.rekeySA)
            payloads.append(.securityAssociation, [0])
            payloads.append(.nonce, [UInt8](repeating: 7, count: 32))
            payloads.append(.trafficSelectorsInitiator)
            payloads.append(.trafficSelectorsResponder)
        },
        Offence(name: "an exchange that has no place here", exchange: .ikeAuth) { _ in },
        Offence(name: "an unknown exchange", exchange: ExchangeType(rawValue: 240)) { _ in },
    ]

    @Test("at both ends when a request is malformed: INVALID_SYNTAX is final", arguments: offences, Side.allCases)
    func endsOnBadSyntax(_ offence: Offence, _ side: Side) {
        let network = Network.established()
        let request = network.forgedRequest(offence.exchange, from: side.other, offence.payloads)
        network.receive(request, over: network.summary(of: side)!.path, at: side)
        let arrow = side == .initiator ? "-->" : "<--"
        expectStory(network, "\(arrow) HDR, SK {N(INVALID_SYNTAX)}")
        #expect(network.ends(side) == [.malformedRequest])
    }

    @Test("when the peer says INVALID_SYNTAX to a request, without a Delete")
    func endsOnRefusal() {
        for command in [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE, .checkLiveness] {
            let network = Network.established()
            network.fate = { $0.from == .responder ? .isHeld : .arrives }
            network.command(command, at: .initiator)
            network.run(for: .seconds(1))
            let answer = network.held[0]
            let refusal = network.resealed(answer.message) { payloads in
                payloads = ForgedPayloads()
                payloads.appendNotify(.invalidSyntax)
            }
            network.forgetStory()
            network.receive(refusal, over: answer.path, at: .initiator)
            expectStory(network, "")
            #expect(network.ends(.initiator) == [.refused(.invalidSyntax)])
        }
    }

    @Test("when the peer's answer is not one to the request")
    func endsOnBadAnswer() {
        for command in [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE, .checkLiveness] {
            let network = Network.established()
            network.fate = { $0.from == .responder ? .isHeld : .arrives }
            network.command(command, at: .initiator)
            network.run(for: .seconds(1))
            let answer = network.held[0]
            let strange = network.resealed(answer.message) { payloads in
                payloads.removing(.nonce)
                payloads.append(.notify, command == .checkLiveness ? [] : [0, 0, 0x40, 0])
            }
            network.forgetStory()
            network.receive(strange, over: answer.path, at: .initiator)
            expectStory(network, "--> HDR, SK {D}")
            network.run(for: .minutes(4))
            #expect(network.ends(.initiator) == [.malformedAnswer])
        }
    }
}

import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7383 sections 2.6 and 2.6.1.
@Suite("Fragments are joined")
struct ReassemblyTests {
    /// Both ends up to IKE_AUTH's request, whose three fragments are held.
    private func tellHeld(_ story: (Network, [Network.Flight]) throws -> Void) rethrows {
        try tell(initiator: .fragmentingClient(), responder: .fragmentingGateway()) { network in
            network.fate = { $0.isFragment && !$0.note.isResponse && !$0.note.isRetransmission ? .isHeld : .arrives }
            network.run(for: .milliseconds(100))
            let fragments = network.held
            network.held = []
            #expect(fragments.count == 3)
            try story(network, fragments)
        }
    }

    @Test("in every order", arguments: [2, 3, 4])
    func joinsInEveryOrder(_ count: Int) {
        let sizes = FragmentSizes(ipv4: [2: 200, 3: 160, 4: 145][count]!, ipv6: 300)
        for order in permutations(of: Array(0..<count)) {
            tell(initiator: .fragmentingClient(sizes), responder: .fragmentingGateway(sizes)) { network in
                network.fate = { flight in
                    guard flight.isFragment, let place = order.firstIndex(of: Int(flight.note.fragmentNumber) - 1)
                    else {
                        return .arrives
                    }
                    return .isDelayed(.milliseconds(Int64(place)))
                }
                network.run(for: .seconds(1))
                #expect(network.lastFragments(from: .initiator).count == count)
                #expect(network.children(of: .initiator).count == 1)
                #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
            }
        }
    }

    @Test("when each in turn was lost, by sending all of them again", arguments: 0..<6)
    func survivesLoss(_ lost: Int) {
        tell(initiator: .fragmentingClient(), responder: .fragmentingGateway()) { network in
            var count = -1
            network.fate = { flight in
                guard flight.isFragment else { return .arrives }
                count += 1
                return count == lost ? .isLost : .arrives
            }
            network.run(for: .seconds(10))
            #expect(network.children(of: .initiator).count == 1)
            let isAnswerLost = lost >= 3
            #expect(network.wire.count { $0.note.isRetransmission && !$0.note.isResponse } == 3)
            #expect(network.count(.initiator) { if case .retransmitted = $0 { true } else { false } } == 1)
            // Three fragments again, and one answer to the first of them.
            #expect(network.count(.responder) { $0 == .answeredAgain } == (isAnswerLost ? 1 : 0))
            #expect(network.wire.count { $0.note.isRetransmission && $0.note.isResponse } == (isAnswerLost ? 3 : 0))
            #expect(network.count(.responder) { $0 == .dropped } == 2)
        }
    }

    @Test("of two sendings, each of which lost another one")
    func joinsAcrossSendings() {
        tell(initiator: .fragmentingClient(), responder: .fragmentingGateway()) { network in
            network.fate = { flight in
                guard flight.isFragment, !flight.note.isResponse else { return .arrives }
                let isLost =
                    flight.note.isRetransmission
                    ? flight.note.fragmentNumber != 2 : flight.note.fragmentNumber == 2
                return isLost ? .isLost : .arrives
            }
            network.run(for: .seconds(5))
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("once, though each comes twice", arguments: 0..<6)
    func survivesDuplicate(_ twice: Int) {
        tell(initiator: .fragmentingClient(), responder: .fragmentingGateway()) { network in
            var count = -1
            network.fate = { flight in
                guard flight.isFragment else { return .arrives }
                count += 1
                return count == twice ? .arrivesTwice : .arrives
            }
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 1)
            let drops = network.count(.initiator) { $0 == .dropped } + network.count(.responder) { $0 == .dropped }
            #expect(drops == 1)
            #expect(network.count(.responder) { $0 == .answeredAgain } == 0)
        }
    }

    @Test("and the answered request is answered again upon its first fragment alone, if its ICV is right")
    func answersFirstAlone() {
        tellHeld { network, fragments in
            for fragment in fragments { network.deliver(fragment) }
            network.run(for: .milliseconds(100))
            let answer = network.wire.suffix(3).map(\.octets)
            for number in [1, 2] {
                network.forgetStory()
                network.deliver(fragments[number])
                #expect(network.reports[1] == [.dropped])
                #expect(network.story == [])
            }
            var forged = fragments[0]
            forged.octets[forged.octets.count - 1] ^= 1
            network.forgetStory()
            network.deliver(forged)
            #expect(network.reports[1] == [.dropped])
            network.forgetStory()
            network.deliver(fragments[0])
            #expect(network.reports[1] == [.answeredAgain])
            #expect(network.wire.suffix(3).map(\.octets) == answer)
            #expect(
                network.story == [
                    "<-- HDR, SKF(1/3) (again)", "<-- HDR, SKF(2/3) (again)", "<-- HDR, SKF(3/3) (again)",
                ]
            )
            network.run(for: .seconds(1))
        }
    }

    @Test("and old ones, replayed after later exchanges, change nothing")
    func ignoresReplays() {
        let sizes = FragmentSizes.tiny
        tell(initiator: .fragmentingClient(sizes), responder: .fragmentingGateway(sizes)) { network in
            network.run(for: .seconds(1))
            let old = network.wire.filter { $0.isFragment }
            for side in [Side.initiator, .responder] {
                network.command(.createChild, at: side)
                network.run(for: .seconds(1))
                network.command(.createChild, at: side)
                network.run(for: .seconds(1))
            }
            let children = network.children(of: .responder).map(\.inbound)
            network.forgetStory()
            for fragment in old { network.deliver(fragment) }
            #expect(network.reports.joined().allSatisfy { $0 == .dropped })
            #expect(network.story == [])
            #expect(network.children(of: .responder).map(\.inbound) == children)
        }
    }

    @Test("and forged ones, whatever they claim, do not poison what is being joined")
    func ignoresForgeries() {
        tellHeld { network, fragments in
            let claims: [(number: UInt8, total: UInt8)] = [
                (1, 3), (2, 3), (3, 3), (0, 3), (4, 3), (1, 1), (2, 200), (1, 255), (0, 0), (3, 0),
            ]
            for (index, fragment) in fragments.enumerated() {
                for claim in claims {
                    var forged = fragment
                    forged.octets[33] = claim.number
                    forged.octets[35] = claim.total
                    if claim.number == index + 1, claim.total == 3 { forged.octets[50] ^= 0x40 }
                    network.forgetStory()
                    network.deliver(forged)
                    #expect(network.reports[1] == [.dropped])
                }
                network.deliver(fragment)
            }
            network.run(for: .milliseconds(100))
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("with a mix of a message's fragments and the message in one piece, whichever is there first")
    func takesEither() {
        tellHeld { network, fragments in
            let whole = network.whole(of: fragments)
            network.deliver(fragments[0])
            network.deliver(fragments[1])
            var flight = fragments[0]
            flight.octets = whole
            network.forgetStory()
            network.deliver(flight)
            #expect(network.count(.responder) { if case .established = $0 { true } else { false } } == 1)
            // The rest is of an answered request now.
            network.forgetStory()
            network.deliver(fragments[2])
            #expect(network.reports[1] == [.dropped])
            network.deliver(flight)
            network.deliver(fragments[0])
            #expect(network.count(.responder) { $0 == .answeredAgain } == 2)
            network.run(for: .milliseconds(100))
            #expect(network.children(of: .initiator).count == 1)
        }
    }

    @Test("anew where there are more of them than before, while fewer are not taken")
    func beginsAgain() {
        tellHeld { network, fragments in
            let (few, many) = (network.fragments(of: fragments, 2), network.fragments(of: fragments, 5))
            network.deliver(fragments[0])
            network.deliver(fragments[1])
            network.deliver(many[3])
            for late in [fragments[2], few[0], few[1]] {
                network.forgetStory()
                network.deliver(late)
                #expect(network.reports[1] == [.dropped])
            }
            for index in [0, 1, 2, 4] {
                #expect(network.situation(of: .responder) == "halfOpen")
                network.deliver(many[index])
            }
            #expect(network.situation(of: .responder) == "established")
            network.run(for: .milliseconds(100))
        }
    }

    @Test("of both directions at the same time")
    func joinsBothDirections() {
        let sizes = FragmentSizes.tiny
        tell(initiator: .fragmentingClient(sizes), responder: .fragmentingGateway(sizes)) { network in
            network.run(for: .seconds(1))
            network.fate = { .isDelayed(.milliseconds($0.note.isResponse ? 5 : 3 * Int64($0.note.fragmentNumber % 2))) }
            network.command(.createChild, at: .initiator)
            network.command(.createChild, at: .responder)
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 3)
            #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
        }
    }

    @Test("though a fragment's padding is wrong: the request is refused as one that cannot be read")
    func refusesBadPadding() {
        let sizes = FragmentSizes.tiny
        tell(initiator: .fragmentingClient(sizes), responder: .fragmentingGateway(sizes)) { network in
            network.run(for: .seconds(1))
            let header = network.nextRequest(.informational, from: .initiator)
            let path = network.summary(of: .responder)!.path
            network.forgetStory()
            let forged = network.sealedFragment(header, FragmentPlace(number: 2, total: 3), padLength: 200, [1, 2, 3])
            network.receive(forged, over: path, at: .responder)
            #expect(network.ends(.responder) == [.malformedRequest])
            // The initiator is told, and finds out when it asks.
            network.command(.checkLiveness, at: .initiator)
            network.run(for: .minutes(5))
        }
    }
}

private func permutations(of items: [Int]) -> [[Int]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index in
        var rest = items
        let item = rest.remove(at: index)
        return permutations(of: rest).map { [item] + $0 }
    }
}

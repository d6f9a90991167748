import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.3, RFC 7383 section 2.6.
@Suite("Overlapping messages in fragments")
struct WindowFragmentTests {
    private static func client(_ size: UInt32, _ change: (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .fragmentingClient(.tiny) { values in
            values.lifeCycle.windowSize = size
            change(&values)
        }
    }

    private static func gateway(_ size: UInt32, _ change: (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .fragmentingGateway(.tiny) { values in
            values.lifeCycle.windowSize = size
            change(&values)
        }
    }

    /// The fragments of so many overlapping requests for Child SAs, in the order in which they were sent.
    private static func requests(_ count: Int, _ network: Network) -> [[Network.Flight]] {
        network.fate = { $0.isFragment && !$0.note.isResponse && !$0.note.isRetransmission ? .isHeld : .arrives }
        for _ in 0..<count { network.command(.createChild, at: .initiator) }
        network.run(for: .milliseconds(50))
        let fragments = network.held
        network.held = []
        network.fate = { _ in .arrives }
        var requests: [[Network.Flight]] = []
        for fragment in fragments {
            if fragment.note.fragmentNumber == 1 { requests.append([]) }
            requests[requests.count - 1].append(fragment)
        }
        return requests
    }

    @Test("are joined each by itself, though their fragments come in turns")
    func joinsInTurns() {
        tellEstablished(initiator: Self.client(3), responder: Self.gateway(3)) { network in
            let requests = Self.requests(3, network)
            #expect(requests.map(\.count) == [3, 3, 3])
            for number in [1, 0, 2] {
                for request in [2, 0, 1] { network.deliver(requests[request][number]) }
            }
            #expect(network.children(of: .responder).count == 4)
            #expect(network.byteCountOfFragments(at: .responder) == 0)
            network.run(for: .milliseconds(100))
            #expect(network.children(of: .initiator).count == 4)
            #expect(network.wire.allSatisfy { !$0.note.isRetransmission })
            #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
        }
    }

    @Test("with any one fragment lost, are sent again once", arguments: 0..<18)
    func survivesLoss(_ lost: Int) {
        tellEstablished(initiator: Self.client(3), responder: Self.gateway(3)) { network in
            var count = -1
            network.fate = { flight in
                guard flight.isFragment else { return .arrives }
                count += 1
                return count == lost ? .isLost : .isDelayed(.milliseconds(Int64(count * 7 % 9)))
            }
            for _ in 0..<3 { network.command(.createChild, at: .initiator) }
            network.run(for: .seconds(20))
            #expect(network.children(of: .initiator).count == 4)
            #expect(network.count(.initiator) { if case .retransmitted = $0 { true } else { false } } == 1)
        }
    }

    @Test(
        "under heavy loss and out of order need no more sendings than without a window",
        arguments: [1, 2, 3] as [UInt8]
    )
    func survivesHeavyLoss(seed: UInt8) {
        func sendings(window: UInt32) -> Int {
            var count = 0
            tellEstablished(initiator: Self.client(window), responder: Self.gateway(window), seed: seed) { network in
                var stream = RandomStream(seed: UInt64(seed), entity: 1, purpose: .test)
                network.fate = { _ in
                    stream.below(10) == 0 ? .isLost : .isDelayed(.milliseconds(Int64(stream.below(40))))
                }
                for _ in 0..<6 { network.command(.createChild, at: .initiator) }
                network.run(for: .minutes(5))
                network.fate = { _ in .arrives }
                network.run(for: .minutes(5))
                #expect(network.children(of: .initiator).count == 7)
                count = network.count(.initiator) { if case .retransmitted = $0 { true } else { false } }
            }
            return count
        }
        #expect(sendings(window: 6) <= sendings(window: 1) + 2)
    }

    @Test("that are outside of the window, or forged, take no part's place")
    func ignoresOthers() {
        tellEstablished(initiator: Self.client(2), responder: Self.gateway(2)) { network in
            let requests = Self.requests(2, network)
            network.deliver(requests[1][0])
            network.deliver(requests[0][1])
            for id in [0, 1, 9, 200] as [UInt8] {
                var forged = requests[0][0]
                forged.octets[23] &+= id
                forged.octets[50] ^= 1
                network.deliver(forged)
            }
            for fragment in [requests[0][0], requests[1][2], requests[1][1], requests[0][2]] {
                network.deliver(fragment)
            }
            #expect(network.children(of: .responder).count == 3)
            network.run(for: .milliseconds(100))
        }
    }

    @Test("of a peer that ends none of them hold so much and no more, and the earliest is still joined")
    func boundsMemory() {
        tellEstablished(initiator: Self.client(1), responder: Self.gateway(200)) { network in
            let path = network.summary(of: .responder)!.path
            let first = network.nextRequest(.createChildSA, from: .initiator)
            let octets = [UInt8](repeating: 0, count: 20_000)
            var most = 0
            for round in 0..<4 {
                for id in 0..<200 {
                    var header = first
                    header.messageID = MessageID(rawValue: first.messageID.rawValue + UInt32(id))
                    let place = FragmentPlace(number: 2 + round, total: 255)
                    let fragment = network.sealedFragment(header, place, padLength: 0, octets)
                    network.receive(fragment, over: path, at: .responder)
                    most = max(most, network.byteCountOfFragments(at: .responder))
                }
            }
            #expect(most > Reassembly.mostOctets && most <= 2 * Reassembly.mostOctets)
            // A genuine request in one piece ends what was begun under its message ID.
            network.command(.createChild, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 2)
        }
    }

    @Test("of which some are left when the IKE SA is closed are joined then")
    func joinsWhileClosing() {
        tellEstablished(initiator: Self.client(2), responder: Self.gateway(2)) { network in
            let requests = Self.requests(2, network)
            network.deliver(requests[0][0])
            network.deliver(requests[1][0])
            network.fate = { flight in
                let isFirstDelete = flight.note.operation == .delete && !flight.note.isResponse
                return isFirstDelete && !flight.note.isRetransmission ? .isLost : .arrives
            }
            network.command(.delete, at: .responder)
            network.forgetStory()
            for fragment in [requests[0][1], requests[0][2]] { network.deliver(fragment) }
            network.run(for: .milliseconds(100))
            expectStory(network, "<-- HDR, SK {N(TEMPORARY_FAILURE)}")
            network.run(for: .seconds(60))
            for side in Side.allCases { #expect(network.count(of: side) == 0) }
        }
    }
}

extension Network {
    /// What an end keeps of messages that are not whole.
    func byteCountOfFragments(at side: Side) -> Int {
        var byteCount = 0
        forEachSA(of: side) { byteCount += $0.fragmentByteCount }
        return byteCount
    }
}

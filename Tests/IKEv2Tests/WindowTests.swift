import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.3.
@Suite("Windows of more than one request")
struct WindowTests {
    private static func client(_ size: UInt32, _ change: (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .client { values in
            values.lifeCycle.windowSize = size
            change(&values)
        }
    }

    private static func gateway(_ size: UInt32, _ change: (inout PeerPolicy.Values) -> Void = { _ in }) -> PeerPolicy {
        .gateway { values in
            values.lifeCycle.windowSize = size
            change(&values)
        }
    }

    private static let request = "--> HDR, SK {SA, Ni, TSi, TSr}\n"
    private static let answer = "<-- HDR, SK {SA, Nr, TSi, TSr}\n"

    /// How many of a side's requests wait for their answers at the most.
    private static func mostOverlapping(_ network: Network, from side: Side) -> Int {
        var (open, most) = (0, 0)
        for case .sent(_, let from, _, let note) in network.trajectory
        where note.operation == .createChild && !note.isRetransmission {
            if from == side, !note.isResponse { open += 1 }
            if from != side, note.isResponse { open -= 1 }
            most = max(most, open)
        }
        return most
    }

    @Test("are said in IKE_AUTH by both ends, and requests overlap from then on")
    func overlaps() {
        tell(initiator: Self.client(4) { $0.additionalChildren = 3 }, responder: Self.gateway(8)) { network in
            network.run(for: .seconds(1))
            let detection = "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)"
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, \(detection)
                <-- HDR, SAr1, KEr, Nr, \(detection)
                --> HDR, SK {IDi, IDr, AUTH, N(SET_WINDOW_SIZE), CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, N(SET_WINDOW_SIZE), CP(CFG_REPLY), SAr2, TSi, TSr}

                """ + String(repeating: Self.request, count: 3) + String(repeating: Self.answer, count: 3)
            )
            #expect(network.children(of: .initiator).count == 4)
        }
    }

    @Test(
        "are as wide as the peer says, whatever the end's own is",
        arguments: [(8, 2), (2, 8), (8, 1), (1, 8)] as [(UInt32, UInt32)]
    )
    func isLimited(_ own: UInt32, _ peers: UInt32) {
        tell(initiator: Self.client(own) { $0.additionalChildren = 6 }, responder: Self.gateway(peers)) { network in
            network.run(for: .seconds(1))
            #expect(network.children(of: .initiator).count == 7)
            let width = own == 1 ? 1 : Int(peers)
            #expect(Self.mostOverlapping(network, from: .initiator) == min(6, width))
        }
    }

    @Test("let the peer's requests come in any order, and answers too", arguments: [1, 2, 3, 4, 5, 6] as [UInt8])
    func reorders(seed: UInt8) {
        tell(initiator: Self.client(6) { $0.additionalChildren = 5 }, responder: Self.gateway(6), seed: seed) {
            network in
            var stream = RandomStream(seed: UInt64(seed), entity: 1, purpose: .test)
            network.fate = { _ in
                switch stream.below(4) {
                case 0: .isDelayed(.milliseconds(Int64(stream.below(50))))
                case 1: .arrivesTwice
                case 2: .isLost
                default: .arrives
                }
            }
            network.run(for: .seconds(300))
            network.fate = { _ in .arrives }
            network.command(.rekeyChildren, at: .responder)
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(300))
            #expect(network.children(of: .initiator).count == 6)
            #expect(network.children(of: .initiator).allSatisfy { $0.status == .active })
        }
    }

    @Test("with any one message lost, come to the same end", arguments: 0..<8)
    func survivesLoss(_ lost: Int) {
        tellEstablished(initiator: Self.client(4) { $0.additionalChildren = 3 }, responder: Self.gateway(4)) {
            network in
            var count = 0
            network.fate = { _ in
                defer { count += 1 }
                return count == lost ? .isLost : .arrives
            }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(60))
            #expect(network.children(of: .initiator).count == 4)
            #expect(network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } } == 4)
        }
    }

    @Test("by both ends at once: each Child SA is rekeyed once or twice, and none is lost")
    func collides() {
        for seed in ChildCollisionTests.seeds {
            tellEstablished(
                initiator: Self.client(4) { $0.additionalChildren = 3 },
                responder: Self.gateway(4),
                seed: seed
            ) { network in
                network.command(.rekeyChildren, at: .initiator)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .seconds(60))
                #expect(network.children(of: .initiator).count == 4)
                #expect(network.children(of: .initiator).allSatisfy { $0.status == .active })
            }
        }
    }

    @Test(
        "have no room for anything beside a rekey of the IKE SA, whose successor begins with windows of 1",
        arguments: Side.allCases
    )
    func rekeysAlone(_ side: Side) {
        tellEstablished(initiator: Self.client(4) { $0.additionalChildren = 2 }, responder: Self.gateway(4)) {
            network in
            network.command(.rekeyIKE, at: side)
            network.command(.createChild, at: side)
            network.run(for: .seconds(1))
            #expect(
                network.story.prefix(2).elementsEqual(
                    side == .initiator
                        ? ["--> HDR, SK {SA, Ni, KEi}", "<-- HDR, SK {SA, Nr, KEr}"]
                        : ["<-- HDR, SK {SA, Ni, KEi}", "--> HDR, SK {SA, Nr, KEr}"]
                )
            )
            // Each end says its size anew.
            let said = network.story.filter { $0.contains("{N(SET_WINDOW_SIZE)}") }
            #expect(Set(said) == ["--> HDR', SK {N(SET_WINDOW_SIZE)}", "<-- HDR', SK {N(SET_WINDOW_SIZE)}"])
            #expect(network.children(of: .initiator).count == 4)
            network.forgetStory()
            network.command(.rekeyChildren, at: side)
            network.run(for: .milliseconds(5))
            #expect(network.story.count == 4)
            network.run(for: .seconds(60))
        }
    }

    @Test("refuse the peer's rekey of the IKE SA while any request is under way")
    func refusesRekey() {
        tellEstablished(initiator: Self.client(4) { $0.additionalChildren = 2 }, responder: Self.gateway(4)) {
            network in
            network.command(.rekeyChildren, at: .initiator)
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .milliseconds(100))
            #expect(network.story.contains("--> HDR, SK {N(TEMPORARY_FAILURE)}"))
            network.run(for: .seconds(60))
            #expect(network.count(.responder) { if case .ikeRekeyed = $0 { true } else { false } } == 1)
            #expect(network.children(of: .initiator).count == 3)
        }
    }

    @Test("fail with the first request that is never answered, and Delete waits for all of them")
    func ends() {
        let brief = { (values: inout PeerPolicy.Values) in
            values.retransmission = .brief
            values.additionalChildren = 2
        }
        let network = Network.established(initiator: Self.client(4, brief), responder: Self.gateway(4))
        network.fate = { $0.from == .initiator ? .isLost : .arrives }
        network.command(.rekeyChildren, at: .initiator)
        network.run(for: .seconds(10))
        #expect(network.ends(.initiator) == [.timeout])
        #expect(network.wire.count { $0.note.isRetransmission } == 6)
        let failures = network.count(.initiator) { if case .childRekeyFailed(_, .timeout) = $0 { true } else { false } }
        #expect(failures == 3)
        tellEstablished(initiator: Self.client(4, brief), responder: Self.gateway(4)) { network in
            network.command(.rekeyChildren, at: .initiator)
            network.command(.delete, at: .initiator)
            network.run(for: .seconds(1))
            #expect(network.story.suffix(2) == ["--> HDR, SK {D}", "<-- HDR, SK {}"])
            #expect(network.ends(.initiator) == [.deletedHere])
        }
    }

    @Test("answer a repeated request from memory, as many back as the window is wide")
    func remembers() {
        let network = Network.established(
            initiator: Self.client(4) { $0.additionalChildren = 3 },
            responder: Self.gateway(4)
        )
        network.command(.rekeyChildren, at: .initiator)
        network.run(for: .milliseconds(100))
        let requests = network.wire.filter { $0.from == .initiator && $0.note.operation == .rekeyChild }
        #expect(requests.count == 4)
        for request in requests {
            let before = network.wire.count
            network.receive(request.message, over: request.path, at: .responder)
            let again = network.wire.dropFirst(before)
            #expect(again.count == 1)
            #expect(network.wire.dropLast(1).contains { $0.octets == again.first?.octets })
        }
        #expect(network.children(of: .responder).count == 8)
        // They go on as ever.
        network.command(.createChild, at: .initiator)
        network.run(for: .seconds(30))
        #expect(network.children(of: .initiator).count == 5)
        network.checkInvariants()
    }

    @Test("an end that closes the IKE SA does not answer a request anew that it has answered out of order")
    func closesBehindGap() {
        tellEstablished(initiator: Self.client(4), responder: Self.gateway(4)) { network in
            var count = 0
            network.fate = { _ in
                defer { count += 1 }
                return count == 1 ? .arrives : .isLost
            }
            network.command(.createChild, at: .initiator)
            network.command(.createChild, at: .initiator)
            network.run(for: .milliseconds(15))
            network.command(.delete, at: .responder)
            network.fate = { _ in .arrives }
            network.run(for: .seconds(60))
            expectStory(
                network,
                """
                --> HDR, SK {SA, Ni, TSi, TSr} (lost)
                --> HDR, SK {SA, Ni, TSi, TSr}
                <-- HDR, SK {SA, Nr, TSi, TSr} (lost)
                <-- HDR, SK {D} (lost)
                --> HDR, SK {SA, Ni, TSi, TSr} (again)
                --> HDR, SK {SA, Ni, TSi, TSr} (again)
                <-- HDR, SK {SA, Nr, TSi, TSr} (again)
                <-- HDR, SK {D} (again)
                --> HDR, SK {}
                """
            )
            for side in Side.allCases { #expect(network.count(of: side) == 0) }
        }
    }
}

import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// What others have had trouble with, and said so in public; `-->` is from the end that had it.
@Suite("Published trouble")
struct PublishedTroubleTests {
    private static let rekeyRequest = "HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}"
    private static let rekeyAnswer = "HDR, SK {SA, Nr, TSi, TSr}"

    /// Two ends, of which one deletes its first Child SA after so long.
    private static func tellMortal(
        _ side: Side,
        deletingAt moment: Duration,
        proposal: String = "aes128gcm16",
        _ story: (Network) -> Void
    ) {
        let installed = Duration.milliseconds(side == .initiator ? 40 : 30)
        let plain = { (values: inout PeerPolicy.Values) in values.childProposals = .esp(proposal) }
        let mortal = { (values: inout PeerPolicy.Values) in
            plain(&values)
            values.childLifetime = Lifetime(rekey: nil, hard: moment - installed)
        }
        tellEstablished(
            initiator: .client(side == .initiator ? mortal : plain),
            responder: .gateway(side == .responder ? mortal : plain)
        ) { network in
            network.policies = [.client(plain), .gateway(plain)]
            story(network)
        }
    }

    private static func expectOneChild(_ network: Network) {
        #expect(network.children(of: .initiator).map(\.status) == [.active])
        #expect(network.children(of: .responder).map(\.status) == [.active])
        for side in Side.allCases { #expect(network.deadline(of: side) == .never) }
    }

    @Test(
        "strongSwan #1458: a rekey's answer and the peer's Delete of the old Child SA come within 0.5 ms, in any order",
        arguments: Side.allCases
    )
    func answerAndDeleteAtOnce(_ side: Side) {
        for late in [Duration.zero, .microseconds(400)] {
            Self.tellMortal(side.other, deletingAt: .seconds(10) + .microseconds(10_200)) { network in
                network.run(until: .zero + .seconds(10))
                network.fate = { $0.note.operation == .rekeyChild && $0.note.isResponse ? .isDelayed(late) : .arrives }
                network.command(.rekeyChildren, at: side)
                network.run(for: .minutes(5))
                expectStory(
                    network,
                    from: side,
                    """
                    --> \(Self.rekeyRequest)
                    <-- \(Self.rekeyAnswer) (late)
                    <-- HDR, SK {D(ESP)}
                    --> HDR, SK {D(ESP)}
                    """
                )
                #expect(network.children(of: side).map(\.isExchangeInitiator) == [true])
                Self.expectOneChild(network)
            }
        }
    }

    @Test(
        "strongSwan #1458: the Delete comes while the answer's key exchange is computed, and has to come again",
        arguments: Side.allCases
    )
    func deleteDuringAgreement(_ side: Side) {
        let moment = Duration.seconds(10) + .microseconds(10_200)
        Self.tellMortal(side.other, deletingAt: moment, proposal: "aes128gcm16-x25519") { network in
            network.run(until: .zero + .seconds(10))
            network.command(.rekeyChildren, at: side)
            network.run(for: .milliseconds(15))
            network.holdsOperations = true
            network.run(for: .milliseconds(100))
            network.holdsOperations = false
            network.completeOperation(at: side)
            network.run(for: .minutes(5))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
                <-- HDR, SK {SA, Nr, KEr, TSi, TSr}
                <-- HDR, SK {D(ESP)}
                <-- HDR, SK {D(ESP)} (again)
                --> HDR, SK {D(ESP)}
                """
            )
            Self.expectOneChild(network)
        }
    }

    @Test("strongSwan #1896: both rekey a Child SA, and one request is lost", arguments: Side.allCases)
    func collisionAndLoss(_ side: Side) {
        tellEstablished { network in
            network.fate = { $0.from == side && !$0.note.isResponse && !$0.note.isRetransmission ? .isLost : .arrives }
            network.command(.rekeyChildren, at: side)
            network.fate = { _ in .arrives }
            network.command(.rekeyChildren, at: side.other)
            network.run(for: .minutes(5))
            expectStory(
                network,
                from: side,
                """
                --> \(Self.rekeyRequest) (lost)
                <-- \(Self.rekeyRequest)
                --> \(Self.rekeyAnswer)
                --> \(Self.rekeyRequest) (again)
                <-- HDR, SK {N(TEMPORARY_FAILURE)}
                <-- HDR, SK {D(ESP)}
                --> HDR, SK {D(ESP)}
                """
            )
            #expect(network.children(of: side).map(\.isExchangeInitiator) == [false])
            Self.expectOneChild(network)
        }
    }

    @Test("strongSwan #1896: both rekey a Child SA, and one answer is lost", arguments: Side.allCases)
    func collisionAndLostAnswer(_ side: Side) {
        for seed in ChildCollisionTests.seeds {
            tellEstablished(seed: seed) { network in
                network.fate = { $0.from == side && $0.note.isResponse ? .isLost : .arrives }
                network.command(.rekeyChildren, at: .initiator)
                network.command(.rekeyChildren, at: .responder)
                network.run(for: .milliseconds(15))
                network.fate = { _ in .arrives }
                network.run(for: .minutes(5))
                #expect(network.story.contains { $0.hasSuffix("(again)") })
                Self.expectOneChild(network)
            }
        }
    }

    @Test(
        "strongSwan #2477: both rekey a Child SA, and one is refused with TS_UNACCEPTABLE: the other's counts",
        arguments: Side.allCases
    )
    func collisionAndRefusal(_ side: Side) {
        tellEstablished { network in
            network.fate = { $0.from == side && !$0.note.isResponse ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: side)
            network.fate = { _ in .arrives }
            network.command(.rekeyChildren, at: side.other)
            // It asks for what the other end's policy does not have.
            var request = network.held.removeFirst()
            request.octets = network.resealed(request.message) { payloads in
                for type in [PayloadType.trafficSelectorsInitiator, .trafficSelectorsResponder] {
                    payloads.replacing(type) { $0 = Self.unwantedSelector }
                }
            }
            request.octets = (request.path.isEncapsulated ? [0, 0, 0, 0] : []) + request.octets
            network.run(for: .milliseconds(5))
            network.deliver(request)
            network.run(for: .minutes(5))
            expectStory(
                network,
                from: side,
                """
                --> \(Self.rekeyRequest) (held)
                <-- \(Self.rekeyRequest)
                <-- HDR, SK {N(TS_UNACCEPTABLE)}
                --> \(Self.rekeyAnswer)
                <-- HDR, SK {D(ESP)}
                --> HDR, SK {D(ESP)}
                """
            )
            #expect(network.children(of: side).map(\.isExchangeInitiator) == [false])
            Self.expectOneChild(network)
        }
    }

    /// One traffic selector: 203.0.113.0 to 203.0.113.255 (RFC 7296 section 3.13.1).
    private static let unwantedSelector: [UInt8] =
        [1, 0, 0, 0] + [7, 0, 0, 16, 0, 0, 0xFF, 0xFF] + [203, 0, 113, 0] + [203, 0, 113, 255]

    @Test(
        "strongSwan #3042: the way is gone while an IKE SA is rekeyed, and its hard lifetime ends: the new one lives",
        arguments: Side.allCases
    )
    func linkBounce(_ side: Side) {
        // It is gone before the request is sent, or before it has been answered.
        let request = "--> HDR, SK {SA, Ni, KEi}"
        let stories = [
            (Duration.zero, "\(request) (lost)\n\(request) (again) (lost)\n\(request) (again) (lost)"),
            (
                .milliseconds(5),
                "\(request)\n<-- HDR, SK {SA, Nr, KEr} (lost)"
                    + "\n\(request) (again) (lost)\n\(request) (again) (lost)"
            ),
        ]
        for (gone, story) in stories {
            let mortal = { (values: inout PeerPolicy.Values) in
                values.ikeLifetime = Lifetime(rekey: .seconds(10), hard: .seconds(24))
            }
            tellEstablished(
                initiator: side == .initiator ? .client(mortal) : .client(),
                responder: side == .responder ? .gateway(mortal) : .gateway()
            ) { network in
                network.policies = [.client(), .gateway()]
                let begin = network.deadline(of: side)
                network.fate = { flight in
                    flight.sentAt >= begin + gone && flight.sentAt < begin + .seconds(20) ? .isLost : .arrives
                }
                network.run(for: .minutes(5))
                expectStory(
                    network,
                    from: side,
                    """
                    \(story)
                    \(request) (again)
                    <-- HDR, SK {SA, Nr, KEr}\(gone == .zero ? "" : " (again)")
                    --> HDR, SK {D}
                    <-- HDR, SK {}
                    """
                )
                for side in Side.allCases { #expect(network.ends(side) == [.rekeyed]) }
                Self.expectOneChild(network)
            }
        }
    }

    @Test(
        "CSCvx23833: the peer uses the new IKE SA before the answer that makes it known has come",
        arguments: Side.allCases
    )
    func newIKESAAtOnce(_ side: Side) {
        tellEstablished { network in
            network.fate = { $0.note.operation == .rekeyIKE && $0.note.isResponse ? .isDelayed(.seconds(1)) : .arrives }
            network.command(.rekeyIKE, at: side)
            network.run(for: .milliseconds(10))
            network.command(.checkLiveness, at: side.other)
            network.run(for: .minutes(5))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {SA, Nr, KEr} (late)
                <-- HDR', SK {}
                --> HDR, SK {D}
                <-- HDR, SK {}
                <-- HDR', SK {} (again)
                --> HDR', SK {}
                """
            )
            #expect(network.ends(side) == [.rekeyed])
            Self.expectOneChild(network)
        }
    }

    @Test(
        "CSCvx23833: the peer uses the new Child SA before the answer that makes it known has come",
        arguments: Side.allCases
    )
    func newChildSAAtOnce(_ side: Side) {
        tellEstablished { network in
            network.fate = {
                $0.note.operation == .rekeyChild && $0.note.isResponse ? .isDelayed(.seconds(1)) : .arrives
            }
            network.command(.rekeyChildren, at: side)
            network.run(for: .milliseconds(10))
            // ESP: SPI, sequence number, what is protected (RFC 4303 section 2).
            let spi = network.children(of: side.other).last!.outbound.rawValue
            let esp = (0..<4).map { UInt8(truncatingIfNeeded: spi >> (24 - 8 * $0)) } + [0, 0, 0, 1]
            network.receive(esp + [UInt8](repeating: 0x5A, count: 64), over: network.summary(of: side)!.path, at: side)
            #expect(network.reports[side.rawValue].last == .dropped)
            // It even is rekeyed, which has to wait.
            network.command(.rekeyChildren, at: side.other)
            network.run(for: .seconds(2))
            expectStory(
                network,
                from: side,
                """
                --> \(Self.rekeyRequest)
                <-- \(Self.rekeyAnswer) (late)
                <-- \(Self.rekeyRequest)
                --> HDR, SK {N(TEMPORARY_FAILURE)}
                """
            )
            #expect(network.children(of: side).map(\.status) == [.superseded, .active])
            network.run(for: .minutes(5))
            #expect(network.children(of: side).map(\.isExchangeInitiator) == [false])
            Self.expectOneChild(network)
        }
    }

    @Test(
        "CSCvx23833: the peer deletes the new Child SA before the answer that makes it known has come",
        arguments: Side.allCases
    )
    func newChildSADeletedAtOnce(_ side: Side) {
        for command in [IKESA.Command.rekeyChildren, .createChild] {
            tellEstablished { network in
                let (policies, first) = (network.policies, network.children(of: side).map(\.inbound))
                var values = policies[side.other.rawValue].values
                values.childLifetime = Lifetime(rekey: nil, hard: .milliseconds(1))
                network.policies[side.other.rawValue] = PeerPolicy(values)
                network.fate = { $0.note.isResponse && $0.from != side ? .isDelayed(.seconds(1)) : .arrives }
                network.command(command, at: side)
                network.run(for: .milliseconds(100))
                network.policies = policies
                network.run(for: .minutes(5))
                let isRekey = command == .rekeyChildren
                expectStory(
                    network,
                    from: side,
                    """
                    --> \(isRekey ? Self.rekeyRequest : "HDR, SK {SA, Ni, TSi, TSr}")
                    <-- \(Self.rekeyAnswer) (late)
                    <-- HDR, SK {D(ESP)}
                    --> HDR, SK {}

                    """ + (isRekey ? "--> HDR, SK {D(ESP)}\n<-- HDR, SK {D(ESP)} (late)" : "")
                )
                #expect(network.children(of: side).map(\.inbound) == (isRekey ? [] : first))
            }
        }
    }
}

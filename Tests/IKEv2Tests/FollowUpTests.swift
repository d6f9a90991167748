import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 9370 section 2.2.4.
@Suite("IKE_FOLLOWUP_KE")
struct FollowUpTests {
    private static let hybrid: @Sendable (inout PeerPolicy.Values) -> Void = { values in
        values.beHybrid("aes128gcm16-prfsha256-x25519-ke1_mlkem768-ke2_mlkem1024")
        values.childProposals = .esp("aes128gcm16-x25519-ke1_mlkem768")
        values.retransmission = .brief
    }

    private static func tell(
        seed: UInt8 = 7,
        _ location: SourceLocation = #_sourceLocation,
        _ story: (Network) throws -> Void
    ) rethrows {
        try tellEstablished(initiator: .client(hybrid), responder: .gateway(hybrid), seed: seed, location) { network in
            network.run(for: .milliseconds(200))
            network.forgetStory()
            try story(network)
        }
    }

    private static let rekey = """
        --> HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
        <-- HDR, SK {SA, Nr, KEr, TSi, TSr, N(ADDITIONAL_KEY_EXCHANGE)}
        --> HDR, SK {KEi, N(ADDITIONAL_KEY_EXCHANGE)}
        <-- HDR, SK {KEr}

        """

    @Test("makes a further Child SA with one more secret", arguments: Side.allCases)
    func creates(_ side: Side) {
        Self.tell { network in
            network.command(.createChild, at: side)
            network.run(for: .seconds(1))
            expectStory(network, from: side, Self.rekey.replacing("N(REKEY_SA), ", with: ""))
            #expect(network.children(of: side).count == 2)
            #expect(network.children(of: side.other).count == 2)
        }
    }

    @Test("rekeys a Child SA, which lives on until all is done", arguments: Side.allCases)
    func rekeysChild(_ side: Side) {
        Self.tell { network in
            network.command(.rekeyChildren, at: side)
            network.run(for: .milliseconds(25))
            #expect(network.children(of: side).count == 1)
            #expect(network.children(of: side.other).count == 1)
            network.run(for: .seconds(10))
            expectStory(network, from: side, Self.rekey + "--> HDR, SK {D(ESP)}\n<-- HDR, SK {D(ESP)}")
            #expect(network.children(of: side).count == 1)
        }
    }

    @Test("rekeys the IKE SA with two more secrets, by links that the responder gives", arguments: Side.allCases)
    func rekeysIKE(_ side: Side) {
        Self.tell { network in
            network.command(.rekeyIKE, at: side)
            network.run(for: .seconds(1))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {SA, Ni, KEi}
                <-- HDR, SK {SA, Nr, KEr, N(ADDITIONAL_KEY_EXCHANGE)}
                --> HDR, SK {KEi, N(ADDITIONAL_KEY_EXCHANGE)}
                <-- HDR, SK {KEr, N(ADDITIONAL_KEY_EXCHANGE)}
                --> HDR, SK {KEi, N(ADDITIONAL_KEY_EXCHANGE)}
                <-- HDR, SK {KEr}
                --> HDR, SK {D}
                <-- HDR, SK {}
                """
            )
            #expect(network.ends(side) == [.rekeyed] && network.ends(side.other) == [.rekeyed])
            #expect(network.children(of: .initiator).count == 1)
            network.command(.checkLiveness, at: side.other)
            network.run(for: .seconds(1))
            #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
        }
    }

    @Test("survives the loss, the repetition and the delay of each of its messages", arguments: Side.allCases, 0..<6)
    func isRepeated(_ side: Side, _ lost: Int) {
        for fate in [Network.Fate.isLost, .arrivesTwice, .isDelayed(.milliseconds(1500))] {
            for command in [IKESA.Command.rekeyIKE, .rekeyChildren] {
                Self.tell { network in
                    var count = 0
                    network.fate = { _ in
                        defer { count += 1 }
                        return count == lost ? fate : .arrives
                    }
                    network.command(command, at: side)
                    network.run(for: .seconds(20))
                    #expect(network.children(of: .initiator).count == 1, "\(fate)")
                    #expect(network.children(of: .responder).count == 1, "\(fate)")
                    #expect(network.count(of: .initiator) == 1 && network.count(of: .responder) == 1, "\(fate)")
                }
            }
        }
    }

    @Test("of both ends at once is put off by both, and done by one after the other", arguments: [UInt8](1...6))
    func collides(_ seed: UInt8) {
        for command in [IKESA.Command.rekeyIKE, .rekeyChildren] {
            Self.tell(seed: seed) { network in
                network.command(command, at: .initiator)
                network.command(command, at: .responder)
                network.run(for: .milliseconds(100))
                #expect(network.story.count { $0.contains("N(TEMPORARY_FAILURE)") } == 2)
                network.run(for: .seconds(60))
                #expect(network.children(of: .initiator).count == 1)
                #expect(network.children(of: .responder).count == 1)
                #expect(network.count(of: .initiator) == 1 && network.count(of: .responder) == 1)
                let isRekeyed = network.count(.initiator) { report in
                    switch report {
                    case .ikeRekeyed, .childRekeyed: true
                    default: false
                    }
                }
                #expect(isRekeyed >= 1)
            }
        }
    }

    @Test("that does not come is forgotten after a while, and one that comes later finds nothing")
    func isForgotten() {
        Self.tell { network in
            network.fate = { $0.note.operation == .followUp ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .milliseconds(100))
            #expect(network.situation(of: .responder).contains("value for the peer's"))
            network.policies[0] = .client { values in
                Self.hybrid(&values)
                values.retransmission = RetransmissionSchedule(waits: [.seconds(100)])
            }
            network.command(.createChild, at: .responder)
            network.run(for: .milliseconds(100))
            // Its own exchanges wait for the peer's.
            #expect(network.situation(of: .responder).contains("value for the peer's"))
        }
        let patient = { @Sendable (values: inout PeerPolicy.Values) in
            Self.hybrid(&values)
            values.retransmission = RetransmissionSchedule(waits: [.seconds(100)])
        }
        tellEstablished(initiator: .client(patient), responder: .gateway(patient)) { network in
            network.run(for: .milliseconds(200))
            network.fate = { $0.note.operation == .followUp ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .seconds(25))
            #expect(network.situation(of: .responder) == "established")
            network.fate = { _ in .arrives }
            network.forgetStory()
            network.release()
            network.run(for: .milliseconds(50))
            #expect(network.story.first == "<-- HDR, SK {N(STATE_NOT_FOUND)}")
            network.run(for: .seconds(30))
            #expect(network.count(.initiator) { if case .childRekeyed = $0 { true } else { false } } == 1)
            #expect(network.children(of: .responder).count == 1)
        }
    }

    @Test("with another link finds nothing, and leaves what is there as it is")
    func checksLink() {
        Self.tell { network in
            network.fate = { $0.note.operation == .followUp ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .milliseconds(100))
            guard let held = network.held.first, let header = try? MessageDecoder(held.message.rawSpan).header else {
                Issue.record("IKE_FOLLOWUP_KE is on its way")
                return
            }
            var payloads = ForgedPayloads()
            payloads.append(.keyExchange, [0, 36, 0, 0] + [UInt8](repeating: 0, count: 1184))
            payloads.appendNotify(.additionalKeyExchange, [1, 2, 3])
            network.forgetStory()
            network.receive(network.sealed(header, payloads), over: held.path, at: .responder)
            #expect(network.story == ["<-- HDR, SK {N(STATE_NOT_FOUND)}"])
            #expect(network.situation(of: .responder).contains("value for the peer's"))
        }
    }

    @Test("goes in fragments")
    func isFragmented() {
        tellEstablished(
            initiator: .fragmentingClient(.standard, Self.hybrid),
            responder: .fragmentingGateway(.standard, Self.hybrid)
        ) { network in
            network.run(for: .milliseconds(200))
            network.command(.rekeyIKE, at: .responder)
            network.run(for: .seconds(2))
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 1)
            #expect(network.wire.contains { $0.note.operation == .followUp && $0.isFragment })
        }
    }
}

import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

extension PeerPolicy.Values {
    /// X25519 first, and ML-KEM-768 in IKE_INTERMEDIATE.
    mutating func beHybrid(_ notation: String = "aes128gcm16-prfsha256-x25519-ke1_mlkem768") {
        ikeProposals = .ike(notation)
    }
}

/// RFC 9242 and RFC 9370 section 2.2.2.
@Suite("IKE_INTERMEDIATE")
struct IntermediateTests {
    static let hybrid: @Sendable (inout PeerPolicy.Values) -> Void = { $0.beHybrid() }

    static let opening = """
        --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), \
        N(INTERMEDIATE_EXCHANGE_SUPPORTED)
        <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), \
        N(INTERMEDIATE_EXCHANGE_SUPPORTED)

        """
    static let closing = """
        --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
        <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
        """

    @Test("carries ML-KEM behind a classical key exchange, and both ends go on under the keys of both")
    func establishes() {
        tell(initiator: .client(Self.hybrid), responder: .gateway(Self.hybrid)) { network in
            network.run(for: .seconds(1))
            expectStory(network, Self.opening + "--> HDR, SK {KEi}\n<-- HDR, SK {KEr}\n" + Self.closing)
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.ring.entries.count == 2)
            // What is exchanged is as long as FIPS 203 says.
            let exchange = network.wire.filter { $0.note.operation == .ikeIntermediate }
            #expect(exchange.map(\.note.keyExchange) == [.mlKEM768, .mlKEM768])
            #expect(exchange[0].octets.count - exchange[1].octets.count == 1184 - 1088)
            network.command(.checkLiveness, at: .responder)
            network.command(.rekeyIKE, at: .initiator)
            network.run(for: .seconds(10))
            #expect(!network.reports[0].contains(.dropped) && !network.reports[1].contains(.dropped))
        }
    }

    @Test("carries as many key exchanges as are chosen, each under the keys of the one before it")
    func repeats() {
        let many = { @Sendable (values: inout PeerPolicy.Values) in
            values.beHybrid("aes256-sha384-prfsha384-ecp256-ke1_mlkem1024-ke3_x25519-ke7_mlkem768")
        }
        tell(initiator: .client(many), responder: .gateway(many)) { network in
            network.run(for: .seconds(1))
            let exchange = "--> HDR, SK {KEi}\n<-- HDR, SK {KEr}\n"
            expectStory(network, Self.opening + exchange + exchange + exchange + Self.closing)
            let methods = network.wire.filter { $0.note.operation == .ikeIntermediate }.map(\.note.keyExchange)
            #expect(methods == [.mlKEM1024, .mlKEM1024, .curve25519, .curve25519, .mlKEM768, .mlKEM768])
            #expect(network.ring.entries.count == 4)
            let flight = network.wire.last!
            #expect((try? MessageDecoder(flight.message.rawSpan).header.messageID) == MessageID(rawValue: 4))
        }
    }

    @Test("goes in fragments, which IKE_SA_INIT cannot")
    func isFragmented() {
        let sizes = FragmentSizes(ipv4: 576, ipv6: 1280)
        tell(initiator: .fragmentingClient(sizes, Self.hybrid), responder: .fragmentingGateway(sizes, Self.hybrid)) {
            network in
            network.run(for: .seconds(1))
            let parts = network.wire.filter { $0.note.operation == .ikeIntermediate }
            #expect(parts.map(\.note.fragmentTotal) == [3, 3, 3, 3, 3, 3])
            #expect(parts.allSatisfy { $0.packetByteCount <= 576 })
            #expect(network.situation(of: .responder) == "established")
        }
    }

    @Test("is as good as before when a message of it, or a fragment, is lost or comes twice", arguments: 0..<14)
    func isRepeated(_ lost: Int) {
        let many = { @Sendable (values: inout PeerPolicy.Values) in
            values.beHybrid("aes128gcm16-prfsha256-x25519-ke1_mlkem768-ke2_mlkem1024")
            values.retransmission = .brief
        }
        let sizes = FragmentSizes(ipv4: 1400, ipv6: 1400)
        for fate in [Network.Fate.isLost, .arrivesTwice, .isDelayed(.milliseconds(1500))] {
            tell(initiator: .fragmentingClient(sizes, many), responder: .fragmentingGateway(sizes, many)) { network in
                var count = 0
                network.fate = { _ in
                    defer { count += 1 }
                    return count == lost ? fate : .arrives
                }
                network.run(for: .seconds(8))
                #expect(network.situation(of: .initiator) == "established", "\(fate)")
                #expect(network.situation(of: .responder) == "established", "\(fate)")
            }
        }
    }

    @Test("ends with the initiator when the responder falls silent, and with the responder when it waits too long")
    func timesOut() {
        let brief = { @Sendable (values: inout PeerPolicy.Values) in
            values.beHybrid()
            values.retransmission = .brief
            values.halfOpenTimeout = .seconds(5)
        }
        tell(initiator: .client(brief), responder: .gateway(brief)) { network in
            network.fate = { $0.note.operation == .ikeIntermediate ? .isLost : .arrives }
            network.run(for: .seconds(10))
            #expect(network.ends(.initiator) == [.timeout])
            #expect(network.ends(.responder) == [.halfOpenExpired])
        }
    }

    @Test("is in what AUTH covers: IntAuth of RFC 9242, made anew from the wire", arguments: [false, true])
    func isAuthenticated(_ isFragmented: Bool) throws {
        let sizes = FragmentSizes(ipv4: 576, ipv6: 1280)
        let two = { @Sendable (values: inout PeerPolicy.Values) in
            values.beHybrid("aes128-sha256-x25519-ke1_mlkem768-ke2_ecp256")
        }
        try tell(
            initiator: isFragmented ? .fragmentingClient(sizes, two) : .client(two),
            responder: isFragmented ? .fragmentingGateway(sizes, two) : .gateway(two)
        ) { network in
            network.run(for: .seconds(1))
            let expected = try network.authenticationByHand()
            #expect(expected.count == 2)
            for (side, data) in expected { #expect(try network.authentication(from: side) == data, "\(side)") }
        }
    }

    @Test("is not there where one end does not know it: another proposal is taken, or none")
    func fallsBack() {
        let both = { @Sendable (values: inout PeerPolicy.Values) in
            values.ikeProposals = .ike(
                "aes128gcm16-prfsha256-x25519-ke1_mlkem768",
                "aes128gcm16-prfsha256-x25519"
            )
        }
        tell(initiator: .client(both), responder: .gateway()) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
            #expect(!network.story[1].contains("INTERMEDIATE"))
            #expect(!network.wire.contains { $0.note.operation == .ikeIntermediate })
        }
        tell(initiator: .client(), responder: .gateway(both)) { network in
            network.run(for: .seconds(1))
            #expect(!network.story[0].contains("INTERMEDIATE"))
            #expect(network.situation(of: .initiator) == "established")
        }
        tell(initiator: .client(Self.hybrid), responder: .gateway()) { network in
            network.run(for: .seconds(1))
            #expect(network.ends(.initiator) == [.noProposalChosen])
        }
        tell(initiator: .client(), responder: .gateway(Self.hybrid)) { network in
            network.run(for: .seconds(1))
            #expect(network.ends(.initiator) == [.noProposalChosen])
        }
        tell(
            initiator: .client(Self.hybrid),
            responder: .gateway { $0.beHybrid("aes128gcm16-prfsha256-x25519-ke1_mlkem1024-ke1_mlkem768-ke2_none") }
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
        }
    }

    @Test("is left out where NONE is what both ends have")
    func choosesNone() {
        tell(
            initiator: .client { $0.beHybrid("aes128gcm16-prfsha256-x25519-ke1_mlkem768-ke1_none") },
            responder: .gateway()
        ) { network in
            network.run(for: .seconds(1))
            #expect(network.situation(of: .initiator) == "established")
            #expect(!network.wire.contains { $0.note.operation == .ikeIntermediate })
        }
    }

    @Test(
        "with a KE payload of another method, or with none, ends the IKE SA",
        arguments: [nil, KeyExchangeID.mlKEM1024]
    )
    func refusesOthers(_ method: KeyExchangeID?) {
        tell(initiator: .client(Self.hybrid), responder: .gateway(Self.hybrid)) { network in
            network.fate = { $0.note.operation == .ikeIntermediate ? .isHeld : .arrives }
            network.run(for: .milliseconds(30))
            guard let held = network.held.first, var header = try? MessageDecoder(held.message.rawSpan).header else {
                Issue.record("IKE_INTERMEDIATE is on its way")
                return
            }
            var payloads = ForgedPayloads()
            if let method {
                payloads.append(.keyExchange, [0, UInt8(method.rawValue), 0, 0] + [UInt8](repeating: 1, count: 1568))
            } else {
                payloads.appendNotify(.initialContact)
            }
            header.nextPayload = .none
            network.receive(network.sealed(header, payloads), over: held.path, at: .responder)
            #expect(network.ends(.responder) == [.malformedRequest])
        }
    }

    @Test("does without IKE_AUTH before its time")
    func refusesEarlyAuthentication() {
        tell(initiator: .client(Self.hybrid), responder: .gateway(Self.hybrid)) { network in
            network.fate = { $0.note.operation == .ikeIntermediate ? .isHeld : .arrives }
            network.run(for: .milliseconds(30))
            guard let held = network.held.first, var header = try? MessageDecoder(held.message.rawSpan).header else {
                Issue.record("IKE_INTERMEDIATE is on its way")
                return
            }
            header.exchange = .ikeAuth
            var payloads = ForgedPayloads()
            payloads.appendNotify(.initialContact)
            network.receive(network.sealed(header, payloads), over: held.path, at: .responder)
            #expect(network.ends(.responder) == [.malformedRequest])
        }
    }
}

/// ML-KEM by itself, where IKE_SA_INIT is long (draft-ietf-ipsecme-ikev2-mlkem).
@Suite("ML-KEM alone")
struct MLKEMAloneTests {
    @Test("makes an IKE SA, Child SAs and rekeys", arguments: ["mlkem768", "mlkem1024"])
    func establishes(_ word: String) {
        let alone = { @Sendable (values: inout PeerPolicy.Values) in
            values.ikeProposals = .ike("aes256gcm16-prfsha384-\(word)")
            values.childProposals = .esp("aes256gcm16-\(word)")
        }
        tellEstablished(initiator: .client(alone), responder: .gateway(alone)) { network in
            let lengths = network.wire.prefix(2).map(\.octets.count)
            #expect(lengths.allSatisfy { $0 > (word == "mlkem768" ? 1088 : 1568) })
            for side in Side.allCases {
                for command in [IKESA.Command.createChild, .rekeyChildren, .rekeyIKE] {
                    network.command(command, at: side)
                    network.run(for: .seconds(10))
                }
            }
            #expect(network.count(.initiator) { if case .ikeRekeyed = $0 { true } else { false } } == 2)
            #expect(network.children(of: .initiator).count == 3)
        }
    }
}

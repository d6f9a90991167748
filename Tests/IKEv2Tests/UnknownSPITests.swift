import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 sections 1.5 and 2.21.4.
@Suite("A message of an IKE SA that nobody has")
struct UnknownSPITests {
    /// What a side's request gets from an end that has lost its IKE SAs.
    private static func answer(to flight: Network.Flight, _ network: Network) -> [UInt8]? {
        guard IKESA.refuseUnknown(flight.message.rawSpan, over: flight.path, &network.turn) else { return nil }
        let octets = network.turn.output.octets
        network.turn.output.removeAll()
        return Array(octets.dropFirst(flight.path.isEncapsulated ? 4 : 0))
    }

    @Test(
        "is answered with INVALID_IKE_SPI under its own SPIs and message ID, without protection",
        arguments: Side.allCases
    )
    func isAnswered(_ side: Side) throws {
        let network = Network.established()
        network.command(.checkLiveness, at: side)
        let request = try #require(network.wire.last)
        let answer = try #require(Self.answer(to: request, network))
        let (asked, given) = (
            try MessageDecoder(request.message.rawSpan).header, try MessageDecoder(answer.rawSpan).header
        )
        #expect(given.initiatorSPI == asked.initiatorSPI && given.responderSPI == asked.responderSPI)
        #expect(given.messageID == asked.messageID && given.exchange == asked.exchange)
        #expect(given.isResponse && given.isFromInitiator != asked.isFromInitiator)
        // HDR, N(INVALID_IKE_SPI): no protocol, no SPI, type 4.
        #expect(answer[16] == PayloadType.notify.rawValue && answer.suffix(4) == [0, 0, 0, 4])
        #expect(answer.count == Header.byteCount + 8)
    }

    @Test("is not answered where it is a response, or begins an IKE SA")
    func isNotAnswered() throws {
        let network = Network(initiator: .client())
        network.run(for: .milliseconds(100))
        for flight in network.wire where flight.note.isResponse || flight.note.operation == .ikeSAInit {
            #expect(Self.answer(to: flight, network) == nil)
        }
        let answers = network.wire.count { Self.answer(to: $0, network) != nil }
        // IKE_AUTH.
        #expect(answers == 1)
        let answer = try #require(Self.answer(to: network.wire[2], network))
        let again = IKESA.refuseUnknown(answer.rawSpan, over: Route.test.plain, &network.turn)
        #expect(!again)
    }

    @Test("is answered so many times in a second")
    func isLimited() {
        var limit = AnswerLimit(perSecond: 3)
        let moments = stride(from: 0 as Int64, to: 3000, by: 100).map { Instant.zero + .milliseconds($0) }
        let admitted = moments.filter { limit.admits(at: $0) }
        #expect(admitted == [0, 100, 200, 1000, 1100, 1200, 2000, 2100, 2200].map { .zero + .milliseconds($0) })
        var none = AnswerLimit(perSecond: 0)
        let isAdmitted = none.admits(at: .zero)
        #expect(!isAdmitted)
    }

    @Test("ends nothing where its answer comes: the request goes on until it has failed", arguments: Side.allCases)
    func changesNothing(_ side: Side) throws {
        let policy = { (values: inout PeerPolicy.Values) in values.retransmission = .brief }
        let network = Network.established(initiator: .client(policy), responder: .gateway(policy))
        network.fate = { $0.from == side ? .isHeld : .arrives }
        network.command(.checkLiveness, at: side)
        let request = try #require(network.wire.last)
        let answer = try #require(Self.answer(to: request, network))
        let back = Path(
            local: request.path.remote,
            remote: request.path.local,
            isEncapsulated: request.path.isEncapsulated
        )
        network.receive(answer, over: back, at: side)
        #expect(network.count(side) { if case .unknownToPeer = $0 { true } else { false } } == 1)
        #expect(network.situation(of: side) == "established, checking liveness")
        // The true answer is taken still.
        network.fate = { _ in .arrives }
        network.release()
        network.run(for: .milliseconds(500))
        #expect(network.count(side) { $0 == .alive } == 1)
        #expect(network.situation(of: side) == "established")
        // What comes late is a hint: it asks, but not again for a while.
        network.forgetStory()
        network.run(for: .seconds(20))
        for _ in 0..<5 { network.receive(answer, over: back, at: side) }
        network.run(for: .seconds(1))
        for _ in 0..<5 { network.receive(answer, over: back, at: side) }
        network.run(for: .seconds(1))
        expectStory(network, from: side, "--> HDR, SK {}\n<-- HDR, SK {}")
    }
}

/// RFC 7296 section 1.5: INVALID_SPI.
@Suite("An ESP packet of a Child SA that nobody has")
struct UnknownChildSPITests {
    private static let stranger = ChildSPI(rawValue: 0xDEAD_BEEF)

    @Test(
        "is answered over the IKE SA, and changes nothing where the peer has no such Child SA",
        arguments: Side.allCases
    )
    func isAnswered(_ side: Side) {
        tellEstablished { network in
            #expect(network.refuseChild(Self.stranger, at: side))
            network.run(for: .milliseconds(100))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {N(INVALID_SPI)}
                <-- HDR, SK {}
                """
            )
            #expect(network.count(side.other) { if case .childUnknownToPeer = $0 { true } else { false } } == 0)
        }
    }

    @Test("takes its Child SA down where the peer has it: another one comes in its place", arguments: Side.allCases)
    func isReplaced(_ side: Side) throws {
        try tellEstablished { network in
            let spi = try #require(network.childSPIs(of: side).first)
            #expect(network.refuseChild(spi, at: side))
            network.run(for: .milliseconds(500))
            expectStory(
                network,
                from: side,
                """
                --> HDR, SK {N(INVALID_SPI)}
                <-- HDR, SK {}
                <-- HDR, SK {SA, Ni, TSi, TSr}
                --> HDR, SK {SA, Nr, TSi, TSr}
                <-- HDR, SK {D(ESP)}
                --> HDR, SK {D(ESP)}
                """
            )
            #expect(network.count(side.other) { if case .childUnknownToPeer = $0 { true } else { false } } == 1)
            #expect(network.childSPIs(of: side).count == 1 && network.childSPIs(of: side).first != spi)
        }
    }

    @Test("is no news where the Child SA is on its way out", arguments: Side.allCases)
    func isLate(_ side: Side) throws {
        try tellEstablished { network in
            let old = try #require(network.childSPIs(of: side).first)
            network.command(.rekeyChildren, at: side.other)
            network.run(for: .milliseconds(500))
            network.forgetStory()
            #expect(network.refuseChild(old, at: side))
            network.run(for: .milliseconds(100))
            expectStory(network, from: side, "--> HDR, SK {N(INVALID_SPI)}\n<-- HDR, SK {}")
        }
    }

    @Test("is expected where the exchange that makes its Child SA is under way")
    func isExpected() throws {
        try tell { network in
            #expect(network.initiatorExpects(Self.stranger))
            network.run(for: .milliseconds(100))
            #expect(!network.initiatorExpects(Self.stranger))
            let first = try #require(network.childSPIs(of: .initiator).first)
            #expect(network.initiatorExpects(first))
            // The responder has the new Child SA, and may use it before its answer comes.
            network.fate = { $0.from == .responder ? .isHeld : .arrives }
            network.command(.rekeyChildren, at: .initiator)
            network.run(for: .milliseconds(100))
            let new = try #require(network.peerChildSPIs(of: .responder).last)
            #expect(new != first && network.initiatorExpects(new))
            network.command(.delete, at: .responder)
            network.fate = { _ in .arrives }
            network.release()
            network.run(for: .seconds(1))
            #expect(!network.initiatorExpects(first))
        }
    }

    @Test("asks for no more room, however many there are")
    func isBounded() {
        tellEstablished { network in
            network.fate = { _ in .isHeld }
            for number in 1...1_000 {
                _ = network.refuseChild(ChildSPI(rawValue: 0xAB00_0000 + UInt32(number)), at: .responder)
            }
            network.fate = { _ in .arrives }
            network.release()
            network.run(for: .seconds(5))
            #expect(network.story.count == 4)
        }
    }

    @Test("is answered without protection where there is no IKE SA: a hint, from where the peer is")
    func isHint() throws {
        try tellEstablished { network in
            network.run(for: .seconds(20))
            let spi = try #require(network.childSPIs(of: .responder).first)
            let way = Route.test.plain
            IKESA.refuseUnknownChild(spi, over: way, &network.turn)
            let answer = network.turn.output.octets
            network.turn.output.removeAll()
            // HDR(0, 0), N(INVALID_SPI): no protocol, no SPI, type 11, and the SPI as data.
            #expect(answer.count == Header.byteCount + 12 && answer.prefix(16).allSatisfy { $0 == 0 })
            #expect(Array(answer.suffix(6).prefix(2)) == [0, 11])
            let elsewhere = Path(
                local: way.local,
                remote: UDPEndpoint(address: IPAddress("203.0.113.9")!, port: 500),
                isEncapsulated: false
            )
            network.receive(answer, over: elsewhere, at: .initiator)
            #expect(network.count(.initiator) { if case .childUnknownToPeer = $0 { true } else { false } } == 0)
            for _ in 0..<3 { network.receive(answer, over: way, at: .initiator) }
            network.run(for: .seconds(1))
            expectStory(network, from: .initiator, "--> HDR, SK {}\n<-- HDR, SK {}")
        }
    }
}

extension Network {
    fileprivate func refuseChild(_ spi: ChildSPI, at side: Side) -> Bool {
        turn.now = now
        defer { settle(side) }
        switch side {
        case .initiator: return initiator.refuseUnknownChild(spi, under: policies[0], &turn)
        case .responder: return responder?.refuseUnknownChild(spi, under: policies[1], &turn) ?? false
        }
    }

    fileprivate func initiatorExpects(_ spi: ChildSPI) -> Bool { initiator.expects(spi) }

    /// What a side's Child SAs send to.
    fileprivate func peerChildSPIs(of side: Side) -> [ChildSPI] {
        children(of: side).map(\.outbound)
    }

    fileprivate func childSPIs(of side: Side) -> [ChildSPI] {
        children(of: side).map(\.inbound)
    }
}

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

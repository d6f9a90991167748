import Foundation
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// Every state takes every event: what comes of it is written down in Golden/transitions.txt.
///
/// Each state has a chapter, each outcome a paragraph in it: what the state becomes, what is sent and reported, and
/// then the events that lead to it. Where nothing changes and nothing is said, the outcome is "nothing".
@Suite("The transition table")
struct TransitionTableTests {
    @Test("is the one that was reviewed")
    func isGolden() throws {
        var text = ""
        let states = TableState.opening + TableState.conversing + TableState.established + TableState.colliding
        for state in states + TableState.due + TableState.additional {
            text += chapter(of: state) + "\n"
        }
        try Golden.check(text, "transitions.txt")
    }

    private func chapter(of state: TableState) -> String {
        let network = state.network()
        let start = network.situations(of: state.side)
        var outcomes: [(outcome: String, events: [String])] = []
        for event in TableEvent.all {
            guard let outcome = outcome(of: event, in: state) else { continue }
            if let index = outcomes.firstIndex(where: { $0.outcome == outcome }) {
                outcomes[index].events.append(event.name)
            } else {
                outcomes.append((outcome, [event.name]))
            }
        }
        let paragraphs = outcomes.map { entry in
            "  \(entry.outcome)\n" + entry.events.map { "    \($0)\n" }.joined()
        }
        return "\(state.side) \(state.name)\n  [\(start)]\n\n" + paragraphs.joined(separator: "\n")
    }

    /// Nil where the event cannot be in the state.
    private func outcome(of event: TableEvent, in state: TableState) -> String? {
        let network = state.network()
        let before = network.situations(of: state.side)
        let sent = network.story.count
        let reported = network.reports[state.side.rawValue].count
        guard event.apply(network, state) else { return nil }
        let after = network.situations(of: state.side)
        let arrow = state.side == .initiator ? "-->" : "<--"
        var parts: [String] = []
        if after != before { parts.append("becomes \(after)") }
        let lines = network.story[sent...].filter { $0.hasPrefix(arrow) }
        let messages = Self.counted(lines.map { String($0.dropFirst(4).replacing(" (held)", with: "")) })
        if !messages.isEmpty { parts.append("sends \(messages.joined(separator: "; sends "))") }
        let reports = Self.counted(network.reports[state.side.rawValue][reported...].map(Self.name))
        if !reports.isEmpty { parts.append("reports \(reports.joined(separator: ", "))") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: "; ")
    }

    /// What comes several times in a row once, with a count.
    private static func counted(_ items: [String]) -> [String] {
        var counted: [(item: String, count: Int)] = []
        for item in items {
            if counted.last?.item == item { counted[counted.count - 1].count += 1 } else { counted.append((item, 1)) }
        }
        return counted.map { $0.count == 1 ? $0.item : "\($0.item) \($0.count) times" }
    }

    /// A report without the SPIs and addresses in it.
    private static func name(_ report: Report) -> String {
        switch report {
        case .closed(_, let reason): "closed (\(reason.name))"
        case .childRefused(let type): "childRefused (\(type))"
        case .childRekeyFailed(_, let reason): "childRekeyFailed (\(reason.name))"
        case .ikeRekeyFailed(_, let reason): "ikeRekeyFailed (\(reason.name))"
        case .childRekeyed(_, _, _, _, let isFromHere): "childRekeyed (\(isFromHere ? "from here" : "by the peer"))"
        case .ikeRekeyed(_, _, _, let isFromHere): "ikeRekeyed (\(isFromHere ? "from here" : "by the peer"))"
        case .retransmitted(let operation): "retransmitted (\(operation))"
        default: String("\(report)".prefix { $0 != "(" })
        }
    }
}

/// The IKE SA under test, as its peer sees it.
struct Subject {
    let spis: IKESPIPair
    let expectedRequest: MessageID
    /// The request that waits for its answer.
    let outstanding: Header?
    /// The request that was answered last.
    let lastAnswered: [UInt8]?
    let path: Path
    private let isInitiator: Bool

    /// Nil before there are keys.
    init?(_ state: TableState, in network: Network) {
        guard let first = network.ring.entries.first else { return nil }
        let current = network.withCurrent(of: state.side) { $0.spis } ?? nil
        let spis = state.testsFirst ? first.spis : current ?? first.spis
        guard network.ring.entries.contains(where: { $0.spis == spis }) else { return nil }
        self.spis = spis
        var facts = (isInitiator: state.side == .initiator, expected: MessageID(rawValue: 0))
        network.forEachSA(of: state.side) { sa in
            guard sa.spis == spis else { return }
            facts = sa.withChannel { ($0.isInitiator, $0.expectedRequest) } ?? facts
        }
        isInitiator = facts.isInitiator
        expectedRequest = facts.expected
        outstanding = network.wire.last { $0.from == state.side && !$0.note.isResponse }.flatMap { flight in
            guard network.held.contains(where: { $0.octets == flight.octets }) else { return nil }
            return try? MessageDecoder(flight.message.rawSpan).header
        }
        lastAnswered =
            network.wire.last { flight in
                guard flight.to == state.side, let header = try? MessageDecoder(flight.message.rawSpan).header else {
                    return false
                }
                return !header.isResponse && header.responderSPI == spis.responder && header.messageID < facts.expected
            }?.message
        path = network.wire.last { $0.to == state.side }?.path ?? Route.test.plain
    }

    func request(_ exchange: ExchangeType, id: MessageID? = nil) -> Header {
        Header(
            initiatorSPI: spis.initiator,
            responderSPI: spis.responder,
            exchange: exchange,
            flags: isInitiator ? [] : .initiator,
            messageID: id ?? expectedRequest
        )
    }

    func response() -> Header? {
        guard var header = outstanding, header.exchange != .ikeSAInit else { return nil }
        header.flags = isInitiator ? .response : [.initiator, .response]
        return header
    }
}

/// What a peer could ask for a Child SA with.
struct ForgedChild {
    var outbound = ChildSPI(rawValue: 999)
    /// The SPI of the new one.
    var inbound: UInt16 = 512
    /// What the peer carries, and what the end under test does.
    var remote = [TrafficSelector(IPPrefix("10.200.0.0/16")!)]
    var local = [TrafficSelector(IPPrefix("10.128.0.7/32")!)]

    init(_ child: ChildSummary?) {
        guard let child else { return }
        outbound = child.outbound
        remote = child.remoteSelectors
        local = child.localSelectors
    }
}

extension MessageEncoder {
    /// SA, Ni, [KEi], TSi, TSr
    mutating func child(_ child: ForgedChild, _ notation: String = "aes128gcm16", method: KeyExchangeMethod? = nil) {
        var proposal = try! Proposal(notation: notation, protocolID: .esp)
        if let method { proposal.transforms.append(.keyExchange(KeyExchangeID(rawValue: method.rawValue))) }
        securityAssociation(
            proposal,
            number: 1,
            spi: [0, 0, UInt8(child.inbound >> 8), UInt8(child.inbound & 0xFF)].rawSpan
        )
        nonce([UInt8](repeating: 7, count: 32).rawSpan)
        if let method { keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue(of: method)) }
        trafficSelectors(initiator: child.remote)
        trafficSelectors(responder: child.local)
    }

    /// SA, Ni, KEi
    mutating func ike(_ method: KeyExchangeMethod, value: [UInt8]? = nil) {
        let proposal = try! Proposal(notation: "aes128gcm16-prfsha256-x25519", protocolID: .ike)
        securityAssociation(proposal, number: 1, spi: [1, 2, 3, 4, 5, 6, 7, 8].rawSpan)
        nonce([UInt8](repeating: 7, count: 32).rawSpan)
        keyExchange(KeyExchangeID(rawValue: method.rawValue), value ?? publicValue(of: method))
    }

    private func publicValue(of method: KeyExchangeMethod) -> [UInt8] {
        let cryptography = try! Cryptography(backend: .modelled, seed: [UInt8](repeating: 3, count: 32).rawSpan)
        var stream = KeyMaterialStream(entity: 1)
        let randomness = cryptography.randomness(for: method, from: &stream)
        switch cryptography.perform(.generate(.init(method: method, randomness: randomness))) {
        case .generated(let pair): return pair.publicValue
        default: preconditionFailure("a key pair is generated")
        }
    }
}

extension Network {
    /// Gives a side a datagram, and holds back an operation that it asks for.
    func receiveHolding(_ message: [UInt8], over path: Path, at side: Side) {
        holdsOperations = true
        receive(message, over: path, at: side)
    }

    func complete(_ result: consuming KeyExchangeResult, at side: Side) {
        turn.now = now
        switch side {
        case .initiator: initiator.complete(result, under: policies[0], &turn)
        case .responder: responder?.complete(result, under: policies[1], &turn)
        }
        settle(side)
    }

    /// Goes to the moment when a side has something to do, and does it; false when there is none.
    func reachDeadline(of side: Side) -> Bool {
        let deadline = deadline(of: side)
        guard deadline != .never else { return false }
        now = max(now, deadline)
        advance(side)
        return true
    }

    /// Lends each IKE SA of a side.
    func forEachSA(of side: Side, _ body: (borrowing IKESA) -> Void) {
        switch side {
        case .initiator: initiator.forEachSA(body)
        case .responder:
            switch responder {
            case .some(let endpoint): endpoint.forEachSA(body)
            case .none: break
            }
        }
    }

    /// All IKE SAs of a side in words, the one in use first.
    func situations(of side: Side) -> String {
        var situations: [String] = []
        forEachSA(of: side) { situations.append($0.situation) }
        return situations.isEmpty ? situation(of: side) : situations.joined(separator: " + ")
    }
}

enum Golden {
    static func check(_ text: String, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden").appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
            return
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        let (written, wanted) = (text.split(separator: "\n"), golden.split(separator: "\n"))
        for (line, other) in zip(written, wanted) { #expect(line == other) }
        #expect(written.count == wanted.count)
        #expect(text == golden)
    }
}

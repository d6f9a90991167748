import BasicContainers
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

extension Network {
    /// What holds after every story, however it went.
    func checkInvariants(_ location: SourceLocation = #_sourceLocation) {
        checkWire(location)
        checkAgreement(location)
    }

    /// No message ID carries two requests or two answers, and no nonce of an AEAD cipher comes twice under one key:
    /// whatever repeats a message ID or an IV is a retransmission, octet by octet.
    private func checkWire(_ location: SourceLocation) {
        var messages: [(key: MessageKey, octets: [UInt8])] = []
        var vectors: [(key: VectorKey, octets: [UInt8])] = []
        for flight in wire where !flight.isKeepalive {
            let message = flight.message
            guard let header = try? MessageDecoder(message.rawSpan).header, header.exchange != .ikeSAInit else {
                continue
            }
            let key = MessageKey(header, message)
            if let earlier = messages.first(where: { $0.key == key }) {
                #expect(earlier.octets == message, "a message ID is used for one message", sourceLocation: location)
                continue
            }
            messages.append((key, message))
            guard let vector = VectorKey(message) else { continue }
            let isNew = !vectors.contains { $0.key == vector }
            #expect(isNew, "an IV is used for one message", sourceLocation: location)
            vectors.append((vector, message))
        }
    }

    private struct MessageKey: Equatable {
        let initiator: IKESPI
        let responder: IKESPI
        let id: MessageID
        let flags: UInt8
        /// Fragment Number and Total Fragments, where the message is one of several.
        let fragment: [UInt8]

        init(_ header: Header, _ message: [UInt8]) {
            initiator = header.initiatorSPI
            responder = header.responderSPI
            id = header.messageID
            flags = header.flags.rawValue
            fragment = header.nextPayload == .encryptedFragment ? Array(message[32..<36]) : []
        }
    }

    private struct VectorKey: Equatable {
        let initiator: IKESPI
        let responder: IKESPI
        let isFromInitiator: Bool
        let vector: [UInt8]

        init?(_ message: [UInt8]) {
            guard var decoder = try? MessageDecoder(message.rawSpan), let payload = try? decoder.payloads.next(),
                payload.type == .encrypted || payload.type == .encryptedFragment, payload.body.byteCount >= 12
            else { return nil }
            let start = payload.bodyOffset + (payload.type == .encryptedFragment ? 4 : 0)
            initiator = decoder.header.initiatorSPI
            responder = decoder.header.responderSPI
            isFromInitiator = decoder.header.isFromInitiator
            vector = Array(message[start..<start + 8])
        }
    }

    /// Both ends have the same IKE SA in use, with the same keys and the same Child SAs, or neither has one.
    private func checkAgreement(_ location: SourceLocation) {
        let ends = [summary(of: .initiator), summary(of: .responder)]
        guard let one = ends[0], let other = ends[1] else {
            let isGone = ends[0] == nil && ends[1] == nil
            let lastLines = story.suffix(6).joined(separator: "\n")
            #expect(isGone, "an IKE SA has two ends:\n\(lastLines)", sourceLocation: location)
            return
        }
        #expect(one.spis == other.spis, "both ends use the same IKE SA", sourceLocation: location)
        let haveSameKeys = one.keys.isEqual(to: other.keys)
        #expect(haveSameKeys, "both ends have the same keys", sourceLocation: location)
        #expect(one.suite == other.suite, sourceLocation: location)
        #expect(
            one.children.count == other.children.count,
            "both ends have the same Child SAs",
            sourceLocation: location
        )
        for child in one.children {
            guard let mirrored = other.children.first(where: { $0.inbound == child.outbound }) else {
                Issue.record("a Child SA has two ends", sourceLocation: location)
                continue
            }
            #expect(mirrored.outbound == child.inbound, sourceLocation: location)
            #expect(mirrored.localSelectors == child.remoteSelectors, sourceLocation: location)
            #expect(mirrored.remoteSelectors == child.localSelectors, sourceLocation: location)
            #expect(mirrored.suite == child.suite, sourceLocation: location)
            let haveSameKeys = mirrored.keys.isEqual(to: child.keys)
            #expect(haveSameKeys, "both ends have the same Child SA keys", sourceLocation: location)
            #expect(mirrored.isExchangeInitiator != child.isExchangeInitiator, sourceLocation: location)
        }
    }

    /// The Child SAs of a side.
    func children(of side: Side) -> [ChildSummary] { summary(of: side)?.children ?? [] }

    /// How many IKE SAs a side has, in use or on their way out.
    func count(of side: Side) -> Int {
        switch side {
        case .initiator: return initiator.count
        case .responder:
            switch responder {
            case .some(let endpoint): return endpoint.count
            case .none: return 0
            }
        }
    }

    func summary(of side: Side) -> Summary? {
        switch side {
        case .initiator: return Summary(initiator.current)
        case .responder:
            switch responder {
            case .some(let endpoint): return Summary(endpoint.current)
            case .none: return nil
            }
        }
    }
}

extension Endpoint {
    /// How many IKE SAs there are, in use or on their way out.
    fileprivate var count: Int { retiringCount + (current.stateName == .closed ? 0 : 1) }
}

/// What both ends of an established IKE SA have to agree about.
final class Summary {
    let spis: IKESPIPair
    let suite: IKESuite
    let keys: IKEKeysCopy
    let path: Path
    let nat: NATStatus
    private(set) var children: [ChildSummary] = []

    /// Nil for an IKE SA that is not established.
    init?(_ sa: borrowing IKESA) {
        switch sa {
        case .established(let state):
            spis = state.channel.spis
            suite = state.channel.suite
            keys = IKEKeysCopy(state.channel.keys)
            path = state.channel.path
            nat = state.channel.nat
            children = Self.children(of: state)
        default: return nil
        }
    }
}

extension Summary {
    // A function of its own: this compiler crashes where an array's element is borrowed from what a pattern borrowed.
    fileprivate static func children(of state: borrowing IKESA.Established) -> [ChildSummary] {
        var children: [ChildSummary] = []
        for index in 0..<state.children.count { children.append(ChildSummary(state.children[index])) }
        return children
    }
}

struct IKEKeysCopy: ~Copyable {
    let d: SecretBytes
    let ei: SecretBytes
    let er: SecretBytes
    let ai: SecretBytes
    let ar: SecretBytes

    init(_ keys: borrowing IKEKeys) {
        d = keys.d.copy()
        ei = keys.ei.copy()
        er = keys.er.copy()
        ai = keys.ai.copy()
        ar = keys.ar.copy()
    }

    func isEqual(to other: borrowing IKEKeysCopy) -> Bool {
        d.isEqual(to: other.d) && ei.isEqual(to: other.ei) && er.isEqual(to: other.er) && ai.isEqual(to: other.ai)
            && ar.isEqual(to: other.ar)
    }
}

final class ChildSummary {
    let inbound: ChildSPI
    let outbound: ChildSPI
    let suite: ChildSuite
    let keys: ChildKeysCopy
    let localSelectors: [TrafficSelector]
    let remoteSelectors: [TrafficSelector]
    let isExchangeInitiator: Bool
    let isTransport: Bool
    let status: ChildSA.Status

    init(_ child: borrowing ChildSA) {
        inbound = child.inbound
        outbound = child.outbound
        suite = child.suite
        keys = ChildKeysCopy(child.keys)
        localSelectors = child.localSelectors
        remoteSelectors = child.remoteSelectors
        isExchangeInitiator = child.isExchangeInitiator
        isTransport = child.isTransport
        status = child.status
    }
}

struct ChildKeysCopy: ~Copyable {
    let initiatorEncryption: SecretBytes
    let initiatorIntegrity: SecretBytes
    let responderEncryption: SecretBytes
    let responderIntegrity: SecretBytes

    init(_ keys: borrowing ChildKeys) {
        initiatorEncryption = keys.initiatorEncryption.copy()
        initiatorIntegrity = keys.initiatorIntegrity.copy()
        responderEncryption = keys.responderEncryption.copy()
        responderIntegrity = keys.responderIntegrity.copy()
    }

    func isEqual(to other: borrowing ChildKeysCopy) -> Bool {
        initiatorEncryption.isEqual(to: other.initiatorEncryption)
            && initiatorIntegrity.isEqual(to: other.initiatorIntegrity)
            && responderEncryption.isEqual(to: other.responderEncryption)
            && responderIntegrity.isEqual(to: other.responderIntegrity)
    }
}

/// Tells a story with real and with modelled crypto: both must go the same way, step by step, octet count by octet
/// count (DESIGN 3).
func tell(
    initiator: PeerPolicy = .client(),
    responder: PeerPolicy = .gateway(),
    seed: UInt8 = 7,
    _ location: SourceLocation = #_sourceLocation,
    _ story: (Network) throws -> Void
) rethrows {
    var trajectories: [[Network.Step]] = []
    for backend in CryptoBackend.both {
        let network = Network(initiator: initiator, responder: responder, backend: backend, seed: seed)
        try story(network)
        network.checkInvariants(location)
        trajectories.append(network.trajectory)
    }
    #expect(trajectories[0] == trajectories[1], "modelled crypto goes the way of real crypto", sourceLocation: location)
}

/// The same, from the point on where the IKE SA and its first Child SA are established.
func tellEstablished(
    initiator: PeerPolicy = .client(),
    responder: PeerPolicy = .gateway(),
    seed: UInt8 = 7,
    _ location: SourceLocation = #_sourceLocation,
    _ story: (Network) throws -> Void
) rethrows {
    try tell(initiator: initiator, responder: responder, seed: seed, location) { network in
        network.run(for: .milliseconds(100))
        network.forgetStory()
        try story(network)
    }
}

/// Compares a story with what was expected, one message a line.
func expectStory(
    _ network: Network,
    _ expected: String,
    _ location: SourceLocation = #_sourceLocation
) {
    let lines = expected.split(separator: "\n").map { $0.drop { $0 == " " } }.map(String.init)
    let told = network.story
    #expect(told == lines, "\n\(told.joined(separator: "\n"))", sourceLocation: location)
}

/// The same for a story that one side begins: `-->` is from that side.
func expectStory(
    _ network: Network,
    from side: Side,
    _ expected: String,
    _ location: SourceLocation = #_sourceLocation
) {
    guard side == .responder else { return expectStory(network, expected, location) }
    let lines = expected.split(separator: "\n").map { line in
        line.hasPrefix("-->") ? "<--" + line.dropFirst(3) : line.hasPrefix("<--") ? "-->" + line.dropFirst(3) : line
    }
    expectStory(network, lines.joined(separator: "\n"), location)
}

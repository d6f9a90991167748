import IKECrypto
import IKEWire
import Primitives

/// What an initiator knows before its first answer: enough to send IKE_SA_INIT, and to send it once more with a cookie
/// or with another key exchange method (RFC 7296 sections 1.2 and 2.6).
struct Initiation: ~Copyable {
    var origin: Origin
    let route: Route
    let spi: IKESPI
    let nonce: [UInt8]
    var method: KeyExchangeMethod
    var cookie: [UInt8] = []
    /// How often a responder has sent it back to the start.
    var restarts = 0

    init(origin: consuming Origin, route: Route, policy: PeerPolicy, _ turn: inout Turn) {
        var origin = origin
        spi = origin.spis.next()
        nonce = turn.cryptography.octets(count: Self.nonceByteCount, from: &origin.material)
        self.origin = origin
        self.route = route
        method = policy.ikeMethod
    }

    static let nonceByteCount = 32
    /// A responder that asks for one thing after the other does not keep an initiator busy for ever.
    static let mostRestarts = 4

    mutating func askForKeyPair(_ turn: inout Turn) {
        let randomness = turn.cryptography.randomness(for: method, from: &origin.material)
        turn.output.ask(.generate(.init(method: method, randomness: randomness)))
    }

    /// HDR, [N(COOKIE)], SAi1, KEi, Ni, N(NAT_DETECTION_*), [N(IKEV2_FRAGMENTATION_SUPPORTED)],
    /// [N(SIGNATURE_HASH_ALGORITHMS)], [N(INTERMEDIATE_EXCHANGE_SUPPORTED)]
    func send(publicValue: [UInt8], policy: PeerPolicy, _ turn: inout Turn) -> OutstandingRequest {
        let spis = IKESPIPair(initiator: spi, responder: .zero)
        let header = Header(
            initiatorSPI: spi,
            responderSPI: .zero,
            exchange: .ikeSAInit,
            flags: .initiator,
            messageID: .zero
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        if !cookie.isEmpty { encoder.notify(.cookie, cookie) }
        encoder.offer(policy.ikeOffer)
        encoder.keyExchange(KeyExchangeID(rawValue: method.rawValue), publicValue)
        encoder.nonce(nonce)
        let isForced = policy.values.forcesEncapsulation
        encoder.natDetection(NATDetection(spis, route.plain, isForced: isForced, turn.cryptography))
        if policy.values.fragmentation != nil { encoder.notify(.ikev2FragmentationSupported) }
        encoder.signatureHashes(policy)
        if policy.takesIntermediate { encoder.notify(.intermediateExchangeSupported) }
        encoder.finish(into: &turn.writer)
        var note = PacketNote(.ikeSAInit, isResponse: false, keyExchange: method)
        note.hasCookie = !cookie.isEmpty
        turn.sendMessage(over: route.plain, note)
        return OutstandingRequest(
            message: turn.writer.span.copied(),
            note: note,
            sentAt: turn.now,
            schedule: policy.values.retransmission
        )
    }
}

/// What the responder's IKE_SA_INIT answer says.
enum InitialAnswer: ~Copyable {
    case cookie([UInt8])
    case otherKeyExchange(UInt16)
    case refused(NotifyType)
    case accepted(AcceptedAnswer)
    case unusable(CloseReason)
}

struct AcceptedAnswer: ~Copyable {
    let responderSPI: IKESPI
    let suite: IKESuite
    let additional: AdditionalKeyExchanges
    let publicValue: [UInt8]
    let nonce: [UInt8]
    let nat: NATStatus
    /// Whether the responder looks for NATs, and so has port 4500 (RFC 7296 section 2.23).
    let detectsNATs: Bool
    /// Whether the responder takes fragments (RFC 7383 section 2.3).
    let takesFragments: Bool
    /// Whether the responder takes IKE_AUTH without a Child SA (RFC 6023 section 3).
    let takesChildless: Bool
    let peerHashes: SignatureHashes
    /// The answer itself, which the responder's AUTH payload covers (RFC 7296 section 2.15).
    var message: [UInt8] = []
}

extension InitialAnswer {
    fileprivate consuming func keeping(message: [UInt8]) -> InitialAnswer {
        switch consume self {
        case .accepted(var answer):
            answer.message = message
            return .accepted(answer)
        case .cookie(let cookie): return .cookie(cookie)
        case .otherKeyExchange(let method): return .otherKeyExchange(method)
        case .refused(let type): return .refused(type)
        case .unusable(let reason): return .unusable(reason)
        }
    }
}

extension Initiation {
    /// Reads HDR, SAr1, KEr, Nr, or one of the refusals.
    ///
    /// - Returns: nil for a datagram that does not answer this request, which changes nothing.
    func read(_ datagram: RawSpan, policy: PeerPolicy, _ turn: inout Turn) -> InitialAnswer? {
        guard let message = try? MessageDecoder(datagram) else { return nil }
        let header = message.header
        guard header.exchange == .ikeSAInit, header.isResponse, !header.isFromInitiator, header.messageID == .zero,
            header.initiatorSPI == spi
        else { return nil }
        guard
            let contents = try? Contents(
                datagram.copied(),
                first: header.nextPayload,
                from: Header.byteCount,
                to: datagram.byteCount
            )
        else { return .unusable(.malformedAnswer) }
        if !contents.has(.ikeSAInit) {
            if let cookie = contents.notifyData(.cookie), (1...64).contains(cookie.count) { return .cookie(cookie) }
            if let method = contents.demandedKeyExchange { return .otherKeyExchange(method) }
            if let error = contents.firstError { return .refused(error) }
            return .unusable(.malformedAnswer)
        }
        guard header.responderSPI != .zero else { return .unusable(.malformedAnswer) }
        let answer = accept(contents, responderSPI: header.responderSPI, policy: policy, &turn)
        return answer.keeping(message: contents.takeBuffer())
    }

    private func accept(
        _ contents: borrowing Contents,
        responderSPI: IKESPI,
        policy: PeerPolicy,
        _ turn: inout Turn
    ) -> InitialAnswer {
        guard let selection = try? policy.ikeOffer.select(contents.securityAssociation, .answer),
            selection.suite.keyExchange == method
        else { return .unusable(.noProposalChosen) }
        // RFC 9370 section 2.2.1: what follows needs IKE_INTERMEDIATE.
        guard selection.additional.isEmpty || contents.hasNotify(.intermediateExchangeSupported) else {
            return .unusable(.noProposalChosen)
        }
        guard let keyExchange = try? KeyExchange(contents.keyExchange), keyExchange.method.rawValue == method.rawValue
        else { return .unusable(.invalidKeyExchange) }
        guard let nonce = try? Nonce(contents.nonce) else { return .unusable(.malformedAnswer) }
        let spis = IKESPIPair(initiator: spi, responder: responderSPI)
        let nat = contents.natStatus(spis, route.plain, turn.cryptography)
        return .accepted(
            AcceptedAnswer(
                responderSPI: responderSPI,
                suite: selection.suite,
                additional: selection.additional,
                publicValue: keyExchange.data.copied(),
                nonce: nonce.data.copied(),
                nat: nat ?? NATStatus(),
                detectsNATs: nat != nil,
                takesFragments: contents.hasNotify(.ikev2FragmentationSupported),
                takesChildless: contents.hasNotify(.childlessIKEv2Supported),
                peerHashes: contents.signatureHashes
            )
        )
    }
}

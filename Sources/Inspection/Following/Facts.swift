import IKEWire
import Primitives

/// What the messages of a negotiation said, as far as they could be read.
struct Facts: Sendable {
    var ikeOffer: [Proposal] = []
    var ikeChoice: Proposal?
    /// The key exchange whose public value the initiator sent along, first and last.
    var keyExchanges: [KeyExchangeID] = []
    /// What the responder asked for by INVALID_KE_PAYLOAD.
    var wantedKeyExchange: KeyExchangeID?
    var cookieDemands = 0
    var cookieReturns = 0
    var initiator = Person()
    var responder = Person()
    /// Whom the initiator asks for: IDr in its own request.
    var wantedResponder: Identity?
    var childOffer: [Proposal] = []
    var childChoice: Proposal?
    var offeredSelectors = SelectorPair()
    var grantedSelectors = SelectorPair()
    var asksForAddress = false
    var eap: [EAPStep] = []
    /// What each end found out about NATs, by hashes that do or do not fit the addresses of the capture.
    var isInitiatorTranslated = false
    var isResponderTranslated = false
    /// Who took the IKE SA away.
    var deletedBy: Role?
    var childSPIs: [ChildSPI] = []
    /// The SPIs of IKE SAs that replace this one.
    var successors: [IKESPI] = []
    /// An error that an end reports of its own accord, in a request.
    var reports: [Report] = []
    /// Where an end says that it has moved to (RFC 4555).
    var hasMoved = false

    /// One end as it presents itself in IKE_AUTH.
    struct Person: Hashable, Sendable {
        var identity: Identity?
        var method: AuthenticationMethod?
        var certificates: [CertificateFacts] = []
    }

    struct SelectorPair: Hashable, Sendable {
        var initiator: [TrafficSelector] = []
        var responder: [TrafficSelector] = []
    }

    struct EAPStep: Hashable, Sendable {
        var code: UInt8
        /// The method, of requests and responses.
        var type: UInt8?
        var data: [UInt8]
    }

    struct Report: Hashable, Sendable {
        var sender: Role
        var type: NotifyType
    }

    static let mostOfAKind = 8
}

extension Facts {
    /// Takes what one message says; `outer` is in the clear, `payloads` what was inside where it could be opened.
    mutating func read(_ payloads: [Payload], _ header: Header, sender: Role) {
        for payload in payloads {
            switch payload.content {
            case .securityAssociation(let proposals): read(proposals, header)
            case .keyExchange(let method, _) where header.exchange == .ikeSAInit && !header.isResponse:
                if keyExchanges.count < Self.mostOfAKind { keyExchanges.append(method) }
            case .identification(let type, let data):
                read(Identity(type: type, data: data), isResponder: payload.type == .identificationResponder, sender)
            case .certificate(.x509Signature, let octets):
                guard let facts = CertificateFacts(octets) else { continue }
                change(sender) { if $0.certificates.count < Self.mostOfAKind { $0.certificates.append(facts) } }
            case .authentication(let method, _): change(sender) { $0.method = method }
            case .notify(let type, _, _, let data): read(type, data, header, sender)
            case .trafficSelectors(let selectors) where header.exchange == .ikeAuth:
                read(selectors, isInitiator: payload.type == .trafficSelectorsInitiator, sender)
            case .configuration(.request, _): asksForAddress = true
            case .eap(let octets): readEAP(octets)
            case .delete(.ike, _, _, _): if deletedBy == nil { deletedBy = sender }
            default: continue
            }
        }
    }

    private mutating func change(_ role: Role, _ body: (inout Person) -> Void) {
        if role == .initiator { body(&initiator) } else { body(&responder) }
    }

    private mutating func read(_ proposals: [Proposal], _ header: Header) {
        for proposal in proposals where proposal.spi.count == ChildSPI.byteCount {
            let spi = ChildSPI(rawValue: proposal.spi.reduce(0) { $0 << 8 | UInt32($1) })
            if !childSPIs.contains(spi), childSPIs.count < Self.mostOfAKind { childSPIs.append(spi) }
        }
        for proposal in proposals where proposal.spi.count == IKESPI.byteCount {
            let spi = IKESPI(rawValue: proposal.spi.reduce(0) { $0 << 8 | UInt64($1) })
            if !successors.contains(spi), successors.count < Self.mostOfAKind { successors.append(spi) }
        }
        switch (header.exchange, header.isResponse) {
        case (.ikeSAInit, false): ikeOffer = Array(proposals.prefix(Self.mostOfAKind))
        case (.ikeSAInit, true): ikeChoice = proposals.first
        case (.ikeAuth, false): childOffer = Array(proposals.prefix(Self.mostOfAKind))
        case (.ikeAuth, true): childChoice = proposals.first
        default: break
        }
    }

    private mutating func read(_ identity: Identity, isResponder: Bool, _ sender: Role) {
        switch (sender, isResponder) {
        case (.initiator, false): initiator.identity = identity
        case (.initiator, true): wantedResponder = identity
        case (.responder, true): responder.identity = identity
        case (.responder, false): break
        }
    }

    private mutating func read(_ selectors: [Payload.Selector], isInitiator: Bool, _ sender: Role) {
        let known = selectors.prefix(Self.mostOfAKind).compactMap { selector in
            if case .known(let value) = selector { value } else { nil }
        }
        let end: WritableKeyPath<SelectorPair, [TrafficSelector]> = isInitiator ? \.initiator : \.responder
        if sender == .initiator {
            offeredSelectors[keyPath: end] = known
        } else {
            grantedSelectors[keyPath: end] = known
        }
    }

    private mutating func read(_ type: NotifyType, _ data: [UInt8], _ header: Header, _ sender: Role) {
        switch type {
        case .cookie where header.exchange == .ikeSAInit:
            if header.isResponse { cookieDemands += 1 } else { cookieReturns += 1 }
        case .invalidKEPayload where header.exchange == .ikeSAInit && data.count == 2:
            wantedKeyExchange = KeyExchangeID(rawValue: UInt16(data[0]) << 8 | UInt16(data[1]))
        case .updateSAAddresses: hasMoved = true
        default:
            guard type.isError, !header.isResponse, reports.count < Self.mostOfAKind else { return }
            reports.append(Report(sender: sender, type: type))
        }
    }

    private mutating func readEAP(_ octets: [UInt8]) {
        guard let packet = try? EAP(octets.rawSpan), eap.count < 4 * Self.mostOfAKind else { return }
        // What a method says in words fits; what it proves is not kept.
        let data = packet.data.copied().prefix(Self.mostEAPOctets)
        eap.append(EAPStep(code: packet.code.rawValue, type: packet.type, data: Array(data)))
    }

    private static let mostEAPOctets = 512
}

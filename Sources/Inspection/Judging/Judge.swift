import Capture
import IKEWire
import Primitives

/// Says what became of a negotiation; what the capture shows of others at the same responder is evidence too.
struct Judge: Sendable {
    /// Everything that is followed, the judged one among it.
    let all: [Negotiation]
    /// When the capture ends.
    let end: UInt64
    /// What the user knows to be the responder's configuration.
    var accepted: [Proposal] = []

    func finding(of negotiation: Negotiation) -> Finding {
        if negotiation.beginning != .seen { return laterLife(of: negotiation) }
        guard negotiation.facts.ikeChoice != nil else { return beginning(of: negotiation) }
        guard let auth = negotiation.last(.ikeAuth) else { return silence(of: negotiation) }
        if let refusal = refusal(of: negotiation) { return refusal }
        guard auth.isAnswered else { return unanswered(auth, of: negotiation) }
        return authenticated(negotiation, auth)
    }
}

extension Judge {
    /// Whether the last word may be missing only because the capture ends.
    func isCutOff(_ leg: Exchange.Leg) -> Bool { leg.copies <= 1 && end < leg.lastTime + Self.patience }

    /// The others at the same responder.
    func neighbours(of negotiation: Negotiation) -> [Negotiation] {
        all.filter { $0.number != negotiation.number && $0.responder.address == negotiation.responder.address }
    }

    /// A place to name a negotiation by.
    func name(_ negotiation: Negotiation) -> String { "negotiation \(negotiation.number)" }

    /// Whom the responder took, and as whom it answered.
    func successes(near negotiation: Negotiation) -> [Negotiation] {
        neighbours(of: negotiation).filter { $0.facts.responder.method != nil && $0.facts.childChoice != nil }
    }

    /// What routers and hosts said about datagrams of this negotiation.
    func notices(of negotiation: Negotiation) -> [String] {
        var notices: [String] = []
        for error in negotiation.unreachable {
            let text: String
            switch error.kind {
            case .portUnreachable:
                text = "\(error.reporter) says that nothing listens on port \(error.destination.port) (ICMP)."
            case .hostUnreachable:
                text = "\(error.reporter) says that \(error.destination.address) cannot be reached (ICMP)."
            case .prohibited:
                text = "\(error.reporter) says that a filter forbids this traffic (ICMP)."
            case .tooBig(let mtu):
                text = "\(error.reporter) says that a packet was too long for a link of \(mtu) octets (ICMP)."
            case .timeExceeded:
                text = "\(error.reporter) says that a packet went in circles or was not joined in time (ICMP)."
            }
            if !notices.contains(text) { notices.append(text) }
        }
        return notices
    }

    /// No implementation that is known waits for longer before it sends a request again.
    static let patience: UInt64 = 5_000_000_000
}

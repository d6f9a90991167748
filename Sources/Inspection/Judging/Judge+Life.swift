import IKEWire
import Primitives

// The life of an IKE SA behind IKE_AUTH (RFC 7296 sections 1.3, 1.4 and 2.4).
extension Judge {
    /// An IKE SA that stands, as far as one can see, or whose beginning is not in the capture.
    func laterLife(of negotiation: Negotiation) -> Finding {
        let open = negotiation.exchanges.last { !$0.isAnswered && $0.request.copies >= 2 }
        let isLast = open.map { open in
            !negotiation.exchanges.contains { $0.isAnswered && $0.response.lastTime > open.request.lastTime }
        }
        if let open, isLast == true { return unanswered(open, of: negotiation) }
        if let exchange = negotiation.exchanges.last(where: { $0.type == .createChildSA && !$0.response.errors.isEmpty }
        ),
            let error = exchange.response.errors.first, error != .temporaryFailure
        {
            return Finding(
                .failed,
                error == .tsUnacceptable
                    ? .trafficSelectors : error == .noProposalChosen ? .noCommonTransform : .refused,
                in: .createChildSA,
                headline:
                    "the \(exchange.requester.other.rawValue) refuses CREATE_CHILD_SA \(exchange.messageID): \(error)",
                reasons: ["The IKE SA itself was established before; a rekey or another Child SA is what fails."],
                checks: [
                    "the proposals and lifetimes of both ends: a rekey may ask for what the first Child SA did not, such as a key exchange"
                ]
            )
        }
        return standing(negotiation)
    }

    private func standing(_ negotiation: Negotiation) -> Finding {
        let facts = negotiation.facts
        switch negotiation.beginning {
        case .missing where negotiation.exchanges.allSatisfy { !$0.isAnswered }:
            return Finding(.unknown, headline: "its beginning is not in the capture")
        case .missing: return Finding(.established, headline: "established before the capture begins")
        case .rekeyed(let number): return Finding(.established, headline: "replaces negotiation \(number)")
        case .seen: break
        }
        if let deletedBy = facts.deletedBy {
            return Finding(.established, headline: "established, and deleted by the \(deletedBy.rawValue)")
        }
        return Finding(.established, headline: "established")
    }
}

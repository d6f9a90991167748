import IKEWire
import Primitives

// IKE_SA_INIT (RFC 7296 sections 1.2, 2.6 and 2.7).
extension Judge {
    /// The responder has not chosen a proposal.
    func beginning(of negotiation: Negotiation) -> Finding {
        let attempts = negotiation.exchanges.filter { $0.type == .ikeSAInit }
        let errors = attempts.flatMap(\.response.errors)
        if errors.contains(.noProposalChosen) { return noCommonTransform(negotiation) }
        if let error = errors.first(where: { $0 != .invalidKEPayload }) {
            return Finding(
                .failed,
                .refused,
                in: .ikeSAInit,
                headline: "the responder refuses IKE_SA_INIT: \(error)",
                reasons: ["The notify is not authenticated: whoever sees the request can send it."],
                checks: ["the responder's log at the time of the answer"]
            )
        }
        guard let last = attempts.last else { return laterLife(of: negotiation) }
        if negotiation.facts.cookieDemands > 0 { return cookie(negotiation, last) }
        if errors.contains(.invalidKEPayload), last.response.isSeen { return wrongKeyExchange(negotiation) }
        return noAnswer(negotiation, last)
    }

    private func cookie(_ negotiation: Negotiation, _ last: Exchange) -> Finding {
        let facts = negotiation.facts
        let demands = negotiation.exchanges.filter { $0.type == .ikeSAInit }.reduce(0) { $0 + $1.response.copies }
        let demand =
            "The responder demands a cookie (RFC 7296 section 2.6): it has many half-open IKE SAs, or always does."
        if facts.cookieReturns == 0 {
            if isCutOff(last.response) { return cutOff(in: .ikeSAInit) }
            return Finding(
                .failed,
                .cookieNotReturned,
                in: .ikeSAInit,
                headline: "the initiator does not bring back the responder's cookie",
                reasons: [
                    demand,
                    "It asks for one \(Words.times(demands)), and no request of the initiator carries it. Either the answer does "
                        + "not reach the initiator, or the initiator takes no notice of it, as those do that only flood.",
                ],
                checks: [
                    "whether the answers reach the initiator: a capture at its own interface, the firewall and NAT in between",
                    "whether the source address is real: a flood with forged addresses looks like this",
                ]
            )
        }
        if facts.cookieDemands > facts.cookieReturns || last.response.isSeen {
            return Finding(
                .failed,
                .cookieRefused,
                in: .ikeSAInit,
                headline: "the responder does not take the cookie that it asked for",
                reasons: [
                    demand,
                    "The initiator brings it back \(Words.times(facts.cookieReturns)), and is asked again. A cookie is bound to the address, "
                        + "the port, the SPI and the nonce of the request: what changes one of them makes it void.",
                ],
                checks: [
                    "whether a NAT gives the initiator another address or port for each packet",
                    "whether several gateways share the address without a common secret",
                ]
            )
        }
        return noAnswer(negotiation, last)
    }

    private func wrongKeyExchange(_ negotiation: Negotiation) -> Finding {
        let facts = negotiation.facts
        let wanted = facts.wantedKeyExchange.map(\.description) ?? "another one"
        let sent = facts.keyExchanges.last.map(\.description) ?? "none"
        let offers = facts.ikeOffer.contains { proposal in
            proposal.transforms.contains { $0.type == .keyExchange && $0.id == facts.wantedKeyExchange?.rawValue }
        }
        return Finding(
            .failed,
            .keyExchangeRefused,
            in: .ikeSAInit,
            headline: "the ends do not agree on a key exchange: INVALID_KE_PAYLOAD",
            reasons: [
                "The initiator sent a public value of \(sent); the responder wants \(wanted).",
                offers
                    ? "The initiator offers \(wanted) too, and should have come back with it (RFC 7296 section 1.2). It did not."
                    : "The initiator does not offer \(wanted), which makes the answer a mistake of the responder.",
            ],
            checks: ["the key exchanges configured at both ends, and their order"]
        )
    }

    private func noAnswer(_ negotiation: Negotiation, _ last: Exchange) -> Finding {
        if isCutOff(last.request) { return cutOff(in: .ikeSAInit) }
        let sent =
            "IKE_SA_INIT was sent \(Words.times(last.request.copies)) in "
            + "\(Words.time(last.request.lastTime - last.request.firstTime)), and nothing came back."
        let from = last.request.firstTime
        let until = last.request.lastTime + Self.patience
        let answered = neighbours(of: negotiation).filter { other in
            other.exchanges.contains { $0.response.isSeen && (from...until).contains($0.response.firstTime) }
        }
        let halfOpen = neighbours(of: negotiation).filter {
            isHalfOpen($0, at: from, source: negotiation.initiator.address)
        }
        if halfOpen.count >= 2 { return halfOpenLimit(negotiation, sent, halfOpen, answersOthers: !answered.isEmpty) }
        var reasons = [sent]
        if let other = answered.first {
            reasons.append(
                "The responder answers others at this time, such as \(name(other)): it is up, and drops this one on purpose, "
                    + "or does not get it."
            )
        } else {
            reasons.append(
                "The capture shows nothing of the responder at this time: it may be down, elsewhere, or behind a filter."
            )
        }
        return Finding(
            .failed,
            .noAnswer,
            in: .ikeSAInit,
            headline: "the responder does not answer",
            reasons: reasons + notices(of: negotiation),
            checks: [
                "the address \(negotiation.responder), and that filters let UDP port \(negotiation.responder.port) through both ways",
                "a capture at the responder: does the request arrive, does an answer leave?",
                "the responder's log: it drops what it has no configuration for, and sources that it has blocked",
            ]
        )
    }

    /// Whether a negotiation took up one of its source's places at the responder: answered, and without IKE_AUTH.
    private func isHalfOpen(_ other: Negotiation, at time: UInt64, source: IPAddress) -> Bool {
        guard other.initiator.address == source, other.facts.ikeChoice != nil, let begun = other.last(.ikeSAInit),
            begun.response.firstTime <= time
        else { return false }
        let done = other.exchanges.first { $0.type == .ikeAuth && $0.response.isSeen }
        return done.map { $0.response.firstTime > time } ?? true
    }

    private func halfOpenLimit(
        _ negotiation: Negotiation,
        _ sent: String,
        _ halfOpen: [Negotiation],
        answersOthers: Bool
    ) -> Finding {
        let address = negotiation.initiator.address
        var reasons = [
            sent,
            "At that time \(address) has \(halfOpen.count) half-open IKE SAs at this responder, "
                + "in negotiations \(Words.list(halfOpen.map { String($0.number) }, most: 6)): answered, and not followed by "
                + "IKE_AUTH.",
            "A responder bounds these for each address and drops further requests without a word (RFC 7296 section 2.6; strongSwan's "
                + "block_threshold is 5).",
        ]
        if answersOthers { reasons.append("It does answer others meanwhile.") }
        return Finding(
            .failed,
            .halfOpenLimit,
            in: .ikeSAInit,
            headline: "the responder drops IKE_SA_INIT: \(address) has too many half-open IKE SAs",
            reasons: reasons,
            checks: [
                "why the earlier ones stop before IKE_AUTH: the answers may not reach \(address)",
                "whether many clients share that address behind a NAT; then the limit is too low for them",
            ]
        )
    }

    func cutOff(in exchange: ExchangeType) -> Finding {
        Finding(.unknown, in: exchange, headline: "the capture ends in the middle of \(exchange)")
    }
}

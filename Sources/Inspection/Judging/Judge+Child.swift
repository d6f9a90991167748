import IKEWire

// The Child SA of IKE_AUTH (RFC 7296 sections 2.9, 2.19 and 1.2).
extension Judge {
    func selectorsRefused(_ negotiation: Negotiation, alsoAddress: Bool) -> Finding {
        let facts = negotiation.facts
        var reasons = [
            "The ends believe each other: the IKE SA stands, without a Child SA, so that no traffic can pass.",
            "The initiator wants traffic from \(Words.selectors(facts.offeredSelectors.initiator)) to "
                + "\(Words.selectors(facts.offeredSelectors.responder)).",
        ]
        let other = successes(near: negotiation).first { !$0.facts.grantedSelectors.responder.isEmpty }
        if let other {
            reasons.append(
                "In \(name(other)) the responder granted \(Words.selectors(other.facts.grantedSelectors.initiator)) to "
                    + "\(Words.selectors(other.facts.grantedSelectors.responder))."
            )
        }
        if alsoAddress {
            reasons.append("It also says FAILED_CP_REQUIRED: the initiator did not ask for an inner address.")
        }
        return Finding(
            .failed,
            .trafficSelectors,
            in: .ikeAuth,
            headline: "the traffic selectors have nothing in common: TS_UNACCEPTABLE",
            reasons: reasons,
            checks: [
                "the networks configured at both ends: the responder may narrow what it is offered, and needs something in common",
                facts.asksForAddress
                    ? "whether the responder's pool can give the initiator an address"
                    : "whether the responder expects the initiator to ask for an inner address: it does not",
            ]
        )
    }

    /// IKE_AUTH was answered with another error.
    func childRefused(_ negotiation: Negotiation, _ error: NotifyType) -> Finding {
        let facts = negotiation.facts
        switch error {
        case .noProposalChosen:
            return Finding(
                .failed,
                .noCommonTransform,
                in: .ikeAuth,
                headline: "no proposal for the Child SA suits the responder: NO_PROPOSAL_CHOSEN",
                reasons: [
                    "The ends believe each other: the IKE SA stands, without a Child SA.",
                    "The initiator offers \(Words.proposals(facts.childOffer)).",
                ] + childChoices(near: negotiation),
                checks: [
                    "the ESP proposals at both ends, and whether both want a key exchange for the Child SA or neither"
                ]
            )
        case .internalAddressFailure, .failedCPRequired:
            return Finding(
                .failed,
                .address,
                in: .ikeAuth,
                headline: "the initiator gets no inner address: \(error)",
                reasons: [
                    error == .failedCPRequired
                        ? "The responder wants its clients to ask for an address, and this one did not."
                        : "The initiator asked for an address, and the responder has none for it."
                ],
                checks: [
                    "the responder's address pool",
                    "the initiator's request for an address (CP, RFC 7296 section 2.19)",
                ]
            )
        default:
            return Finding(
                .failed,
                .refused,
                in: .ikeAuth,
                headline: "the responder refuses IKE_AUTH: \(error)",
                reasons: [presentation(facts)],
                checks: ["the responder's log at the time of the answer"]
            )
        }
    }

    private func childChoices(near negotiation: Negotiation) -> [String] {
        successes(near: negotiation).prefix(1).compactMap { other in
            other.facts.childChoice.map { "In \(name(other)) the responder took \($0.notation)." }
        }
    }
}

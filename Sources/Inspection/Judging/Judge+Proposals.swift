import IKEWire
import Primitives

// The choice of a proposal (RFC 7296 sections 2.7 and 3.3).
extension Judge {
    func noCommonTransform(_ negotiation: Negotiation) -> Finding {
        let offer = negotiation.facts.ikeOffer
        let known = knownChoices(of: negotiation)
        var reasons = ["The initiator offers \(Words.proposals(offer))."]
        for (choice, source) in known {
            reasons.append("The responder takes \(choice.notation) (\(source)).")
            if let difference = difference(offer, choice) { reasons.append(difference) }
        }
        if known.isEmpty {
            reasons.append(
                "A responder does not say what it would take, and no other negotiation of this capture shows it: `--accepts` compares the "
                    + "offer with the responder's configuration."
            )
        }
        return Finding(
            .failed,
            .noCommonTransform,
            in: .ikeSAInit,
            headline: "no proposal of the initiator suits the responder: NO_PROPOSAL_CHOSEN",
            reasons: reasons,
            checks: [
                "the IKE proposals at both ends: encryption, PRF, integrity and key exchange must all have something in common",
                "whether the responder finds a configuration for \(negotiation.initiator.address) at all: some say "
                    + "NO_PROPOSAL_CHOSEN then too",
            ]
        )
    }

    /// What the responder is known to take, and how that is known.
    private func knownChoices(of negotiation: Negotiation) -> [(choice: Proposal, source: String)] {
        var known = accepted.map { (choice: $0, source: "as --accepts says") }
        for other in neighbours(of: negotiation) {
            guard var choice = other.facts.ikeChoice else { continue }
            choice.number = 1
            let isNew = !known.contains { $0.choice.transforms == choice.transforms }
            if isNew, known.count < 4 { known.append((choice, "it chose that in \(name(other))")) }
        }
        return known
    }

    /// The kinds of transforms in which no proposal of an offer has what was taken elsewhere.
    private func difference(_ offer: [Proposal], _ choice: Proposal) -> String? {
        let kinds: [(TransformType, String)] = [
            (.encryption, "encryption"), (.prf, "PRF"), (.integrity, "integrity"), (.keyExchange, "key exchange"),
        ]
        var parts: [String] = []
        for (type, kind) in kinds {
            let taken = choice.transforms.filter { $0.type == type }
            let offered = offer.flatMap { $0.transforms.filter { $0.type == type } }
            guard !taken.isEmpty, !taken.contains(where: offered.contains) else { continue }
            let ours = offered.reduce(into: [String]()) { names, transform in
                let name = Self.name(transform)
                if !names.contains(name) { names.append(name) }
            }
            parts.append("\(kind) \(Words.list(ours)) against \(Words.list(taken.map(Self.name)))")
        }
        guard !parts.isEmpty else {
            return "Each kind of transform has something in common, but no single proposal has all of it."
        }
        return "They have nothing in common in \(Words.list(parts))."
    }

    private static func name(_ transform: Transform) -> String {
        let length = transform.keyLength.map { " with \($0) bits" } ?? ""
        switch transform.type {
        case .encryption: return EncryptionID(rawValue: transform.id).description + length
        case .prf: return PRFID(rawValue: transform.id).description
        case .integrity: return IntegrityID(rawValue: transform.id).description
        default: return KeyExchangeID(rawValue: transform.id).description
        }
    }
}

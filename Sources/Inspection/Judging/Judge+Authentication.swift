import IKEWire
import Primitives

// IKE_AUTH (RFC 7296 sections 1.2, 2.15, 2.16 and 2.21.2).
extension Judge {
    /// IKE_SA_INIT was answered, and the initiator never went on.
    func silence(of negotiation: Negotiation) -> Finding {
        guard let first = negotiation.last(.ikeSAInit) else { return laterLife(of: negotiation) }
        if first.request.lastTime > first.response.firstTime {
            return Finding(
                .failed,
                .answerLost,
                in: .ikeSAInit,
                headline: "the responder's answer does not reach the initiator",
                reasons: [
                    "The initiator sends IKE_SA_INIT again after the answer has passed the place of the capture: it does not know of it."
                ] + notices(of: negotiation),
                checks: ["filters and NAT between the place of the capture and \(negotiation.initiator)"]
            )
        }
        if isCutOff(first.response) { return cutOff(in: .ikeSAInit) }
        return Finding(
            .failed,
            .initiatorSilent,
            in: .ikeSAInit,
            headline: "the initiator stops after IKE_SA_INIT",
            reasons: [
                "The responder chose \(negotiation.facts.ikeChoice?.notation ?? "a proposal"), and no IKE_AUTH follows: the IKE SA stays "
                    + "half-open until the responder forgets it."
            ] + notices(of: negotiation),
            checks: [
                "the initiator's log, and whether the answer reaches it",
                "whether IKE_AUTH takes another way: UDP port 4500 may be filtered",
            ]
        )
    }

    /// What an answer that could be read refuses.
    func refusal(of negotiation: Negotiation) -> Finding? {
        let facts = negotiation.facts
        if facts.eap.contains(where: { $0.code == EAP.Code.failure.rawValue }) { return eapFailure(negotiation) }
        let errors = negotiation.exchanges.filter { $0.type == .ikeAuth }.flatMap(\.response.errors)
        if errors.contains(.authenticationFailed) { return authenticationFailed(negotiation) }
        let isRefused = facts.reports.contains { $0.sender == .initiator && $0.type == .authenticationFailed }
        if isRefused { return responderRefused(negotiation) }
        if errors.contains(.tsUnacceptable) {
            return selectorsRefused(negotiation, alsoAddress: errors.contains(.failedCPRequired))
        }
        guard let error = errors.first else { return nil }
        return childRefused(negotiation, error)
    }

    /// Every IKE_AUTH has its answer, and none that could be read refuses anything.
    func authenticated(_ negotiation: Negotiation, _ auth: Exchange) -> Finding {
        if auth.response.isOpened || negotiation.facts.childChoice != nil { return opened(negotiation, auth) }
        let isUsed =
            negotiation.espCount > 0
            || negotiation.exchanges.contains { $0.type == .createChildSA && $0.isAnswered }
        if isUsed { return laterLife(of: negotiation) }
        // The notify alone: a header, the Encrypted payload's own octets, and eight for the notify.
        guard auth.response.byteCount <= Self.longestBareNotify, auth.response.fragments == nil else {
            return laterLife(of: negotiation)
        }
        return Finding(
            .failed,
            .unread,
            in: .ikeAuth,
            headline: "the responder most likely refuses IKE_AUTH",
            reasons: [
                "Its answer has \(auth.response.byteCount) octets: room for a notify or two, not for an identity, a proof and a Child SA.",
                negotiation.keys == nil
                    ? "What it says is encrypted, and no keys were given: `--keys` names a folder with Wireshark's ikev2_decryption_table."
                    : "What it says is encrypted, and the keys that were given do not open it.",
            ],
            checks: [
                "the responder's log",
                "the keys of the IKE SA with the SPIs \(negotiation.initiatorSPI) and \(negotiation.responderSPI)",
            ]
        )
    }

    private func opened(_ negotiation: Negotiation, _ auth: Exchange) -> Finding {
        let facts = negotiation.facts
        if facts.childChoice != nil || facts.responder.method != nil, facts.eap.isEmpty || facts.childChoice != nil {
            return laterLife(of: negotiation)
        }
        if isCutOff(auth.response) { return cutOff(in: .ikeAuth) }
        guard !facts.eap.isEmpty else { return laterLife(of: negotiation) }
        return Finding(
            .failed,
            .eap,
            in: .ikeAuth,
            headline: "the initiator stops in the middle of EAP",
            reasons: ["The responder's last word is an EAP message, and no further IKE_AUTH follows."]
                + eapStory(facts),
            checks: ["the initiator's log: it may not know the method, or not trust the server"]
        )
    }

    /// 28 for the header, 12 for SK and its vector, 16 for padding and 32 for a checksum at most, and two notifies.
    private static let longestBareNotify = 120
}

extension Judge {
    private func authenticationFailed(_ negotiation: Negotiation) -> Finding {
        let facts = negotiation.facts
        var reasons = [presentation(facts)]
        let time = Int64(negotiation.firstTime / 1_000_000_000)
        if let expired = facts.initiator.certificates.first(where: { !$0.validity.contains(time) }) {
            return certificateExpired(expired, by: .initiator, time, reasons)
        }
        let known = successes(near: negotiation)
        if let wanted = facts.wantedResponder, !known.isEmpty,
            !known.contains(where: { $0.facts.responder.identity == wanted })
        {
            return wrongIdentity(negotiation, wanted, known, reasons)
        }
        let twin = known.first {
            $0.facts.initiator.identity == facts.initiator.identity && $0.facts.wantedResponder == facts.wantedResponder
                && $0.facts.initiator.method == facts.initiator.method
        }
        let silence = "AUTHENTICATION_FAILED does not say why, by design (RFC 7296 section 2.21.2)."
        guard facts.initiator.method == .sharedKey else {
            return Finding(
                .failed,
                .authentication,
                in: .ikeAuth,
                headline: "the responder does not believe the initiator: AUTHENTICATION_FAILED",
                reasons: reasons + [silence] + certificates(facts.initiator, time),
                checks: [
                    "the responder's log: it names the certificate, authority or signature that it did not take",
                    "whether the responder trusts the authority that issued the initiator's certificate, and has a configuration for its identity",
                ]
            )
        }
        reasons.append(silence)
        if let twin {
            reasons.append(
                "The responder took the same identity with a shared key in \(name(twin)): it has a configuration for these identities, so the "
                    + "keys differ."
            )
        } else {
            reasons.append(
                "Either the two ends have different keys for these identities, or the responder has no configuration for them."
            )
        }
        return Finding(
            .failed,
            twin == nil ? .authentication : .sharedKey,
            in: .ikeAuth,
            headline: twin == nil
                ? "the responder does not believe the initiator: AUTHENTICATION_FAILED"
                : "the shared keys of the two ends differ: AUTHENTICATION_FAILED",
            reasons: reasons,
            checks: [
                "the shared key at both ends, octet by octet: quotes, an encoding, a space at its end",
                "the responder's log: strongSwan writes \"tried 1 shared key for ..., but MAC mismatched\" for another key, and \"no matching "
                    + "peer config found\" for an identity",
            ]
        )
    }

    private func wrongIdentity(
        _ negotiation: Negotiation,
        _ wanted: Identity,
        _ known: [Negotiation],
        _ reasons: [String]
    ) -> Finding {
        let shown = known.compactMap { other in
            other.facts.responder.identity.map { "in \(name(other)) it calls itself \(Words.identity($0))" }
        }
        return Finding(
            .failed,
            .identity,
            in: .ikeAuth,
            headline: "the initiator asks for a responder that is not there: AUTHENTICATION_FAILED",
            reasons: reasons + [
                "The responder does not seem to be \(Words.identity(wanted)): \(shown.first ?? "it never says so").",
                "A responder that does not have the identity that it is asked for refuses the request, and does not say why (IDr, RFC 7296 section 2.15).",
            ],
            checks: [
                "the gateway's identity in the client's configuration, its kind as well as its text",
                "the responder's own identity",
            ]
        )
    }

    func certificateExpired(_ certificate: CertificateFacts, by role: Role, _ time: Int64, _ reasons: [String])
        -> Finding
    {
        let isOver = time > certificate.validity.upperBound
        let end = UTCTime.text(isOver ? certificate.validity.upperBound : certificate.validity.lowerBound)
        return Finding(
            .failed,
            .certificateExpired,
            in: .ikeAuth,
            headline: "the \(role.rawValue)'s certificate \(isOver ? "has expired" : "is not valid yet")",
            reasons: reasons + [
                "The certificate of \"\(certificate.subject)\", issued by \"\(certificate.issuer)\", "
                    + "\(isOver ? "was valid until" : "is valid from") \(end). The capture was made on \(UTCTime.text(time))."
            ],
            checks: ["a new certificate for \"\(certificate.subject)\"", "the clocks of both ends"]
        )
    }

    /// The initiator has looked at the responder's answer, and deletes what it has just made.
    private func responderRefused(_ negotiation: Negotiation) -> Finding {
        let facts = negotiation.facts
        let time = Int64(negotiation.firstTime / 1_000_000_000)
        let name = Words.identity(facts.responder.identity)
        var reasons = ["The responder says that it is \(name), and proves it \(Words.proof(facts.responder.method))."]
        if let expired = facts.responder.certificates.first(where: { !$0.validity.contains(time) }) {
            return certificateExpired(expired, by: .responder, time, reasons)
        }
        if let wanted = facts.wantedResponder, wanted != facts.responder.identity {
            reasons.append("The initiator had asked for \(Words.identity(wanted)), and goes away.")
            return Finding(
                .failed,
                .identity,
                in: .ikeAuth,
                headline: "the responder is not the one that the initiator asked for",
                reasons: reasons,
                checks: ["the gateway's identity in the client's configuration", "the responder's own identity"]
            )
        }
        reasons.append(
            "The initiator does not believe it, and says so in an INFORMATIONAL request (RFC 7296 section 2.21.2)."
        )
        return Finding(
            .failed,
            .authentication,
            in: .ikeAuth,
            headline: "the initiator does not believe the responder: AUTHENTICATION_FAILED",
            reasons: reasons + certificates(facts.responder, time),
            checks: [
                "the initiator's log", "the gateway's identity, key and authority in the initiator's configuration",
            ]
        )
    }

    /// Who the initiator says it is.
    func presentation(_ facts: Facts) -> String {
        let wanted = facts.wantedResponder.map { ", asks for \(Words.identity($0))" } ?? ""
        let proof = facts.initiator.method == nil ? "offers to prove it" : "proves it"
        return "The initiator says that it is \(Words.identity(facts.initiator.identity))\(wanted), and \(proof) "
            + "\(Words.proof(facts.initiator.method))."
    }

    private func certificates(_ person: Facts.Person, _ time: Int64) -> [String] {
        person.certificates.prefix(3).map { certificate in
            "It shows the certificate of \"\(certificate.subject)\", issued by \"\(certificate.issuer)\", valid until "
                + "\(UTCTime.text(certificate.validity.upperBound))."
        }
    }
}

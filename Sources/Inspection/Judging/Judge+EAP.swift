import IKEWire

// EAP in IKE_AUTH (RFC 7296 section 2.16, RFC 3748).
extension Judge {
    func eapFailure(_ negotiation: Negotiation) -> Finding {
        let facts = negotiation.facts
        let refused = facts.eap.last { $0.code == EAP.Code.response.rawValue && $0.type == Self.nak }
        var reasons = [
            "The initiator says that it is \(Words.identity(facts.initiator.identity)), and leaves the proof to EAP."
        ]
        reasons += eapStory(facts)
        reasons.append(
            refused == nil
                ? "The responder ends with EAP-Failure: whoever judges EAP, the gateway or the RADIUS server behind it, says no."
                : "The ends found no method that both know, and the responder ends with EAP-Failure."
        )
        return Finding(
            .failed,
            .eap,
            in: .ikeAuth,
            headline: "EAP fails",
            reasons: reasons,
            checks: [
                "the log of whoever judges EAP: with RADIUS, the server's Access-Reject for this user",
                refused == nil
                    ? "the user's name and password, and whether the account is locked"
                    : "the methods configured at both ends",
            ]
        )
    }

    /// What was said, without what proves anything.
    func eapStory(_ facts: Facts) -> [String] {
        var story: [String] = []
        for step in facts.eap {
            guard let type = step.type else { continue }
            let isRequest = step.code == EAP.Code.request.rawValue
            let sentence: String?
            switch (isRequest, type) {
            case (false, 1): sentence = "In EAP it calls itself \"\(String(decoding: step.data, as: UTF8.self))\"."
            case (false, Self.nak):
                sentence =
                    "It does not want the method that it is offered, and asks for \(Words.list(step.data.map(Self.method)))."
            case (true, 26): sentence = Self.mschapFailure(step.data)
            case (true, 4...): sentence = "The responder asks for \(Self.method(type))."
            default: sentence = nil
            }
            if let sentence, !story.contains(sentence) { story.append(sentence) }
        }
        return story
    }

    /// A Failure-Request holds a text such as `E=691 R=1 C=... V=3 M=...` (RFC 2759 section 6).
    private static func mschapFailure(_ data: [UInt8]) -> String {
        guard data.first == 4, data.count > 4 else { return "The responder asks for \(method(26))." }
        let text = String(decoding: data[4...], as: UTF8.self)
        let code = text.split(separator: " ").first { $0.hasPrefix("E=") }?.dropFirst(2) ?? ""
        let meaning =
            switch code {
            case "646": "restricted logon hours"
            case "647": "account disabled"
            case "648": "password expired"
            case "649": "no permission to dial in"
            case "691": "authentication failure: an unknown name or a wrong password"
            case "709": "changing the password failed"
            default: "no known code"
            }
        return "The responder says in MSCHAPv2 that it is over: E=\(code), \(meaning)."
    }

    private static func method(_ type: UInt8) -> String {
        switch type {
        case 0: "no method"
        case 4: "EAP-MD5"
        case 5: "EAP-OTP"
        case 6: "EAP-GTC"
        case 13: "EAP-TLS"
        case 18: "EAP-SIM"
        case 21: "EAP-TTLS"
        case 23: "EAP-AKA"
        case 25: "PEAP"
        case 26: "EAP-MSCHAPv2"
        case 50: "EAP-AKA'"
        case 55: "TEAP"
        default: "EAP method \(type)"
        }
    }

    private static let nak: UInt8 = 3
}

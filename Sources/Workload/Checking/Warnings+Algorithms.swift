import IKEWire
import Primitives

extension WarningCheck {
    /// Algorithms that can be used, and that RFC 8247 (for IKE) or RFC 8221 (for ESP) does not recommend any more.
    mutating func checkAlgorithms() {
        for gateway in workload.gateways {
            check(gateway.policy.proposals, at: "gateways.\(gateway.name).policy.proposals")
        }
        for profile in workload.profiles { check(profile.proposals, at: "profiles.\(profile.name).proposals") }
    }

    private mutating func check(_ proposals: Workload.Proposals, at path: String) {
        for (index, text) in proposals.ike.enumerated() {
            for weakness in Proposals.weaknesses(of: text, .ike) { warn("\(path).ike.\(index)", weakness.description) }
        }
        for (index, text) in proposals.child.enumerated() {
            for weakness in Proposals.weaknesses(of: text, .child) {
                warn("\(path).child.\(index)", weakness.description)
            }
        }
    }

    /// Key exchanges whose price in virtual time nobody has measured.
    mutating func checkPrices() {
        for gateway in workload.gateways {
            guard let costs = gateway.simulated?.costs else { continue }
            let proposals = gateway.policy.proposals.ike + gateway.policy.proposals.child
            for method in Set(proposals.flatMap { Proposals.keyExchanges(of: $0) }).sorted() {
                let remedy = "; measure it with `ikestorm calibrate --key-exchanges \(method)`"
                guard let scale = costs.price(ofKeyExchange: method)?.scale else { continue }
                warn(
                    "gateways.\(gateway.name).simulated.costs",
                    "the cost table \(costs.name) has no price for the key exchange \(method): it is taken as "
                        + "\(scale)\(method.hasPrefix("mlkem") ? "" : remedy)"
                )
            }
        }
    }
}

extension Proposals {
    /// An algorithm of a proposal that an RFC does not recommend.
    struct Weakness: CustomStringConvertible {
        let word: String
        let text: String
        let advice: Advice

        var description: String {
            "`\(word)` in `\(text)`: \(advice.source) \(advice.judgement); write \(advice.instead)"
        }
    }

    /// What an RFC says of an algorithm.
    struct Advice {
        let source: String
        let judgement: String
        let instead: String
    }

    static func weaknesses(of text: String, _ proposal: Scalar.Proposal) -> [Weakness] {
        text.split(separator: "-").map(String.init).compactMap { word in
            guard let transform = try? Proposal.transform(named: word), let advice = advice(on: transform, proposal)
            else { return nil }
            return Weakness(word: word, text: text, advice: advice)
        }
    }

    private static func advice(on transform: Transform, _ proposal: Scalar.Proposal) -> Advice? {
        let isIKE = proposal == .ike
        switch transform {
        case .integrity(.hmacSHA1):
            return Advice(
                source: isIKE ? "RFC 8247 section 2.3" : "RFC 8221 section 6",
                judgement: "has SHA-1 at MUST-, on its way out",
                instead: "sha256"
            )
        case .prf(.hmacSHA1):
            return Advice(
                source: "RFC 8247 section 2.2",
                judgement: "has SHA-1 at MUST-, on its way out",
                instead: "prfsha256"
            )
        case .keyExchange(.modp2048s256):
            return Advice(
                source: "RFC 8247 section 2.4",
                judgement: "says SHOULD NOT of group 24, whose seed was never released",
                instead: "x25519"
            )
        case .keyExchange(.ecp192):
            return Advice(
                source: "RFC 8247 section 2.4",
                judgement: "does not name P-192, whose strength of 96 bits is less than group 14's",
                instead: "ecp256"
            )
        default:
            let isShort = [EncryptionID.aesGCM8, .aesGCM12].contains { $0.rawValue == transform.id }
            guard transform.type == .encryption, isShort, let bits = transform.keyLength else { return nil }
            return Advice(
                source: isIKE ? "RFC 8247 section 2.1" : "RFC 8221 section 5",
                judgement: isIKE
                    ? "leaves AES-GCM with an ICV below 16 octets at MAY: it is weaker, and hardly shorter"
                    : "names AES-GCM with an ICV of 16 octets (MUST), and none shorter",
                instead: "aes\(bits)gcm16"
            )
        }
    }
}

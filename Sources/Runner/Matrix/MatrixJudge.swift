import IKECrypto
import IKEWire
import Primitives

/// Says what a cell's client has met with.
struct MatrixJudge {
    var cell: MatrixCell
    var trace: MatrixTrace
    /// When the client was to leave.
    var until: Instant

    var verdict: MatrixVerdict {
        guard !trace.exchanges.isEmpty else {
            return .notTried("its turn did not come: the run ended first, or a ceiling of `safety` held it back")
        }
        if let missing = missingHash {
            return .refused(notify: "no \(missing) in SIGNATURE_HASH_ALGORITHMS", exchange: "IKE_SA_INIT")
        }
        guard trace.has("established") else { return failedSetUp }
        if let notify = trace.reason("child-refused"), cell.feature != .severalChildren {
            let exchange = cell.feature == .childless ? "CREATE_CHILD_SA" : "IKE_AUTH, for the Child SA"
            return .refused(notify: notify, exchange: exchange)
        }
        guard trace.has("child-installed") else {
            return .broken("it set up an IKE SA without a Child SA, and said nothing")
        }
        return cell.feature.map(verdict) ?? .works
    }

    /// The hash of the signature that the cell asks for, where the gateway does not take it: then the client has signed
    /// in another way (RFC 7427 section 4).
    private var missingHash: SignatureHash? {
        guard let scheme = cell.signature.map({ SignatureScheme($0) }), scheme.namesItself,
            !trace.notifies.isEmpty, !trace.signatureHashes.contains(scheme.hash.rawValue)
        else { return nil }
        return scheme.hash
    }

    /// The exchange that the set-up came to.
    private var lastExchange: String {
        trace.exchanges.contains { $0.type == .ikeAuth } ? "IKE_AUTH" : "IKE_SA_INIT"
    }

    private var failedSetUp: MatrixVerdict {
        let reason = trace.reason("closed") ?? trace.reason("refused").map { "refused:" + $0 } ?? "timeout"
        if reason.hasPrefix("refused:") {
            return .refused(notify: String(reason.dropFirst("refused:".count)), exchange: lastExchange)
        }
        // INVALID_KE_PAYLOAD asks for another key exchange, and there is one alone in the offer (RFC 7296 section 1.2).
        if lastExchange == "IKE_SA_INIT", let error = trace.notifies.last(where: \.isError), error != .invalidKEPayload
        {
            return .refused(notify: "\(error)", exchange: lastExchange)
        }
        if reason == "childless-unsupported" {
            return .refused(notify: "no CHILDLESS_IKEV2_SUPPORTED", exchange: "IKE_SA_INIT")
        }
        // EAP-Failure, or a method that the gateway will not do: its good right, and in no notify.
        if reason.hasPrefix("eap-") { return .refused(notify: reason, exchange: lastExchange) }
        return .broken(Self.words(for: reason, lastExchange, trace))
    }

    private func verdict(_ feature: MatrixFeature) -> MatrixVerdict {
        switch feature {
        case .childRekey, .childRekeyWithKeyExchange: outcome("child-rekeyed", orRefused: "child-rekey-failed")
        case .childless: .works
        case .ikeRekey: outcome("ike-rekeyed", orRefused: "ike-rekey-failed")
        case .severalChildren:
            if trace.events("child-installed").count > 1 {
                .works
            } else {
                outcome(nil, orRefused: "child-refused")
            }
        case .liveness:
            trace.exchanges.contains {
                isInformational($0) && $0.answered != nil && $0.sent < until - .milliseconds(500)
            }
                ? .works : ended(during: "a liveness check")
        case .delete:
            trace.exchanges.contains { isInformational($0) && $0.answered != nil }
                ? .works : .broken("the Delete was not answered (RFC 7296 section 1.4)")
        case .fragmentation: fragmentation
        case .encapsulation, .natted:
            trace.exchanges.contains { $0.type == .ikeAuth && $0.isEncapsulated && $0.answered != nil }
                ? .works : .broken("IKE_AUTH did not go by port 4500: no NAT was found where there is one")
        case .mobike: mobike
        case .breakBeforeMake, .makeBeforeBreak:
            trace.events("established").count > 1 ? .works : renewalFailed
        }
    }

    private func isInformational(_ exchange: MatrixExchange) -> Bool { exchange.type == .informational }

    private func outcome(_ done: String?, orRefused failed: String) -> MatrixVerdict {
        if let done, trace.hasFromHere(done) { return .works }
        guard let reason = trace.reason(failed) else { return ended(during: "CREATE_CHILD_SA") }
        return reason == "timeout"
            ? .broken("CREATE_CHILD_SA was not answered (RFC 7296 section 2.1)")
            : .refused(notify: reason, exchange: "CREATE_CHILD_SA")
    }

    private func ended(during exchange: String) -> MatrixVerdict {
        switch trace.reason("closed") {
        case "deleted-by-peer"?: .broken("it deleted the IKE SA in place of an answer to \(exchange)")
        case "timeout"?: .broken("\(exchange) was not answered (RFC 7296 section 2.1)")
        case "deleted-here"?, nil: .broken("\(exchange) came to nothing in time")
        case let reason?: .broken(Self.words(for: reason, exchange, trace))
        }
    }

    private var fragmentation: MatrixVerdict {
        guard trace.notifies.contains(.ikev2FragmentationSupported) else {
            return .refused(notify: "no IKEV2_FRAGMENTATION_SUPPORTED", exchange: "IKE_SA_INIT")
        }
        return trace.exchanges.contains { $0.isFragmented && $0.answered != nil }
            ? .works : .broken("no exchange with fragments was answered (RFC 7383)")
    }

    private var mobike: MatrixVerdict {
        if trace.hasFromHere("addresses-updated") { return .works }
        // Who cannot tell of a new address sends nothing before the Delete.
        let told = trace.exchanges.contains { isInformational($0) && $0.sent < until - .milliseconds(500) }
        return told
            ? .broken("UPDATE_SA_ADDRESSES was not answered (RFC 4555 section 3.5)")
            : .refused(notify: "no MOBIKE_SUPPORTED", exchange: "IKE_AUTH")
    }

    private var renewalFailed: MatrixVerdict {
        let closings = trace.events("closed").compactMap { $0.details.first { $0.key == "reason" }?.value }
        if let refusal = closings.first(where: { $0.hasPrefix("refused:") }) {
            return .refused(notify: String(refusal.dropFirst("refused:".count)), exchange: "the second IKE_AUTH")
        }
        return .broken("there was no second IKE SA: \(closings.first ?? "nothing came of it in time")")
    }
}

extension MatrixJudge {
    /// What a close reason of the client's machine says about the gateway.
    private static func words(for reason: String, _ exchange: String, _ trace: MatrixTrace) -> String {
        switch reason {
        case "timeout":
            let requests = trace.exchanges.last?.requests ?? 0
            return "\(exchange) was not answered, though sent \(requests) times (RFC 7296 section 2.1)"
        case "no-proposal-chosen":
            return "it chose what was not offered, or left a choice open (RFC 7296 section 2.7)"
        case "invalid-key-exchange":
            return "its key exchange value is none of the method's, or it asks for a method that was not offered "
                + "(RFC 7296 section 1.2, RFC 6989)"
        case "malformed-answer":
            return "its answer to \(exchange) does not decode, or lacks a payload that the exchange needs (RFC 7296)"
        case "malformed-request": return "a request of its own does not decode (RFC 7296 section 2.21.3)"
        case "authentication-failed": return "its AUTH payload does not verify (RFC 7296 section 2.15)"
        case "wrong-identity": return "its IDr is not the identity that was named (RFC 7296 section 3.5)"
        case "untrusted-certificate": return "its certificate is of no authority that is believed"
        case "expired-certificate": return "its certificate, or one of the chain, is not valid now"
        case "certificate-of-another": return "its certificate has not the identity of IDr (RFC 4945 section 3.1)"
        case "no-common-signature": return "it takes no signature that this client's key can make (RFC 7427 section 4)"
        case "deleted-by-peer": return "it deleted the IKE SA"
        default: return "\(reason) in \(exchange)"
        }
    }
}

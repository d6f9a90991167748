package import IKEWire

/// What became of a negotiation, where, and why, in plain words.
package struct Finding: Hashable, Sendable {
    package var outcome: Outcome
    /// Nil for one that did not fail.
    package var cause: Cause?
    /// Where it ended.
    package var exchange: ExchangeType?
    /// One line.
    package var headline: String
    /// What the capture shows, and what follows from that, a sentence or two each.
    package var reasons: [String]
    /// What to look at next.
    package var checks: [String]

    init(
        _ outcome: Outcome,
        _ cause: Cause? = nil,
        in exchange: ExchangeType? = nil,
        headline: String,
        reasons: [String] = [],
        checks: [String] = []
    ) {
        self.outcome = outcome
        self.cause = cause
        self.exchange = exchange
        self.headline = headline
        self.reasons = reasons
        self.checks = checks
    }

    package enum Outcome: String, Hashable, Sendable, CaseIterable {
        case established
        case failed
        /// The capture ends before it does, or holds too little of it.
        case unknown
    }

    /// The names that `--json` has for them.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        case noAnswer = "no-answer"
        case halfOpenLimit = "half-open-limit"
        case cookieNotReturned = "cookie-not-returned"
        case cookieRefused = "cookie-refused"
        case noCommonTransform = "no-common-transform"
        case keyExchangeRefused = "key-exchange-refused"
        case answerLost = "answer-lost"
        case initiatorSilent = "initiator-silent"
        case fragmentsLost = "fragments-lost"
        case requestUnanswered = "request-unanswered"
        case authentication = "authentication"
        case sharedKey = "shared-key"
        case identity = "identity"
        case certificateExpired = "certificate-expired"
        case eap = "eap"
        case trafficSelectors = "traffic-selectors"
        case address = "address"
        case natMappingChanged = "nat-mapping-changed"
        case peerVanished = "peer-vanished"
        case refused = "refused"
        /// An answer that only the missing keys could explain.
        case unread = "unread"
    }
}

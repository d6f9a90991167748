package import IKEv2
package import Primitives

/// What a client does after its IKE SA, or its attempt at one, has come to an end.
package struct ReconnectPolicy: Hashable, Sendable {
    /// Kinds of end after which a client tries again.
    package enum Cause: UInt8, Hashable, Sendable, CaseIterable {
        case timeout
        case delete
        case refused
        case authentication
        case expired
    }

    package var causes: [Cause]
    /// How long to wait before the first, second, ... attempt in a row; the last one holds for all that follow.
    package var waits: [Duration]
    /// The part of a wait that is drawn anew each time and taken off.
    package var jitter: Probability
    /// How many attempts in a row fail before the client gives up; nil: never.
    package var giveUpAfter: Int?

    package init(causes: [Cause], waits: [Duration], jitter: Probability, giveUpAfter: Int?) {
        self.causes = causes
        self.waits = waits
        self.jitter = jitter
        self.giveUpAfter = giveUpAfter
    }

    /// A client that stays away.
    package static let never = ReconnectPolicy(causes: [], waits: [], jitter: .zero, giveUpAfter: nil)

    /// When to try again after `failures` ends in a row, or nil when the client gives up.
    package func nextAttempt(
        after reason: CloseReason,
        failures: Int,
        at now: Instant,
        _ chance: inout RandomStream
    ) -> Instant? {
        guard let cause = Cause(reason), causes.contains(cause), let last = waits.last else { return nil }
        if let giveUpAfter, failures >= giveUpAfter { return nil }
        let wait = failures > 0 && failures <= waits.count ? waits[failures - 1] : last
        return now + (wait - chance.duration(upTo: jitter.part(of: wait)))
    }
}

extension ReconnectPolicy.Cause {
    /// The kind of an end, or nil for one that the client wanted, or that is part of a rekey.
    init?(_ reason: CloseReason) {
        switch reason {
        case .timeout: self = .timeout
        case .deletedByPeer, .abandoned: self = .delete
        case .refused, .childlessUnsupported, .noProposalChosen, .invalidKeyExchange, .malformedAnswer,
            .malformedRequest:
            self = .refused
        case .authenticationFailed, .eapFailed, .noBackend, .wrongIdentity, .untrustedCertificate, .expiredCertificate,
            .certificateOfAnother, .noCommonSignature:
            self = .authentication
        case .expired, .halfOpenExpired: self = .expired
        case .deletedHere, .rekeyed, .redundant: return nil
        }
    }
}

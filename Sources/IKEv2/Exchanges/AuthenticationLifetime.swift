import IKEWire
import Primitives

extension IKESA {
    /// What few IKE SAs have: apart, so that all others stay small.
    final class Extras {
        /// When the peer has to have authenticated again, whatever is rekeyed meanwhile (RFC 4478 section 3), or
        /// `.never`.
        var authenticationEnd = Instant.never
        /// What it keeps of overlapping exchanges, where its policy wants any (RFC 7296 section 2.3).
        var windows: Windows?
    }
}

// AUTH_LIFETIME (RFC 4478).
extension IKESA.Established {
    /// The responder's side: the IKE SA, and each that a rekey makes of it, ends when its peer's authentication does.
    mutating func limitAuthentication(policy: PeerPolicy, _ turn: borrowing Turn) {
        guard let lifetime = policy.values.lifeCycle.authenticationLifetime else { return }
        limitAuthentication(to: turn.now + lifetime)
    }

    /// Takes over from the IKE SA that a rekey has replaced.
    mutating func inherit(_ extras: IKESA.Extras?) {
        if let extras, extras.authenticationEnd != .never { limitAuthentication(to: extras.authenticationEnd) }
    }

    private mutating func limitAuthentication(to end: Instant) {
        let extras = self.extras ?? IKESA.Extras()
        extras.authenticationEnd = end
        self.extras = extras
        hard = min(hard, end)
    }
}

extension MessageEncoder {
    /// [N(AUTH_LIFETIME)], in whole seconds.
    mutating func authenticationLifetime(_ policy: PeerPolicy) {
        guard let lifetime = policy.values.lifeCycle.authenticationLifetime else { return }
        notify(.authLifetime, integer: UInt32(clamping: lifetime.nanoseconds / 1_000_000_000))
    }
}

extension Contents {
    /// How long the peer goes on believing in this end, if it says so.
    var authenticationLifetime: Duration? {
        var found: UInt32?
        forEachNotify { notify in
            if found == nil, notify.type == .authLifetime { found = notify.integer(as: UInt32.self) }
        }
        return found.map { .seconds(Int64($0)) }
    }
}

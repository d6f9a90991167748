import IKEWire
import Primitives

extension IKESA {
    /// What few IKE SAs have: apart, so that all others stay small.
    struct Extras: ~Copyable {
        /// When the peer has to have authenticated again, whatever is rekeyed meanwhile (RFC 4478 section 3), or
        /// `.never`.
        var authenticationEnd = Instant.never
    }
}

// AUTH_LIFETIME (RFC 4478).
extension IKESA.Established {
    /// The responder's side: the IKE SA, and each that a rekey makes of it, ends when its peer's authentication does.
    mutating func limitAuthentication(policy: PeerPolicy, _ turn: borrowing Turn) {
        guard let lifetime = policy.values.lifeCycle.authenticationLifetime else { return }
        var extras = IKESA.Extras()
        extras.authenticationEnd = turn.now + lifetime
        hard = min(hard, extras.authenticationEnd)
        self.extras = Box(extras)
    }

    /// Hands over to the IKE SA that a rekey made.
    mutating func inherit(_ extras: consuming Box<IKESA.Extras>?) {
        self.extras = extras
        hard = min(hard, authenticationEnd)
    }

    private var authenticationEnd: Instant {
        switch extras {
        case .some(let extras): extras.value.authenticationEnd
        case .none: .never
        }
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

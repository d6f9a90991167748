package import IKEWire
package import Primitives

/// The two ends of the UDP flow that carries an IKE SA, seen from here.
package struct Path: Hashable, Sendable, BitwiseCopyable {
    package var local: UDPEndpoint
    package var remote: UDPEndpoint
    /// Whether a non-ESP marker precedes each IKE message, as on port 4500 (RFC 3948 section 2.2).
    package var isEncapsulated: Bool

    package init(local: UDPEndpoint, remote: UDPEndpoint, isEncapsulated: Bool) {
        self.local = local
        self.remote = remote
        self.isEncapsulated = isEncapsulated
    }
}

/// Where an initiator's exchanges go before and after a NAT was found.
package struct Route: Hashable, Sendable, BitwiseCopyable {
    /// Carries IKE_SA_INIT: port 500.
    package var plain: Path
    /// Carries everything after it, once a NAT was found: port 4500 (RFC 7296 section 2.23).
    package var encapsulated: Path

    package init(plain: Path, encapsulated: Path) {
        self.plain = plain
        self.encapsulated = encapsulated
    }
}

/// What NAT_DETECTION told about the way (RFC 7296 section 2.23).
package struct NATStatus: Hashable, Sendable, BitwiseCopyable {
    package var isLocalBehindNAT = false
    package var isPeerBehindNAT = false

    package init() {}

    package var isAny: Bool { isLocalBehindNAT || isPeerBehindNAT }
}

/// The pair of SPIs that names an IKE SA.
package struct IKESPIPair: Hashable, Sendable, BitwiseCopyable {
    package var initiator: IKESPI
    package var responder: IKESPI

    package init(initiator: IKESPI, responder: IKESPI) {
        self.initiator = initiator
        self.responder = responder
    }
}

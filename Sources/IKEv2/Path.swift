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
///
/// Both paths are between the same two addresses, so that they are kept once.
package struct Route: Hashable, Sendable, BitwiseCopyable {
    private let local: IPAddress
    private let remote: IPAddress
    private let localPorts: Ports
    private let remotePorts: Ports

    private struct Ports: Hashable, Sendable, BitwiseCopyable {
        let plain: UInt16
        let encapsulated: UInt16
    }

    package init(plain: Path, encapsulated: Path) {
        precondition(Self.areAlike(plain, encapsulated), "a route is between two addresses, plain and encapsulated")
        local = plain.local.address
        remote = plain.remote.address
        localPorts = Ports(plain: plain.local.port, encapsulated: encapsulated.local.port)
        remotePorts = Ports(plain: plain.remote.port, encapsulated: encapsulated.remote.port)
    }

    /// Whether two paths can be a route's: what somebody wrote down may be wrong.
    package static func areAlike(_ plain: Path, _ encapsulated: Path) -> Bool {
        plain.local.address == encapsulated.local.address && plain.remote.address == encapsulated.remote.address
            && !plain.isEncapsulated && encapsulated.isEncapsulated
    }

    /// Carries IKE_SA_INIT: port 500.
    package var plain: Path {
        Path(
            local: UDPEndpoint(address: local, port: localPorts.plain),
            remote: UDPEndpoint(address: remote, port: remotePorts.plain),
            isEncapsulated: false
        )
    }

    /// Carries everything after it, once a NAT was found: port 4500 (RFC 7296 section 2.23).
    package var encapsulated: Path {
        Path(
            local: UDPEndpoint(address: local, port: localPorts.encapsulated),
            remote: UDPEndpoint(address: remote, port: remotePorts.encapsulated),
            isEncapsulated: true
        )
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

import BasicContainers
package import Primitives

// What ESP packets say of the IKE SA whose Child SAs they are of.
extension Endpoint {
    /// Takes note of when the last authentic packet came, and when the last one left.
    ///
    /// What comes proves that the peer is there as well as an IKE message does (RFC 7296 section 2.4), and where
    /// something leaves a NAT needs no keepalive (RFC 3948 section 4). It takes effect when it is asked what is due.
    package mutating func noteTraffic(heardAt: Instant, sentAt: Instant) {
        current.noteTraffic(heardAt: heardAt, sentAt: sentAt)
    }
}

extension IKESA {
    fileprivate mutating func noteTraffic(heardAt: Instant, sentAt: Instant) {
        switch consume self {
        case .established(var state):
            if !state.awaitsMapping { state.channel.heardAt = max(state.channel.heardAt, heardAt) }
            state.channel.sentAt = max(state.channel.sentAt, sentAt)
            self = .established(state)
        case let other: self = other
        }
    }
}

extension IKESA.Established {
    /// Whether the first liveness check has yet to find out what the peer sees of this end: only then can a later one
    /// tell that a NAT has changed its mapping (RFC 4555 section 3.8).
    fileprivate var awaitsMapping: Bool {
        guard watchesMapping else { return false }
        return switch channel.mobility {
        case .some(let mobility): mobility.value.seenDestination.isEmpty
        case .none: true
        }
    }
}

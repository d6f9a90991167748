import BasicContainers
package import IKEWire
package import Primitives

// The end of what a Child SA may carry (RFC 4301 section 4.4.2.1).
extension Endpoint {
    /// Has a Child SA be rekeyed as soon as that can be, since its soft lifetime in packets or octets has ended.
    ///
    /// It takes effect when it is asked what is due; nothing happens where the Child SA has gone, or is being rekeyed.
    package mutating func endVolume(of inbound: ChildSPI, at now: Instant) {
        current.endVolume(of: inbound, at: now)
    }
}

extension IKESA {
    fileprivate mutating func endVolume(of inbound: ChildSPI, at now: Instant) {
        switch consume self {
        case .established(var state):
            if let index = state.childIndex(inbound: inbound), state.children[index].status == .active {
                state.children[index].soft = min(state.children[index].soft, now)
            }
            self = .established(state)
        case let other: self = other
        }
    }
}

package import IKEWire
import IKEv2
package import Primitives

extension Client {
    /// Takes note of when the last authentic ESP packet came, and when the last one left: liveness checks and
    /// keepalives that this makes needless are not sent.
    package mutating func noteTraffic(heardAt: Instant, sentAt: Instant) {
        seat?.endpoint.noteTraffic(heardAt: heardAt, sentAt: sentAt)
    }

    /// Has a Child SA be rekeyed, since it has carried what it may (RFC 4301 section 4.4.2.1).
    package mutating func endVolume(of inbound: ChildSPI, at now: Instant) {
        seat?.endpoint.endVolume(of: inbound, at: now)
    }
}

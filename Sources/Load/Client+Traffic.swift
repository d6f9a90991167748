import IKEv2
package import Primitives

extension Client {
    /// Takes note of when the last authentic ESP packet came, and when the last one left: liveness checks and
    /// keepalives that this makes needless are not sent.
    package mutating func noteTraffic(heardAt: Instant, sentAt: Instant) {
        endpoint?.noteTraffic(heardAt: heardAt, sentAt: sentAt)
    }
}

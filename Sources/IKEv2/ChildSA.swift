package import IKECrypto
package import IKEWire
import Primitives

/// One Child SA pair: what this end receives on and what it sends on (RFC 4301 section 4.1).
package struct ChildSA: ~Copyable {
    package enum Status: Hashable, Sendable, BitwiseCopyable {
        case active
        /// A successor carries the traffic; whoever started the rekey deletes this one.
        case superseded
        /// A Delete for it is on its way from here.
        case deleting
    }

    /// Names it at this end: the SPI that the peer sends to.
    package let inbound: ChildSPI
    /// Names it at the peer.
    package let outbound: ChildSPI
    package let suite: ChildSuite
    package let keys: ChildKeys
    package let localSelectors: [TrafficSelector]
    package let remoteSelectors: [TrafficSelector]
    package internal(set) var status = Status.active
    /// When a rekey is due, or `.never`.
    var soft: Instant
    /// When it must be gone, or `.never`.
    var hard: Instant
    /// When this end, having rekeyed it, deletes it, or `.never`.
    var deletion = Instant.never
    /// A rekey or a deletion waits in the queue of tasks.
    var isTaskQueued = false
    /// Whether this end sends with the keys of the exchange's initiator (RFC 7296 section 2.17).
    package let isExchangeInitiator: Bool
    /// Whether it carries packets of the two ends themselves, without an inner IP header (RFC 4301 section 4.1).
    package let isTransport: Bool

    var deadline: Instant {
        var earliest = min(hard, deletion)
        if status == .active, !isTaskQueued { earliest = min(earliest, soft) }
        return earliest
    }
}

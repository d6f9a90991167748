import IKEv2
import Primitives

/// A unit of a gateway's work: a packet that was admitted, or a timer of a half that is due.
struct Job: BitwiseCopyable, Sendable {
    enum Work: UInt8, BitwiseCopyable, Sendable {
        case handle
        case handleIfCookieIsTrue
        case demandCookie
        case drop
        case timer
        case refuseUnknown
    }

    var enqueuedAt: Instant
    /// The half's record; `noRecord` for work that touches none.
    var record = Self.noRecord
    var half: HalfID
    /// The SPI whose request window the packet is in, 0 for none.
    var spi: UInt64 = 0
    var price = Cost.zero
    /// The job's number by time of arrival.
    var sequence: UInt64 = 0
    var packet: UInt32 = 0
    var shard: UInt32
    var byteCount: UInt32 = 0
    var generation: UInt32 = 0
    /// The next job of the list that this one is in.
    var next: UInt32 = Self.none
    var operation = PricedOperation.discard
    var work: Work
    var reason = DropReason.useless
    var priority = Priority.receiver
    /// Whether it is the IKE_SA_INIT request that the half begins with.
    var opensHalf = false
    /// Of which families an IKE_AUTH request asks for an inner address.
    var wantedAddresses = AddressFamilies.none
    var isLive = true
    var isRunning = false
    /// Whether the gateway goes down before the half can handle it.
    var isLost = false

    var hasPacket: Bool { work != .timer }

    /// Whether it is the half that does the work, which does one thing at a time.
    var needsHalf: Bool { work == .handle || work == .handleIfCookieIsTrue || work == .timer }

    static var none: UInt32 { .max }
    static var noRecord: SlotID { SlotID(index: .max, generation: 0) }
}

/// The classes of waiting work, the first served first, as strongSwan 5.9 has them.
enum Priority: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// What the receiver decides by itself: cookies, limits, what goes no further.
    case receiver
    /// INFORMATIONAL, retransmissions and expiries: cheap, and somebody waits for them.
    case high
    /// IKE_SA_INIT and CREATE_CHILD_SA, and requests of its own.
    case medium
    /// IKE_AUTH, which is dear and often waits for others.
    case low
}

import IKECrypto
import IKEWire
import Primitives

/// What the desk knows of one half: 64 bytes.
package struct HalfRecord: BitwiseCopyable, Sendable {
    enum State: UInt8, BitwiseCopyable, Sendable {
        /// Its IKE_SA_INIT was admitted, and the half has not said yet what became of it.
        case opening
        case halfOpen
        case established
    }

    let half: HalfID
    /// Whom it counts for while it is half-open; 0 when it does not.
    var source: UInt64
    /// The gateway's SPI of the IKE SA in use, 0 until the half has said so.
    var spi: UInt64 = 0
    /// When its timer is due.
    var deadline = Instant.never
    /// When the event comes that looks at `deadline`; never later than that, often earlier.
    var bookedAt = Instant.never
    /// The lower half of that event's count; an event with another one is an old one.
    var booking: UInt32 = 0
    var generation: UInt32 = 0
    /// The address's place in the pool.
    var lease: UInt32 = Self.noLease
    /// The first of the jobs that wait for the half.
    var parked: UInt32 = Job.none
    let shard: UInt32
    var state: State
    var operation = PricedOperation.ownRequest
    var keyExchange: KeyExchangeMethod?
    /// A core is at work for it.
    var isBusy = false
    /// The IKE_SA_INIT request is queued or in work.
    var isOpening = false

    init(half: HalfID, shard: UInt32, source: UInt64, state: State) {
        self.half = half
        self.shard = shard
        self.source = source
        self.state = state
    }

    static var noLease: UInt32 { .max }

    package static var byteCount: Int { MemoryLayout<HalfRecord>.stride }
}

/// The last request that an IKE SA of the gateway has taken, as the value of a table: by it a retransmission is known
/// (RFC 7296 section 2.1).
private struct RequestWindow {
    /// Which record the IKE SA is of.
    let record: UInt32
    /// The message ID behind that of the last request: 31 bits are enough.
    var next: UInt32
    /// Whether that request is queued or running.
    var isInWork: Bool

    init(record: UInt32) {
        self.record = record
        next = 0
        isInWork = false
    }

    init(packed: UInt64) {
        record = UInt32(truncatingIfNeeded: packed)
        next = UInt32(truncatingIfNeeded: packed >> 32) & 0x7FFF_FFFF
        isInWork = packed >> 63 == 1
    }

    var packed: UInt64 { UInt64(record) | UInt64(next) << 32 | (isInWork ? 1 << 63 : 0) }
}

/// The records of a gateway's halves, by half and by SPI, and how many of them are half-open, of whom.
struct HalfTable: ~Copyable, Sendable {
    /// What a request is to the window of its IKE SA.
    enum Standing {
        case new
        case inWork
        case answered
        case old
    }

    private var records = SlotTable<HalfRecord>()
    private var halves = SPITable()
    private var spis = SPITable()
    /// How many half-open records each source has.
    private var sources = SPITable()
    private(set) var halfOpenCount = 0
    private(set) var activeCount = 0

    init() {}

    var count: Int { records.count }

    func contains(_ id: SlotID) -> Bool { records.contains(id) }

    subscript(id: SlotID) -> HalfRecord {
        get { records[id] }
        _modify { yield &records[id] }
    }

    func id(of half: HalfID) -> SlotID? { halves[half.key].map { SlotID(packed: $0) } }

    func id(of spi: IKESPI) -> SlotID? {
        spis[spi.rawValue].flatMap { records.id(at: RequestWindow(packed: $0).record) }
    }

    func halfOpenCount(of source: UInt64) -> Int { Int(sources[source] ?? 0) }

    mutating func insert(_ half: HalfID, shard: UInt32, source: UInt64, state: HalfRecord.State) -> SlotID {
        let id = records.insert(HalfRecord(half: half, shard: shard, source: source, state: state))
        let isNew = halves.insert(id.packed, for: half.key)
        precondition(isNew, "a half has one record")
        if state == .established {
            activeCount += 1
        } else {
            halfOpenCount += 1
            if source != 0 { sources.update((sources[source] ?? 0) + 1, for: source) }
        }
        return id
    }

    /// Takes a record out of all tables and counters.
    mutating func remove(_ id: SlotID) -> HalfRecord {
        leaveHalfOpen(id)
        guard let record = records.remove(id) else { preconditionFailure("a record that is removed is there") }
        if record.state == .established { activeCount -= 1 }
        halves.remove(record.half.key)
        spis.remove(record.spi)
        return record
    }

    mutating func establish(_ id: SlotID) {
        guard records[id].state != .established else { return }
        leaveHalfOpen(id)
        records[id].state = .established
        activeCount += 1
    }

    /// Names the record by the SPI of the IKE SA that is now in use; what still comes for the old one is told by the
    /// half that the sender means.
    mutating func use(_ spi: IKESPI, for id: SlotID) {
        guard spi != .zero, records[id].spi != spi.rawValue else { return }
        spis.remove(records[id].spi)
        records[id].spi = spi.rawValue
        let isNew = spis.insert(RequestWindow(record: id.index).packed, for: spi.rawValue)
        precondition(isNew, "a gateway gives an SPI to one IKE SA")
    }

    private mutating func leaveHalfOpen(_ id: SlotID) {
        guard records[id].state != .established else { return }
        halfOpenCount -= 1
        let source = records[id].source
        records[id].source = 0
        guard let count = sources[source] else { return }
        if count == 1 { sources.remove(source) } else { sources.update(count - 1, for: source) }
    }
}

// The request windows.
extension HalfTable {
    /// Tells a new request from a repeated one, and takes note of a new one.
    ///
    /// An ID that is further ahead than the next one is new, too: the half knows better what it has answered.
    mutating func take(_ request: MessageID, for spi: IKESPI) -> Standing {
        guard let packed = spis[spi.rawValue] else { return .new }
        var window = RequestWindow(packed: packed)
        let id = request.rawValue & 0x7FFF_FFFF
        if id >= window.next {
            window.next = min(id, 0x7FFF_FFFE) + 1
            window.isInWork = true
            spis.update(window.packed, for: spi.rawValue)
            return .new
        }
        guard id + 1 == window.next else { return .old }
        return window.isInWork ? .inWork : .answered
    }

    /// The request that was new has been handled, or was lost: then it is new when it comes again.
    mutating func finish(_ spi: UInt64, isLost: Bool) {
        guard let packed = spis[spi] else { return }
        var window = RequestWindow(packed: packed)
        window.isInWork = false
        if isLost { window.next = max(window.next, 1) - 1 }
        spis.update(window.packed, for: spi)
    }
}

extension IPAddress {
    /// The address as a key of an `SPITable`: itself for IPv4, a hash for IPv6 (63 bits, and never an IPv4's).
    var sourceKey: UInt64 { isIPv4 ? low : StableName.hash(of: high, low) | 1 << 63 }
}

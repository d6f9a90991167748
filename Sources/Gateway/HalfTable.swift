import IKECrypto
import IKEWire
import Primitives

/// What the desk knows of one half: 64 bytes.
package struct HalfRecord: BitwiseCopyable, Sendable {
    enum State: UInt8, BitwiseCopyable, Sendable {
        /// Its IKE_SA_INIT is queued or in work.
        case queued
        /// Its IKE_SA_INIT was handled, and the half has not said yet what became of it.
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
    /// The IPv4 address's place in the pool.
    var lease: UInt32 = AddressPools.Lease.none
    /// The first of the jobs that wait for the half.
    var parked: UInt32 = Job.none
    /// The last request that the IKE SA in use has taken.
    private var window = RequestWindow()
    private let home: UInt16
    /// From the lowest bit up: the state (2 bits), whether a core is at work for it (1), the timer's operation (4) and
    /// its key exchange (6).
    private var bits: UInt16 = 0

    init(half: HalfID, shard: UInt32, source: UInt64, state: State) {
        precondition(shard <= UInt16.max, "a run has fewer than 2^16 parts")
        self.half = half
        self.source = source
        home = UInt16(shard)
        self.state = state
    }

    package static var byteCount: Int { MemoryLayout<HalfRecord>.stride }
}

extension HalfRecord {
    var shard: UInt32 { UInt32(home) }

    var state: State {
        get {
            guard let state = State(rawValue: UInt8(bits & 3)) else { preconditionFailure("two bits are a state") }
            return state
        }
        set { bits = bits & ~3 | UInt16(newValue.rawValue) }
    }

    /// A core is at work for it.
    var isBusy: Bool {
        get { bits & 4 != 0 }
        set { bits = bits & ~4 | (newValue ? 4 : 0) }
    }

    /// What its timer will do.
    var operation: PricedOperation {
        PricedOperation(rawValue: UInt8(bits >> 3 & 15)) ?? .ownRequest
    }

    /// The place of the key exchange that its timer will begin.
    var keyExchangePlace: Int? {
        let place = Int(bits >> 7 & 63) - 1
        return place < 0 ? nil : place
    }

    mutating func setTimer(_ operation: PricedOperation, _ keyExchange: KeyExchangeMethod?) {
        let place = keyExchange.map { UInt16($0.place) + 1 } ?? 0
        bits = bits & 7 | UInt16(operation.rawValue) << 3 | place << 7
    }

    /// Another IKE SA is in use, which counts its requests from 0.
    mutating func use(_ spi: IKESPI) {
        self.spi = spi.rawValue
        window = RequestWindow()
    }

    /// Tells a new request from a repeated one.
    func standing(of request: MessageID) -> RequestWindow.Standing { window.standing(of: request) }

    /// Tells a new request from a repeated one, and takes note of a new one.
    mutating func take(_ request: MessageID) -> RequestWindow.Standing { window.take(request) }

    /// The request that was new has been handled, or was lost; of another IKE SA's nothing is known.
    mutating func finish(_ spi: UInt64, isLost: Bool) {
        if spi == self.spi { window.finish(isLost: isLost) }
    }
}

/// The last request that an IKE SA of the gateway has taken, by which a retransmission is known (RFC 7296 section 2.1).
struct RequestWindow: BitwiseCopyable, Sendable {
    /// What a request is to the window of its IKE SA.
    enum Standing {
        case new
        case inWork
        case answered
        case old
    }

    /// The message ID behind that of the last request, of which 31 bits are enough; above it, whether that request is
    /// queued or running.
    private var packed: UInt32 = 0

    private var next: UInt32 { packed & 0x7FFF_FFFF }

    /// An ID that is further ahead than the next one is new, too: the half knows better what it has answered.
    mutating func take(_ request: MessageID) -> Standing {
        let standing = standing(of: request)
        if standing == .new { packed = (Self.counted(request) + 1) | 1 << 31 }
        return standing
    }

    func standing(of request: MessageID) -> Standing {
        let id = Self.counted(request)
        if id >= next { return .new }
        guard id + 1 == next else { return .old }
        return packed >> 31 == 1 ? .inWork : .answered
    }

    private static func counted(_ request: MessageID) -> UInt32 { min(request.rawValue, 0x7FFF_FFFE) }

    /// What was lost is new when it comes again.
    mutating func finish(isLost: Bool) {
        packed = isLost ? max(next, 1) - 1 : next
    }
}

/// The records of a gateway's halves, by half and by SPI, and how many of them are half-open, of whom.
struct HalfTable: ~Copyable, Sendable {
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
        spis[spi.rawValue].map { SlotID(packed: $0) }
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
        records[id].use(spi)
        let isNew = spis.insert(id.packed, for: spi.rawValue)
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

extension IPAddress {
    /// The address as a key of an `SPITable`: itself for IPv4, a hash for IPv6 (63 bits, and never an IPv4's).
    var sourceKey: UInt64 { isIPv4 ? low : StableName.hash(of: high, low) | 1 << 63 }
}

import IKEWire
import IKEv2
import Primitives

/// Which messages a gateway has some fragments of, as far as the desk has seen them go by (RFC 7383 section 2.6).
///
/// A half has as many of each direction as its window is wide. The half itself knows better what it has: this is for
/// the price alone.
struct FragmentTable: ~Copyable, Sendable {
    private var messages = SlotTable<PartialMessage>()
    /// The message of each half that began last; each names the one before it.
    private var requests = SPITable()
    private var responses = SPITable()

    init() {}

    /// How many messages are incomplete.
    var count: Int { messages.count }

    /// Whether something of a fragment's message is here.
    func has(_ arrival: PacketArrival, of half: HalfID) -> Bool { slot(of: arrival, half) != nil }

    /// Takes note of a fragment; true where it is the last that its message lacked, which is then forgotten.
    ///
    /// - Parameter limit: how many messages may be incomplete at once; the oldest makes room for one more.
    mutating func completes(_ arrival: PacketArrival, of half: HalfID, atMost limit: UInt32) -> Bool {
        let id = slot(of: arrival, half) ?? begin(arrival, half, limit)
        guard messages[id].take(arrival) else { return false }
        remove(id, isResponse: arrival.isResponse, half)
        return true
    }

    /// The half is gone, or something that was on its way to it.
    mutating func forget(_ half: HalfID) {
        for isResponse in [false, true] {
            while let id = latest(isResponse, half) { remove(id, isResponse: isResponse, half) }
        }
    }

    private func latest(_ isResponse: Bool, _ half: HalfID) -> SlotID? {
        (isResponse ? responses[half.key] : requests[half.key]).map { SlotID(packed: $0) }
    }

    private mutating func setLatest(_ id: SlotID?, _ isResponse: Bool, _ half: HalfID) {
        if isResponse { responses.remove(half.key) } else { requests.remove(half.key) }
        guard let id else { return }
        let isNew =
            isResponse ? responses.insert(id.packed, for: half.key) : requests.insert(id.packed, for: half.key)
        precondition(isNew, "a half has one list of each direction")
    }

    private func slot(of arrival: PacketArrival, _ half: HalfID) -> SlotID? {
        var place = latest(arrival.isResponse, half)
        while let id = place {
            if messages[id].isOf(arrival) { return id }
            place = messages[id].earlier
        }
        return nil
    }

    private mutating func begin(_ arrival: PacketArrival, _ half: HalfID, _ limit: UInt32) -> SlotID {
        var (count, oldest) = (UInt32(0), latest(arrival.isResponse, half))
        while let id = oldest {
            count += 1
            guard let earlier = messages[id].earlier else { break }
            oldest = earlier
        }
        if let oldest, count >= limit { remove(oldest, isResponse: arrival.isResponse, half) }
        var message = PartialMessage(arrival)
        message.earlier = latest(arrival.isResponse, half)
        let id = messages.insert(message)
        setLatest(id, arrival.isResponse, half)
        return id
    }

    private mutating func remove(_ id: SlotID, isResponse: Bool, _ half: HalfID) {
        let earlier = messages.remove(id)?.earlier
        guard var place = latest(isResponse, half), place != id else { return setLatest(earlier, isResponse, half) }
        while let next = messages[place].earlier, next != id { place = next }
        messages[place].earlier = earlier
    }
}

/// A message of which some fragments have come.
struct PartialMessage: BitwiseCopyable, Sendable {
    private let spi: IKESPI
    private let id: MessageID
    private var total: UInt8
    private var count: UInt8 = 0
    /// A bit for each fragment that is here.
    private var here = InlineArray<4, UInt64>(repeating: 0)
    /// The message of the same half and direction that began before it.
    var earlier: SlotID?

    init(_ arrival: PacketArrival) {
        spi = arrival.spi
        id = arrival.messageID
        total = arrival.note.fragmentTotal
    }

    func isOf(_ arrival: PacketArrival) -> Bool { spi == arrival.spi && id == arrival.messageID }

    /// True when all of them are here; where there are more of them than before, it begins anew.
    mutating func take(_ arrival: PacketArrival) -> Bool {
        let note = arrival.note
        if note.fragmentTotal > total {
            (total, count) = (note.fragmentTotal, 0)
            here = InlineArray(repeating: 0)
        }
        guard note.fragmentTotal == total else { return false }
        let (word, bit) = (Int(note.fragmentNumber) / 64, UInt64(1) << UInt64(note.fragmentNumber % 64))
        if here[word] & bit == 0 {
            here[word] |= bit
            count += 1
        }
        return count == total
    }
}

import IKEWire
import IKEv2
import Primitives

/// Which messages a gateway has some fragments of, as far as the desk has seen them go by (RFC 7383 section 2.6).
///
/// A half has at most one of each direction. The half itself knows better what it has: this is for the price alone.
struct FragmentTable: ~Copyable, Sendable {
    private var messages = SlotTable<PartialMessage>()
    private var requests = SPITable()
    private var responses = SPITable()

    init() {}

    /// How many messages are incomplete.
    var count: Int { messages.count }

    /// Takes note of a fragment; true where it is the last that its message lacked, which is then forgotten.
    mutating func completes(_ arrival: PacketArrival, of half: HalfID) -> Bool {
        let id = slot(of: arrival, half)
        guard messages[id].take(arrival) else { return false }
        _ = messages.remove(id)
        if arrival.isResponse { responses.remove(half.key) } else { requests.remove(half.key) }
        return true
    }

    /// The half is gone, or something that was on its way to it.
    mutating func forget(_ half: HalfID) {
        if let packed = requests.remove(half.key) { _ = messages.remove(SlotID(packed: packed)) }
        if let packed = responses.remove(half.key) { _ = messages.remove(SlotID(packed: packed)) }
    }

    private mutating func slot(of arrival: PacketArrival, _ half: HalfID) -> SlotID {
        if let packed = arrival.isResponse ? responses[half.key] : requests[half.key] {
            return SlotID(packed: packed)
        }
        let id = messages.insert(PartialMessage(arrival))
        let isNew =
            arrival.isResponse
            ? responses.insert(id.packed, for: half.key) : requests.insert(id.packed, for: half.key)
        precondition(isNew, "a half has one incomplete message of each direction")
        return id
    }
}

/// A message of which some fragments have come.
struct PartialMessage: BitwiseCopyable, Sendable {
    private let spi: IKESPI
    private let id: MessageID
    private let total: UInt8
    private var count: UInt8 = 0
    /// A bit for each fragment that is here.
    private var here = InlineArray<4, UInt64>(repeating: 0)

    init(_ arrival: PacketArrival) {
        spi = arrival.spi
        id = arrival.messageID
        total = arrival.note.fragmentTotal
    }

    /// True when all of them are here; another message, or one of more fragments, takes the place of this one.
    mutating func take(_ arrival: PacketArrival) -> Bool {
        let note = arrival.note
        let isSame = spi == arrival.spi && id == arrival.messageID
        if !isSame || note.fragmentTotal > total { self = PartialMessage(arrival) }
        guard note.fragmentTotal == total else { return false }
        let (word, bit) = (Int(note.fragmentNumber) / 64, UInt64(1) << UInt64(note.fragmentNumber % 64))
        if here[word] & bit == 0 {
            here[word] |= bit
            count += 1
        }
        return count == total
    }
}

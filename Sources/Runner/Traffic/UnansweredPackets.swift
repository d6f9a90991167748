import Primitives

/// The packets of an echoed flow that are on their way, and for how long each is waited for.
///
/// In real time nobody says where a packet was lost: one that has not come back within two seconds (RFC 2544 section
/// 23) counts as lost, and one that comes later is not counted again.
struct UnansweredPackets {
    private struct Entry {
        var due: Instant
        var isAnswered = false
    }

    /// By number from `first` on; what stands before `head` is done with.
    private var entries: [Entry] = []
    private var head = 0
    private var first: UInt64 = 1

    /// How many have neither come back nor been given up.
    private(set) var count = 0

    /// Takes note of a packet that leaves; its number follows that of the last.
    mutating func leave(_ number: UInt64, due: Instant) {
        if entries.isEmpty { first = number }
        precondition(number == first + UInt64(entries.count), "packets are numbered one by one")
        entries.append(Entry(due: due))
        count += 1
    }

    /// Takes a packet that has come back: when it was due, or nil where it is not waited for.
    mutating func takeAnswer(_ number: UInt64) -> Instant? {
        guard number >= first + UInt64(head), number - first < UInt64(entries.count) else { return nil }
        let place = Int(number - first)
        guard !entries[place].isAnswered else { return nil }
        entries[place].isAnswered = true
        count -= 1
        return entries[place].due
    }

    /// Gives up what has been waited for long enough, or all that there is, and says how many packets that are.
    mutating func giveUp(at now: Instant, after patience: Duration = Self.patience, all: Bool = false) -> Int {
        var lost = 0
        while head < entries.count, all || entries[head].due + patience <= now {
            if !entries[head].isAnswered { lost += 1 }
            head += 1
        }
        count -= lost
        // Moving what is left costs as much as was taken out.
        if head > entries.count / 2 {
            entries.removeFirst(head)
            first += UInt64(head)
            head = 0
        }
        return lost
    }

    /// How long a packet is waited for.
    static let patience = Duration.seconds(2)
}

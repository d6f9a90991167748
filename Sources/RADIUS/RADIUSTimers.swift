import Primitives

/// Deadlines that are set in their own order, because each is the same time ahead; what is void is passed over.
struct DeadlineQueue: Sendable {
    struct Entry {
        let deadline: Instant
        let slot: Int
        let serial: UInt64
    }

    private var entries: [Entry] = []
    private var head = 0

    var first: Entry? { head < entries.count ? entries[head] : nil }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    mutating func removeFirst() {
        head += 1
        guard head > 64, 2 * head > entries.count else { return }
        entries.removeFirst(head)
        head = 0
    }
}

/// The identifiers between one port and one server.
struct Lane: Sendable {
    /// The slot of each identifier's request; -1 when it is free.
    private(set) var slots = [Int](repeating: -1, count: 256)
    private var next: UInt8 = 0
    private(set) var usedCount = 0

    /// The identifier that has been free for longest, or nil when none is.
    mutating func take(for slot: Int) -> UInt8? {
        guard usedCount < slots.count else { return nil }
        while slots[Int(next)] >= 0 { next &+= 1 }
        defer { next &+= 1 }
        slots[Int(next)] = slot
        usedCount += 1
        return next
    }

    mutating func free(_ identifier: UInt8) {
        slots[Int(identifier)] = -1
        usedCount -= 1
    }
}

/// How often each of a few things happened, in the order of the things: failures by reason.
package struct Tally<Key: Comparable & Sendable>: Sendable {
    package struct Entry: Sendable {
        package let key: Key
        package fileprivate(set) var count: UInt64
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package mutating func add(_ count: UInt64 = 1, to key: Key) {
        let place = place(of: key)
        if place < entries.count && entries[place].key == key {
            entries[place].count += count
        } else {
            entries.insert(Entry(key: key, count: count), at: place)
        }
    }

    package mutating func merge(_ other: Tally) {
        for entry in other.entries { add(entry.count, to: entry.key) }
    }

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    package var total: UInt64 { entries.reduce(0) { $0 + $1.count } }

    package subscript(key: Key) -> UInt64 {
        let place = place(of: key)
        return place < entries.count && entries[place].key == key ? entries[place].count : 0
    }

    /// The first place whose key is not below `key`.
    private func place(of key: Key) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Tally: Equatable where Key: Equatable {
    package static func == (left: Tally, right: Tally) -> Bool {
        left.entries.count == right.entries.count
            && zip(left.entries, right.entries).allSatisfy { $0.key == $1.key && $0.count == $1.count }
    }
}

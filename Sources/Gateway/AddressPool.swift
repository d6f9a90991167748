import Primitives

/// A gateway's inner addresses of one family: the lowest free one is given first, so that leases depend on nothing but
/// the order of events.
///
/// Of a prefix of four addresses or more the first and the last stay free, as strongSwan does, since hosts may take
/// them for the network (RFC 4291 section 2.6.1: for its routers) and for broadcast. Memory grows with the highest
/// address in use.
struct AddressPool: Sendable {
    private struct Block: Sendable {
        let prefix: IPPrefix
        let skippedCount: UInt64
        let count: UInt32
    }

    private let blocks: [Block]
    let capacity: UInt32
    private(set) var usedCount = 0
    /// A bit for each address, set while it is leased.
    private var used: [UInt64] = []
    /// A bit for each word of `used`, set while all of its bits are.
    private var full: [UInt64] = []
    /// No word of `full` before this one has a bit that is not set.
    private var hint = 0

    init(_ prefixes: [IPPrefix], isIPv4: Bool) {
        var blocks: [Block] = []
        var total: UInt64 = 0
        for prefix in prefixes where prefix.address.isIPv4 == isIPv4 {
            let skipped: UInt64 = prefix.leasableCount < prefix.count ? 1 : 0
            let count = UInt32(clamping: prefix.leasableCount)
            blocks.append(Block(prefix: prefix, skippedCount: skipped, count: count))
            total += UInt64(count)
        }
        self.blocks = blocks
        capacity = UInt32(min(total, UInt64(UInt32.max) - 1))
    }

    /// Leases the lowest free address; answers its place in the pool.
    mutating func take() -> UInt32? {
        guard usedCount < capacity else { return nil }
        while hint < full.count && full[hint] == .max { hint += 1 }
        var word = used.count
        if hint < full.count { word = min(word, hint * 64 + (~full[hint]).trailingZeroBitCount) }
        if word == used.count {
            used.append(0)
            if word / 64 == full.count { full.append(0) }
        }
        let bit = (~used[word]).trailingZeroBitCount
        used[word] |= 1 << UInt64(bit)
        if used[word] == .max { full[word / 64] |= 1 << UInt64(word & 63) }
        usedCount += 1
        return UInt32(word * 64 + bit)
    }

    mutating func release(_ place: UInt32) {
        let word = Int(place / 64)
        precondition(used[word] >> UInt64(place & 63) & 1 == 1, "an address that is released was leased")
        used[word] &= ~(1 << UInt64(place & 63))
        full[word / 64] &= ~(1 << UInt64(word & 63))
        hint = min(hint, word / 64)
        usedCount -= 1
    }

    mutating func releaseAll() {
        used.removeAll(keepingCapacity: true)
        full.removeAll(keepingCapacity: true)
        hint = 0
        usedCount = 0
    }

    subscript(place: UInt32) -> IPAddress {
        var rest = place
        for block in blocks {
            if rest < block.count { return block.prefix[UInt64(rest) + block.skippedCount] }
            rest -= block.count
        }
        preconditionFailure("the place is in the pool")
    }
}

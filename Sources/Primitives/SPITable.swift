/// A map from 64-bit SPIs to 64-bit values that is the same on every machine: open addressing with linear probing.
///
/// A key is never 0, which no SPI is (RFC 7296 section 3.1); 0 marks a free place. There is no iteration, since an
/// order by hash is not one that a run may show.
public struct SPITable: ~Copyable, Sendable {
    @usableFromInline
    struct Entry: BitwiseCopyable, Sendable {
        @usableFromInline var key: UInt64
        @usableFromInline var value: UInt64

        @inlinable
        init(key: UInt64, value: UInt64) {
            self.key = key
            self.value = value
        }
    }

    @usableFromInline var entries: [Entry]
    @usableFromInline var mask: Int
    public private(set) var count = 0

    public init(minimumCapacity: Int = 8) {
        var size = 16
        while size * 3 / 4 < minimumCapacity { size *= 2 }
        entries = Array(repeating: Entry(key: 0, value: 0), count: size)
        mask = size - 1
    }

    @inlinable
    public subscript(key: UInt64) -> UInt64? {
        let place = place(of: key)
        return entries[place].key == key && key != 0 ? entries[place].value : nil
    }

    /// Adds an entry; false, and no change, where the key is there already.
    public mutating func insert(_ value: UInt64, for key: UInt64) -> Bool {
        precondition(key != 0, "an SPI is not 0")
        if (count + 1) * 4 > entries.count * 3 { grow() }
        let place = place(of: key)
        guard entries[place].key == 0 else { return false }
        entries[place] = Entry(key: key, value: value)
        count += 1
        return true
    }

    /// Adds an entry or gives the one that is there another value.
    public mutating func update(_ value: UInt64, for key: UInt64) {
        guard !insert(value, for: key) else { return }
        entries[place(of: key)].value = value
    }

    /// Takes an entry out, and moves those behind it up, so that no place stays marked as deleted.
    @discardableResult
    public mutating func remove(_ key: UInt64) -> UInt64? {
        guard key != 0 else { return nil }
        var hole = place(of: key)
        guard entries[hole].key == key else { return nil }
        let value = entries[hole].value
        var probe = (hole + 1) & mask
        while entries[probe].key != 0 {
            let home = home(of: entries[probe].key)
            if (probe &- home) & mask >= (probe &- hole) & mask {
                entries[hole] = entries[probe]
                hole = probe
            }
            probe = (probe + 1) & mask
        }
        entries[hole] = Entry(key: 0, value: 0)
        count -= 1
        return value
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Entry(key: 0, value: 0), count: old.count * 2)
        mask = entries.count - 1
        for entry in old where entry.key != 0 { entries[place(of: entry.key)] = entry }
    }

    /// Where the key is, or the free place where it would be.
    @inlinable
    func place(of key: UInt64) -> Int {
        var place = home(of: key)
        while entries[place].key != key && entries[place].key != 0 { place = (place + 1) & mask }
        return place
    }

    /// The finalizer of MurmurHash3: peers choose SPIs as they like, and may count.
    @inlinable
    func home(of key: UInt64) -> Int {
        var hash = key
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return Int(truncatingIfNeeded: hash ^ hash >> 33) & mask
    }
}

import Primitives
import Testing

@Suite("Tables")
struct TableTests {
    @Test("an SPI table does what a dictionary does", arguments: 0..<8)
    func spiTable(seed: UInt64) {
        var stream = RandomStream(seed: seed, entity: 0, purpose: .test)
        var table = SPITable()
        var oracle: [UInt64: UInt64] = [:]
        for step in 0..<5_000 as Range<UInt64> {
            let key = 1 + stream.below(600)
            switch stream.below(4) {
            case 0:
                let removed = table.remove(key)
                #expect(removed == oracle.removeValue(forKey: key))
            case 1:
                table.update(step, for: key)
                oracle[key] = step
            default:
                let isNew = table.insert(step, for: key)
                #expect(isNew == (oracle[key] == nil))
                if oracle[key] == nil { oracle[key] = step }
            }
            let count = table.count
            #expect(count == oracle.count)
        }
        for key in 0...601 as ClosedRange<UInt64> {
            let value = table[key]
            #expect(value == oracle[key])
        }
    }

    /// Counts its living copies, so that a leak or a double release shows.
    private struct Resident: ~Copyable {
        final class Census { var living = 0 }
        let census: Census
        var value: UInt64

        init(_ census: Census, _ value: UInt64) {
            self.census = census
            self.value = value
            census.living += 1
        }

        deinit { census.living -= 1 }
    }

    private func take(_ id: SlotID, from table: inout SlotTable<Resident>) -> UInt64? {
        guard let resident = table.remove(id) else { return nil }
        return resident.value
    }

    @Test("elements keep their names until they are removed, and each is released once")
    func slotTable() {
        let census = Resident.Census()
        var stream = RandomStream(seed: 3, entity: 0, purpose: .test)
        do {
            var table = SlotTable<Resident>()
            var live: [(id: SlotID, value: UInt64)] = []
            var gone: [SlotID] = []
            for step in 0..<20_000 as Range<UInt64> {
                if !live.isEmpty && stream.below(5) < 2 {
                    let victim = live.remove(at: Int(stream.below(UInt64(live.count))))
                    let value = take(victim.id, from: &table)
                    #expect(value == victim.value)
                    gone.append(victim.id)
                } else {
                    live.append((table.insert(Resident(census, step)), step))
                }
                let count = table.count
                #expect(count == live.count && census.living == live.count)
            }
            for (id, value) in live {
                let before = table[id].value
                table[id].value += 1
                let after = table[id].value
                #expect(before == value && after == value + 1)
                #expect(SlotID(packed: id.packed) == id)
            }
            for id in gone {
                let contains = table.contains(id)
                let removed = take(id, from: &table)
                #expect(!contains && removed == nil)
            }
            var ids: [SlotID] = []
            for index in 0..<table.indexLimit {
                if let id = table.id(at: index) { ids.append(id) }
            }
            #expect(ids == live.map(\.id).sorted())
        }
        #expect(census.living == 0)
    }
}

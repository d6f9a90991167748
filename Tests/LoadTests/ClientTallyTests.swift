import Load
import Primitives
import Testing

@Suite("What a shard counts")
struct ClientTallyTests {
    @Test("marks of one second, population and kind are one, and no count is lost among many kinds")
    func marksMerge() {
        var tally = ClientTally()
        var wanted: Int32 = 0
        for step in 0..<2000 as Range<Int64> {
            let kind = ClientTally.Kind.allCases[Int(step * 7) % ClientTally.Kind.allCases.count]
            tally.mark(kind, Int(step % 3), Int32(step), at: .zero + .milliseconds(step * 5))
            wanted += Int32(step)
        }
        #expect(tally.marks.map(\.amount).reduce(0, +) == wanted)
        var single = ClientTally()
        for step in 0..<1000 as Range<Int64> { single.mark(.offered, 1, at: .zero + .milliseconds(step)) }
        #expect(single.marks.map(\.amount) == [1000])
        #expect(single.marks[0].second == 0 && single.marks[0].subject == 1 && single.marks[0].kind == .offered)
        single.mark(.offered, 1, at: .zero + .seconds(1))
        #expect(single.marks.map(\.amount) == [1000, 1])
    }

    @Test("marks of a dozen flows in turn are one for each flow and kind")
    func flowsMerge() {
        var tally = ClientTally()
        for step in 0..<1200 {
            tally.mark(.packetOffered, step % 12, at: .zero)
            tally.mark(.packetReceived, step % 12, at: .zero)
        }
        #expect(tally.marks.map(\.amount) == [Int32](repeating: 100, count: 24))
        tally.removeAll()
        tally.mark(.packetOffered, 5, at: .zero)
        #expect(tally.marks.map(\.amount) == [1])
    }

    @Test("what was handed over is not counted again")
    func empties() {
        var tally = ClientTally()
        tally.skipped(2, at: .zero)
        tally.sample(.lag, 2, .milliseconds(3), at: .zero + .seconds(4))
        #expect(tally.samples.map(\.value) == [.milliseconds(3)])
        #expect(tally.samples[0].second == 4 && tally.samples[0].subject == 2 && tally.samples[0].kind == .lag)
        tally.removeAll()
        #expect(tally.marks.isEmpty && tally.samples.isEmpty && tally.failures.isEmpty)
    }
}

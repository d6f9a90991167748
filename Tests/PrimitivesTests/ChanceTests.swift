import Primitives
import Testing

@Suite("Chance and names")
struct ChanceTests {
    @Test(
        "Philox4x32-10 gives Random123's known answers",
        arguments: [
            ([0, 0, 0, 0], [0, 0], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
            (
                [.max, .max, .max, .max], [.max, .max],
                [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
            ),
            (
                [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
            ),
        ] as [([UInt32], [UInt32], [UInt32])]
    )
    func philox(counter: [UInt32], key: [UInt32], answer: [UInt32]) {
        let block = Philox4x32.block(
            counter: (counter[0], counter[1], counter[2], counter[3]),
            key: (key[0], key[1])
        )
        #expect([block.0, block.1, block.2, block.3] == answer)
    }

    @Test(
        "SipHash-2-4 gives its authors' vectors",
        arguments: [
            (0, 0x726F_DB47_DD0E_0E31), (1, 0x74F8_39C5_93DC_67FD), (2, 0x0D6C_8009_D9A9_4F5A),
            (3, 0x8567_6696_D7FB_7E2D), (15, 0xA129_CA61_49BE_45E5),
        ] as [(UInt8, UInt64)]
    )
    func sipHash(length: UInt8, answer: UInt64) {
        var hasher = SipHash24(key: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
        for byte in 0..<length { hasher.combine(byte) }
        #expect(hasher.finalize() == answer)
    }

    @Test("a word is hashed like its eight bytes, wherever it starts", arguments: 0..<9)
    func words(lead: Int) {
        var byWord = SipHash24(key: (1, 2))
        var byByte = SipHash24(key: (1, 2))
        for byte in 0..<lead {
            byWord.combine(UInt8(byte))
            byByte.combine(UInt8(byte))
        }
        let word: UInt64 = 0x8877_6655_4433_2211
        byWord.combine(word)
        for shift in 0..<8 { byByte.combine(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
        byWord.combine(UInt8(7))
        byByte.combine(UInt8(7))
        #expect(byWord.finalize() == byByte.finalize())
    }

    @Test("names differ by text, number and order, and stay what they are from version to version")
    func names() {
        let names = [
            StableName.hash(of: "gw"), StableName.hash(of: "gw", 0), StableName.hash(of: "gw", 1),
            StableName.hash(of: "g"), StableName.hash(of: 1, 2), StableName.hash(of: 2, 1),
            StableName.hash(of: 1, 2, 3),
        ]
        for first in names.indices {
            for second in names.indices where first != second { #expect(names[first] != names[second]) }
        }
        #expect(StableName.hash(of: "gw", 1) == 0xAC36_6397_5013_827E)
    }

    @Test("a stream's draws depend on its seed, entity and purpose alone")
    func streams() {
        func draws(_ seed: UInt64, _ entity: UInt64, _ purpose: Purpose) -> [UInt64] {
            var stream = RandomStream(seed: seed, entity: entity, purpose: purpose)
            return (0..<4).map { _ in stream.next() }
        }
        let reference = draws(42, 7, .drop)
        #expect(draws(42, 7, .drop) == reference)
        #expect(draws(43, 7, .drop) != reference)
        #expect(draws(42, 8, .drop) != reference)
        #expect(draws(42, 7, .lossState) != reference)
        #expect(reference[0] != reference[1])
        var later = RandomStream(seed: 42, entity: 7, purpose: .drop, drawCount: 3)
        #expect(later.next() == reference[3])
    }

    @Test("draws below a bound are uniform", arguments: [1, 2, 3, 10, 1_000] as [UInt64])
    func uniform(bound: UInt64) {
        var stream = RandomStream(seed: 1, entity: bound, purpose: .test)
        var counts = [Int](repeating: 0, count: Int(bound))
        let expected = 200
        for _ in 0..<(Int(bound) * expected) { counts[Int(stream.below(bound))] += 1 }
        let squares = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) }
        // Chi-square of `bound` cells: mean bound - 1, variance about twice that; five deviations.
        let limit = Double(bound) + 5 * (2 * Double(bound)).squareRoot()
        #expect(Double(squares) / Double(expected) <= limit)
    }

    @Test("a large bound that is not a power of two is never reached")
    func largeBound() {
        var stream = RandomStream(seed: 1, entity: 1, purpose: .test)
        let bound: UInt64 = 1 << 63 + 1
        for _ in 0..<1_000 { #expect(stream.below(bound) < bound) }
        #expect(stream.drawCount > 1_500)
    }

    @Test("chances happen as often as they say, in one draw each", arguments: [0, 1, 50, 100] as [UInt32])
    func chances(percent: UInt32) {
        var stream = RandomStream(seed: 5, entity: 9, purpose: .test)
        var hits = 0
        for _ in 0..<20_000 where stream.chance(.percent(percent)) { hits += 1 }
        #expect(stream.drawCount == 20_000)
        #expect(abs(hits - 200 * Int(percent)) <= (percent == 0 || percent == 100 ? 0 : 400))
    }

    @Test("either of two independent chances")
    func either() {
        #expect(Probability.percent(50).or(.percent(50)) == .percent(75))
        #expect(Probability.zero.or(.percent(3)) == .percent(3))
        #expect(Probability.one.or(.one) == .one)
        #expect("\(Probability(partsPerBillion: 2_500_000))" == "0.25%")
    }
}

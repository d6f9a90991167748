import ESP
import IKECrypto
import Primitives
import Testing

/// What the window is held against: every number that has come, in a set.
struct ReferenceWindow {
    let size: UInt64
    private(set) var highest: UInt64
    private var known: Set<UInt64> = []

    init(size: Int, highest: UInt64 = 0) {
        self.size = UInt64(size)
        self.highest = highest
    }

    func place(of number: UInt64, first: UInt64 = 0) -> AntiReplayWindow.Place {
        if number > highest { return .new }
        if number == 0 || highest - number >= size { return .tooOld }
        return known.contains(number) || number <= first ? .replayed : .new
    }

    mutating func enter(_ number: UInt64) {
        known.insert(number)
        highest = max(highest, number)
    }
}

@Suite("The anti-replay window")
struct WindowTests {
    static let sizes = [32, 64, 128, 256, 512, 1024, 2048, 4096]

    #if DEBUG
        private static let count = 20_000
    #else
        private static let count = 100_000
    #endif

    @Test(
        "says of every number what a set of them says",
        arguments: sizes,
        [0, 1 << 32 - 1_000, UInt64.max >> 1] as [UInt64]
    )
    func agrees(_ size: Int, _ first: UInt64) {
        var stream = RandomStream(seed: 7, entity: UInt64(size), purpose: .test)
        var window = AntiReplayWindow(size: size, highest: SequenceNumber(rawValue: first))
        var reference = ReferenceWindow(size: size, highest: first)
        var wrong = 0
        for _ in 0..<Self.count {
            let width = UInt64(size)
            let number: UInt64
            switch stream.below(100) {
            case 0..<40: number = reference.highest + 1
            case 40..<98: number = reference.highest - min(reference.highest, stream.below(width + width / 4))
            case 98: number = reference.highest + 1 + stream.below(min(16, width))
            default: number = reference.highest + 1 + (stream.below(20) == 0 ? stream.below(2 * width) : 64)
            }
            let place = window.place(of: SequenceNumber(rawValue: number))
            if place != reference.place(of: number, first: first) { wrong += 1 }
            guard place == .new, stream.below(8) > 0 else { continue }
            window.enter(SequenceNumber(rawValue: number))
            reference.enter(number)
            if window.highest.rawValue != reference.highest { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(reference.highest > first + UInt64(2 * size))
    }

    @Test("takes the first packet for number 1, and number 0 for none", arguments: sizes)
    func begins(_ size: Int) {
        var window = AntiReplayWindow(size: size)
        #expect(window.size == size)
        #expect(window.place(of: .zero) == .tooOld)
        let last = SequenceNumber(rawValue: UInt64(size))
        window.enter(last)
        #expect(window.place(of: .zero) == .tooOld)
        for number in 1..<UInt64(size) {
            #expect(window.place(of: SequenceNumber(rawValue: number)) == .new)
            window.enter(SequenceNumber(rawValue: number))
        }
        window.enter(SequenceNumber(rawValue: last.rawValue + 1))
        #expect(window.place(of: SequenceNumber(rawValue: 1)) == .tooOld)
        #expect(window.place(of: SequenceNumber(rawValue: 2)) == .replayed)
    }

    @Test("finds the upper half of every number in it, and of those to the right", arguments: sizes)
    func recovers(_ size: Int) {
        let width = UInt64(size)
        let borders: [UInt64] = [1 << 32, 2 << 32, 5 << 32, UInt64(UInt32.max) << 32]
        var edges: [UInt64] = [1, 2, width - 1, width, width + 1, 1 << 31, UInt64.max - 1, UInt64.max]
        for border in borders { edges += (border - width - 2...border + width + 2).filter { $0 % 3 == 0 } }
        for edge in edges {
            let window = AntiReplayWindow(size: size, highest: SequenceNumber(rawValue: edge))
            let left = edge >= width ? edge - width + 1 : 1
            // Half of all numbers lie to the right, but none behind the last.
            let right = UInt64.max - edge > 1 << 31 ? edge + 1 << 31 : UInt64.max
            for number in [left, left + 1, edge, edge == .max ? edge : edge + 1, min(right, edge | 0xFFFF), right] {
                guard number >= left else { continue }
                let low = UInt32(truncatingIfNeeded: number)
                #expect(window.number(low: low)?.rawValue == number)
            }
            // Left of the window is a number of the next half, which no packet was sealed with yet.
            guard left > 1 else { continue }
            let found = window.number(low: UInt32(truncatingIfNeeded: left - 1))?.rawValue
            #expect(found == (left - 1 > UInt64.max - 1 << 32 ? nil : left - 1 + 1 << 32))
        }
    }

    @Test("does not read a first packet of any number as one of a half before the first")
    func recoversFirst() {
        let window = AntiReplayWindow(size: 64)
        #expect(window.number(low: 1)?.rawValue == 1)
        #expect(window.number(low: .max)?.rawValue == UInt64(UInt32.max))
    }
}

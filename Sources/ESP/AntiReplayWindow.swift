/// Which sequence numbers have come, of the latest ones (RFC 4303 section 3.4.3).
///
/// As many bits as the window is wide form a ring (RFC 6479), in which a number's place is its rest: when the window
/// moves to the right, the places of the numbers that are passed over are cleared, and nothing is shifted. A number is
/// asked for before its packet's ICV is checked, and entered only behind it.
@safe
package struct AntiReplayWindow: ~Copyable {
    /// What a window says of a number.
    package enum Place: Hashable, Sendable, BitwiseCopyable {
        case new
        case replayed
        /// Left of the window.
        case tooOld
    }

    private let words: UnsafeMutablePointer<UInt64>
    private let mask: UInt64
    /// The highest number that has come: the window's right edge.
    package private(set) var highest: SequenceNumber

    /// How many numbers the window is wide: a power of two.
    package var size: Int { Int(mask) + 1 }

    package static let sizes = 32...4096

    /// - Parameter highest: Where the window begins; all up to it count as having come.
    package init(size: Int, highest: SequenceNumber = .zero) {
        precondition(
            Self.sizes.contains(size) && size & (size - 1) == 0,
            "an anti-replay window is wide by a power of two from 32 to 4096"
        )
        let count = max(1, size / 64)
        unsafe words = .allocate(capacity: count)
        unsafe words.initialize(repeating: .max, count: count)
        mask = UInt64(size - 1)
        self.highest = highest
    }

    deinit { unsafe words.deallocate() }

    @inline(__always)
    package func place(of number: SequenceNumber) -> Place {
        if number > highest { return .new }
        // The first packet has number 1 (RFC 4303 section 3.3.3), so that 0 never comes.
        if highest.rawValue - number.rawValue > mask || number == .zero { return .tooOld }
        return contains(number) ? .replayed : .new
    }

    /// Enters the number of a packet whose ICV has been checked.
    @inline(__always)
    package mutating func enter(_ number: SequenceNumber) {
        // The next one, as most are: the one place that the window passes over is its own.
        if number.rawValue == highest.rawValue &+ 1 && number != .zero {
            highest = number
            mark(number)
        } else {
            enterOutOfTurn(number)
        }
    }

    @inline(never)
    private mutating func enterOutOfTurn(_ number: SequenceNumber) {
        precondition(place(of: number) == .new, "a number is entered once")
        if number > highest { moveRight(to: number) }
        mark(number)
    }

    @inline(__always)
    private mutating func mark(_ number: SequenceNumber) {
        let index = Int(number.rawValue & mask)
        unsafe words[index >> 6] |= 1 << UInt64(index & 63)
    }

    private func contains(_ number: SequenceNumber) -> Bool {
        let index = Int(number.rawValue & mask)
        return unsafe words[index >> 6] & 1 << UInt64(index & 63) != 0
    }

    /// Clears the places from behind the right edge up to the new one.
    private mutating func moveRight(to number: SequenceNumber) {
        let distance = number.rawValue - highest.rawValue
        if distance > mask {
            unsafe words.update(repeating: 0, count: max(1, size / 64))
        } else {
            let first = Int((highest.rawValue &+ 1) & mask)
            let beforeWrap = min(Int(distance), size - first)
            clear(first, beforeWrap)
            clear(0, Int(distance) - beforeWrap)
        }
        highest = number
    }

    /// Clears places in a row, a word at a time.
    @inline(__always)
    private mutating func clear(_ first: Int, _ count: Int) {
        var index = first
        let end = first + count
        while index < end {
            let bit = index & 63
            let width = min(64 - bit, end - index)
            let ones = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
            unsafe words[index >> 6] &= ~(ones << UInt64(bit))
            index += width
        }
    }
}

extension AntiReplayWindow {
    /// The whole number of a packet that carries the lower half of it (RFC 4303 appendix A2.2): of the numbers with
    /// this lower half the one in the window, or else the next to the right of it. Nil where there is none.
    package func number(low: UInt32) -> SequenceNumber? {
        let below = UInt32(mask)
        let high = highest.high
        // The left edge's lower half; below it the next upper half has begun, or above it the last one goes on.
        let left = highest.low &- below
        if highest.low >= below {
            guard low < left else { return number(high, low) }
            return high == .max ? nil : number(high + 1, low)
        }
        // Before the first packets there is no half to the left.
        return number(low >= left && high > 0 ? high - 1 : high, low)
    }

    private func number(_ high: UInt32, _ low: UInt32) -> SequenceNumber {
        SequenceNumber(rawValue: UInt64(high) << 32 | UInt64(low))
    }
}

// SAFETY: the words are the window's alone, and go where it goes.
extension AntiReplayWindow: @unchecked Sendable {}

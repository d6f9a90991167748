package import Primitives

/// One number for each stretch of a run, a second long unless told otherwise.
package struct TimeSeries: Hashable, Sendable {
    package let step: Duration
    package private(set) var values: [UInt64] = []

    package init(step: Duration = .seconds(1)) {
        precondition(step > .zero, "a stretch is longer than nothing")
        self.step = step
    }

    /// Adds to the stretch that a moment is in.
    package mutating func add(_ amount: UInt64, at time: Instant) {
        let index = index(of: time)
        extend(to: index + 1)
        values[index] += amount
    }

    /// Notes a level that holds until the next one is noted: a stretch has the last of its own.
    package mutating func set(_ level: UInt64, at time: Instant) {
        let index = index(of: time)
        if index >= values.count {
            let last = values.last ?? 0
            values.append(contentsOf: repeatElement(last, count: index + 1 - values.count))
        }
        values[index] = level
    }

    /// Appends the number of the next stretch.
    package mutating func append(_ value: UInt64) { values.append(value) }

    /// Adds another series of the same run, stretch by stretch.
    package mutating func merge(_ other: TimeSeries) {
        precondition(other.step == step, "series that add up have one step")
        extend(to: other.values.count)
        for index in other.values.indices { values[index] += other.values[index] }
    }

    package var total: UInt64 { values.reduce(0, +) }

    /// The sums of every window of so many stretches, in order; none where the series is shorter.
    package func windowSums(of count: Int) -> [UInt64] {
        precondition(count > 0, "a window is longer than nothing")
        guard values.count >= count else { return [] }
        var sum = values[..<count].reduce(0, +)
        var sums = [sum]
        for index in count..<max(count, values.count) {
            sum = sum + values[index] - values[index - count]
            sums.append(sum)
        }
        return sums
    }

    private func index(of time: Instant) -> Int { Int(time.nanoseconds / UInt64(step.nanoseconds)) }

    private mutating func extend(to count: Int) {
        if values.count < count { values.append(contentsOf: repeatElement(0, count: count - values.count)) }
    }
}

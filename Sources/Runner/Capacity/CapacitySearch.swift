package import Primitives

/// Bisection for the largest value that passes (RFC 2544 section 26.1 for rates): the ends of the range first, then
/// what lies in the middle of what is not known.
package struct CapacitySearch: Hashable, Sendable {
    package let low: Int64
    package let high: Int64
    /// How far apart the two values may be at last, as a share of the larger one.
    package let resolution: Probability
    /// The largest value that has passed, and the smallest that has not.
    package private(set) var passes: Int64?
    package private(set) var fails: Int64?

    package init(low: Int64, high: Int64, resolution: Probability) {
        precondition(low < high, "a range has a lower end and a higher one")
        self.low = low
        self.high = high
        self.resolution = resolution
    }

    /// The value to try next; nil when nothing more is to be known.
    package var next: Int64? {
        guard let passes else { return fails == nil ? low : nil }
        guard let fails else { return passes == high ? nil : high }
        let part = fails.multipliedFullWidth(by: Int64(resolution.partsPerBillion))
        let room = Int64(1_000_000_000).dividingFullWidth(part).quotient
        return fails - passes <= max(1, room) ? nil : passes + (fails - passes) / 2
    }

    package mutating func note(_ value: Int64, passes isPassed: Bool) {
        if isPassed {
            passes = max(passes ?? value, value)
        } else {
            fails = min(fails ?? value, value)
        }
    }
}

/// A length of time in whole nanoseconds, negative ones included.
///
/// It shadows the standard library's type on purpose: that one has attoseconds, 128 bits and floating point.
public struct Duration: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable public static var zero: Duration { Duration(nanoseconds: 0) }

    @inlinable
    public static func nanoseconds(_ count: Int64) -> Duration { Duration(nanoseconds: count) }

    @inlinable
    public static func microseconds(_ count: Int64) -> Duration { Duration(nanoseconds: count * 1_000) }

    @inlinable
    public static func milliseconds(_ count: Int64) -> Duration { Duration(nanoseconds: count * 1_000_000) }

    @inlinable
    public static func seconds(_ count: Int64) -> Duration { Duration(nanoseconds: count * 1_000_000_000) }

    @inlinable
    public static func minutes(_ count: Int64) -> Duration { .seconds(count * 60) }

    @inlinable
    public static func hours(_ count: Int64) -> Duration { .seconds(count * 3_600) }

    @inlinable
    public static func < (left: Duration, right: Duration) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public static func + (left: Duration, right: Duration) -> Duration {
        Duration(nanoseconds: left.nanoseconds + right.nanoseconds)
    }

    @inlinable
    public static func - (left: Duration, right: Duration) -> Duration {
        Duration(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    @inlinable
    public static prefix func - (duration: Duration) -> Duration { Duration(nanoseconds: -duration.nanoseconds) }

    @inlinable
    public static func * (duration: Duration, factor: Int64) -> Duration {
        Duration(nanoseconds: duration.nanoseconds * factor)
    }

    /// Rounds towards zero.
    @inlinable
    public static func / (duration: Duration, divisor: Int64) -> Duration {
        Duration(nanoseconds: duration.nanoseconds / divisor)
    }

    @inlinable
    public static func += (left: inout Duration, right: Duration) { left = left + right }

    @inlinable
    public static func -= (left: inout Duration, right: Duration) { left = left - right }
}

extension Duration: CustomStringConvertible {
    /// The value in the largest unit up to seconds that it fills: `1.5ms`, `20s`.
    public var description: String {
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        switch magnitude {
        case 0: return "0s"
        case 1_000_000_000...: return sign + String(decimal: magnitude, unit: 1_000_000_000, digits: 9) + "s"
        case 1_000_000...: return sign + String(decimal: magnitude, unit: 1_000_000, digits: 6) + "ms"
        case 1_000...: return sign + String(decimal: magnitude, unit: 1_000, digits: 3) + "us"
        default: return sign + String(magnitude) + "ns"
        }
    }
}

extension String {
    /// `value / unit` with as many decimals as it needs, where `unit` is ten to the power of `digits`.
    init(decimal value: UInt64, unit: UInt64, digits: Int) {
        self = String(value / unit)
        var fraction = String(value % unit)
        guard value % unit != 0 else { return }
        fraction = String(repeating: "0", count: digits - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        self += "." + fraction
    }
}

/// A moment of a run, counted in nanoseconds since the run's start.
///
/// Whether the nanoseconds are virtual or real, only the driver knows.
public struct Instant: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The run's start.
    @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }

    /// Later than every event; what a machine without a deadline answers.
    @inlinable public static var never: Instant { Instant(nanoseconds: .max) }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Traps when the sum is before the run's start or past the end of time: neither is ever meant.
    @inlinable
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let magnitude = duration.nanoseconds.magnitude
        return Instant(
            nanoseconds: duration.nanoseconds < 0 ? instant.nanoseconds - magnitude : instant.nanoseconds + magnitude
        )
    }

    @inlinable
    public static func - (instant: Instant, duration: Duration) -> Instant {
        let magnitude = duration.nanoseconds.magnitude
        return Instant(
            nanoseconds: duration.nanoseconds < 0 ? instant.nanoseconds + magnitude : instant.nanoseconds - magnitude
        )
    }

    @inlinable
    public static func - (later: Instant, earlier: Instant) -> Duration {
        if later >= earlier { return Duration(nanoseconds: Int64(later.nanoseconds - earlier.nanoseconds)) }
        return Duration(nanoseconds: -Int64(earlier.nanoseconds - later.nanoseconds))
    }

    @inlinable
    public static func += (instant: inout Instant, duration: Duration) { instant = instant + duration }

    @inlinable
    public static func -= (instant: inout Instant, duration: Duration) { instant = instant - duration }
}

extension Instant: CustomStringConvertible {
    public var description: String {
        self == .never ? "never" : String(decimal: nanoseconds, unit: 1_000_000_000, digits: 9) + "s"
    }
}

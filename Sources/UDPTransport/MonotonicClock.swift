import CLinux
package import Primitives

/// Real time, counted from a run's start: the system's monotonic clock, which nobody can set.
package struct MonotonicClock: Sendable {
    /// The system's own count at the run's start.
    private let start: UInt64
    /// The wall clock at the run's start, in nanoseconds since 1970: what a capture's times are counted from.
    package let epoch: UInt64

    /// Starts a run now.
    package init() {
        start = clinux_monotonic_clock()
        epoch = clinux_wall_clock()
    }

    package var now: Instant { instant(clinux_monotonic_clock()) }

    /// The moment of a count of nanoseconds that another process of the system has made.
    package func instant(systemTime count: UInt64) -> Instant { instant(count) }

    /// A moment as every process of the system counts it, in nanoseconds.
    package func systemTime(of instant: Instant) -> UInt64 { start + instant.nanoseconds }

    /// The moment of a count of the system's; what was before the run counts as its start.
    func instant(_ count: UInt64) -> Instant {
        Instant(nanoseconds: count > start ? count - start : 0)
    }
}

import Glibc

/// Measures CPU time of this thread, so that a neighbour's work does not count.
struct Stopwatch {
    private let start = Self.now()

    var nanoseconds: UInt64 { Self.now() - start }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Prints one figure in the form that every benchmark shares: name, value, unit.
func printFigure(_ name: String, _ value: Double, _ unit: String) {
    let tenths = UInt64((value * 10).rounded())
    let padding = String(repeating: " ", count: max(1, 44 - name.utf8.count))
    print("\(name)\(padding)\(tenths / 10).\(tenths % 10) \(unit)")
}

/// Ends the program: a figure that could not be measured is no figure, and whoever asked for it must hear of it.
func fail(_ benchmark: String, _ error: some Error) -> Never {
    print("\(benchmark): \(error)")
    exit(1)
}

extension Workload {
    /// How many sequence numbers the anti-replay windows of an end's Child SAs are wide (RFC 4303 section 3.4.3).
    package struct ReplayWindow: Hashable, Sendable {
        /// A power of two.
        package var size = 64

        /// What a window may be.
        static var sizes: ClosedRange<Int> { 32...4_096 }
    }
}

// What the key is.
extension WorkloadSchema {
    static let replayWindow = Field(
        "replay-window",
        .count(Workload.ReplayWindow.sizes),
        .standard("64"),
        "how many ESP packets its anti-replay windows remember: a power of two"
    )
}

// How it is read.
extension WorkloadReader {
    mutating func replayWindow(_ view: RecordView) -> Workload.ReplayWindow {
        var window = Workload.ReplayWindow()
        let size = view.count("replay-window")
        // What is no window at all was reported with the file's shape.
        guard Workload.ReplayWindow.sizes.contains(size) else { return window }
        guard size & (size - 1) == 0 else {
            var below = Workload.ReplayWindow.sizes.lowerBound
            while below * 2 < size { below *= 2 }
            fail(
                view.mark("replay-window"),
                "an anti-replay window of \(size) packets is no power of two",
                "write \(below) or \(below * 2)"
            )
            return window
        }
        window.size = size
        return window
    }
}

extension YAMLValue {
    /// A map with the window where it is not the usual one, so that older workloads resolve as ever.
    func adding(_ window: Workload.ReplayWindow) -> YAMLValue {
        guard case .map(let entries) = self, window != Workload.ReplayWindow() else { return self }
        return .map(entries + [("replay-window", .plain(window.size))])
    }
}

import Metrics
package import Primitives

/// How a run stands at a moment: totals since its start, warm-up included.
package struct LiveSnapshot: Hashable, Sendable {
    package var time: Instant
    /// How long the run is going to be.
    package var duration: Duration
    package var phase: Phase
    package var offered: UInt64 = 0
    package var established: UInt64 = 0
    package var failed: UInt64 = 0
    package var retransmissions: UInt64 = 0
    /// Completed rekeyings of Child SAs and of IKE SAs.
    package var childRekeys: UInt64 = 0
    package var ikeRekeys: UInt64 = 0
    package var tunnelsUp: UInt64 = 0
    package var tunnelsWanted: UInt64 = 0
    /// Of the handshakes so far, in nanoseconds; nil before the first.
    package var p50: UInt64?
    package var p99: UInt64?
    /// How late the generator was, in nanoseconds; nil in virtual time.
    package var lagP99: UInt64?
    /// The faults that are in effect.
    package var faults: [String] = []

    package init(time: Instant, duration: Duration, phase: Phase = .running) {
        self.time = time
        self.duration = duration
        self.phase = phase
    }

    package enum Phase: String, CaseIterable, Hashable, Sendable {
        case warmUp = "warm-up"
        case running
        case draining
    }
}

extension LiveSnapshot {
    var progress: Probability {
        Probability(time.nanoseconds, outOf: UInt64(max(0, duration.nanoseconds))) ?? .zero
    }

    var percent: Int { Int(progress.partsPerBillion / 10_000_000) }

    var share: String { Probability(tunnelsUp, outOf: tunnelsWanted).map(Humane.share) ?? "-" }
}

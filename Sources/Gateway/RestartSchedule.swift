package import Primitives

/// When a gateway is down: known beforehand to its desk and to the shards, so that both act at the same instant.
package struct RestartSchedule: Sendable {
    package struct Restart: Hashable, Sendable, BitwiseCopyable {
        /// From here on nothing is received or done; what was queued or running is lost.
        package var down: Instant
        package var up: Instant
        /// Whether IKE SAs survive, with their addresses and counters. If not, the shards drop the halves at `down`.
        package var keepsState: Bool

        package init(down: Instant, up: Instant, keepsState: Bool) {
            precondition(down < up, "a gateway that goes down is down for a while")
            self.down = down
            self.up = up
            self.keepsState = keepsState
        }
    }

    package let restarts: [Restart]

    /// Takes restarts in their order; none begins before the one before it has ended.
    package init(_ restarts: [Restart] = []) {
        precondition(
            zip(restarts, restarts.dropFirst()).allSatisfy { $0.up <= $1.down },
            "restarts follow one another"
        )
        self.restarts = restarts
    }

    /// How often the gateway has lost its state up to and including a moment.
    package func bootCount(at now: Instant) -> UInt32 {
        var count: UInt32 = 0
        for restart in restarts where !restart.keepsState && restart.down <= now { count += 1 }
        return count
    }

    /// Whether the gateway is down at a moment.
    package func isDown(at now: Instant) -> Bool {
        restarts.contains { $0.down <= now && now < $0.up }
    }
}

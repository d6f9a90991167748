import Synchronization
import Workers

/// What it costs two workers to come together behind a window in which nothing is done.
///
/// It is wall time: the least of many short runs, so that one of them may find the machine quiet.
func benchmarkBarriers() {
    do {
        let topology = try CPUTopology.current()
        guard topology.allowed.count > 1 else {
            return print("barrier of 2 workers: this machine lets one core be used")
        }
        let driver = RoundDriver(workers: 2, topology: topology)
        var least = Double.infinity
        for _ in 0..<50 {
            let rounds = EmptyRounds(count: roundCount)
            let start = ContinuousClock.now
            try driver.drive(rounds)
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            least = min(least, (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(roundCount))
        }
        printFigure("barrier of 2 workers", least, "ns/window")
    } catch {
        fail("barriers", error)
    }
}

private let roundCount = 20_000

/// Rounds whose parts do nothing.
private final class EmptyRounds: RoundWork {
    private let left: Atomic<Int>

    init(count: Int) { left = Atomic(count) }

    var partCount: Int { 2 }
    func build(part: Int) {}
    func nextRound() -> Bool { left.subtract(1, ordering: .relaxed).newValue >= 0 }
    func run(part: Int, worker: Int) {}
    func finishRound(worker: Int) {}
}

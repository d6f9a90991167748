import Synchronization
import Testing
import Workers

/// Cells in a ring: in each round every cell mixes its own value with what its neighbours had in the round before.
///
/// Every third cell is put off until its worker has no other, and is the worker's own until then.
private final class Ring: RoundWork {
    let partCount: Int
    let roundCount: Int
    /// Odd rounds read the odd values and write the even ones.
    private let values: [Cell]
    private let round = Atomic<Int>(0)
    private let disorder: Bool
    private let shared = Atomic<UInt64>(0)
    private let putOff = (0..<16).map { _ in Mailbox<Int>() }

    final class Cell: Sendable {
        let even = Atomic<UInt64>(0)
        let odd = Atomic<UInt64>(0)
        let buildCount = Atomic<Int>(0)
        let runCount = Atomic<Int>(0)

        func value(isOdd: Bool) -> UInt64 {
            isOdd ? odd.load(ordering: .relaxed) : even.load(ordering: .relaxed)
        }

        func set(_ value: UInt64, isOdd: Bool) {
            if isOdd { odd.store(value, ordering: .relaxed) } else { even.store(value, ordering: .relaxed) }
        }
    }

    init(partCount: Int, roundCount: Int, disorder: Bool = false) {
        self.partCount = partCount
        self.roundCount = roundCount
        self.disorder = disorder
        values = (0..<partCount).map { _ in Cell() }
    }

    func build(part: Int) {
        values[part].buildCount.wrappingAdd(1, ordering: .relaxed)
        values[part].odd.store(UInt64(part), ordering: .relaxed)
    }

    func nextRound() -> Bool {
        let finished = round.load(ordering: .relaxed)
        for value in values {
            precondition(value.buildCount.load(ordering: .relaxed) == 1, "every part is built before the first round")
            precondition(value.runCount.load(ordering: .relaxed) == finished, "every part is run once a round")
        }
        round.store(finished + 1, ordering: .relaxed)
        return finished < roundCount
    }

    func run(part: Int, worker: Int) {
        if part % 3 == 2 { putOff[worker].post(part) } else { mix(part) }
    }

    func finishRound(worker: Int) {
        for part in putOff[worker].takeAll() { mix(part) }
    }

    private func mix(_ part: Int) {
        values[part].runCount.wrappingAdd(1, ordering: .relaxed)
        let isOdd = round.load(ordering: .relaxed) % 2 == 1
        func old(_ index: Int) -> UInt64 {
            values[(index + partCount) % partCount].value(isOdd: isOdd)
        }
        var mixed = (old(part - 1) &* 3 &+ old(part) &* 5 &+ old(part + 1) &* 7) ^ 0x9E37_79B9_7F4A_7C15
        if disorder { mixed &+= shared.wrappingAdd(1, ordering: .relaxed).newValue &* UInt64(part + 1) }
        values[part].set(mixed, isOdd: !isOdd)
    }

    var result: [UInt64] {
        values.flatMap { [$0.even.load(ordering: .relaxed), $0.odd.load(ordering: .relaxed)] }
    }
}

@Suite("Rounds")
struct RoundTests {
    private func result(
        workers: Int,
        partCount: Int = 23,
        roundCount: Int = 200,
        disorder: Bool = false
    ) throws -> [UInt64] {
        let ring = Ring(partCount: partCount, roundCount: roundCount, disorder: disorder)
        try RoundDriver(workers: workers, topology: .current()).drive(ring)
        return ring.result
    }

    @Test("any number of workers gives the same result, each part run once a round", arguments: [1, 2, 3, 7, 16])
    func workers(workers: Int) throws {
        for partCount in [1, 2, 23] {
            let reference = try result(workers: 1, partCount: partCount)
            #expect(try result(workers: workers, partCount: partCount) == reference)
        }
    }

    @Test("the negative control: parts that read what threads share give other results")
    func negativeControl() throws {
        let reference = try result(workers: 1, disorder: true)
        #expect((0..<10).contains { _ in (try? result(workers: 2, disorder: true)) != reference })
    }

    @Test("no rounds at all are a run, too", arguments: [1, 3])
    func noRounds(workers: Int) throws {
        #expect(try result(workers: workers, partCount: 2, roundCount: 0) == [0, 0, 0, 1])
    }

    @Test("a worker that cannot start stops the run before it begins")
    func cannotStart() throws {
        let allowed = try CPUTopology.current().allowed + [CPUTopology.CPU(number: 8_191, node: 0)]
        let driver = RoundDriver(workers: allowed.count, topology: CPUTopology(allowed: allowed))
        #expect(throws: WorkerError.cannotStartThread(cpu: 8_191, error: 22)) {
            try driver.drive(Ring(partCount: 4, roundCount: 4))
        }
    }

    @Test("nobody passes a barrier before the last has come", arguments: [1, 2, 3, 7, 16], [false, true])
    func barrier(threads: Int, maySpin: Bool) throws {
        final class Hall: Sendable {
            let barrier: RoundBarrier
            let arrived = Atomic<Int>(0)
            let mistakes = Atomic<Int>(0)
            init(_ barrier: consuming RoundBarrier) { self.barrier = barrier }
        }
        let hall = Hall(try RoundBarrier(threads: threads, maySpin: maySpin))
        let workers = try (0..<threads).map { _ in
            try PinnedThread(cpu: nil) {
                for round in 1...300 {
                    hall.arrived.wrappingAdd(1, ordering: .relaxed)
                    hall.barrier.wait {
                        if hall.arrived.load(ordering: .relaxed) != round * threads {
                            hall.mistakes.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                    if hall.arrived.load(ordering: .relaxed) < round * threads {
                        hall.mistakes.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
        }
        for worker in workers { try worker.join() }
        #expect(hall.mistakes.load(ordering: .relaxed) == 0)
        #expect(hall.arrived.load(ordering: .relaxed) == 300 * threads)
    }
}

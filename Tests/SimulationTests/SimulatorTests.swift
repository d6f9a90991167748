import Primitives
import Simulation
import Testing

@Suite("The simulator")
struct SimulatorTests {
    static let reference = runToyNetwork()

    @Test("a run has events enough to tell anything")
    func size() {
        #expect(Self.reference.windowCounts.events > 10_000)
    }

    @Test("it gives the same run with any number of workers", arguments: [2, 3, 7, 16], [0, 64])
    func workers(workers: Int, smallRound: Int) {
        #expect(runToyNetwork(workers: workers, smallRound: smallRound) == Self.reference)
    }

    @Test(
        "it gives the same run when parts wait for operations that workers gather",
        arguments: [1, 2, 3, 8, 64],
        [1, 2, 3, 7, 16]
    )
    func batches(batchSize: Int, workers: Int) {
        for shardCount in [1, 8, 60] as [UInt32] {
            #expect(runToyNetwork(shardCount: shardCount, workers: workers, batchSize: batchSize) == Self.reference)
        }
    }

    @Test("a batch is carried out when it is full, or when the worker has nothing else to do")
    func fill() {
        let batches = { (batchSize: Int, shardCount: UInt32) in
            runToyNetwork(shardCount: shardCount, batchSize: batchSize).batchCounts
        }
        let operations = batches(1, 1).operations
        #expect(operations > 1_000)
        for batchSize in [1, 2, 8] {
            #expect(batches(batchSize, 1).batches == operations, "one shard alone waits for nobody")
            let counts = batches(batchSize, 60)
            #expect(counts.operations == operations)
            #expect(counts.lanes == LaneUse(calls: counts.batches, steps: operations), "each batch was counted")
            #expect(counts.batches * UInt64(batchSize) >= operations)
            #expect(batchSize == 1 || 2 * counts.batches < 3 * operations / 2)
        }
    }

    @Test("it gives the same run with any partition", arguments: [1, 2, 5, 13, 60] as [UInt32])
    func shards(shardCount: UInt32) {
        #expect(runToyNetwork(shardCount: shardCount) == Self.reference)
        #expect(runToyNetwork(shardCount: shardCount, workers: 3) == Self.reference)
    }

    @Test(
        "it gives the same run with any window up to the lookahead",
        arguments: [1, 70, 500, 1_999, 2_000] as [Int64]
    )
    func windows(microseconds: Int64) {
        #expect(runToyNetwork(window: .microseconds(microseconds)) == Self.reference)
    }

    @Test("windows are counted by what is in them, whoever runs them")
    func windowCounts() {
        let counts = { (workers: Int, shardCount: UInt32) in
            runToyNetwork(shardCount: shardCount, workers: workers).windowCounts
        }
        let alone = counts(1, 1)
        #expect(alone.busiestPartEvents == alone.events, "one shard has all of them")
        let shared = counts(1, 60)
        #expect(shared.windows == alone.windows)
        #expect(shared.events == alone.events)
        #expect(shared.busiestPartEvents * 2 < shared.events)
        #expect(counts(3, 60) == shared)
        #expect(runToyNetwork(window: .microseconds(70)).windowCounts.windows > alone.windows)
    }

    @Test("it gives the same run however often it is looked at", arguments: [1, 33, 5_000] as [Int64])
    func checkpoints(milliseconds: Int64) {
        #expect(runToyNetwork(checkpoints: .milliseconds(milliseconds)) == Self.reference)
    }

    @Test("another seed gives another run, and the log says from when on")
    func seeds() throws {
        let other = runToyNetwork(seed: 8)
        #expect(other.digest != Self.reference.digest)
        #expect(try #require(other.log.firstDifference(from: Self.reference.log)).lowerBound == .zero)
    }

    @Test("the negative control: a node that reads what threads share makes runs differ")
    func negativeControl() {
        let first = runToyNetwork(shardCount: 1, disorder: Disorder())
        let second = runToyNetwork(shardCount: 8, disorder: Disorder())
        #expect(first.digest != second.digest)
        #expect(first.log.firstDifference(from: second.log) != nil)
    }

    @Test("a window that is longer than the lookahead stops the run instead of changing it")
    func tooLong() async {
        await #expect(processExitsWith: .failure) { _ = runToyNetwork(window: .milliseconds(20)) }
    }
}

import Primitives
import Simulation
import Testing

@Suite("The simulator")
struct SimulatorTests {
    static let reference = runToyNetwork()

    @Test("a run has events enough to tell anything")
    func size() {
        #expect(Self.reference.eventCount > 10_000)
    }

    @Test("it gives the same run with any number of workers", arguments: [2, 3, 7, 16], [0, 64])
    func workers(workers: Int, smallRound: Int) {
        #expect(runToyNetwork(workers: workers, smallRound: smallRound) == Self.reference)
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

import Gateway
import Primitives
import Simulation
import Testing

@Suite("A front desk in a run")
struct DeterminismTests {
    static let reference = runDeskWorld(window: DeskUnderTest.shortestDelay)

    @Test("the run has something of everything")
    func variety() {
        let reference = Self.reference
        #expect(reference.desk.eventCount > 10_000)
        for reason in DropReason.allCases where reason != .forged && reason != .keepalive && reason != .useless {
            #expect(reference.metrics[Int(reason.rawValue)] > 5, "\(reason)")
        }
        for operation in PricedOperation.allCases where ![.cookieCheck, .halfOpenExpiry, .eapRound].contains(operation)
        {
            let jobs = reference.metrics[DropReason.allCases.count + Int(operation.rawValue)]
            #expect(jobs > 10, "\(operation)")
        }
    }

    @Test("it decides the same with windows of any length", arguments: [1, 3, 70, 299] as [Int64])
    func windows(microseconds: Int64) {
        #expect(runDeskWorld(window: .microseconds(microseconds)) == Self.reference)
    }

    @Test("it decides the same for any number of shards, heard in any order", arguments: [1, 2, 7, 60] as [UInt32])
    func shards(count: UInt32) {
        #expect(runDeskWorld(shardCount: count, window: DeskUnderTest.shortestDelay) == Self.reference)
        #expect(runDeskWorld(shardCount: count, window: .microseconds(17), deskFirst: false) == Self.reference)
    }

    @Test("another seed gives another run")
    func seeds() {
        let other = runDeskWorld(seed: 6, window: DeskUnderTest.shortestDelay)
        #expect(other.desk != Self.reference.desk)
        #expect(other.log != Self.reference.log)
    }

    @Test("a window longer than the internal latency stops the run")
    func tooLong() async {
        await #expect(processExitsWith: .failure) { _ = runDeskWorld(window: .milliseconds(3)) }
    }
}

extension DeskUnderTest {
    /// The longest window that the toy clients' packets allow.
    static var shortestDelay: Duration { ToyClients.minimumDelay }
}

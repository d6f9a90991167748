import Gateway
import IKEv2
import Primitives
import Testing

@Suite("A gateway that goes down")
struct RestartTests {
    private static func desk(keepsState: Bool, _ change: (inout FrontDeskSettings) -> Void = { _ in }) -> DeskUnderTest
    {
        DeskUnderTest {
            $0.restarts = RestartSchedule([
                .init(down: DeskUnderTest.at(10_000), up: DeskUnderTest.at(20_000), keepsState: keepsState)
            ])
            $0.pool = [IPPrefix("10.0.0.0/8")!]
            change(&$0)
        }
    }

    @Test("what is queued, what runs and what no half can handle any more is dropped", arguments: [true, false])
    func loses(keepsState: Bool) {
        var desk = Self.desk(keepsState: keepsState)
        desk.saInit(8_790, 1)  // ends at 8,990, handled at 9,990
        desk.saInit(8_795, 2)  // ends at 9,190, but nobody handles it at 10,190
        desk.saInit(9_900, 3)  // runs at 10,000
        desk.saInit(9_950, 4)  // waits at 10,000
        desk.saInit(10_000, 5)
        desk.saInit(19_999, 6)
        desk.saInit(20_000, 7)
        #expect(
            desk.run(until: 30_000) == [
                "9990 1 handle", "10190 2 drop(down)", "11000 4 drop(down)",
                "11000 5 drop(down)", "11100 3 drop(down)",
                "20999 6 drop(down)", "21200 7 handle",
            ]
        )
        #expect(desk.desk.metrics.dropped(.down) == 5)
        #expect(desk.desk.halfOpenCount == (keepsState ? 2 : 1))
        // The job that ran worked until the gateway went down.
        #expect(desk.desk.metrics.busyNanoseconds == 700_000)
    }

    @Test("without its state it knows no SPI, has every address free, and hears no report of its former life")
    func withoutState() {
        var desk = Self.desk(keepsState: false)
        desk.report(0, 1, .halfOpened)
        desk.request(10, 1, .ikeAuth, 1)
        desk.report(5_000, 1, .established) { $0.childSAChange = 1 }
        desk.report(10_500, 2, .established)
        desk.request(21_000, 1, .liveness, 2)
        desk.request(22_000, 2, .liveness, 2)
        desk.report(23_000, 3, .halfOpened, boot: 1)
        desk.request(23_500, 3, .ikeAuth, 1)
        #expect(
            desk.run(until: 30_000) == [
                "1210 1 handle 10.0.0.1", "22001 1 drop(unknownSPI)",
                "23001 2 drop(unknownSPI)", "24700 3 handle 10.0.0.1",
            ]
        )
        #expect(desk.desk.activeSACount == 0)
        #expect(desk.desk.metrics.childSAs == 0)
    }

    @Test("with its state, a request that was lost is new when it comes again, and one that was answered is not")
    func withState() {
        var desk = Self.desk(keepsState: true)
        for client in 1...3 as ClosedRange<UInt32> { desk.report(0, client, .established) }
        desk.request(100, 1, .createChild, 4)
        desk.request(9_900, 2, .createChild, 4)
        desk.request(9_901, 3, .createChild, 4)
        for client in 1...3 as ClosedRange<UInt32> { desk.request(20_000 + Int64(client), client, .createChild, 4) }
        #expect(
            desk.run(until: 30_000) == [
                "1250 1 handle", "11000 3 drop(down)", "11050 2 drop(down)",
                "21031 1 handle", "21181 2 handle", "21331 3 handle",
            ]
        )
    }

    @Test("with its state, a half that was only opening is forgotten, and one that waits keeps its address")
    func opening() {
        var desk = Self.desk(keepsState: true)
        desk.report(0, 2, .halfOpened)
        desk.request(9_700, 2, .ikeAuth, 1)
        desk.saInit(9_890, 1)
        desk.saInit(21_000, 1)
        desk.request(22_000, 2, .ikeAuth, 1)
        #expect(
            desk.run(until: 30_000) == [
                "10900 2 drop(down)", "11100 1 drop(down)", "22200 1 handle",
                "23200 2 handle 10.0.0.1",
            ]
        )
        #expect(desk.desk.halfOpenCount == 2)
        #expect(desk.desk.leasedAddressCount == 1)
    }

    @Test("with its state, timers that were due while it was away or in work when it went are due when it is back")
    func timers() {
        var desk = Self.desk(keepsState: true) { $0.cores = 1 }
        let deadlines: [Int64] = [8_990, 9_970, 9_980, 15_000, 20_000]
        for (index, deadline) in deadlines.enumerated() {
            desk.report(0, UInt32(index), .established)
            desk.book(10, UInt32(index), for: deadline, generation: 1)
        }
        // The first ends in time for its half to hear of it at 10,030? No: it is down by then.
        let all = desk.run(until: 30_000)
        #expect(Set(all.map { $0.split(separator: " ")[1] }) == ["0", "1", "2", "3", "4"])
        #expect(all.map { Int($0.split(separator: " ")[0])! } == [21_040, 21_080, 21_120, 21_160, 21_200])
    }

    @Test("a gateway that goes down twice is a new one twice, and keeps its state where it is told to")
    func schedule() {
        let schedule = RestartSchedule([
            .init(down: DeskUnderTest.at(10), up: DeskUnderTest.at(20), keepsState: false),
            .init(down: DeskUnderTest.at(30), up: DeskUnderTest.at(40), keepsState: true),
            .init(down: DeskUnderTest.at(50), up: DeskUnderTest.at(60), keepsState: false),
        ])
        let boots: [(Int64, UInt32, Bool)] = [
            (9, 0, false), (10, 1, true), (19, 1, true), (20, 1, false), (30, 1, true), (49, 1, false), (50, 2, true),
            (99, 2, false),
        ]
        for (time, boot, isDown) in boots {
            #expect(schedule.bootCount(at: DeskUnderTest.at(time)) == boot)
            #expect(schedule.isDown(at: DeskUnderTest.at(time)) == isDown)
        }
    }
}

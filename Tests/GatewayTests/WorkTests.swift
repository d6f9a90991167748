import Gateway
import IKECrypto
import IKEv2
import Metrics
import Primitives
import Testing

@Suite("A front desk's cores")
struct WorkTests {
    @Test("work starts on the first free core, first come, first served")
    func cores() {
        var desk = DeskUnderTest { $0.cores = 2 }
        for client in 1...4 as ClosedRange<UInt32> { desk.saInit(Int64(client), client) }
        #expect(desk.run(until: 5_000) == ["1201 1 handle", "1202 2 handle", "1401 3 handle", "1402 4 handle"])
    }

    @Test("INFORMATIONAL goes before IKE_SA_INIT and CREATE_CHILD_SA, IKE_AUTH behind, refusals before all")
    func priorities() {
        var desk = DeskUnderTest { $0.halfOpen.refuseAbove = 7 }
        for client in 2...6 as ClosedRange<UInt32> { desk.report(0, client, .halfOpened) }
        desk.saInit(1, 1)
        desk.request(2, 2, .ikeAuth, 1)
        desk.saInit(3, 7)
        desk.request(4, 3, .createChild, 1)
        desk.request(5, 4, .liveness, 1)
        desk.request(6, 5, .delete, 1)
        desk.saInit(7, 8)
        #expect(
            desk.run(until: 5_000) == [
                "1201 1 handle", "1206 8 drop(tooManyHalfOpen)", "1256 4 handle", "1326 5 handle",
                "1526 7 handle", "1676 3 handle", "1876 2 handle",
            ]
        )
    }

    @Test("a half does one thing at a time: others pass it over, and its next job keeps its place")
    func serialHalf() {
        var desk = DeskUnderTest { $0.cores = 2 }
        desk.report(0, 1, .established)
        desk.report(0, 2, .established)
        desk.report(0, 3, .established)
        desk.request(10, 1, .createChild, 1)  // 10 to 160 on one core
        desk.request(20, 1, .liveness, 2)  // passed over until 160
        desk.request(30, 2, .liveness, 1)  // 30 to 80 on the other
        desk.request(40, 3, .delete, 1)  // 80 to 150
        desk.request(50, 2, .informational, 2)  // 150 to 200, then passed over for nobody
        desk.request(60, 3, .informational, 2)  // behind the job that came at 20: 200 to 250
        #expect(
            desk.run(until: 5_000) == [
                "1080 2 handle", "1150 3 handle", "1160 1 handle", "1200 2 handle", "1210 1 handle", "1250 3 handle",
            ]
        )
        #expect(desk.desk.metrics.waitedNanoseconds == (0 + 140 + 0 + 40 + 100 + 140) * 1_000)
    }

    @Test("only one core at a time is in the serial section, and waiting for it is not work")
    func serialSection() {
        var desk = DeskUnderTest {
            $0.cores = 3
            $0.serialShare = .percent(40)
        }
        for client in 1...3 as ClosedRange<UInt32> { desk.saInit(0, client) }
        // Sections of 80 from 0, 80 and 160; 120 more each.
        #expect(desk.run(until: 5_000) == ["1200 1 handle", "1280 2 handle", "1360 3 handle"])
        #expect(desk.desk.metrics.busyNanoseconds == 600_000)
    }

    @Test("an operation costs more with each IKE SA that is established when it starts")
    func perActiveSA() {
        var desk = DeskUnderTest(perActiveSA: 1_000)
        for client in 1...5 as ClosedRange<UInt32> { desk.report(0, client, .established) }
        desk.report(0, 9, .halfOpened)
        desk.request(10, 9, .ikeAuth, 1)
        #expect(desk.run(until: 5_000) == ["1215 9 handle"])
        desk.report(6_000, 1, .ended)
        desk.report(6_000, 10, .halfOpened)
        desk.request(6_010, 10, .ikeAuth, 1)
        #expect(desk.run(until: 9_000) == ["7214 10 handle"])
    }

    @Test("what still waits for a half that has ended is looked at and dropped")
    func ended() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.request(10, 7, .delete, 1)
        desk.request(20, 7, .liveness, 2)
        desk.report(30, 7, .ended)
        #expect(desk.run(until: 5_000) == ["1080 7 handle", "1081 7 drop(unknownSPI)"])
        #expect(desk.desk.queueLength == 0)
        #expect(desk.desk.activeSACount == 0)
    }

    @Test("work and waiting are added up by the second in which they happen")
    func series() {
        var desk = DeskUnderTest { $0.cores = 1 }
        desk.saInit(999_900, 1)
        desk.saInit(999_900, 2)
        _ = desk.run(until: 3_000_000)
        let metrics = desk.desk.metrics
        #expect(metrics.busySeries.values == [100_000, 300_000])
        #expect(metrics.queueSeries.values == [100_000, 100_000])
        #expect(metrics.queuePeakSeries.values == [1])
        #expect(metrics.peakQueue == 1)
        #expect(metrics.started == 2)
    }

    @Test("a record takes 64 bytes")
    func memory() {
        #expect(HalfRecord.byteCount == 64)
    }
}

@Suite("A front desk's timers")
struct TimerTests {
    @Test("a half's timer is due at its deadline, and costs what it does")
    func due() {
        let table: [(PricedOperation, Bool, Int64)] = [
            (.ownRequest, false, 40), (.ownRequest, true, 90), (.ownRetransmission, false, 25),
            (.halfOpenExpiry, false, 15),
        ]
        for (operation, hasKeyExchange, price) in table {
            var desk = DeskUnderTest()
            desk.report(0, 7, .established)
            desk.book(
                10,
                7,
                for: 8_000,
                generation: 3,
                operation,
                keyExchange: hasKeyExchange ? .curve25519 : nil
            )
            #expect(desk.run(until: 20_000) == ["\(9_000 + price) 7 timer(generation: 3)"])
        }
    }

    @Test("the latest report's booking counts: later, earlier, or none at all")
    func rebooked() {
        var desk = DeskUnderTest()
        for client in 1...4 as ClosedRange<UInt32> {
            desk.report(0, client, .established)
            desk.book(10, client, for: 8_000, generation: 1)
        }
        desk.book(20, 1, for: 12_000, generation: 2)
        desk.book(20, 2, for: 4_000, generation: 2)
        desk.book(20, 3, for: nil, generation: 2)
        desk.book(20, 4, for: 3_000, generation: 2)
        desk.book(30, 4, for: 8_000, generation: 3)
        #expect(
            desk.run(until: 20_000) == [
                "5040 2 timer(generation: 2)", "9040 4 timer(generation: 3)", "13040 1 timer(generation: 2)",
            ]
        )
    }

    @Test("a report without a newer booking leaves the old one")
    func kept() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.book(10, 7, for: 8_000, generation: 2)
        desk.report(20, 7)
        desk.book(30, 7, for: 3_000, generation: 2)
        #expect(desk.run(until: 20_000) == ["9040 7 timer(generation: 2)"])
    }

    @Test("a deadline that has passed when it is reported is due at once")
    func late() {
        var desk = DeskUnderTest()
        desk.report(0, 7, .established)
        desk.book(5_000, 7, for: 4_500, generation: 1)
        #expect(desk.run(until: 20_000) == ["6040 7 timer(generation: 1)"])
    }

    @Test("a timer that waits for a core is withdrawn when its half books another one or ends")
    func withdrawn() {
        var desk = DeskUnderTest()
        for client in 1...2 as ClosedRange<UInt32> {
            desk.report(0, client, .established)
            desk.book(10, client, for: 5_000, generation: 1)
        }
        desk.saInit(4_990, 3)
        desk.book(5_100, 1, for: 9_000, generation: 2)
        desk.report(5_100, 2, .ended)
        #expect(desk.run(until: 20_000) == ["6190 3 handle", "10040 1 timer(generation: 2)"])
        #expect(desk.desk.queueLength == 0)
    }

    @Test("timers take no room in the receive queue")
    func room() {
        var desk = DeskUnderTest { $0.queuePackets = 1 }
        desk.report(0, 1, .established)
        desk.book(10, 1, for: 100, generation: 1)
        desk.saInit(50, 2)
        desk.saInit(110, 3)
        desk.saInit(120, 4)
        #expect(
            desk.run(until: 20_000) == [
                "1120 4 drop(queueFull)", "1250 2 handle", "1290 1 timer(generation: 1)",
                "1490 3 handle",
            ]
        )
    }
}

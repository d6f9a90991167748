import Gateway
import Metrics
import Primitives
import Simulation
import Testing

@Suite("A gateway's ESP pool")
struct ESPPoolTests {
    /// A packet takes 10 us, and 10 us more for each 1,000 octets.
    private static func desk(
        cores: Int,
        queue: Int = 100,
        _ change: (inout FrontDeskSettings) -> Void = { _ in }
    ) -> DeskUnderTest {
        DeskUnderTest { settings in
            settings.esp = ESPPoolSettings(
                cores: cores,
                queuePackets: queue,
                perPacket: .microseconds(10),
                perKilobyte: .microseconds(10)
            )
            change(&settings)
        }
    }

    @Test("serves who comes first, and sends away who finds the queue full")
    func queues() {
        var desk = Self.desk(cores: 1, queue: 2)
        desk.packet(2_000, 1)
        desk.packet(2_000, 2, isFromBehind: true)
        desk.packet(2_005, 3, byteCount: 2_000)
        desk.packet(2_010, 4)
        desk.packet(2_010, 5, isFromBehind: true)
        // One has got its core by now.
        desk.packet(2_020, 6)
        desk.packet(5_000, 7)
        #expect(
            desk.run(until: 20_000) == [
                "3010 4 losePacket(queueFull, isFromBehind: false)", "3010 5 losePacket(queueFull, isFromBehind: true)",
                "3020 1 openPacket", "3040 2 sealPacket", "3070 3 openPacket", "3090 6 openPacket", "6020 7 openPacket",
            ]
        )
        let metrics = desk.desk.metrics.esp
        #expect(metrics.served == 5 && metrics.queueFull == 2 && metrics.lost == 0)
        #expect(metrics.waitedNanoseconds == (0 + 20 + 35 + 50 + 0) * 1_000)
        #expect(metrics.busyNanoseconds == (20 + 20 + 30 + 20 + 20) * 1_000)
        #expect(metrics.peakQueue == 2)
        #expect(desk.desk.metrics.arrivals == 0 && desk.desk.metrics.busyNanoseconds == 0)
    }

    @Test("keeps the packets of one client and direction in order, and lets others pass")
    func keepsOrder() {
        var desk = Self.desk(cores: 4)
        desk.packet(2_000, 1, byteCount: 9_000)
        desk.packet(2_000, 1, byteCount: 1_000)
        desk.packet(2_000, 1, byteCount: 1_000, isFromBehind: true)
        desk.packet(2_000, 2, byteCount: 1_000)
        // The core of the second packet was free before that left.
        desk.packet(2_021, 3, byteCount: 1_000)
        #expect(
            desk.run(until: 20_000) == [
                "3020 1 sealPacket", "3020 2 openPacket", "3041 3 openPacket", "3100 1 openPacket", "3100 1 openPacket",
            ]
        )
        #expect(desk.desk.metrics.esp.waitedNanoseconds == 0)
    }

    @Test(
        "prices each octet, to the nanosecond",
        arguments: [(72, 10_720), (1, 10_010), (0, 10_000), (9_000, 100_000)]
    )
    func prices(byteCount: UInt32, nanoseconds: Int64) {
        let settings = ESPPoolSettings(
            cores: 1,
            queuePackets: 1,
            perPacket: .microseconds(10),
            perKilobyte: .microseconds(10)
        )
        #expect(settings.service(byteCount: byteCount) == .nanoseconds(nanoseconds))
    }

    @Test("loses what waits, what it works on and what nobody could take any more when the gateway goes down")
    func restarts() {
        var desk = Self.desk(cores: 1) { settings in
            settings.restarts = RestartSchedule([
                .init(down: DeskUnderTest.at(10_000), up: DeskUnderTest.at(20_000), keepsState: true),
                .init(down: DeskUnderTest.at(30_000), up: DeskUnderTest.at(30_001), keepsState: false),
            ])
        }
        desk.packet(8_900, 1)
        desk.packet(8_985, 2)  // done at 9,005, and nobody takes it at 10,005
        desk.packet(9_990, 3)  // in work at 10,000
        desk.packet(9_995, 4)  // waits at 10,000
        desk.packet(10_000, 5)
        desk.packet(19_999, 6, isFromBehind: true)
        desk.packet(22_000, 3)
        desk.packet(30_500, 7)  // on its way to the desk when it went down
        desk.packet(31_000, 7)
        let lost = "losePacket(down, isFromBehind: false)"
        #expect(
            desk.run(until: 50_000) == [
                "9920 1 openPacket", "10005 2 \(lost)", "11000 3 \(lost)", "11000 4 \(lost)", "11000 5 \(lost)",
                "20999 6 losePacket(down, isFromBehind: true)", "23020 3 openPacket", "31500 7 \(lost)",
                "32020 7 openPacket",
            ]
        )
        let metrics = desk.desk.metrics.esp
        #expect(metrics.lost == 6 && metrics.queueFull == 0)
        #expect(metrics.busyNanoseconds == (20 + 20 + 10 + 20 + 20) * 1_000)
    }

    @Test("work, waiting and the longest queue are told by the second in which they were")
    func series() {
        var desk = Self.desk(cores: 1)
        for _ in 0..<3 { desk.packet(999_990, 1) }
        _ = desk.run(until: 3_000_000)
        let metrics = desk.desk.metrics.esp
        #expect(metrics.busySeries.values == [10_000, 50_000])
        #expect(metrics.queuePeakSeries.values == [2])
    }

    @Test("does with any packets what the plain way of serving them does", arguments: [1, 2, 3, 8])
    func plainWay(cores: Int) {
        var draws = RandomStream(seed: UInt64(cores), entity: 1, purpose: .test)
        var desk = Self.desk(cores: cores, queue: 5)
        var expected: [(order: Int64, client: UInt32, count: Int, action: String)] = []
        var freeAt = [Int64](repeating: 0, count: cores)
        var starts: [Int64] = []
        var leftAt: [UInt32: Int64] = [:]
        var now: Int64 = 2_000
        for count in 0..<3_000 {
            now += 1 + Int64(draws.below(UInt64(60 / cores)))
            let client = UInt32(draws.below(4))
            let isFromBehind = draws.below(2) == 0
            let byteCount = Int64(draws.below(9)) * 1_000
            desk.packet(now, client, byteCount: UInt32(byteCount), isFromBehind: isFromBehind)
            let core = freeAt.indices.min { freeAt[$0] < freeAt[$1] } ?? 0
            let start = max(now, freeAt[core])
            var leaving = now
            var action = isFromBehind ? "sealPacket" : "openPacket"
            if start > now, starts.count(where: { $0 > now }) >= 5 {
                action = "losePacket(queueFull, isFromBehind: \(isFromBehind))"
            } else {
                starts.append(start)
                freeAt[core] = start + 10 + byteCount / 100
                leaving = freeAt[core]
            }
            let key = client * 2 + (isFromBehind ? 1 : 0)
            leaving = max(leaving, leftAt[key] ?? 0)
            leftAt[key] = leaving
            expected.append((leaving + 1_000, client, count, action))
        }
        expected.sort { ($0.order, $0.count) < ($1.order, $1.count) }
        #expect(desk.run(until: now + 1_000_000) == expected.map { "\($0.order) \($0.client) \($0.action)" })
        #expect(expected.contains { $0.action.hasPrefix("lose") } && starts.count > 1_000)
    }
}

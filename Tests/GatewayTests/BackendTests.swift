import Gateway
import IKEv2
import Primitives
import Testing

@Suite("A server behind a front desk decides about EAP")
struct BackendTests {
    /// A desk whose server takes 2,000 for an answer, and is asked twice, after 5,000 and 10,000.
    private static func desk(
        sockets: Int = 10,
        workers: Int? = 10,
        cores: Int = 2,
        outage: Range<Int64>? = nil,
        _ change: (inout FrontDeskSettings) -> Void = { _ in }
    ) -> DeskUnderTest {
        var backend = BackendSettings(
            latency: .constant(.milliseconds(2)),
            sockets: sockets,
            workers: workers,
            waits: [.milliseconds(5), .milliseconds(10)]
        )
        if let outage { backend.outages = [DeskUnderTest.at(outage.lowerBound)..<DeskUnderTest.at(outage.upperBound)] }
        var desk = DeskUnderTest {
            $0.cores = cores
            $0.backend = backend
            change(&$0)
        }
        for client in 1...5 as ClosedRange<UInt32> { desk.report(0, client, .halfOpened) }
        return desk
    }

    @Test("a round of EAP waits for it with its core free, IKE_AUTH at the end does not")
    func waits() {
        var desk = Self.desk(cores: 1)
        desk.request(10, 1, .eap, 1)  // 10 to 70, answered at 2,070
        desk.request(20, 2, .eap, 1)  // 70 to 130, answered at 2,130
        desk.request(30, 3, .ikeAuth, 1)  // 130 to 330
        #expect(desk.run(until: 9_000) == ["1330 3 handle", "3070 1 handle", "3130 2 handle"])
        #expect(desk.desk.metrics.jobs(.eapRound) == 2)
        #expect(desk.desk.metrics.backendRequests == 2)
        #expect(desk.desk.metrics.backendSilences == 0)
        #expect(desk.desk.metrics.busyNanoseconds == 320_000)
    }

    @Test("a half's next request waits until the last one is decided")
    func serialHalf() {
        var desk = Self.desk()
        desk.request(10, 1, .eap, 1)
        desk.request(15, 1, .eap, 1)  // the same again, which is in work
        desk.request(20, 1, .eap, 2)  // passed over until 2,070
        #expect(desk.run(until: 9_000) == ["1016 1 drop(inWork)", "3070 1 handle", "5130 1 handle"])
    }

    @Test("no more requests wait for an answer than there are sockets")
    func sockets() {
        var desk = Self.desk(sockets: 1)
        for client in 1...3 as ClosedRange<UInt32> { desk.request(Int64(client), client, .eap, 1) }
        // Sent at 61, 2,061 and 4,061.
        #expect(desk.run(until: 9_000) == ["3061 1 handle", "5061 2 handle", "7061 3 handle"])
    }

    @Test("workers that wait for the server do nothing else")
    func workers() {
        var desk = Self.desk(workers: 2)
        desk.request(10, 1, .eap, 1)
        desk.request(10, 2, .eap, 1)
        desk.request(100, 3, .ikeAuth, 1)  // from 2,070 on
        #expect(desk.run(until: 9_000) == ["3070 1 handle", "3070 2 handle", "3270 3 handle"])
        var free = Self.desk(workers: nil)
        free.request(10, 1, .eap, 1)
        free.request(10, 2, .eap, 1)
        free.request(100, 3, .ikeAuth, 1)
        #expect(free.run(until: 9_000) == ["1300 3 handle", "3070 1 handle", "3070 2 handle"])
    }

    @Test("in an outage a request is sent again by the schedule, and at its end has no answer")
    func outage() {
        var short = Self.desk(outage: 0..<4_000)
        short.request(10, 1, .eap, 1)  // sent at 70 and 5,070
        #expect(short.run(until: 20_000) == ["8070 1 handle"])
        var long = Self.desk(outage: 0..<8_000)
        long.request(10, 1, .eap, 1)
        #expect(long.run(until: 20_000) == ["16070 1 handleWithoutBackend"])
        #expect(long.desk.metrics.backendSilences == 1)
    }

    @Test("a gateway that goes down forgets what it has asked", arguments: [true, false])
    func restart(keepsState: Bool) {
        var desk = Self.desk(workers: 1) {
            $0.restarts = RestartSchedule([
                .init(down: DeskUnderTest.at(1_500), up: DeskUnderTest.at(2_500), keepsState: keepsState)
            ])
        }
        desk.request(10, 1, .eap, 1)
        #expect(desk.run(until: 2_500) == ["3070 1 drop(down)"])
        // The one worker is free again.
        if !keepsState { desk.report(2_600, 2, .halfOpened, boot: 1) }
        desk.request(3_500, 2, .liveness, 1)
        #expect(desk.run(until: 9_000) == ["4550 2 handle"])
    }
}

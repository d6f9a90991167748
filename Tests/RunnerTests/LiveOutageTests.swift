import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

/// What a client's own doing costs its packets in real time: to move, and to authenticate anew.
@Suite("What events cost packets, in real time over loopback", .serialized)
struct LiveOutageTests {
    /// Ten clients, and of each a packet in 10 ms.
    ///
    /// - Returns: What was measured, and by how many nanoseconds it may be more where this machine was late.
    private func measure(_ values: LoopbackWorkload) throws -> (measured: Measurements, lateness: UInt64) {
        var values = values
        (values.count, values.rate) = (10, "100/s")
        values.traffic = "traffic: { calls: { population: laptops, echo: true, up: { packets: 100/s, size: 200B } } }"
        let workload = try values.validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        #expect(result.leftBehind == 0)
        let measured = try #require(result.measurements.first)
        let (offered, lost) = (measured.counter(.trafficOffered).total, measured.counter(.trafficLost).total)
        #expect(measured.counter(.trafficReceived).total + lost == offered)
        let (timers, sends, receives) = (result.lateness.timers, result.lateness.sends, result.lateness.receives)
        let late = [timers, sends, receives].compactMap(\.maximum).max()
        return (measured, UInt64((late ?? .zero).nanoseconds) * 2)
    }

    @Test(
        "a move with MOBIKE costs what is on its way, and without it the time of a handshake too",
        arguments: [true, false]
    )
    func move(isMobile: Bool) throws {
        let (measured, lateness) = try measure(
            LoopbackWorkload(
                duration: "3s",
                path: "{ one-way-delay: 20ms }\n  lte: { one-way-delay: 20ms, nat: { preset: linux-conntrack } }",
                faults: "faults: { leave: { kind: move, at: 1s, over: 500ms, population: laptops, to: lte } }",
                mobike: isMobile
            )
        )
        #expect(measured.counter(.mobikeMoves).total == 10)
        #expect(measured.counter(.mobikeUpdates).total == (isMobile ? 10 : 0))
        #expect(measured.counter(.handshakeEstablished).total == (isMobile ? 10 : 20))
        let (outage, gap) = (measured.latency(.mobikeOutage), measured.latency(.mobikeGap))
        #expect(outage.count == 10 && gap.count == 10)
        // What is on its way to the gateway is answered to the address of before: two packets in 20 ms. Without MOBIKE
        // no answer comes that is on its way, and none leaves for two round trips of 40 ms: twelve.
        #expect(outage.mean >= (isMobile ? 10_000_000 : 60_000_000), "\(outage)")
        #expect(outage.maximum <= (isMobile ? 200_000_000 : 500_000_000) + lateness, "\(outage)")
        #expect(gap.minimum > 0 && gap.maximum >= outage.mean, "\(gap)")
        #expect(gap.maximum <= (isMobile ? 300_000_000 : 600_000_000) + lateness, "\(gap)")
        // Nothing else loses a packet, and each is 10 ms of its flow.
        let lost = Double(measured.counter(.trafficLost).total)
        #expect(abs(Double(outage.mean) * Double(outage.count) - lost * 10_000_000) <= 10, "\(outage), \(lost) lost")
    }

    @Test(
        "a reauthentication that breaks before it makes costs three round trips, the other order one at most",
        arguments: ["break-before-make", "make-before-break"]
    )
    func reauthentication(order: String) throws {
        let (measured, lateness) = try measure(
            LoopbackWorkload(
                duration: "4s",
                path: "{ one-way-delay: 20ms }",
                settings: "reauthentication: { every: 2s, jitter: 0%, order: \(order) }"
            )
        )
        let established = measured.counter(.reauthenticationEstablished).total
        #expect(established >= 10 && measured.counter(.reauthenticationFailed).byReason == [])
        let (outage, gap) = (measured.latency(.reauthenticationOutage), measured.latency(.reauthenticationGap))
        #expect(outage.count >= established && gap.count == outage.count)
        if order == "make-before-break" {
            // Answers under the old one that are on their way when it is deleted: four in 40 ms.
            #expect(outage.maximum <= 80_000_000 + lateness, "\(outage)")
        } else {
            // Its Delete, IKE_SA_INIT and IKE_AUTH are 120 ms on their way.
            #expect(outage.mean >= 100_000_000 && outage.maximum <= 500_000_000 + lateness, "\(outage)")
        }
        #expect(gap.maximum <= 600_000_000 + lateness, "\(gap)")
        // What comes after it is no first packet.
        #expect(measured.latency(.trafficFirstPacket).count == 10)
    }
}

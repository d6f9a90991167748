import Metrics
import Results
import Runner
import Testing

/// RFC 4303 section 3.4.3 in a run: packets that come so late that their number has left the window.
@Suite("Anti-replay windows over a path that reorders, in virtual time")
struct ReplayWindowRunTests {
    /// What each end drops, and what is lost each way, of 1,000 packets a second of which each twentieth comes behind a
    /// hundred later ones.
    private static func run(client: Int?, gateway: Int?) throws -> [Measurements] {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }")
        setting.path = "one-way-delay: 20ms, reordering: { share: 5%, extra-delay: 100ms }"
        (setting.up, setting.down) = ("{ packets: 1000/s, size: 72B }", "{ packets: 1000/s, size: 72B }")
        if let client { setting.profile = "replay-window: \(client)" }
        if let gateway { setting.policy = "replay-window: \(gateway)" }
        let text = setting.text.replacing("count: 30", with: "count: 2")
            .replacing("duration: 60s", with: "duration: 5s")
        return try simulate(text).measurements
    }

    @Test(
        "drop what is left of a narrow one, at the end that has it, and nothing where it is wide",
        arguments: [
            (client: 32, gateway: 32, down: true, up: true), (nil, nil, true, true), (32, 4_096, true, false),
            (4_096, 32, false, true), (128, 128, false, false), (4_096, 4_096, false, false),
        ] as [(client: Int?, gateway: Int?, down: Bool, up: Bool)]
    )
    func windows(_ setting: (client: Int?, gateway: Int?, down: Bool, up: Bool)) throws {
        let measured = try Self.run(client: setting.client, gateway: setting.gateway)
        let all = try #require(measured.first)
        #expect(all.counter(.trafficReordered).total > 0 || setting.up && setting.down)
        for (way, drops) in [("up", setting.up), ("down", setting.down)] {
            let flow = try #require(measured.first { $0.scope == MeasurementScope(flow: "office/\(way)") })
            let lost = flow.counter(.trafficLost)
            // Some 5 % of 10,000 packets less what their tunnels' first seconds take.
            #expect(drops ? (350...600).contains(lost.total) : lost.total == 0, "\(way): \(lost.total)")
            #expect(lost.byReason.map(\.name) == (drops ? ["too-old"] : []))
        }
        let lost = all.counter(.trafficLost).total
        #expect(all.counter(.espDropped).total == lost)
        // What is on its way at the end has been so for 120 ms at most.
        let missing = all.counter(.trafficOffered).total - all.counter(.trafficReceived).total - lost
        #expect(missing <= 2 * 2 * 120)
    }
}

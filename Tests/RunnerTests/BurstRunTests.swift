import Metrics
import Primitives
import Results
import Testing

@Suite("Traffic in bursts, in virtual time")
struct BurstRunTests {
    private func setting(burst: String, pause: String) -> TrafficRunTests.Setting {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }")
        setting.path = "one-way-delay: 20ms"
        setting.flow =
            "pattern: on-off, burst: \(burst), pause: \(pause), "
            + "up: { packets: 100/s, size: 200B }, down: { packets: 100/s, size: 200B }"
        return setting
    }

    @Test(
        "flows for the share of the time that its bursts are",
        arguments: [("1s", "1s", 0.5), ("400ms", "1600ms", 0.2), ("3s", "1s", 0.75)]
    )
    func share(burst: String, pause: String, share: Double) throws {
        let measured = try setting(burst: burst, pause: pause).measured()
        // 30 clients come within 1.5 s, for a minute, both ways.
        let most = 30.0 * 59 * 200
        let offered = Double(measured.counter(.trafficOffered).total)
        #expect((0.9 * share...1.1 * share).contains(offered / most))
        #expect(measured.counter(.trafficLost).byReason == [])
    }

    @Test("a burst is evenly spaced, and begins with a packet")
    func spacing() throws {
        // Bursts that are shorter than what is between two packets have the first one only.
        let measured = try setting(burst: "1us", pause: "1s").measured()
        let offered = Double(measured.counter(.trafficOffered).total)
        #expect((0.9...1.1).contains(offered / (2 * 30 * 59)))
    }

    @Test("bursts are the same for every number of workers, and with modelled cryptography")
    func isDeterministic() throws { try expectNoTrace(of: 3, in: setting(burst: "1s", pause: "2s").text) }
}

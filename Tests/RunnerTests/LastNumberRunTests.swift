import IKEWire
import Metrics
import Primitives
import Results
import Runner
import Testing

/// RFC 4303 section 3.3.3 in a run: sequence numbers come to an end.
@Suite("The last sequence numbers of Child SAs, in virtual time")
struct LastNumberRunTests {
    /// How many numbers are left when a rekey is due.
    private static let reserve: UInt64 = 1 << 26
    private static let last = UInt64(UInt32.max)

    /// What has been measured, and of each Child SA how many packets a client has sent on it.
    private static func run(
        behind number: UInt64,
        proposal: String = "aes128gcm16",
        policy: String = "subnets: []"
    ) throws -> (measured: Measurements, packets: [UInt64]) {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }", proposal: proposal)
        setting.path = "one-way-delay: 20ms"
        setting.policy = policy
        setting.flow = "up: { packets: 20/s, size: 200B }"
        var counts: [UInt64: UInt64] = [:]
        let sinks = RunSinks(packet: { packet in
            guard packet.source.port == 0 else { return }
            let spi = packet.octets.prefix(4).reduce(UInt64(packet.client ?? 0)) { $0 << 8 | UInt64($1) }
            counts[spi, default: 0] += 1
        })
        let text = setting.text.replacing("duration: 60s", with: "duration: 30s")
        let outcome = try simulate(text, sinks: sinks) { $0.overrides.sequenceNumber = number }
        return (try #require(outcome.measurements.first), counts.values.sorted())
    }

    @Test("are far away when a Child SA is rekeyed that no lifetime has ended, and nothing is lost")
    func rekeys() throws {
        // 100 packets are five seconds.
        let found = try Self.run(behind: Self.last - Self.reserve - 100)
        #expect((30 * 4...30 * 6).contains(found.measured.counter(.childRekeyEstablished).total))
        #expect(found.measured.counter(.childRekeyFailed).byReason == [])
        #expect(found.measured.counter(.trafficLost).byReason == [])
        #expect(found.measured.counter(.espDropped).byReason == [])
        // What follows the hundredth goes on by the old one until the new one is there.
        #expect(try #require(found.packets.last) <= 110)
        #expect(found.packets.count { $0 >= 100 } >= 30 * 4)
    }

    @Test("end a Child SA that cannot be rekeyed: behind the last one nothing is sent, and none comes twice")
    func ends() throws {
        let found = try Self.run(behind: Self.last - 50, policy: "refused-child-rekeys: 100%")
        #expect(found.measured.counter(.childRekeyEstablished).total == 0)
        #expect(found.packets == Array(repeating: 50, count: 30))
        #expect(found.measured.counter(.trafficReceived).total == 30 * 50)
        let lost = found.measured.counter(.trafficLost)
        #expect(lost.byReason.map(\.name) == ["no-tunnel"])
        #expect(lost.total == found.measured.counter(.trafficOffered).total - 30 * 50)
    }

    @Test("are only those of 32 bits: with 64 a Child SA goes on behind them")
    func extended() throws {
        let found = try Self.run(behind: Self.last - 50, proposal: "aes128gcm16-esn")
        #expect(found.measured.counter(.childRekeyEstablished).total == 0)
        #expect(found.measured.counter(.trafficLost).byReason == [])
        #expect(found.measured.counter(.espDropped).byReason == [])
        #expect(found.packets.count == 30 && found.packets.allSatisfy { $0 > 500 })
    }
}

import IKEWire
import Metrics
import Primitives
import Results
import Runner
import Testing

/// RFC 4303 sections 2.6 and 2.7 in a run: what looks on at a tunnel sees neither how long packets are nor how many.
@Suite("TFC padding and dummy packets, in virtual time")
struct PaddingRunTests {
    /// What has been measured, and the lengths of all ESP packets that left either end: how many of each.
    private static func run(
        _ flow: String,
        esp: String = "",
        _ change: (inout TrafficRunTests.Setting) -> Void = { _ in }
    ) throws -> (measured: Measurements, up: [Int: UInt64], down: [Int: UInt64]) {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8s, jitter: 10% }")
        setting.flow = flow
        change(&setting)
        let text = setting.text.replacing("cores: 2,", with: "cores: 2, \(esp)")
            .replacing("duration: 60s", with: "duration: 20s")
        var (up, down): ([Int: UInt64], [Int: UInt64]) = ([:], [:])
        let sinks = RunSinks(packet: { packet in
            guard packet.source.port == 0 else { return }
            if packet.destination.address.description == "192.0.2.1" {
                up[packet.octets.count, default: 0] += 1
            } else {
                down[packet.octets.count, default: 0] += 1
            }
        })
        let outcome = try simulate(text, sinks: sinks)
        return (try #require(outcome.measurements.first), up, down)
    }

    /// A payload with the header, the IV, padding to 4 octets with its 2 octets, and the integrity value.
    private static func sealed(_ byteCount: Int) -> Int { 8 + 8 + (byteCount + 2 + 3) / 4 * 4 + 16 }

    /// Nothing is lost, and what is on its way at the end is less than this.
    private func expectAll(_ measured: Measurements, _ location: SourceLocation = #_sourceLocation) {
        let (offered, received) = (measured.counter(.trafficOffered).total, measured.counter(.trafficReceived).total)
        #expect(measured.counter(.trafficLost).byReason == [], sourceLocation: location)
        #expect(received > 5_000 && offered >= received && offered - received <= 400, sourceLocation: location)
        #expect(measured.counter(.trafficDuplicated).total == 0, sourceLocation: location)
        #expect(measured.counter(.childRekeyEstablished).total >= 30, sourceLocation: location)
    }

    /// A dummy follows each tenth packet of a flow, and is dropped where it comes out.
    private func expectDummies(_ measured: Measurements, _ location: SourceLocation = #_sourceLocation) {
        let (offered, dropped) = (measured.counter(.trafficOffered).total, measured.counter(.espDropped))
        #expect(dropped.byReason.map(\.name) == ["dummy"], sourceLocation: location)
        // Of 60 flows each may be short of its next dummy, and have one on its way.
        #expect(dropped.total * 10 <= offered && dropped.total * 10 + 60 * 20 >= offered, sourceLocation: location)
    }

    private static let both =
        "up: { packets: 20/s, size: { uniform: [72B, 1400B] } }, down: { packets: 20/s, size: imix }"

    @Test(
        "hide how long packets are, each way, and lose none",
        arguments: ["", "esp: { cores: 2, per-packet: 1us, per-kilobyte: 1us },"]
    )
    func hides(esp: String) throws {
        let found = try Self.run("padding: 1400B, dummies: 10, \(Self.both)", esp: esp)
        expectAll(found.measured)
        expectDummies(found.measured)
        #expect(found.up.keys.sorted() == [Self.sealed(1_400)])
        #expect(found.down.keys.sorted() == [Self.sealed(1_400)])
        // All that was offered, and the dummies: those that have come, and at most one of each flow that has not.
        let dropped = found.measured.counter(.espDropped).total
        let sent = found.up.values.reduce(0, +) + found.down.values.reduce(0, +)
        let offered = found.measured.counter(.trafficOffered).total
        #expect(sent >= offered + dropped - 60 && sent <= offered + dropped + 60)
    }

    @Test("pad what is shorter and leave what is longer as it is; without them every length is seen")
    func partly() throws {
        let mix = "up: { packets: 20/s, size: { mix: { 72B: 1, 600B: 1, 1400B: 1 } } }"
        let padded = try Self.run("padding: 600B, \(mix)")
        expectAll(padded.measured)
        #expect(padded.up.keys.sorted() == [600, 1_400].map(Self.sealed))
        #expect(padded.measured.counter(.espDropped).byReason == [])
        let plain = try Self.run(mix)
        #expect(plain.up.keys.sorted() == [72, 600, 1_400].map(Self.sealed))
    }

    @Test("are as long without padding as the packets that they follow")
    func unpadded() throws {
        let found = try Self.run("dummies: 10, \(Self.both)")
        expectAll(found.measured)
        expectDummies(found.measured)
        #expect(found.up.count > 100 && found.up.keys.allSatisfy { $0 <= Self.sealed(1_400) })
        #expect(found.down.keys.sorted() == [72, 576, 1_400].map(Self.sealed))
    }

    @Test(
        "are of answers, too, which look as long as what they answer and have no dummies of their own",
        arguments: ["", "esp: { cores: 2, per-packet: 1us },"]
    )
    func answers(esp: String) throws {
        for kind in ["udp", "icmp"] {
            let flow = "protocol: \(kind), echo: true, padding: 1400B, dummies: 10, up: { packets: 20/s, size: imix }"
            let found = try Self.run(flow, esp: esp)
            expectAll(found.measured)
            expectDummies(found.measured)
            #expect(found.up.keys.sorted() == [Self.sealed(1_400)])
            #expect(found.down.keys.sorted() == [Self.sealed(1_400)])
            // An answer is received, or on its way.
            let answers = try #require(found.down[Self.sealed(1_400)])
            let received = found.measured.counter(.trafficReceived).total
            #expect(answers >= received && answers - received <= 200)
        }
    }

    @Test("look alike in transport mode, where there is no inner IP header")
    func transport() throws {
        let found = try Self.run("padding: 1400B, dummies: 10, \(Self.both)") { setting in
            (setting.profile, setting.policy) = ("mode: transport", "mode: transport")
        }
        expectAll(found.measured)
        expectDummies(found.measured)
        #expect(found.up.keys.sorted() == [Self.sealed(1_380)] && found.down.keys.sorted() == [Self.sealed(1_380)])
    }

    @Test("are missed by nobody where a path loses and doubles packets")
    func missed() throws {
        let found = try Self.run("padding: 1400B, dummies: 1, \(Self.both)") { setting in
            setting.path = "one-way-delay: 20ms, loss: { random: 10% }, duplication: 10%"
        }
        let (offered, lost) = (found.measured.counter(.trafficOffered).total, found.measured.counter(.trafficLost))
        let received = found.measured.counter(.trafficReceived).total
        #expect(lost.byReason.map(\.name) == ["lost"])
        // With lost dummies among them, there would be more than were offered.
        #expect(received + lost.total <= offered && received + lost.total + 400 >= offered)
        #expect(found.measured.counter(.espDropped).byReason.map(\.name).sorted() == ["dummy", "replayed"])
    }

    @Test("leave no trace of workers, shards and modelled cryptography", arguments: [2, 3])
    func sameWithAnyWorkers(workers: Int) throws {
        var setting = TrafficRunTests.Setting()
        setting.flow = "padding: 1000B, dummies: 3, \(Self.both)"
        try expectNoTrace(of: workers, in: setting.text)
    }
}

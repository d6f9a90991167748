import Metrics
import Primitives
import Runner
import Testing
import Workload

@Suite("The sizes of packets that flow, in virtual time")
struct PacketSizeRunTests {
    /// How many ESP packets of each length leave the clients, each way.
    private static func lengths(up: String, down: String) throws -> (up: [Int: Int], down: [Int: Int], digest: String) {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 8h }")
        (setting.up, setting.down) = ("{ packets: 20/s, size: \(up) }", "{ packets: 20/s, size: \(down) }")
        var counts: (up: [Int: Int], down: [Int: Int]) = ([:], [:])
        let sinks = RunSinks(packet: { packet in
            guard packet.source.port == 0 else { return }
            if packet.destination.address.description == "192.0.2.1" {
                counts.up[packet.octets.count, default: 0] += 1
            } else {
                counts.down[packet.octets.count, default: 0] += 1
            }
        })
        let outcome = try simulate(setting.text, sinks: sinks)
        return (counts.up, counts.down, outcome.digest)
    }

    /// An inner packet with the header, the IV, padding to 4 octets with its 2 octets, and the integrity value.
    private static func sealed(_ byteCount: Int) -> Int { 8 + 8 + (byteCount + 2 + 3) / 4 * 4 + 16 }

    @Test("of a mix are as often as their weights say, in either direction")
    func mix() throws {
        let found = try Self.lengths(
            up: "{ mix: { 1400B: 1, 72B: 5, 200B: 2 } }",
            down: "{ mix: { 9000B: 9, 72B: 1 } }"
        )
        for (counts, weights) in [(found.up, [72: 5, 200: 2, 1400: 1]), (found.down, [72: 1, 9000: 9])] {
            #expect(counts.keys.sorted() == weights.keys.map(Self.sealed).sorted())
            let total = Double(counts.values.reduce(0, +))
            #expect(total > 30_000)
            let sum = Double(weights.values.reduce(0, +))
            for (byteCount, weight) in weights {
                let share = Double(weight) / sum
                let count = Double(counts[Self.sealed(byteCount)] ?? 0)
                // Four standard deviations of a binomial distribution.
                #expect(abs(count - total * share) < 4 * (total * share * (1 - share)).squareRoot(), "\(byteCount) B")
            }
        }
    }

    @Test("between two bounds are each as often as the others, the bounds among them")
    func uniform() throws {
        // Four lengths are padded to one; with 2 more octets they begin at 74.
        let found = try Self.lengths(up: "{ uniform: [75B, 154B] }", down: "{ uniform: [576B, 576B] }")
        #expect(found.down.keys.sorted() == [Self.sealed(576)])
        #expect(found.up.count == 20)
        #expect(found.up.keys.min() == Self.sealed(75) && found.up.keys.max() == Self.sealed(154))
        let total = Double(found.up.values.reduce(0, +))
        #expect(total > 30_000)
        let squares = found.up.values.reduce(0.0) { $0 + (Double($1) - total / 20) * (Double($1) - total / 20) }
        // Chi-squared of 19 degrees of freedom: 99.9 % are below.
        #expect(squares / (total / 20) < 43.8)
    }

    @Test("are drawn as `imix` draws them where the mix is the same, in any order of writing")
    func imix() throws {
        let named = try Self.lengths(up: "imix", down: "imix")
        let written = try Self.lengths(
            up: "{ mix: { 1400B: 1, 72B: 7, 576B: 4 } }",
            down: "{ mix: { 576B: 4, 72B: 7, 1400B: 1 } }"
        )
        #expect(named.digest == written.digest)
    }

    @Test("leave no trace of workers and shards", arguments: [2, 3])
    func sameWithAnyWorkers(workers: Int) throws {
        var setting = TrafficRunTests.Setting()
        setting.up = "{ packets: 10/s, size: { uniform: [72B, 1400B] } }"
        setting.down = "{ packets: 20/s, size: { mix: { 72B: 7, 1400B: 1 } } }"
        try expectNoTrace(of: workers, in: setting.text)
    }
}

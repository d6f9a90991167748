import Metrics
import Primitives
import Results
import Runner
import Testing

/// RFC 7296 section 2.4 and RFC 3948 section 4: packets say that the peer is there, and keep a NAT's mapping.
@Suite("What traffic makes needless, in virtual time")
struct ProofOfLifeRunTests {
    /// How many NAT keepalives and INFORMATIONAL requests leave, of both ends.
    private func counts(_ flow: String, _ profile: String, _ policy: String) throws -> (keepalives: Int, checks: Int) {
        var setting = TrafficRunTests.Setting(ike: "{ rekey: 24h }", child: "{ rekey: 24h }", flow: flow)
        setting.path = "one-way-delay: 20ms, nat: { preset: linux-conntrack }"
        setting.profile = profile
        setting.policy = policy
        let counter = Counter()
        let measured = try #require(
            try simulate(setting.text, sinks: RunSinks(packet: { counter.look(at: $0.octets) })).measurements.first
        )
        #expect(measured.counter(.handshakeEstablished).total == 30)
        #expect(measured.counter(.trafficLost).byReason == [])
        return (counter.keepalives, counter.checks)
    }

    private final class Counter {
        var keepalives = 0
        var checks = 0

        func look(at octets: [UInt8]) {
            if octets == [0xFF] { keepalives += 1 }
            // Behind the non-ESP marker; INFORMATIONAL without the response's flag.
            if octets.count > 32, octets[..<4] == [0, 0, 0, 0], octets[22] == 37, octets[23] & 0x20 == 0 {
                checks += 1
            }
        }
    }

    private static let often = "pattern: constant, echo: true, up: { packets: 2/s, size: 100B }"
    private static let seldom = "pattern: constant, echo: true, up: { packets: 3/m, size: 100B }"

    @Test("keepalives are for a client that has sent nothing else")
    func keepalives() throws {
        #expect(try counts(Self.often, "nat-keepalive: 5s", "subnets: []").keepalives == 0)
        // A packet every 20 s, and three keepalives between two of them.
        let seldom = try counts(Self.seldom, "nat-keepalive: 5s", "subnets: []").keepalives
        #expect(seldom > 30 * 7 && seldom <= 30 * 11)
    }

    @Test("liveness checks are for an end that has heard nothing else")
    func checks() throws {
        #expect(try counts(Self.often, "liveness: { every: 5s }", "subnets: []").checks == 0)
        let ours = try counts(Self.seldom, "liveness: { every: 5s }", "subnets: []").checks
        #expect(ours > 30 * 7 && ours <= 30 * 11)
        #expect(try counts(Self.often, "children: 1", "liveness: { every: 5s }").checks == 0)
        let theirs = try counts(Self.seldom, "children: 1", "liveness: { every: 5s }").checks
        #expect(theirs > 30 * 7 && theirs <= 30 * 11)
    }

    @Test("who only sends asks all the same whether anybody is there")
    func oneWay() throws {
        let up = "up: { packets: 2/s, size: 100B }"
        let checks = try counts(up, "liveness: { every: 5s }", "subnets: []").checks
        #expect(checks > 30 * 9 && checks <= 30 * 12)
        #expect(try counts(up, "children: 1", "liveness: { every: 5s }").checks == 0)
    }
}

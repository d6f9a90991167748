import Primitives
import Testing
import Workload

/// The shipped cost table is valid up to 1600 IKE SAs and 800 set-ups a second.
@Suite("Warnings of loads outside of what a cost table was fitted with")
struct ValidRangeTests {
    /// What is said of these clients and arrivals, and of nothing else.
    private static func said(clients: Int, _ arrivals: String) -> [String] {
        let text = BaseWorkload.text.replacing("count: 100,", with: "count: \(clients),")
            .replacing("morning: { population: laptops, ramp: { from: 0/s, to: 10/s, over: 10s } }", with: arrivals)
        let lines = BaseWorkload.messages(text).split(separator: "\n").map(String.init)
        return lines.filter { $0.contains("extrapolated") }
    }

    private static let place = "base.yaml:12:28: warning: the cost table strongswan-5.9 is valid up to "

    @Test(
        "more clients come than there were IKE SAs",
        arguments: [
            (1_600, "a: { population: laptops, constant: 100/s }", nil),
            (1_601, "a: { population: laptops, constant: 100/s }", 1_601),
            // Not all of them come.
            (5_000, "a: { population: laptops, constant: { rate: 100/s, for: 16s } }", nil),
            (5_000, "a: { population: laptops, constant: { rate: 100/s, for: 17s } }", 1_700),
            (5_000, "a: { population: laptops, at: 1h, constant: 100/s }", nil),
            (
                5_000,
                "a: { population: laptops, spike: { clients: 900, over: 10s } }\n"
                    + "  b: { population: laptops, at: 1m, spike: { clients: 900, over: 10s } }", 1_800
            ),
        ] as [(Int, String, Int?)]
    )
    func clients(count: Int, arrivals: String, says: Int?) {
        let expected = says.map { "1600 IKE SAs, and gw gets up to \($0): what they cost is extrapolated" }
        #expect(Self.said(clients: count, arrivals) == (expected.map { [Self.place + $0] } ?? []))
    }

    @Test(
        "more clients come in a second than there were set-ups",
        arguments: [
            (1_600, "a: { population: laptops, constant: 800/s }", nil),
            (1_600, "a: { population: laptops, constant: 801/s }", 801),
            (1_600, "a: { population: laptops, poisson: 60000/m }", 1_000),
            // There are no more than 500 who could come.
            (500, "a: { population: laptops, constant: 5000/s }", nil),
            // 1,600 have come after 40 s, when it is at 80/s; 1,250 of a steeper one after 2.5 s, when it is at 1000/s.
            (1_600, "a: { population: laptops, ramp: { from: 0/s, to: 1000/s, over: 500s } }", nil),
            (1_250, "a: { population: laptops, ramp: { from: 0/s, to: 2000/s, over: 5s } }", 1_000),
            (1_600, "a: { population: laptops, ramp: { from: 900/s, to: 0/s, over: 3s, then: stop } }", 900),
            (1_600, "a: { population: laptops, spike: { clients: 1600, over: 2s } }", nil),
            (1_600, "a: { population: laptops, spike: { clients: 1600, over: 1ms } }", 1_600),
            // Two that follow each other, and two at once.
            (
                1_600,
                "a: { population: laptops, constant: { rate: 700/s, for: 1s } }\n"
                    + "  b: { population: laptops, at: 1s, constant: { rate: 700/s, for: 1s } }", nil
            ),
            (
                1_600,
                "a: { population: laptops, constant: { rate: 700/s, for: 1s } }\n"
                    + "  b: { population: laptops, at: 999ms, constant: { rate: 700/s, for: 1s } }", 1_400
            ),
            (1_600, "a: { population: laptops, at: 10m, constant: 5000/s }", nil),
        ] as [(Int, String, Int?)]
    )
    func setUps(count: Int, arrivals: String, says: Int?) {
        let expected = says.map { "800 set-ups a second, and gw gets up to \($0): how long they take is extrapolated" }
        #expect(Self.said(clients: count, arrivals) == (expected.map { [Self.place + $0] } ?? []))
    }

    @Test("a trace counts by the second")
    func trace() {
        let entries = (0..<900).map { "{ when: \(30_000 + $0)ms }" }.joined(separator: ", ")
        let said = Self.said(clients: 1_000, "a: { population: laptops, trace: [\(entries)] }")
        #expect(said.count == 1 && said.allSatisfy { $0.contains("up to 900:") })
        let slower = (0..<900).map { "{ when: \(30_000 + 2 * $0)ms }" }.joined(separator: ", ")
        #expect(Self.said(clients: 1_000, "a: { population: laptops, trace: [\(slower)] }") == [])
    }

    @Test("each gateway is asked for what its own clients want")
    func eachGateway() {
        let clients = "laptops: { count: 100, profile: laptop, path: { lte: 70%, home: 30% }, gateway: gw"
        let text = BaseWorkload.text
            .replacing(clients, with: clients.replacing("100", with: "1500"))
            .replacing("to: 10/s, over: 10s", with: "to: 500/s, over: 10s")
            .replacing(
                "arrivals:\n",
                with: """
                      others: { count: 200, profile: laptop, path: home, gateway: GATEWAY, sources: [198.51.100.0/24] }
                    arrivals:
                      others: { population: others, constant: { rate: 200/s, for: 1s } }

                    """
            )
        let second = "  second:\n    identity: gw2.example.org\n    policy:\n"
        let policy = text.split(separator: "\n", omittingEmptySubsequences: false)[7...12].joined(separator: "\n")
        let two = text.replacing("profiles:\n", with: second + policy + "\nprofiles:\n", maxReplacements: 1)
        for (gateway, expected) in [("gw", 1), ("second", 0)] {
            let said = BaseWorkload.messages(two.replacing("GATEWAY", with: gateway)).split(separator: "\n")
                .filter { $0.contains("extrapolated") }
            #expect(said.count == expected, "\(said)")
        }
    }
}

import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("The series of a simulated gateway")
struct DeskSeriesRunTests {
    private static let text = LifeCycleRunTests.text()
        .replacing("one-way-delay: { per-client: { uniform: [2ms, 20ms] } }", with: "one-way-delay: 300ms")

    private static func column(_ gauge: SeriesName.Gauge, _ outcome: SimulatedOutcome) throws -> [UInt64] {
        let column = outcome.series.columns.first { $0.name == .gauge(gauge) && $0.subject == "gw" }
        return try #require(column).values.map { $0 ?? 0 }
    }

    @Test("tells how busy its cores were, and how many IKE SAs were half-open")
    func tells() throws {
        let workload = try WorkloadFile(text: Self.text, path: "test.yaml").validated()
        let costs = try #require(workload.gateways[0].simulated?.costs)
        let outcome = try simulate(workload)
        let busy = try Self.column(.gatewayCPU, outcome)
        let halfOpen = try Self.column(.halfOpen, outcome)
        #expect(busy.count == 240 && halfOpen.count == 240)
        // Of 20 that come in each second 0.6 s are half-open, from the first request's arrival to the second one's.
        #expect((11...14).contains(halfOpen[1]), "\(halfOpen.prefix(5))")
        #expect(halfOpen[3...30].allSatisfy { $0 == 0 })
        // In the second second 20 of them are set up, on two cores.
        let expected = 20 * Double(costs.setUpNanoseconds(keyExchange: "x25519", activeSAs: 20)) / 2
        #expect((0.8...1.2).contains(Double(busy[1]) / expected), "\(busy.prefix(5)), expected \(expected)")
        #expect(busy.allSatisfy { $0 <= 1_000_000_000 } && busy[6] == 0)
        let other = try simulate(workload) { $0.workers = 3 }
        #expect(try Self.column(.gatewayCPU, other) == busy && Self.column(.halfOpen, other) == halfOpen)
    }
}

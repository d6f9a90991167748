import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A prediction beside what a gateway does", .serialized)
struct PredictionTests {
    @Test("runs both at saturation and at half load, by the table's capacity, and prints one beside the other")
    func compares() throws {
        let text = LifeCycleRunTests.text()
            .replacing("run: {", with: "safety: { \(LoopbackWorkload.allowance) }\nrun: {")
        let workload = try WorkloadFile(text: text, path: "prediction.yaml").validated()
        let gateway = try LoopbackGateway(workload)
        let table = try #require(workload.gateways[0].simulated?.costs)
        var prediction = Prediction(workload, table: table, cores: 1, target: gateway.target, options: LiveOptions())
        prediction.clientCount = 200
        prediction.replications = 2
        let perSetUp = Double(table.setUpNanoseconds(keyExchange: "x25519", activeSAs: 100))
        #expect(prediction.capacity == 1e9 / perSetUp)
        let comparisons = try prediction.compare()
        #expect(comparisons.map(\.name) == ["saturated", "half load"])
        for (comparison, share) in zip(comparisons, [1.5, 0.5]) {
            #expect(comparison.offeredPerSecond == Int(prediction.capacity * share))
            #expect(comparison.predicted.count == 2 && comparison.measured.count == 2)
            for outcome in comparison.predicted + comparison.measured {
                #expect(outcome.established > 0 && outcome.p50 > .zero && outcome.p50 <= outcome.p99)
                #expect(outcome.established + outcome.failed <= 200)
            }
        }
        // What arrives faster than the core works leaves it as fast as it works.
        for outcome in comparisons[0].predicted {
            #expect(outcome.established == 200)
            #expect(outcome.setUpsPerSecond > 0.8 * prediction.capacity)
            #expect(outcome.setUpsPerSecond < 1.1 * prediction.capacity)
        }
        let report = PredictionReport.text(of: comparisons, prediction, gateway: "loopback", "2026-11-29")
        let lines = report.split(separator: "\n")
        #expect(lines.first?.hasPrefix("loopback, 2026-11-29; costs strongswan-5.9 (") == true, "\(report)")
        let figures = lines.filter { $0.contains(" %") }.map { $0.split(separator: " ").joined(separator: " ") }
        #expect(figures.count == 3, "\(report)")
        #expect(figures[0].hasPrefix("saturated \(comparisons[0].offeredPerSecond) 200 set-ups/s "), "\(report)")
        #expect(figures[1].hasPrefix("half load \(comparisons[1].offeredPerSecond) 200 p50 ms "), "\(report)")
        #expect(figures[2].hasPrefix("p99 ms "), "\(report)")
        #expect(report.contains("median of 2 runs, smallest and largest in brackets"))
    }
}

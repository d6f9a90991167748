import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("Rekeys that a path cuts off")
struct RekeyFailureRunTests {
    private typealias Life = LifeCycleRunTests

    /// All 40 clients are to rekey in the two seconds behind `rekey`, while the path is down for thirty.
    private static func text(child: String, ike: String) -> String {
        Life.text(faults: "faults: { down: { kind: path-down, path: lan, at: 39s, for: 30s } }")
            .replacing(
                "lifetimes: { ike: { rekey: 70s }, child: { rekey: 40s } }",
                with: "lifetimes: { \(ike), \(child) }"
            )
            .replacing("liveness: { every: 10s }", with: "liveness: never")
    }

    @Test("have failed by a timeout, each of them, and so no expectation of none passes")
    func timeOut() throws {
        let kinds: [(String, established: MetricName, failed: MetricName, offered: MetricName)] = [
            (
                Self.text(child: "child: { rekey: 40s, jitter: 0% }", ike: "ike: { rekey: 8h }"),
                .childRekeyEstablished, .childRekeyFailed, .childRekeyOffered
            ),
            (
                Self.text(child: "child: { rekey: 8h }", ike: "ike: { rekey: 40s, jitter: 0% }"),
                .ikeRekeyEstablished, .ikeRekeyFailed, .ikeRekeyOffered
            ),
        ]
        for (text, established, failed, offered) in kinds {
            // The gateway does not hear that they begin anew.
            let outcome = try simulate(text, endsMidFlight: true)
            let measured = try #require(outcome.measurements.first)
            #expect(measured.counter(failed).byReason == [CounterRecord.Reason(name: "timeout", count: 40)])
            #expect(measured.counter(established).total >= 40)
            #expect(measured.counter(offered).total == measured.counter(established).total + 40)
            #expect(measured.counter(.tunnelsLost).total == 40)
        }
    }
}

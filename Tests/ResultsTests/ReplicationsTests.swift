import Metrics
import Primitives
import Results
import Testing

@Suite("Replications")
struct ReplicationsTests {
    @Test("an estimate is the mean with Student's 95 % interval")
    func estimates() throws {
        // Mean 2, standard deviation 1, t(0.975, 2) = 4.303: 4.303 / sqrt(3) = 2.4843.
        let estimate = try #require(Estimate([1, 2, 3]))
        #expect(estimate.mean == 2)
        #expect(abs(try #require(estimate.halfWidth) - 2.4843) < 0.0001)
        #expect(estimate.minimum == 1 && estimate.maximum == 3 && estimate.count == 3)
        // Equal runs leave no doubt.
        #expect(Estimate([7, 7])?.halfWidth == 0)
    }

    @Test("one value has no interval, and no value no estimate")
    func estimatesLittle() {
        #expect(Estimate([5])?.mean == 5)
        #expect(Estimate([5])?.halfWidth == nil)
        #expect(Estimate([]) == nil)
    }

    private func replications(_ verdicts: [Bool]) -> Replications {
        var replications = Replications(name: "rekey-storm", version: "0.1.0", seed: 1)
        for (index, passes) in verdicts.enumerated() {
            var record = SampleRun.record
            record.seed = UInt64(index + 1)
            let limit = passes ? 1_000 : 1
            let threshold = Expectation(
                metric: .handshakeOffered,
                aggregation: .value,
                comparison: .below,
                limit: .count(UInt64(limit))
            )
            let result = RunResult(record, steadyState: [], thresholds: [threshold])
            replications.add(result, folder: "replication-\(index + 1)")
        }
        return replications
    }

    @Test("replications pass when each of them does")
    func judges() {
        #expect(replications([true, true]).verdict == .passed)
        let mixed = replications([true, false, true])
        #expect(mixed.verdict == .thresholdsFailed)
        #expect(mixed.passedCount == 2)
        let text = ReplicationsReport.text(of: mixed, folder: "runs/x")
        #expect(text.contains("FAILED in 1 of 3 replications"))
        // The run to look at is the one that failed.
        #expect(text.contains("--seed 18446744073709551615"))
    }

    @Test("replications.json has every figure of every metric by its name, in the units of result.json")
    func writesJSON() throws {
        let text = ReplicationsReport.json(of: replications([true, true, true]))
        var document = try JSONObject.document(Array(text.utf8), file: "replications.json")
        #expect(try document.string("schema") == "ikestorm-replications-1")
        #expect(try document.objects("runs").count == 3)
        var metrics = try document.object("metrics")
        #expect(Set(metrics.keys).isSuperset(of: ["handshake.offered", "handshake.latency", "tunnels.up"]))
        var offered = try metrics.object("handshake.offered")
        var total = try offered.object("total")
        #expect(try total.value("mean") == .number("230"))
        #expect(try total.value("halfWidth") == .number("0"))
        #expect(try total.value("count") == .number("3"))
    }
}

import Metrics
import Primitives
import Results
import Testing

@Suite("The verdict")
struct VerdictTests {
    struct Case: CustomTestStringConvertible {
        var verdict: Verdict
        var exitCode: Int32
        var interruption = RunRecord.Interruption.none
        var isAborted = false
        var generator = RunRecord.GeneratorJudgement.valid
        var steadyState = true
        var thresholds = true
        var testDescription: String { "\(verdict.rawValue) \(interruption) \(isAborted) \(generator) \(thresholds)" }
    }

    @Test(
        "the first reason that applies decides, and each has its exit code",
        arguments: [
            Case(verdict: .passed, exitCode: 0),
            Case(verdict: .thresholdsFailed, exitCode: 99, thresholds: false),
            Case(verdict: .steadyStateFailed, exitCode: 97, steadyState: false),
            Case(verdict: .steadyStateFailed, exitCode: 97, steadyState: false, thresholds: false),
            Case(verdict: .degraded, exitCode: 75, generator: .degraded("")),
            Case(verdict: .degraded, exitCode: 75, generator: .degraded(""), thresholds: false),
            Case(verdict: .invalid, exitCode: 75, generator: .invalid("")),
            Case(verdict: .invalid, exitCode: 75, generator: .invalid(""), steadyState: false, thresholds: false),
            Case(verdict: .aborted, exitCode: 96, isAborted: true, generator: .invalid("")),
            // A safety abort drains too: it is not the user who interrupted.
            Case(verdict: .aborted, exitCode: 96, interruption: .drained, isAborted: true),
            Case(verdict: .interrupted, exitCode: 105, interruption: .drained, thresholds: false),
            Case(verdict: .interrupted, exitCode: 105, interruption: .drained, generator: .invalid("")),
            Case(verdict: .forced, exitCode: 130, interruption: .forced, isAborted: true),
        ]
    )
    func verdict(_ test: Case) {
        var record = SampleRun.record
        record.interruption = test.interruption
        record.generator = test.generator
        if test.isAborted { record.abort = RunRecord.SafetyAbort(condition: "", time: .zero) }
        func expectation(_ passes: Bool) -> Expectation {
            Expectation(
                metric: .handshakeOffered,
                aggregation: .value,
                comparison: passes ? .above : .below,
                limit: .count(1)
            )
        }
        let result = RunResult(
            record,
            steadyState: [expectation(test.steadyState)],
            thresholds: [expectation(true), expectation(test.thresholds)]
        )
        #expect(result.verdict == test.verdict)
        #expect(result.exitCode.rawValue == test.exitCode)
    }

    @Test("a late generator never passes, and an expectation without samples never does")
    func neverPasses() {
        for generator in [RunRecord.GeneratorJudgement.degraded("late"), .invalid("late")] {
            var record = SampleRun.record
            record.generator = generator
            #expect(RunResult(record, steadyState: [], thresholds: []).exitCode != .pass)
        }
        let unmeasured = RunResult(SampleRun.record, steadyState: [], thresholds: [SampleRun.thresholds[2]])
        #expect(unmeasured.exitCode == .threshold)
    }
}

@Suite("Histograms and counters as results keep them")
struct MeasurementTests {
    @Test("a histogram of the metrics gives the same numbers here as there")
    func histogram() {
        var histogram = LatencyHistogram()
        for index in 1...10_000 { histogram.record(.microseconds(Int64(index * index))) }
        let record = LatencyRecord(histogram)
        #expect(record.count == 10_000)
        for aggregation in [Expectation.Aggregation.p50, .p90, .p99, .p999, .p9999, .max, .min, .mean] {
            let there = histogram.value(of: aggregation)
            #expect(record.value(of: aggregation).map { Duration(nanoseconds: Int64($0)) } == there)
        }
        #expect(LatencyRecord(LatencyHistogram()) == LatencyRecord())
    }

    @Test("percentiles are ranks: of two samples the first is the median")
    func ranks() {
        let two = LatencyRecord(buckets: [
            LatencyRecord.Bucket(highest: 10, count: 1), LatencyRecord.Bucket(highest: 20, count: 1),
        ])
        #expect([two.p50, two.p90, two.maximum, two.minimum, two.mean] == [10, 20, 20, 10, 15])
    }

    @Test("a snapshot's counters, reasons and latencies come over, by population and together")
    func snapshot() {
        var recorder = Recorder<Int>(populationCount: 2)
        recorder.count(.handshakeOffered, population: 0, by: 3)
        recorder.count(.handshakeOffered, population: 1, by: 2)
        recorder.countFailure(.handshakeFailed, population: 1, 7)
        recorder.countFailure(.handshakeFailed, population: 1, 8)
        recorder.record(.handshakeLatency, population: 1, .milliseconds(5))
        var snapshot = Snapshot<Int>(populationCount: 2)
        snapshot.add(recorder)
        func measurements(_ population: Int?) -> Measurements {
            Measurements(
                scope: MeasurementScope(),
                start: .zero,
                snapshot: snapshot,
                population: population,
                name: { _ in "refused" }
            )
        }
        #expect(measurements(nil).counter(.handshakeOffered).total == 5)
        #expect(measurements(0).counter(.handshakeOffered).total == 3)
        #expect(measurements(0).latency(.handshakeLatency).count == 0)
        #expect(measurements(1).latency(.handshakeLatency).maximum == 5_000_000)
        let reasons = [CounterRecord.Reason(name: "refused", count: 2)]
        #expect(measurements(nil).counter(.handshakeFailed).byReason == reasons)
    }
}

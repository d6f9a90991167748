import Metrics
import Primitives
import Results
import Testing

@Suite("Judging expectations")
struct JudgeTests {
    struct Case: CustomTestStringConvertible {
        var expectation: Expectation
        var measured: ExpectationOutcome.Measured
        var passed: Bool
        var window: Instant?
        var testDescription: String { "\(expectation)" }

        init(
            _ metric: MetricName,
            of population: String? = nil,
            _ aggregation: Expectation.Aggregation,
            in window: Duration? = nil,
            _ comparison: Expectation.Comparison,
            _ limit: Expectation.Limit,
            after fault: String? = nil,
            is measured: ExpectationOutcome.Measured,
            _ passed: Bool,
            at start: Int64? = nil
        ) {
            expectation = Expectation(
                metric: metric,
                population: population,
                aggregation: aggregation,
                window: window,
                comparison: comparison,
                limit: limit,
                after: fault
            )
            self.measured = measured
            self.passed = passed
            self.window = start.map { .zero + .seconds($0) }
        }

        static func share(_ parts: UInt32) -> ExpectationOutcome.Measured {
            .value(.share(Probability(partsPerBillion: parts)))
        }

        static func time(_ nanoseconds: Int64) -> ExpectationOutcome.Measured {
            .value(.time(Duration(nanoseconds: nanoseconds)))
        }
    }

    @Test(
        "counters: totals of a scope, and the worst window's rate",
        arguments: [
            Case(.handshakeOffered, .value, .above, .count(229), is: .value(.count(230)), true),
            Case(.handshakeOffered, .value, .above, .count(230), is: .value(.count(230)), false),
            Case(.handshakeOffered, .value, .atLeast, .count(230), is: .value(.count(230)), true),
            Case(.handshakeFailed, of: "phones", .value, .atMost, .count(0), is: .value(.count(0)), true),
            Case(.handshakeEstablished, .value, .below, .count(101), after: "outage", is: .value(.count(100)), true),
            Case(.childRekeyFailed, .value, .below, .count(1), is: .value(.count(1)), false),
            // No rekey was ever started: that none failed says nothing.
            Case(.ikeRekeyFailed, .value, .atMost, .count(0), is: .noSamples, false),
            Case(.clipped, .value, .atMost, .count(0), is: .value(.count(0)), true),
            Case(.handshakeFailed, of: "nobody", .value, .atMost, .count(0), is: .noSamples, false),
            Case(.handshakeFailed, .value, .atMost, .count(0), after: "nothing", is: .noSamples, false),
            // The offered load ends at 0:40: a minimum finds the end, a maximum the beginning behind the warm-up.
            Case(
                .handshakeOffered,
                .rate,
                in: .seconds(10),
                .above,
                .rate(perSecondThousandths: 1),
                is: .value(.rate(perSecondThousandths: 0)),
                false,
                at: 40
            ),
            Case(
                .handshakeOffered,
                .rate,
                in: .seconds(10),
                .atMost,
                .rate(perSecondThousandths: 10_000),
                is: .value(.rate(perSecondThousandths: 10_000)),
                true,
                at: 5
            ),
            // The window is longer than what was measured.
            Case(
                .handshakeOffered,
                .rate,
                in: .seconds(56),
                .below,
                .rate(perSecondThousandths: 1),
                is: .noSamples,
                false
            ),
            Case(
                .handshakeOffered,
                .rate,
                in: .seconds(20),
                .above,
                .rate(perSecondThousandths: 1),
                after: "outage",
                is: .value(.rate(perSecondThousandths: 0)),
                false,
                at: 40
            ),
            Case(
                .retransmissions,
                .rate,
                in: .seconds(10),
                .below,
                .rate(perSecondThousandths: 1),
                is: .noSamples,
                false
            ),
        ] as [Case]
    )
    func counters(_ test: Case) { check(test) }

    @Test(
        "ratios: over the scope, second by second, and in windows",
        arguments: [
            Case(.handshakeSuccess, .value, .above, .share(.percent(98)), is: Case.share(982_608_695), true),
            Case(.handshakeSuccess, .value, .below, .share(.percent(98)), is: Case.share(982_608_695), false),
            Case(
                .handshakeSuccess,
                .value,
                .above,
                .share(.percent(99)),
                after: "outage",
                is: Case.share(1_000_000_000),
                true
            ),
            Case(.handshakeSuccess, .min, .above, .share(.percent(89)), is: Case.share(900_000_000), true),
            Case(.tunnelsUp, .min, .above, .share(.percent(50)), is: Case.share(500_000_000), false),
            Case(.tunnelsUp, .max, .atMost, .share(.one), is: Case.share(1_000_000_000), true),
            Case(.tunnelsUp, .last, .above, .share(.percent(99)), is: Case.share(1_000_000_000), true),
            Case(.tunnelsUp, .mean, .above, .share(.percent(89)), is: Case.share(890_909_090), true),
            Case(.tunnelsUp, .value, .above, .share(.percent(89)), is: Case.share(890_909_090), true),
            // From the fault's end on: 60 %, 70 %, 80 %, 90 % and then all.
            Case(.tunnelsUp, .min, .above, .share(.percent(59)), after: "outage", is: Case.share(600_000_000), true),
            Case(
                .tunnelsUp,
                .min,
                in: .seconds(20),
                .above,
                .share(.percent(60)),
                is: Case.share(700_000_000),
                true,
                at: 14
            ),
            Case(
                .tunnelsUp,
                .rate,
                in: .milliseconds(1_500),
                .below,
                .share(.percent(99)),
                is: Case.share(1_000_000_000),
                false,
                at: 5
            ),
            Case(.tunnelsUp, of: "phones", .last, .above, .share(.percent(1)), is: .noSamples, false),
            Case(.tunnelsUp, .min, in: .minutes(2), .above, .share(.zero), is: .noSamples, false),
        ] as [Case]
    )
    func ratios(_ test: Case) { check(test) }

    @Test(
        "latencies: every number of the histogram, and none of an empty one",
        arguments: [
            Case(.handshakeLatency, .p50, .below, .time(.milliseconds(20)), is: Case.time(19_100_000), true),
            Case(.handshakeLatency, .p99, .below, .time(.milliseconds(20)), is: Case.time(44_199_000), false),
            Case(.handshakeLatency, .p999, .below, .time(.seconds(2)), is: Case.time(1_527_312_345), true),
            Case(.handshakeLatency, .p9999, .below, .time(.seconds(2)), is: Case.time(1_527_312_345), true),
            Case(.handshakeLatency, .max, .atMost, .time(.seconds(1)), is: Case.time(1_527_312_345), false),
            Case(.handshakeLatency, .min, .above, .time(.milliseconds(18)), is: Case.time(18_900_000), true),
            Case(.handshakeLatency, .mean, .below, .time(.milliseconds(50)), is: Case.time(44_775_172), true),
            Case(.handshakeLatency, .count, .atLeast, .count(226), is: .value(.count(226)), true),
            Case(.handshakeLatency, of: "phones", .p99, .below, .time(.seconds(2)), is: Case.time(1_527_312_345), true),
            Case(.ikeRekeyLatency, .max, .below, .time(.seconds(2)), is: .noSamples, false),
            Case(.ikeRekeyLatency, .count, .below, .count(5), is: .noSamples, false),
            Case(.handshakeLatency, of: "nobody", .p99, .below, .time(.seconds(2)), is: .noSamples, false),
            // In virtual time nothing is late.
            Case(.generatorLag, .p99, .below, .time(.milliseconds(5)), is: Case.time(0), true),
        ] as [Case]
    )
    func latencies(_ test: Case) { check(test) }

    private func check(_ test: Case) {
        let outcome = Judge(SampleRun.record).outcome(of: test.expectation)
        #expect(outcome.measured == test.measured)
        #expect(outcome.passed == test.passed)
        #expect(outcome.window == test.window)
        #expect(outcome.expectation == test.testDescription)
    }

    @Test("a live run without a measured lateness does not pass a threshold on it")
    func liveLateness() {
        var record = SampleRun.record
        record.mode = .live
        let outcome = Judge(record).outcome(of: SampleRun.thresholds[4])
        #expect(outcome.measured == .noSamples)
        #expect(!outcome.passed)
    }

    @Test("an abort condition is true of the window that ended last, and of nothing without samples")
    func now() {
        let condition = Expectation(
            metric: .handshakeSuccess,
            aggregation: .rate,
            window: .seconds(3),
            comparison: .below,
            limit: .share(.percent(50))
        )
        // Attempts fail from 0:10 on, and end at 0:20.
        func isTrue(at second: Int) -> Bool {
            var record = SampleRun.record
            record.warmUp = .zero
            record.duration = .seconds(Int64(second))
            func column(_ metric: MetricName, _ value: (Int) -> UInt64) -> SeriesTable.Column {
                SeriesTable.Column(name: .counter(metric), values: (0..<second).map(value))
            }
            record.series.columns = [
                column(.handshakeEstablished) { $0 < 10 ? 5 : 0 },
                column(.handshakeFailed) { (10..<20).contains($0) ? 5 : 0 },
            ]
            return Judge.isTrueNow(condition, in: record)
        }
        #expect([2, 10, 11, 12, 20, 22, 23].map(isTrue) == [false, false, false, true, true, true, false])
    }

    @Test("a last second that was cut short is no lull")
    func cutShort() {
        var record = SampleRun.record
        record.duration = .milliseconds(59_300)
        record.series.columns = [SampleRun.column(.counter(.handshakeOffered)) { $0 < 59 ? 10 : 3 }]
        let outcome = Judge(record).outcome(
            of: Expectation(
                metric: .handshakeOffered,
                aggregation: .rate,
                window: .seconds(1),
                comparison: .atLeast,
                limit: .rate(perSecondThousandths: 10_000)
            )
        )
        #expect(outcome.measured == .value(.rate(perSecondThousandths: 10_000)))
        #expect(outcome.passed)
    }

    @Test("what is asked of a metric decides which scopes a run keeps, each of them once")
    func scopes() {
        let late = Expectation(
            metric: .handshakeLatency,
            population: "phones",
            aggregation: .p99,
            comparison: .below,
            limit: .time(.seconds(1)),
            after: "outage"
        )
        var lost = late
        (lost.metric, lost.population, lost.flow) = (.trafficLatency, nil, "calls/up")
        let scopes = MeasurementScope.needed(
            populations: ["laptops", "phones"],
            flows: ["calls", "calls/up"],
            for: SampleRun.thresholds + [late, late, lost] + SampleRun.steadyState
        )
        #expect(
            scopes == [
                MeasurementScope(), MeasurementScope(population: "laptops"), MeasurementScope(population: "phones"),
                MeasurementScope(flow: "calls"), MeasurementScope(flow: "calls/up"),
                MeasurementScope(population: "phones", after: "outage"),
                MeasurementScope(flow: "calls/up", after: "outage"),
            ]
        )
    }
}

@Suite("Recovery after a fault")
struct RecoveryTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var up: [UInt64?]
        var faults: [(start: Int64, end: Int64)]
        var measured: ExpectationOutcome.Measured

        init(
            _ description: String,
            _ up: [UInt64?],
            faults: [(start: Int64, end: Int64)] = [(1_500, 2_000)],
            _ measured: ExpectationOutcome.Measured
        ) {
            testDescription = description
            self.up = up
            self.faults = faults
            self.measured = measured
        }

        static func after(_ milliseconds: Int64) -> ExpectationOutcome.Measured {
            .value(.time(.milliseconds(milliseconds)))
        }
    }

    @Test(
        "recovered is what holds and is kept",
        arguments: [
            Case("never broken", [10, 10, 10, 10], Case.after(0)),
            Case("back at 4 s", [10, 5, 5, 10], Case.after(2_500)),
            Case("back, gone and back again", [10, 5, 10, 5, 10], Case.after(3_500)),
            Case("not back", [10, 5, 5, 5], .notRecovered),
            Case("gone at the end", [10, 5, 10, 5], .notRecovered),
            Case("broken before the fault is not its doing", [0, 10, 10], Case.after(0)),
            Case("nobody wants a tunnel", [10, nil, nil], .noSamples),
            Case("the fault is behind the end", [10], .noSamples),
            Case(
                "the worst of two",
                [10, 5, 10, 5, 5, 10],
                faults: [(1_000, 1_000), (3_000, 3_000)],
                Case.after(3_000)
            ),
            Case(
                "the first is not over when the next begins",
                [10, 5, 5, 10],
                faults: [(1_000, 1_000), (2_000, 2_000)],
                .notRecovered
            ),
            Case("no fault", [10, 10], faults: [], .noSamples),
        ] as [Case]
    )
    func recovery(_ test: Case) {
        var record = SampleRun.record
        record.duration = .seconds(Int64(test.up.count))
        record.faults = test.faults.enumerated().map { index, fault in
            RunRecord.Fault(
                name: "fault\(index)",
                kind: "nat-flush",
                start: .zero + .milliseconds(fault.start),
                end: .zero + .milliseconds(fault.end)
            )
        }
        record.series.columns = [
            SeriesTable.Column(name: .gauge(.tunnelsUp), values: test.up),
            SeriesTable.Column(name: .gauge(.tunnelsWanted), values: test.up.map { $0 == nil ? nil : 10 }),
        ]
        var expectation = SampleRun.thresholds[3]
        expectation.after = nil
        #expect(Judge(record).outcome(of: expectation).measured == test.measured)
    }
}

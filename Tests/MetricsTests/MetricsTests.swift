import Metrics
import Primitives
import Testing

@Suite("Measurements")
struct MetricsTests {
    private func latencies(_ count: Int, seed: UInt64) -> [Duration] {
        var stream = RandomStream(seed: seed, entity: 0, purpose: .test)
        let distribution = DurationDistribution(.lognormal(median: .milliseconds(40), sigmaMillionths: 1_500_000))
        return (0..<count).map { _ in distribution.draw(from: &stream) }
    }

    private func histogram(_ latencies: some Sequence<Duration>) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for latency in latencies { histogram.record(latency) }
        return histogram
    }

    @Test("a percentile is what sorting says, to three digits")
    func percentiles() throws {
        let samples = latencies(10_000, seed: 1)
        let sorted = samples.sorted()
        let histogram = histogram(samples)
        for (aggregation, rank) in [
            (.p50, 5_000), (.p90, 9_000), (.p99, 9_900), (.p999, 9_990), (.p9999, 9_999),
        ] as [(Metrics.Expectation.Aggregation, Int)] {
            let value = try #require(histogram.value(of: aggregation)).nanoseconds
            let exact = sorted[rank - 1].nanoseconds
            #expect(abs(value - exact) <= exact / 1_000, "\(aggregation)")
        }
        #expect(histogram.minimum == sorted.first && histogram.maximum == sorted.last)
        #expect(histogram.mean == Duration(nanoseconds: samples.reduce(0) { $0 + $1.nanoseconds } / 10_000))
        #expect(histogram.count == 10_000)
        #expect(histogram.buckets.reduce(0) { $0 + $1.count } == 10_000)
    }

    @Test("histograms of parts add up to that of the whole, in any order")
    func merge() {
        let samples = latencies(3_000, seed: 2)
        let whole = histogram(samples)
        var forwards = histogram(samples[..<1_000])
        forwards.merge(histogram(samples[1_000...]))
        var backwards = histogram(samples[1_000...])
        backwards.merge(histogram(samples[..<1_000]))
        #expect(forwards == whole && backwards == whole)
        backwards.record(.zero)
        #expect(backwards != whole)
    }

    @Test("without a sample there is no number")
    func empty() {
        let histogram = LatencyHistogram()
        for aggregation in Metrics.Expectation.Aggregation.allCases { #expect(histogram.value(of: aggregation) == nil) }
        #expect(histogram.mean == nil)
    }

    @Test("the ends are exact, and more than an hour keeps its place as the maximum")
    func ends() {
        let histogram = histogram([.zero, .nanoseconds(1_234_567_891), .hours(3)])
        #expect(histogram.minimum == .zero && histogram.maximum == .hours(3))
        #expect(histogram.value(of: .p9999) == .hours(1))
        #expect(histogram.percentile(thousandths: 100_000) == .hours(3))
    }

    @Test("a tally keeps its entries in the keys' order and adds up")
    func tally() {
        var first = Tally<String>()
        first.add(to: "timeout")
        first.add(3, to: "authentication")
        var second = Tally<String>()
        second.add(to: "timeout")
        second.add(to: "deleted")
        first.merge(second)
        #expect(first.entries.map(\.key) == ["authentication", "deleted", "timeout"])
        #expect(first.entries.map(\.count) == [3, 1, 2])
        #expect(first["timeout"] == 2 && first["other"] == 0 && first.total == 6)
    }

    @Test("snapshots add up what recorders hold, and keep populations and reasons apart")
    func snapshots() {
        var one = Recorder<String>(populationCount: 2)
        one.count(.handshakeOffered, population: 0, by: 3)
        one.record(.handshakeLatency, population: 0, .milliseconds(5))
        one.countFailure(.handshakeFailed, population: 1, "timeout")
        var two = Recorder<String>(populationCount: 2)
        two.count(.handshakeOffered, population: 1)
        two.record(.handshakeLatency, population: 1, .milliseconds(7))
        two.countFailure(.handshakeFailed, population: 1, "timeout")

        var snapshot = Snapshot<String>(populationCount: 2)
        snapshot.add(one)
        var other = Snapshot<String>(populationCount: 2)
        other.add(two)
        var reversed = other
        reversed.merge(snapshot)
        snapshot.merge(other)
        #expect(snapshot == reversed)

        #expect(snapshot.count(.handshakeOffered) == 4)
        #expect(snapshot.count(.handshakeOffered, population: 1) == 1)
        #expect(snapshot.latency(.handshakeLatency).count == 2)
        #expect(snapshot.latency(.handshakeLatency, population: 1).maximum == .milliseconds(7))
        #expect(snapshot.latency(.childRekeyLatency).count == 0)
        #expect(snapshot.count(.handshakeFailed) == 2)
        #expect(snapshot.failures(.handshakeFailed)["timeout"] == 2)
        #expect(snapshot.failures(.handshakeFailed, population: 0).total == 0)
    }

    @Test("a drained recorder forgets what it counted, not who is up")
    func drain() {
        var recorder = Recorder<String>(populationCount: 1)
        recorder.count(.retransmissions, population: 0)
        recorder.record(.handshakeLatency, population: 0, .milliseconds(1))
        recorder.countFailure(.handshakeFailed, population: 0, "timeout")
        recorder.adjustAvailability(population: 0, wanted: 4, up: 3)
        recorder.drain()
        recorder.adjustAvailability(population: 0, up: -1)
        var snapshot = Snapshot<String>(populationCount: 1)
        snapshot.add(recorder)
        #expect(snapshot == Snapshot(populationCount: 1))
        #expect(recorder.availability == [Availability(up: 2, wanted: 4)])
        #expect(recorder.availability[0].share == .percent(50))
        #expect(Availability().share == nil)
    }

    @Test("a metric's ordinal is its place among all metrics")
    func ordinals() {
        #expect(MetricName.allCases.map(\.ordinal) == Array(MetricName.allCases.indices))
    }

    @Test("a time series counts by second, adds up and slides")
    func timeSeries() {
        var series = TimeSeries()
        series.add(2, at: .zero)
        series.add(1, at: .zero + .milliseconds(999))
        series.add(5, at: .zero + .seconds(3))
        #expect(series.values == [3, 0, 0, 5])
        var other = TimeSeries()
        other.add(1, at: .zero + .seconds(4))
        other.merge(series)
        #expect(other.values == [3, 0, 0, 5, 1] && other.total == 9)
        #expect(other.windowSums(of: 2) == [3, 0, 5, 6])
        #expect(other.windowSums(of: 5) == [9])
        #expect(other.windowSums(of: 6).isEmpty)
        other.append(7)
        #expect(other.values.last == 7)
    }
}

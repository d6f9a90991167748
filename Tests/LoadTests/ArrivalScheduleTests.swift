import Load
import Primitives
import Testing

@Suite("When arrivals are due")
struct ArrivalScheduleTests {
    private func instants(
        _ pattern: ArrivalPattern,
        from start: Instant = .zero,
        to end: Instant = .zero + .hours(1),
        limit: Int = 100_000,
        seed: UInt64 = 1
    ) -> [Instant] {
        let schedule = ArrivalSchedule(pattern, from: start, to: end) { mean, stream in
            DurationDistribution(.exponential(mean: mean)).draw(from: &stream)
        }
        return schedule.instants(limit: limit, seed: seed, entity: 7)
    }

    private func milliseconds(_ instants: [Instant]) -> [UInt64] { instants.map { $0.nanoseconds / 1_000_000 } }

    @Test("a constant rate is even, begins at its start, and ends before its end")
    func constantIsEven() {
        let due = instants(.constant(count: 4, per: .seconds(1)), from: .zero + .seconds(2), to: .zero + .seconds(3))
        #expect(milliseconds(due) == [2000, 2250, 2500, 2750])
    }

    @Test("a rate that does not divide its time does not drift")
    func constantDoesNotDrift() {
        let due = instants(.constant(count: 3, per: .seconds(1)), limit: 3001)
        #expect(due[3000] == .zero + .seconds(1000))
        #expect(due[1].nanoseconds == 333_333_333)
    }

    @Test("a spike is all its clients, evenly within its time")
    func spike() {
        let due = instants(.spike(clients: 5, over: .seconds(1)))
        #expect(milliseconds(due) == [0, 200, 400, 600, 800])
        #expect(instants(.spike(clients: 5, over: .zero)) == [Instant](repeating: .zero, count: 5))
    }

    /// From 0/s to 10/s in 10 s: n(t) = t^2 / 2, so the n-th comes at sqrt(2 n).
    @Test("a ramp from nothing follows the square root, and then holds its rate")
    func rampRises() {
        let due = instants(.ramp(fromPer1000s: 0, toPer1000s: 10_000, over: .seconds(10), holds: true), limit: 70)
        #expect(milliseconds([due[1], due[7], due[17], due[49]]) == [2000, 4000, 6000, 10_000])
        #expect(milliseconds([due[50], due[69]]) == [10_100, 12_000])
    }

    @Test("a ramp to nothing slows down and ends")
    func rampFalls() {
        let due = instants(.ramp(fromPer1000s: 10_000, toPer1000s: 0, over: .seconds(10), holds: true))
        #expect(due.count == 50)
        #expect(zip(due, due.dropFirst()).allSatisfy { $0 < $1 })
        #expect(due[0] < .zero + .milliseconds(101) && due[48] > .zero + .seconds(8))
    }

    @Test("a ramp that does not hold ends with its time")
    func rampEnds() {
        #expect(
            instants(.ramp(fromPer1000s: 5000, toPer1000s: 5000, over: .seconds(2), holds: false)).count == 10
        )
    }

    @Test("Poisson arrivals have the rate's mean and variance, and follow from the seed alone")
    func poisson() {
        let pattern = ArrivalPattern.poisson(count: 10, per: .seconds(1))
        let due = instants(pattern)
        // 36,000 in an hour, give or take four standard deviations.
        #expect((36_000 - 760...36_000 + 760).contains(due.count))
        // Counts of one second have their mean for a variance: 10, within four standard errors of 3,600 samples.
        var counts = [Int](repeating: 0, count: 3600)
        for instant in due { counts[Int(instant.nanoseconds / 1_000_000_000)] += 1 }
        let mean = Double(due.count) / 3600
        let variance = counts.map { (Double($0) - mean) * (Double($0) - mean) }.reduce(0, +) / 3599
        #expect((9...11).contains(variance))
        #expect(due == instants(pattern))
        #expect(due != instants(pattern, seed: 2))
    }

    @Test("no more than the limit, and nothing of a rate of zero")
    func limits() {
        #expect(instants(.constant(count: 100, per: .seconds(1)), limit: 3).count == 3)
        #expect(instants(.constant(count: 0, per: .seconds(1))) == [])
        #expect(instants(.ramp(fromPer1000s: 0, toPer1000s: 0, over: .seconds(1), holds: true)) == [])
    }
}

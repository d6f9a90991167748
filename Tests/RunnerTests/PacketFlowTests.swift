import Load
import Primitives
import Runner
import Testing
import Workload

/// When a flow's packets are due, and what each is where it comes out.
@Suite("Packets of one flow")
struct PacketFlowTests {
    /// Ten packets a second.
    private func flow(_ pattern: String, seed: UInt64 = 1) throws -> PacketFlow {
        var values = LoopbackWorkload()
        values.traffic =
            "traffic: { talk: { population: laptops, pattern: \(pattern), up: { packets: 10/s, size: 200B } } }"
        return try #require(PacketFlow(try values.validated(), traffic: 0, .up, client: 7, seed: seed))
    }

    /// When the packets of an hour are due.
    private func instants(_ pattern: String, seed: UInt64 = 1) throws -> [Instant] {
        var flow = try flow(pattern, seed: seed)
        var due = flow.begin(at: .zero)
        var found: [Instant] = []
        while due < .zero + .hours(1) {
            found.append(due)
            due = flow.next().following
        }
        return found
    }

    @Test("of a Poisson rate have its mean, its variance and its gaps, and follow from the seed alone")
    func poisson() throws {
        let due = try instants("poisson")
        // 36,000 in an hour, give or take four standard deviations.
        #expect((36_000 - 760...36_000 + 760).contains(due.count))
        // Counts of one second have their mean for a variance: 10, within four standard errors of 3,600 samples.
        var counts = [Int](repeating: 0, count: 3600)
        for instant in due { counts[Int(instant.nanoseconds / 1_000_000_000)] += 1 }
        let mean = Double(due.count) / 3600
        let variance = counts.map { (Double($0) - mean) * (Double($0) - mean) }.reduce(0, +) / 3599
        #expect((9...11).contains(variance), "\(variance)")
        // Of exponential gaps 1/e are longer than their mean, and 1/e^3 than three of it, within four standard errors.
        let gaps = zip(due, due.dropFirst()).map { $1 - $0 }
        func share(above gap: Duration) -> Double { Double(gaps.count { $0 > gap }) / Double(gaps.count) }
        #expect((0.357...0.379).contains(share(above: .milliseconds(100))), "\(share(above: .milliseconds(100)))")
        #expect((0.045...0.055).contains(share(above: .milliseconds(300))), "\(share(above: .milliseconds(300)))")
        #expect(try due == instants("poisson"))
        #expect(try due != instants("poisson", seed: 2))
    }

    @Test("of a constant rate are even, from a moment of chance in the first gap on")
    func constant() throws {
        let due = try instants("constant")
        #expect(due.count == 36_000)
        #expect(zip(due, due.dropFirst()).allSatisfy { $1 - $0 == .milliseconds(100) })
        #expect(due[0] < .zero + .milliseconds(100))
        #expect(try due[0] != instants("constant", seed: 2)[0])
    }

    @Test("are counted once where they come twice, as a host that doubles them makes them, and late ones for that")
    func doubled() throws {
        var meters = FlowMeters()
        meters.add(try flow("constant"))
        var tally = ClientTally()
        // The n-th is due 10 n ms after the start: its latency is what is left of its arrival.
        let arrivals: [(number: UInt64, at: Int64)] = [
            (1, 30), (2, 40), (2, 41), (5, 70), (3, 75), (5, 76), (4, 80), (4, 81), (1, 82),
        ]
        let isNew = arrivals.map { number, moment in
            let (due, now) = (Instant.zero + .milliseconds(10 * Int64(number)), Instant.zero + .milliseconds(moment))
            return meters.receive(number, due: due, of: 0, &tally, at: now)
        }
        #expect(isNew == [true, true, false, true, true, false, true, false, false])
        func amounts(_ kind: ClientTally.Kind) -> [Int32] { tally.marks.filter { $0.kind == kind }.map(\.amount) }
        #expect(amounts(.packetDuplicated) == [4])
        #expect(amounts(.packetReordered) == [2])
        // Latencies of 20, 20, 20, 45 and 40 ms; what comes again has none.
        let jitter = tally.samples.filter { $0.kind == .jitter }.map(\.value)
        #expect(jitter == [.zero, .zero, .milliseconds(25), .milliseconds(5)])
        #expect((1...6).map { meters.hasSeen($0, of: 0) } == [true, true, true, true, true, false])
        // Of 64 packets up to the highest it is known which have come.
        let last = Instant.zero + .milliseconds(900)
        #expect(meters.receive(68, due: last, of: 0, &tally, at: last))
        #expect(!meters.hasSeen(4, of: 0) && meters.hasSeen(5, of: 0))
        #expect(!meters.receive(5, due: last, of: 0, &tally, at: last))
        #expect(amounts(.packetDuplicated) == [5])
    }
}

package import Primitives

/// What one part of a run, or one worker, has measured and nobody has collected yet.
///
/// Recording appends to memory that is kept, so that nothing is allocated for an event; a `Snapshot` takes it over
/// once in a while. `Reason` says why something failed.
package struct Recorder<Reason: Comparable & Sendable>: Sendable {
    struct Sample: BitwiseCopyable, Sendable {
        let population: UInt16
        let metric: UInt8
        let latency: Duration
    }

    struct FailureKey: Comparable, Sendable {
        let population: Int
        let metric: Int
        let reason: Reason

        static func < (left: FailureKey, right: FailureKey) -> Bool {
            if left.population != right.population { return left.population < right.population }
            if left.metric != right.metric { return left.metric < right.metric }
            return left.reason < right.reason
        }
    }

    package let populationCount: Int
    private(set) var counts: [UInt64]
    private(set) var samples: [Sample] = []
    private(set) var failures = Tally<FailureKey>()
    /// How many clients of each population have what they want, and how many want it; not reset by `drain`.
    package private(set) var availability: [Availability]

    package init(populationCount: Int) {
        precondition(populationCount > 0 && populationCount <= Int(UInt16.max), "there is a population, and not many")
        self.populationCount = populationCount
        counts = Array(repeating: 0, count: populationCount * MetricName.allCases.count)
        availability = Array(repeating: Availability(), count: populationCount)
    }

    package mutating func count(_ metric: MetricName, population: Int, by amount: UInt64 = 1) {
        counts[population * MetricName.allCases.count + metric.ordinal] += amount
    }

    /// Records how long something took.
    package mutating func record(_ metric: MetricName, population: Int, _ latency: Duration) {
        samples.append(Sample(population: UInt16(population), metric: UInt8(metric.ordinal), latency: latency))
    }

    /// Counts a failure, and why.
    package mutating func countFailure(_ metric: MetricName, population: Int, _ reason: Reason) {
        count(metric, population: population)
        failures.add(to: FailureKey(population: population, metric: metric.ordinal, reason: reason))
    }

    /// Notes that so many clients more, or fewer, want a tunnel or have one.
    package mutating func adjustAvailability(population: Int, wanted: Int = 0, up: Int = 0) {
        availability[population].wanted += wanted
        availability[population].up += up
    }

    /// Forgets what was collected; who is up stays up.
    package mutating func drain() {
        for index in counts.indices { counts[index] = 0 }
        samples.removeAll(keepingCapacity: true)
        failures.removeAll()
    }
}

/// How many clients have what they want.
package struct Availability: Hashable, Sendable, BitwiseCopyable {
    package var up = 0
    package var wanted = 0

    package init(up: Int = 0, wanted: Int = 0) {
        self.up = up
        self.wanted = wanted
    }

    package static func + (left: Availability, right: Availability) -> Availability {
        Availability(up: left.up + right.up, wanted: left.wanted + right.wanted)
    }

    /// The share that is up; nil where nobody wants to be.
    package var share: Probability? {
        guard wanted > 0 else { return nil }
        return Probability(
            partsPerBillion: UInt32(min(1_000_000_000, UInt64(max(up, 0)) * 1_000_000_000 / UInt64(wanted)))
        )
    }
}

extension MetricName {
    /// The metric's place in `allCases`.
    package var ordinal: Int {
        switch self {
        case .handshakeOffered: 0
        case .handshakeEstablished: 1
        case .handshakeFailed: 2
        case .handshakeSuccess: 3
        case .handshakeLatency: 4
        case .childRekeyOffered: 5
        case .childRekeyEstablished: 6
        case .childRekeyFailed: 7
        case .childRekeyLatency: 8
        case .ikeRekeyOffered: 9
        case .ikeRekeyEstablished: 10
        case .ikeRekeyFailed: 11
        case .ikeRekeyLatency: 12
        case .reauthenticationOffered: 13
        case .reauthenticationEstablished: 14
        case .reauthenticationFailed: 15
        case .reauthenticationLatency: 16
        case .initialContactReplaced: 17
        case .unknownIKESPI: 18
        case .retransmissions: 19
        case .tunnelsUp: 20
        case .tunnelsLost: 21
        case .recoveryTime: 22
        case .generatorLag: 23
        case .arrivalsSkipped: 24
        case .clipped: 25
        case .mobikeMoves: 26
        case .mobikeUpdates: 27
        case .mobikeRestarts: 28
        case .mobikeLatency: 29
        case .natExhausted: 30
        case .trafficOffered: 31
        case .trafficReceived: 32
        case .trafficLost: 33
        case .trafficLatency: 34
        case .trafficRoundTrip: 35
        case .unknownESPSPI: 36
        case .trafficReordered: 37
        case .trafficDuplicated: 38
        case .trafficJitter: 39
        case .trafficFirstPacket: 40
        case .trafficClockError: 41
        case .espDropped: 42
        case .childRekeyOutage: 43
        case .childRekeyGap: 44
        case .ikeRekeyOutage: 45
        case .ikeRekeyGap: 46
        case .reauthenticationOutage: 47
        case .reauthenticationGap: 48
        case .mobikeOutage: 49
        case .mobikeGap: 50
        case .natOutage: 51
        case .natGap: 52
        case .restartOutage: 53
        case .restartGap: 54
        }
    }
}

package import IKECrypto
package import Primitives

/// What a front desk is told about its gateway.
package struct FrontDeskSettings: Sendable {
    /// How long a job takes, given its price.
    package enum ServiceTimes: Sendable {
        /// Its price, exactly.
        case exact
        /// Exponentially distributed around its price: what queueing theory has formulas for.
        case exponential
    }

    /// When half-open IKE SAs are too many; nil switches a limit off.
    package struct HalfOpenLimits: Sendable {
        /// From the one above this many in total, IKE_SA_INIT needs a cookie (RFC 7296 section 2.6).
        package var cookiesAbove: Int?
        package var cookiesAbovePerSource: Int?
        /// From the one above this many of one address, IKE_SA_INIT is dropped.
        package var refuseAbovePerSource: Int?
        package var refuseAbove: Int?
        /// How long cookies are still demanded after the total was above its threshold; strongSwan: 10 s.
        package var cookieCalmDown = Duration.zero

        package init() {}
    }

    /// The desk's number among the run's entities, and the source of its events.
    package var entity: UInt32
    /// The hash of its stable name, by which it draws.
    package var name: UInt64
    package var seed: UInt64
    /// What a message between a shard and the desk takes, exactly: F.
    package var internalLatency: Duration
    package var cores = 1
    /// How much of each job's time only one core at a time can spend.
    package var serialShare = Probability.zero
    package var costs: CostTable
    package var serviceTimes = ServiceTimes.exact
    /// How many packets may wait for a core.
    package var queuePackets = Int.max
    /// How many octets they may have.
    package var queueByteCount = Int.max
    /// What does the gateway's work on ESP; nil: that takes no time.
    package var esp: ESPPoolSettings?
    package var halfOpen = HalfOpenLimits()
    /// The key exchanges that the gateway does in IKE_SA_INIT; any other is refused at the price of a refusal.
    package var keyExchanges: [KeyExchangeMethod] = KeyExchangeMethod.allCases
    /// Whether the gateway signs in IKE_AUTH.
    package var signs = false
    /// What decides about EAP; nil: the gateway itself.
    package var backend: BackendSettings?
    /// Where inner addresses come from, of both families.
    package var pool: [IPPrefix] = []
    /// How many requests of unknown IKE SAs are answered in a second (RFC 7296 section 2.21.4).
    package var unknownSPIAnswers: UInt32 = 0
    /// How many requests of a client the gateway takes at once (RFC 7296 section 2.3).
    package var windowSize: UInt32 = 1
    package var restarts = RestartSchedule()
    /// The stretches of the desk's window log, nil for none.
    package var logLength: Duration?
    /// The stretch of which the desk keeps every decision, nil for none.
    package var excerpt: Range<Instant>?

    package init(entity: UInt32, name: UInt64, seed: UInt64, internalLatency: Duration, costs: CostTable) {
        precondition(internalLatency > .zero, "a message between a shard and the desk takes time")
        self.entity = entity
        self.name = name
        self.seed = seed
        self.internalLatency = internalLatency
        self.costs = costs
    }
}

/// One entity's source of chance for one purpose.
///
/// The n-th draw is Philox4x32-10 of the key (the run's seed) and the counter (entity, purpose, n): Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", SC11. Nothing is shared, so an entity more or less in a run shifts
/// nobody else's draws, and 24 bytes of plain state can be copied, moved and checkpointed.
public struct RandomStream: Sendable, BitwiseCopyable {
    @usableFromInline let seed: UInt64
    @usableFromInline let entity: UInt64
    /// The purpose in the upper 16 bits, the number of draws so far in the lower 48.
    @usableFromInline var position: UInt64

    /// The stream before its first draw, or before the one that has `drawCount` others before it.
    ///
    /// Who numbers its draws anyhow, as a link does its packets, makes the stream where it draws and keeps no state.
    @inlinable
    public init(seed: UInt64, entity: UInt64, purpose: Purpose, drawCount: UInt64 = 0) {
        precondition(drawCount >> 48 == 0, "a stream is drawn from fewer than 2^48 times")
        self.seed = seed
        self.entity = entity
        self.position = UInt64(purpose.rawValue) << 48 | drawCount
    }

    /// How many draws were made.
    @inlinable public var drawCount: UInt64 { position & 0xFFFF_FFFF_FFFF }

    /// The next 64 uniform bits.
    @inlinable
    public mutating func next() -> UInt64 {
        let block = Philox4x32.block(
            counter: (
                UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
                UInt32(truncatingIfNeeded: entity), UInt32(truncatingIfNeeded: entity >> 32)
            ),
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        )
        precondition(drawCount != 0xFFFF_FFFF_FFFF, "a stream is drawn from fewer than 2^48 times")
        position += 1
        return UInt64(block.0) | UInt64(block.1) << 32
    }

    /// A number from 0 up to `bound`, without bias (Lemire, "Fast random integer generation in an interval", 2019).
    ///
    /// It may take more than one draw; use `chance` and `fraction` where the count of draws must not vary.
    @inlinable
    public mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "a draw below 0 has no answer")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// A number from 0 up to `bound` in exactly one draw, with a bias below `bound` / 2^64.
    @inlinable
    public mutating func scaled(below bound: UInt64) -> UInt64 {
        next().multipliedFullWidth(by: bound).high
    }

    /// Whether something of this probability happens; always exactly one draw.
    @inlinable
    public mutating func chance(_ probability: Probability) -> Bool {
        scaled(below: 1_000_000_000) < UInt64(probability.partsPerBillion)
    }

    /// A duration from zero up to and including `limit`, uniform to the nanosecond; exactly one draw.
    @inlinable
    public mutating func duration(upTo limit: Duration) -> Duration {
        precondition(limit >= .zero, "a range of durations is not negative")
        return Duration(nanoseconds: Int64(scaled(below: UInt64(limit.nanoseconds) + 1)))
    }
}

/// What an entity draws for: each purpose is a stream of its own, so that two kinds of draw never shift each other.
public struct Purpose: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }
}

// Every purpose of the project is listed here, so that no two share a number.
extension Purpose {
    public static var test: Purpose { Purpose(rawValue: 0) }
    // The network model.
    public static var clientDelay: Purpose { Purpose(rawValue: 1) }
    public static var packetDelay: Purpose { Purpose(rawValue: 2) }
    public static var lossState: Purpose { Purpose(rawValue: 3) }
    public static var drop: Purpose { Purpose(rawValue: 4) }
    public static var duplication: Purpose { Purpose(rawValue: 5) }
    public static var reordering: Purpose { Purpose(rawValue: 6) }
    public static var faultDrop: Purpose { Purpose(rawValue: 7) }
    public static var natPort: Purpose { Purpose(rawValue: 8) }
    public static var duplicateDelay: Purpose { Purpose(rawValue: 9) }
    // The IKE machines and their drivers.
    public static var arrival: Purpose { Purpose(rawValue: 16) }
    public static var lifetimeJitter: Purpose { Purpose(rawValue: 17) }
    public static var retransmissionJitter: Purpose { Purpose(rawValue: 18) }
    public static var reconnect: Purpose { Purpose(rawValue: 19) }
    public static var spi: Purpose { Purpose(rawValue: 20) }
    public static var keyMaterial: Purpose { Purpose(rawValue: 21) }
    public static var pathChoice: Purpose { Purpose(rawValue: 22) }
    public static var traffic: Purpose { Purpose(rawValue: 23) }
    public static var serviceTime: Purpose { Purpose(rawValue: 24) }
    public static var cookieSecret: Purpose { Purpose(rawValue: 25) }
    public static var fault: Purpose { Purpose(rawValue: 26) }
    public static var stay: Purpose { Purpose(rawValue: 27) }
    public static var replication: Purpose { Purpose(rawValue: 28) }
    public static var backendLatency: Purpose { Purpose(rawValue: 29) }
    public static var volumeJitter: Purpose { Purpose(rawValue: 30) }
    // What is made of results.
    public static var bootstrap: Purpose { Purpose(rawValue: 31) }
}

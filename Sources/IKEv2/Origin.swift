import IKECrypto
package import IKEWire
package import Primitives

/// Where the SPIs of IKE SAs come from: a keyed permutation, so that no two of a run are the same and none can be
/// guessed without the key.
///
/// The permuted number is (owner, count): the same whatever shard or worker the owner lives in.
package struct SPISource: Sendable, BitwiseCopyable {
    private let key: UInt64
    private let owner: UInt32
    private var count: UInt32 = 0

    /// - Parameters:
    ///   - key: the run's secret for this end.
    ///   - owner: a number that no other owner of this end has.
    ///   - attempt: which of the owner's attempts the SPIs are for; each has room for 4,096 with its rekeys.
    package init(key: UInt64, owner: UInt32, attempt: UInt32 = 0) {
        self.key = key
        self.owner = owner
        count = attempt &<< 12
    }

    /// How many came from it, with the attempt's place before them.
    fileprivate var drawCount: UInt32 { count }

    /// The same source after so many.
    fileprivate func resumed(at drawCount: UInt32) -> SPISource {
        var source = self
        source.count = drawCount
        return source
    }

    /// The next SPI; never zero, since zero means that there is none yet (RFC 7296 section 3.1).
    package mutating func next() -> IKESPI {
        while true {
            let spi = Self.permute(UInt64(owner) << 32 | UInt64(count), key: key)
            count += 1
            if spi != 0 { return IKESPI(rawValue: spi) }
        }
    }

    /// Whose SPI this is, by the inverse permutation.
    package static func owner(of spi: IKESPI, key: UInt64) -> UInt32 {
        UInt32(unpermute(spi.rawValue, key: key) >> 32)
    }

    /// A Feistel network of four rounds over the two halves.
    private static func permute(_ value: UInt64, key: UInt64) -> UInt64 {
        var left = UInt32(value >> 32)
        var right = UInt32(truncatingIfNeeded: value)
        for round in 0..<4 as Range<UInt64> {
            (left, right) = (right, left ^ mix(right, key: key, round: round))
        }
        return UInt64(left) << 32 | UInt64(right)
    }

    private static func unpermute(_ value: UInt64, key: UInt64) -> UInt64 {
        var left = UInt32(value >> 32)
        var right = UInt32(truncatingIfNeeded: value)
        for round in (0..<4 as Range<UInt64>).reversed() {
            (left, right) = (right ^ mix(left, key: key, round: round), left)
        }
        return UInt64(left) << 32 | UInt64(right)
    }

    private static func mix(_ half: UInt32, key: UInt64, round: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: StableName.hash(of: key, UInt64(half) | round << 32))
    }
}

/// Who an end of an IKE SA is among all ends of a run, and its own sources of chance.
package struct Origin: Sendable, BitwiseCopyable {
    /// The client's number in its population, which its identity carries.
    package let number: UInt32
    /// Whether its IKE SA comes beside another one of the same end, to take its place (RFC 7296 section 2.8.3).
    package var isReplacement = false
    private let seed: UInt64
    package var spis: SPISource
    var material: KeyMaterialStream
    var chance: RandomStream

    /// - Parameter entity: the hash of the end's stable name; a gateway's half is (gateway, initiator, attempt).
    package init(number: UInt32, entity: UInt64, seed: UInt64, spis: SPISource) {
        self.number = number
        self.seed = seed
        self.spis = spis
        material = KeyMaterialStream(entity: entity)
        chance = RandomStream(seed: seed, entity: entity, purpose: .lifetimeJitter)
    }

    /// What has to be kept of it while its IKE SA is at rest: all else is known of the end whose it is.
    struct Drawn: BitwiseCopyable {
        let entity: UInt64
        let spis: UInt32
        let material: UInt16
        let chance: UInt16
    }

    /// Nil where more was drawn than is kept of it.
    var drawn: Drawn? {
        guard let material = UInt16(exactly: material.counter), let chance = UInt16(exactly: chance.drawCount) else {
            return nil
        }
        return Drawn(entity: self.material.entity, spis: spis.drawCount, material: material, chance: chance)
    }

    /// The sources of the same end as they were before a rest.
    func resumed(at drawn: Drawn, isReplacement: Bool) -> Origin {
        var origin = self
        origin.isReplacement = isReplacement
        origin.spis = spis.resumed(at: drawn.spis)
        origin.material = KeyMaterialStream(entity: drawn.entity, counter: UInt64(drawn.material))
        origin.chance = RandomStream(
            seed: seed,
            entity: drawn.entity,
            purpose: .lifetimeJitter,
            drawCount: UInt64(drawn.chance)
        )
        return origin
    }

    /// The sources of the IKE SA that takes over by a rekey: streams of their own, so that both SAs can go on drawing.
    mutating func forSuccessor() -> Origin {
        let entity = StableName.hash(of: material.entity, chance.next())
        return Origin(number: number, entity: entity, seed: seed, spis: spis)
    }

    /// When the soft lifetime ends: the whole of it less a random part (RFC 7296 section 2.8).
    mutating func softDeadline(_ lifetime: Lifetime, from now: Instant) -> Instant {
        guard let rekey = lifetime.rekey else { return .never }
        return now + (rekey - chance.duration(upTo: lifetime.jitter.part(of: rekey)))
    }
}

extension Probability {
    /// This part of a duration, to the nanosecond.
    package func part(of duration: Duration) -> Duration {
        let product = UInt64(duration.nanoseconds).multipliedFullWidth(by: UInt64(partsPerBillion))
        return .nanoseconds(Int64((1_000_000_000 as UInt64).dividingFullWidth(product).quotient))
    }
}

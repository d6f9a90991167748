import IKEWire
import IKEv2
import Primitives

/// How much one end lets each of its Child SAs carry, drawn anew for each (RFC 4301 section 4.4.2.1).
struct VolumeLifetime: Sendable {
    let volume: Lifetime.Volume
    let jitter: Probability
    let seed: UInt64
    /// Whose Child SAs these are, as a stable name's hash.
    let entity: UInt64

    /// Nil where Child SAs carry as much as there is.
    init?(_ lifetime: Lifetime, seed: UInt64, entity: UInt64) {
        guard let volume = lifetime.volume else { return nil }
        self.volume = volume
        jitter = lifetime.jitter
        self.seed = seed
        self.entity = entity
    }

    /// That of one Child SA.
    func drawn(for inbound: ChildSPI) -> Lifetime.Volume {
        let name = StableName.hash(of: entity, UInt64(inbound.rawValue))
        var chance = RandomStream(seed: seed, entity: name, purpose: .volumeJitter)
        func shortened(_ limit: UInt64) -> UInt64 {
            let most = limit.multipliedFullWidth(by: UInt64(jitter.partsPerBillion))
            let part = UInt64(1_000_000_000).dividingFullWidth(most).quotient
            return limit - chance.scaled(below: part + 1)
        }
        return Lifetime.Volume(packets: shortened(volume.packets), octets: shortened(volume.octets))
    }
}

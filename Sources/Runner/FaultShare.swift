import Load
import Primitives

extension ClientPlace {
    /// Whether a fault that hits a share of the clients hits this one: the same clients in either world.
    ///
    /// - Parameter fault: its number in the workload.
    func isHit(by fault: Int, share: Probability, seed: UInt64) -> Bool {
        var stream = RandomStream(seed: seed, entity: entity, purpose: .fault, drawCount: UInt64(fault))
        return stream.chance(share)
    }
}

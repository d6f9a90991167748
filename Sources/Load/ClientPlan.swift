package import IKEv2
import Primitives

/// What all clients of a population have in common.
///
/// Each worker has its own copy, as of the policy inside it.
package final class ClientPlan: Sendable {
    package let population: Int
    package let policy: PeerPolicy
    package let reconnect: ReconnectPolicy
    /// The run's seed, from which each client's own chance comes.
    package let seed: UInt64

    package init(population: Int, policy: PeerPolicy, reconnect: ReconnectPolicy, seed: UInt64) {
        self.population = population
        self.policy = policy
        self.reconnect = reconnect
        self.seed = seed
    }
}

/// Who a client is, and where its packets come from and go to.
package struct ClientPlace: Hashable, Sendable, BitwiseCopyable {
    /// The number in its identity.
    package var number: UInt32
    /// Its place among all clients of the run: no other has it.
    package var index: UInt32
    /// The hash of its stable name.
    package var entity: UInt64
    package var route: Route
    package var spiKey: UInt64

    package init(number: UInt32, index: UInt32, entity: UInt64, route: Route, spiKey: UInt64) {
        self.number = number
        self.index = index
        self.entity = entity
        self.route = route
        self.spiKey = spiKey
    }

    /// Where the SPIs and the chance of one of the client's attempts come from.
    func origin(ofAttempt attempt: UInt32 = 0, seed: UInt64) -> Origin {
        let name = StableName.hash(of: entity, UInt64(attempt))
        let spis = SPISource(key: spiKey, owner: index, attempt: attempt)
        return Origin(number: number, entity: name, seed: seed, spis: spis)
    }
}

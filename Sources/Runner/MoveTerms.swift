import Primitives
import Workload

/// Who moves by a fault, when and where to: the same clients at the same moments in either world.
struct MoveTerms {
    let population: Int
    let path: Int
    /// Where they have their addresses from, unless from among their population's own.
    let sources: [IPPrefix]
    private let fault: Int
    private let share: Probability
    private let over: Duration

    /// Nil for a fault of another kind.
    init?(_ workload: Workload, _ fault: Int) {
        guard case .move(let population, let share, let path, let over, let sources) = workload.faults[fault].effect
        else {
            return nil
        }
        self.population = population
        self.path = path
        self.sources = sources
        self.fault = fault
        self.share = share
        self.over = over
    }

    /// How long after the fault's start a client of this stable name moves; nil where it stays.
    func offset(of entity: UInt64, seed: UInt64) -> Duration? {
        var stream = RandomStream(seed: seed, entity: StableName.hash(of: entity, UInt64(fault)), purpose: .fault)
        guard stream.chance(share) else { return nil }
        return stream.duration(upTo: over)
    }
}

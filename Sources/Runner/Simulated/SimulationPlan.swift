import Gateway
import IKECrypto
import IKEv2
import Load
package import Primitives
import Simulation
import Workload

/// A workload made ready for virtual time: who the entities are, when each arrives, what each window may hold.
///
/// Plain values, shared by all workers and changed by none.
struct SimulationPlan: Sendable {
    let workload: Workload
    let seed: UInt64
    let crypto: CryptoChoice
    let authentication: AuthenticationMaterial
    /// Where each population's clients begin among all clients, and behind the last one where floods begin.
    let firstClient: [UInt32]
    let clientCount: UInt32
    /// The arrivals of each population, in order; arrival n is for client n modulo the population's size.
    let arrivals: [[PlannedArrival]]
    /// The first arrival that is for each client, by its place among all clients; -1 for none.
    let firstArrival: [Int32]
    let partition: Partition
    let window: Duration
    /// The paths whose NATs are shared, in order: each such NAT is a part of its own.
    let sharedNATs: [Int]
    /// What a message between a shard and a shared NAT takes: as long as a window may be, so that none gets shorter.
    let sharedNATLatency: Duration
    /// The paths whose links are shared, in order: each such link is a part of its own.
    let sharedLinks: [Int]
    /// What a datagram takes to a shared link, and what the shard's hearing of it takes: each is at most a third of the
    /// least delay of such a path, so that as much is left for the way behind the link.
    let sharedLinkLatency: Duration
    let end: Instant
    /// Packets and life-cycle events are kept for the run's files.
    var keepsPackets = false
    let disturbance: (@Sendable () -> UInt64)?
    /// The sequence number that Child SAs begin behind.
    let sequenceNumber: UInt64
    var keepsEvents = true
    /// Shards leave operations to a worker, which carries out those of several at once.
    var gathersOperations = false
    /// Who computes what workers gather.
    var batchLibrary = BatchLibrary.openSSL
    /// The stretch of which every event is kept.
    var excerpt: Range<Instant>?

    struct PlannedArrival: Hashable, Sendable {
        var at: Instant
        /// The client's place in its population.
        var client: UInt32
        /// When it leaves, or `.never`.
        var until: Instant
        /// The next arrival for the same client, or -1.
        var following: Int32 = -1
    }

    /// The stretches of window logs.
    static var logLength: Duration { .seconds(1) }

    var floodCount: UInt32 { UInt32(workload.floods.count) }
    /// Clients, then floods: the entities that live in shards.
    var entityCount: UInt32 { clientCount + floodCount }
    var shardCount: Int { Int(partition.shardCount) }
    var gatewayCount: Int { workload.gateways.count }
    var partCount: Int { shardCount + gatewayCount + sharedNATs.count + sharedLinks.count }

    /// The entity of a gateway's front desk, behind all clients and floods.
    func deskEntity(_ gateway: Int) -> UInt32 { entityCount + UInt32(gateway) }
    func deskPart(_ gateway: Int) -> Int { shardCount + gateway }
    /// The entity that orders faults among the events of one instant.
    var faultEntity: UInt32 { entityCount + UInt32(gatewayCount) }

    func sharedNATEntity(_ number: Int) -> UInt32 { faultEntity + 1 + UInt32(number) }
    /// The part of a path's shared NAT; nil where its clients have NATs of their own.
    func sharedNATPart(ofPath path: Int) -> Int? {
        sharedNATs.firstIndex(of: path).map { shardCount + gatewayCount + $0 }
    }

    func sharedLinkEntity(_ number: Int) -> UInt32 { sharedNATEntity(sharedNATs.count + number) }
    /// The first of the parts that are shared links.
    var firstSharedLinkPart: Int { shardCount + gatewayCount + sharedNATs.count }
    /// The part of a path's shared link; nil where each of its clients has a link of its own, or none has any.
    func sharedLinkPart(ofPath path: Int) -> Int? {
        sharedLinks.firstIndex(of: path).map { firstSharedLinkPart + $0 }
    }

    func population(of client: UInt32) -> Int {
        (firstClient.lastIndex { $0 <= client }) ?? 0
    }
}

/// Which cryptography a simulated run computes with (`--crypto`).
enum CryptoChoice: String, Sendable, CaseIterable {
    case real
    case modelled
}

/// What tests force, to show that nothing depends on it.
package struct SimulationOverrides: Sendable {
    package var window: Duration?
    package var shardCount: UInt32?
    /// What the first client reads whenever something happens to it: a test passes a clock, and must see the run's
    /// digest change from one run to the next.
    package var disturbance: (@Sendable () -> UInt64)?
    /// The sequence number that Child SAs begin behind, so that a test sees the last ones (RFC 4303 section 3.3.3).
    package var sequenceNumber: UInt64 = 0

    package init(window: Duration? = nil, shardCount: UInt32? = nil) {
        self.window = window
        self.shardCount = shardCount
    }
}

extension SimulationPlan {
    init(_ workload: Workload, seed: UInt64, crypto: CryptoChoice, overrides: SimulationOverrides) {
        self.workload = workload
        self.seed = seed
        self.crypto = crypto
        authentication = AuthenticationMaterial(prepared: workload)
        disturbance = overrides.disturbance
        sequenceNumber = overrides.sequenceNumber
        end = .zero + workload.run.duration
        var first: [UInt32] = []
        var count: UInt32 = 0
        for population in workload.populations {
            first.append(count)
            count += UInt32(population.count)
        }
        firstClient = first
        clientCount = count
        var planned = Self.arrivals(workload, seed: seed)
        var firstArrival = [Int32](repeating: -1, count: Int(count))
        for population in planned.indices {
            for index in planned[population].indices.reversed() {
                let client = Int(first[population] + planned[population][index].client)
                planned[population][index].following = firstArrival[client]
                firstArrival[client] = Int32(index)
            }
        }
        arrivals = planned
        self.firstArrival = firstArrival
        let entities = count + UInt32(workload.floods.count)
        partition =
            overrides.shardCount.map { Partition(entityCount: entities, shardCount: $0) }
            ?? Partition(entityCount: entities)
        let lookahead = Self.lookahead(workload)
        sharedNATs = workload.paths.indices.filter { workload.paths[$0].nat?.shared != nil }
        sharedNATLatency = lookahead.window
        sharedLinks = workload.paths.indices.filter { workload.paths[$0].hasSharedLink }
        sharedLinkLatency = lookahead.window
        if let forced = overrides.window {
            precondition(forced <= lookahead.window, "a forced window is no longer than the lookahead")
            window = forced
        } else {
            window = lookahead.window
        }
    }

    /// The smallest delay of all that can join two parts (DESIGN: windows).
    private static func lookahead(_ workload: Workload) -> Lookahead {
        var lookahead = Lookahead(gatewayLatency: .milliseconds(1))
        for gateway in workload.gateways {
            guard let simulated = gateway.simulated else { continue }
            lookahead.declare(simulated.internalLatency, by: "gateways.\(gateway.name).simulated.internal-latency")
        }
        for path in workload.paths {
            // To a shared link, back to the shard that has the datagram, and on from there.
            let legs: Int64 = path.hasSharedLink ? 3 : 1
            lookahead.declare(path.delay.minimum / legs, by: "paths.\(path.name).one-way-delay")
        }
        return lookahead
    }

    private static func arrivals(_ workload: Workload, seed: UInt64) -> [[PlannedArrival]] {
        var planned = [[PlannedArrival]](repeating: [], count: workload.populations.count)
        var next = [UInt32](repeating: 0, count: workload.populations.count)
        for arrival in workload.arrivals {
            let population = arrival.population
            let size = UInt32(workload.populations[population].count)
            let entity = StableName.hash(of: "arrivals." + arrival.name)
            if case .trace(let entries) = arrival.pattern {
                for entry in entries {
                    let client = entry.client.map { UInt32($0) } ?? next[population] % size
                    if entry.client == nil { next[population] += 1 }
                    let until = entry.until.map { .zero + $0 } ?? Instant.never
                    planned[population].append(PlannedArrival(at: .zero + entry.at, client: client, until: until))
                }
                continue
            }
            let end = arrival.pattern.lasting.map { arrival.start + $0 } ?? workload.run.duration
            let schedule = ArrivalSchedule(
                ArrivalPattern(arrival.pattern),
                from: .zero + arrival.start,
                to: .zero + min(end, workload.run.duration)
            ) { mean, stream in
                DurationDistribution(.exponential(mean: mean)).draw(from: &stream)
            }
            // Clients that stay arrive once; then the process has done its work.
            let limit = arrival.stay == nil && arrival.pattern.endsWithPopulation ? Int(size) : Int.max
            var stays = RandomStream(seed: seed, entity: entity, purpose: .stay)
            for at in schedule.instants(limit: limit, seed: seed, entity: entity) {
                let until = arrival.stay.map { at + DurationDistribution($0).draw(from: &stays) } ?? .never
                planned[population].append(PlannedArrival(at: at, client: next[population] % size, until: until))
                next[population] += 1
            }
        }
        for index in planned.indices { planned[index].sort { ($0.at, $0.client) < ($1.at, $1.client) } }
        return planned
    }
}

extension Workload.Arrival.Pattern {
    fileprivate var lasting: Duration? {
        switch self {
        case .constant(_, let lasting): lasting
        case .poisson(_, let lasting): lasting
        case .ramp, .spike, .trace: nil
        }
    }

    /// Whether the process goes on until everybody is there, rather than for a number or a time that was given.
    fileprivate var endsWithPopulation: Bool {
        switch self {
        case .constant(_, let lasting): lasting == nil
        case .poisson(_, let lasting): lasting == nil
        case .ramp: true
        case .spike, .trace: false
        }
    }
}

extension ArrivalPattern {
    init(_ pattern: Workload.Arrival.Pattern) {
        self =
            switch pattern {
            case .constant(let rate, _): .constant(count: rate.count, per: rate.per)
            case .poisson(let rate, _): .poisson(count: rate.count, per: rate.per)
            case .spike(let clients, let over): .spike(clients: clients, over: over)
            case .ramp(let from, let to, let over, let holds):
                .ramp(
                    fromPer1000s: from.perSecondThousandths,
                    toPer1000s: to.perSecondThousandths,
                    over: over,
                    holds: holds
                )
            case .trace: preconditionFailure("a trace has its instants")
            }
    }
}

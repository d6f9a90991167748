import Gateway
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// What all clients of a run are made from and none of them changes: policies, keys of the run, behaviours of NATs.
///
/// There is one for each worker, and its shards share it: with one for each shard the caches would hold hundreds of
/// copies, and with one for the run all workers would count references in the same line of memory.
final class ShardTerms: Sendable {
    /// For each population.
    let clientPlans: [ClientPlan]
    /// For each path.
    let behaviours: [NATBehaviour?]
    /// For each path: whether its clients share one NAT.
    let isShared: [Bool]
    /// For each path: the part of the link that its clients share, nil where they share none.
    let sharedLinks: [Int?]
    /// For each gateway, as the others below.
    let gatewayPolicies: [PeerPolicy]
    /// For each fault, nil where it is none of certificates.
    let rollovers: [RolloverTerms?]
    let internalLatency: [Duration]
    let restarts: [RestartSchedule]
    /// Whether its work on ESP takes time.
    let hasESPPool: [Bool]
    /// Where the gateways are, for clients of IPv4 and of IPv6.
    let gatewayAddresses: [(v4: IPAddress, v6: IPAddress)]
    /// The gateways' own addresses behind their NATs.
    let gatewayInsides: [IPAddress?]
    let cookieIssuers: [CookieIssuer]
    /// The hashes of the gateways' stable names.
    let gatewayNames: [UInt64]
    let spiKey: UInt64
    let gatewaySPIKey: UInt64
    /// The 32 octets that all key material of the run comes from.
    let keyMaterialSeed: [UInt8]

    init(_ plan: SimulationPlan) {
        let workload = plan.workload
        let clientPlans = workload.populations.indices.map { population in
            let profile = workload.profiles[workload.populations[population].profile]
            return ClientPlan(
                population: population,
                policy: PeerPolicy(workload, population: population, plan.authentication),
                reconnect: ReconnectPolicy(profile.reconnect),
                seed: plan.seed
            )
        }
        self.clientPlans = clientPlans
        behaviours = workload.paths.map { $0.nat.map { NATBehaviour($0) } }
        isShared = workload.paths.map { $0.nat?.shared != nil }
        sharedLinks = workload.paths.indices.map { plan.sharedLinkPart(ofPath: $0) }
        let policies = workload.gateways.indices.map { PeerPolicy(workload, gateway: $0, plan.authentication) }
        gatewayPolicies = policies
        rollovers = RolloverTerms.all(plan, policies, clientPlans)
        internalLatency = workload.gateways.map { $0.simulated?.internalLatency ?? .milliseconds(1) }
        restarts = workload.gateways.indices.map { plan.restartSchedule($0) }
        hasESPPool = workload.gateways.map { $0.simulated?.esp != nil }
        gatewayAddresses = workload.gateways.map { gateway in
            let addresses = (gateway.simulated?.addresses ?? []) + gateway.realAddresses
            let other = addresses.first ?? IPAddress(v4: 0xC000_0201)
            return (addresses.first { $0.isIPv4 } ?? other, addresses.first { !$0.isIPv4 } ?? other)
        }
        gatewayInsides = workload.gateways.map { $0.simulated?.behindNAT }
        cookieIssuers = workload.gateways.map { gateway in
            let name = StableName.hash(of: "gateways." + gateway.name)
            var stream = RandomStream(seed: plan.seed, entity: name, purpose: .cookieSecret)
            return CookieIssuer(secret: (0..<32).map { _ in UInt8(truncatingIfNeeded: stream.next()) })
        }
        gatewayNames = workload.gateways.map { StableName.hash(of: $0.name) }
        var keys = RandomStream(seed: plan.seed, entity: StableName.hash(of: "run"), purpose: .spi)
        spiKey = keys.next()
        gatewaySPIKey = keys.next()
        keyMaterialSeed = (0..<4 as Range<UInt64>).flatMap { word in
            var stream = RandomStream(seed: plan.seed, entity: word, purpose: .keyMaterial)
            let value = stream.next()
            return (0..<8 as Range<UInt64>).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }
}

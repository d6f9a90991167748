import IKECrypto
import IKEv2
import Primitives
import UDPTransport
import Workers
import Workload

/// A workload made ready for real time: which worker has which clients, where they are, when they arrive.
///
/// Plain values, shared by all workers and changed by none.
struct LivePlan: Sendable {
    struct ClientValues: Hashable, Sendable {
        /// Its place among all clients of the run.
        var index: UInt32
        var population: Int
        /// Its place in its population.
        var number: Int
        var source: IPAddress
        var group: Int32
    }

    struct Arrival: Hashable, Sendable {
        var at: Instant
        /// The client's place in its worker.
        var local: Int32
        var until: Instant
    }

    /// A client goes to another network.
    struct Move: Hashable, Sendable {
        var at: Instant
        /// The client's place in its worker.
        var local: Int32
        var path: Int
        var source: IPAddress
        var group: Int32
        /// What its draws on the new path are named by.
        var fault: Int
    }

    let workload: Workload
    let seed: UInt64
    let placement: Placement
    /// By gateway.
    let targets: [LiveTarget]
    let secrets: LiveSecrets
    let authentication: AuthenticationMaterial
    /// By worker.
    let clients: [[ClientValues]]
    var arrivals: [[Arrival]]
    /// By worker, in order.
    let moves: [[Move]]
    let warnings: [String]
    /// When the load ends, and draining begins.
    let end: Instant
    /// Packets and keys are kept for a capture.
    var keepsPackets = false
    /// What computes public-key operations; clients of a worker wait for each other where it is a batch.
    var batchLibrary = BatchLibrary.openSSL
    /// How long a worker lets more come before it looks again.
    var batchWait: Duration = .zero

    var workerCount: Int { clients.count }
}

/// What nobody outside the run may know or foretell: the seed of all keys and nonces, and of the SPIs.
struct LiveSecrets: Hashable, Sendable {
    /// 32 octets.
    var material: [UInt8]
    var spiKey: UInt64

    /// What the clients' own chance follows from. By the workload's seed alone a run's Child SPIs would be those of the
    /// run before, which a gateway may still have.
    func chance(seed: UInt64) -> UInt64 { StableName.hash(of: spiKey, seed) }

    /// One seed of the operating system for the whole run.
    static func drawn() -> LiveSecrets {
        let words = operatingSystemSeed().prefix(8)
        return LiveSecrets(
            material: operatingSystemSeed(),
            spiKey: words.reduce(0) { $0 << 8 | UInt64($1) }
        )
    }
}

extension LivePlan {
    init(
        _ workload: Workload,
        options: LiveOptions,
        targets: [LiveTarget],
        secrets: LiveSecrets
    ) throws(LiveError) {
        let workers = max(1, options.workers)
        let sources = try LiveSources(workload, targets: targets, chosen: options.sources, workers: workers)
        let seed = options.seed ?? workload.seed
        var workload = workload
        // Certificates are judged by the time at which the run begins, and by how long it has lasted.
        workload.run.epoch = Int64(MonotonicClock().epoch / 1_000_000_000)
        let forced = Self.forceEncapsulation(in: &workload)
        // The model of a simulated gateway, whose costs are in a file of their own, has no part in this run.
        for gateway in workload.gateways.indices {
            workload.gateways[gateway].simulated = nil
            workload.gateways[gateway].realAddresses = targets[gateway].addresses
        }
        let plan = SimulationPlan(workload, seed: seed, crypto: .real, overrides: SimulationOverrides())
        var clients = [[ClientValues]](repeating: [], count: workers)
        var arrivals = [[Arrival]](repeating: [], count: workers)
        var moves = [[Move]](repeating: [], count: workers)
        for fault in workload.faults.indices {
            for (client, move) in Self.moves(by: fault, workload, seed, plan.firstClient, sources) {
                moves[client % workers].append(move)
                moves[client % workers][moves[client % workers].count - 1].local = Int32(client / workers)
            }
        }
        for worker in moves.indices { moves[worker].sort { ($0.at, $0.local) < ($1.at, $1.local) } }
        var index = 0
        for (population, values) in workload.populations.enumerated() {
            for number in 0..<values.count {
                let place = sources.places[population][number]
                clients[index % workers].append(
                    ClientValues(
                        index: UInt32(index),
                        population: population,
                        number: number,
                        source: place.source,
                        group: place.group
                    )
                )
                index += 1
            }
            let first = Int(plan.firstClient[population])
            for arrival in plan.arrivals[population] {
                let client = first + Int(arrival.client)
                arrivals[client % workers].append(
                    Arrival(at: arrival.at, local: Int32(client / workers), until: arrival.until)
                )
            }
        }
        for worker in arrivals.indices { arrivals[worker].sort { ($0.at, $0.local) < ($1.at, $1.local) } }
        self.workload = workload
        self.seed = seed
        placement = options.placement
        self.targets = targets
        self.secrets = secrets
        authentication = plan.authentication
        self.clients = clients
        self.moves = moves
        self.arrivals = arrivals
        warnings = sources.warnings + Self.leftOut(workload) + forced
        end = .zero + workload.run.duration
    }

    /// Who moves by a fault, by the client's place among all, and when and where to.
    private static func moves(
        by fault: Int,
        _ workload: Workload,
        _ seed: UInt64,
        _ firstClient: [UInt32],
        _ sources: LiveSources
    ) -> [(client: Int, move: Move)] {
        guard let terms = MoveTerms(workload, fault) else { return [] }
        let population = workload.populations[terms.population]
        return (0..<population.count).compactMap { number in
            let entity = StableName.hash(of: population.name, UInt64(number))
            guard let offset = terms.offset(of: entity, seed: seed) else { return nil }
            let place = sources.moved[fault][number]
            let move = Move(
                at: .zero + workload.faults[fault].at + offset,
                local: 0,
                path: terms.path,
                source: place.source,
                group: place.group,
                fault: fault
            )
            return (Int(firstClient[terms.population]) + number, move)
        }
    }

    /// Packets go by UDP alone: who has traffic asks for that, behind a NAT or not (RFC 7296 section 2.23).
    private static func forceEncapsulation(in workload: inout Workload) -> [String] {
        var warnings: [String] = []
        for traffic in workload.traffic {
            let profile = workload.populations[traffic.population].profile
            guard !workload.profiles[profile].mobility.forcesEncapsulation else { continue }
            workload.profiles[profile].mobility.forcesEncapsulation = true
            warnings.append(
                "the profile \(workload.profiles[profile].name) has `encapsulation: forced`, since its packets go by UDP"
            )
        }
        return warnings
    }

    /// What the workload has and a run in real time cannot bring about.
    private static func leftOut(_ workload: Workload) -> [String] {
        workload.faults.filter { !$0.isLive }.map {
            "the fault \($0.name) is left out: in real time it is "
                + ($0.isReplay ? "a stranger's" : "the gateway's own") + " business"
        }
            + workload.faults.filter(\.isAwaited).map {
                "the fault \($0.name) is awaited: have the gateway restart \($0.at) into the run; its cost is measured"
            }
            + workload.faults.filter { if case .certificateRollover = $0.effect { $0.isLive } else { false } }.map {
                "of the fault \($0.name) the clients' half happens: the gateway's certificates are its owner's to change"
            }
            + workload.paths.filter { $0.nat?.shared != nil }.map {
                "the NAT of the path \($0.name) is not shared: in real time each client has one, and its own source"
            }
            + workload.paths.filter(\.hasSharedLink).map {
                "the link of the path \($0.name) is not shared: in real time each client has one of that rate"
            }
            + workload.floods.map { "the flood \($0.name) is left out: in real time nothing pretends to be elsewhere" }
    }

    /// The hash of a client's stable name: the same as in virtual time.
    func name(of client: ClientValues) -> UInt64 {
        StableName.hash(of: workload.populations[client.population].name, UInt64(client.number))
    }

    /// Where a client goes from its source, or from another one: to its gateway's address of that family.
    func target(of client: ClientValues, from source: IPAddress? = nil) -> LiveTarget {
        let target = targets[workload.populations[client.population].gateway]
        return target.reached(byIPv4: (source ?? client.source).isIPv4) ?? target.at(target.address)
    }

    func identity(of client: ClientValues) -> String {
        let population = workload.populations[client.population]
        return workload.profiles[population.profile].identity.identity(population.firstIdentity + client.number)
    }
}

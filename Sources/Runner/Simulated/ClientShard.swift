import BasicContainers
import DequeModule
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// A client and the gateway's halves of its IKE SAs, with the private way between them.
struct SimulatedClient: ~Copyable {
    var client: Client
    var plan: ClientPlan
    private let populationNumber: UInt16
    private var pathNumber: UInt16
    private let gatewayNumber: UInt16
    /// Apart, since most clients of most runs have none.
    var nat: Box<NAT>?
    var up: Flow
    var down: Flow
    /// In order of their attempts. The oldest of a flood's many goes first, so that they lie in a deque.
    var halves = UniqueDeque<Half>()
    var digest = EntityDigest()
    /// How many events it has sent: the last part of their order.
    var sent: UInt64 = 0
    /// How many lines and packets of the run's files are about it: apart from `sent`, since files change no event.
    var journaled: UInt64 = 0
    /// The earliest timer event that is in the queue; a later deadline waits for it and goes back.
    var armed = Instant.never
    /// When it has something to do next, as long as it rests.
    var deadline = Instant.never
    /// The next of its population's arrivals that is for it.
    var nextArrival: Int32
    /// Apart, since most populations have none.
    var traffic: Box<ClientTraffic>?
    /// Its pretended initiators, where it is a flood.
    var flood: Box<FloodState>?

    init(_ client: consuming Client, _ plan: ClientPlan, _ place: SimulatedPlace, up: Flow, down: Flow) {
        self.client = client
        self.plan = plan
        populationNumber = UInt16(place.population)
        pathNumber = UInt16(place.path)
        gatewayNumber = UInt16(place.gateway)
        nextArrival = place.nextArrival
        self.up = up
        self.down = down
    }

    var floodState: FloodState? {
        switch flood {
        case .some(let flood): flood.value
        case .none: nil
        }
    }

    var population: Int { Int(populationNumber) }
    var gateway: Int { Int(gatewayNumber) }

    var path: Int {
        get { Int(pathNumber) }
        set { pathNumber = UInt16(newValue) }
    }

    /// Its ports of a NAT that others share.
    var portBlock: PortBlock? {
        switch nat {
        case .some(let nat): nat.value.portBlock
        case .none: nil
        }
    }

    var isBehindNAT: Bool {
        switch nat {
        case .some: true
        case .none: false
        }
    }
}

/// Where a simulated client belongs, by the places in the workload's lists.
struct SimulatedPlace {
    var population: Int
    var path: Int
    var gateway: Int
    var nextArrival: Int32 = -1
}

/// The gateway's half of one attempt's IKE SAs.
struct Half: ~Copyable {
    let attempt: UInt32
    /// The gateway's boot that it belongs to.
    let boot: UInt32
    /// Rests while nothing goes on, where the client has no traffic.
    private var seat: EndpointSeat
    /// Its end of the tunnel, where the client has traffic.
    var tunnel: Box<TunnelEnd>?
    var generation: UInt32 = 0
    var childCount: Int32 = 0
    var isCounted = false
    var isEstablished = false

    init(attempt: UInt32, boot: UInt32, endpoint: consuming Endpoint) {
        self.attempt = attempt
        self.boot = boot
        seat = EndpointSeat(endpoint)
    }

    var endpoint: Endpoint {
        _read { yield seat.endpoint }
        _modify { yield &seat.endpoint }
    }

    var isResting: Bool { seat.isResting }

    mutating func rest(_ turn: inout Turn) { seat.rest(&turn) }

    mutating func wake(as origin: Origin) { seat.wake(as: origin) }
}

/// What happens in a shard's own queue.
enum ShardEvent: UInt16 {
    case arrival = 1
    case timer
    case deliver
    case completion
    case fault
    case flood
    case move
    /// A shared NAT has answered, or a client's mappings there may have ended.
    case portGrant
    case portCheck
    /// A packet of a flow is due.
    case flow
    /// An ESP packet comes to the gateway.
    case packet
    /// A shared link has said when a datagram leaves it.
    case linkGrant
}

/// The classes of events of one instant, in their order.
enum EventClass {
    static let fault = GatewayEventClass.restart
    static let report = GatewayEventClass.report
    static let packet = GatewayEventClass.arrival
    /// A client comes, or its timer is due: after what arrives in the same nanosecond.
    static let arrival: UInt8 = 6
    static let timer: UInt8 = 7
}

/// One shard of a simulated run: its clients, the gateways' halves of their IKE SAs, and the ways between.
struct ClientShard: ~Copyable {
    let index: UInt32
    let plan: SimulationPlan
    var clients = UniqueArray<SimulatedClient>()
    var queue = EventQueue()
    var packets = PacketStore()
    var turn: Turn
    var standing = Standing.betweenEvents
    /// The initiator that a flood pretends to be, for as long as it is about to send.
    var pretended: Endpoint?
    var tally = ClientTally()
    /// The paths as they are at this moment, faults included.
    var links = UniqueArray<Link>()
    /// What this shard has in common with its worker's others.
    let terms: ShardTerms
    /// How the gateways behave at this moment.
    var gatewayPolicies: [PeerPolicy]
    var boots: [UInt32]
    var completions = Slab<JobCompletion>()
    var log: WindowLog
    /// All events of one stretch of the run, where somebody asked for them.
    var excerpt: TraceExcerpt?
    var journal = ShardJournal()
    /// What clients have sent that wait for ports of a shared NAT.
    var heldDatagrams: [HeldDatagram] = []
    var grants = Slab<PortGrant>()
    /// What is at links that clients share.
    var atLinks = DatagramsAtLinks()
    /// The faults that catch packets at this moment.
    var replays = ReplayFaults()
    /// What waits to be sealed, where a gateway's work on ESP takes time.
    var waitingPackets = Slab<WaitingPacket>()

    init(index: UInt32, plan: SimulationPlan, terms: ShardTerms) {
        self.index = index
        self.plan = plan
        self.terms = terms
        gatewayPolicies = terms.gatewayPolicies
        let workload = plan.workload
        do throws(CryptoError) {
            let backend: CryptoBackend = plan.crypto == .real ? .openSSL : .modelled
            let seed = terms.keyMaterialSeed
            turn = Turn(
                cryptography: try Cryptography(backend: backend, batchLibrary: plan.batchLibrary, seed: seed.rawSpan)
            )
        } catch {
            preconditionFailure("libcrypto offers the algorithms that ikestorm needs: \(error)")
        }
        for path in workload.paths { links.append(Link(path, seed: plan.seed)) }
        boots = [UInt32](repeating: 0, count: workload.gateways.count)
        log = WindowLog(length: SimulationPlan.logLength)
        excerpt = plan.excerpt.map { TraceExcerpt(of: $0) }
        addEntities()
        scheduleFaults()
    }

    private mutating func addEntities() {
        clients.reserveCapacity(Int(plan.partition.count(of: index)))
        for local in 0..<plan.partition.count(of: index) {
            let entity = plan.partition.entity(at: local, of: index)
            if entity < plan.clientCount {
                let population = plan.population(of: entity)
                addClient(entity, population, terms.clientPlans[population])
                scheduleNextArrival(Int(local))
            } else {
                addFlood(entity)
            }
        }
    }

    private mutating func addClient(_ entity: UInt32, _ population: Int, _ clientPlan: ClientPlan) {
        let workload = plan.workload
        let values = workload.populations[population]
        let number = Int(entity - plan.firstClient[population])
        let name = StableName.hash(of: values.name, UInt64(number))
        let path = choosePath(values, name)
        let source = values.source(ofClient: number)
        let gateway = gatewayAddress(values.gateway, isIPv4: source.isIPv4)
        let place = ClientPlace(
            number: UInt32(values.firstIdentity + number),
            index: entity,
            entity: name,
            route: Route(from: inside(source, on: path), to: gateway),
            spiKey: terms.spiKey
        )
        var client = SimulatedClient(
            Client(place),
            clientPlan,
            SimulatedPlace(
                population: population,
                path: path,
                gateway: values.gateway,
                nextArrival: plan.firstArrival[Int(entity)]
            ),
            up: Flow(client: name, direction: .toGateway, over: links[path]),
            down: Flow(client: name, direction: .toClient, over: links[path])
        )
        client.nat = nat(on: path, outside: source, name)
        client.traffic = traffic(of: population, name, clientPlan.policy)
        clients.append(client)
    }

    /// A client's NAT on a path; nil where there is none.
    func nat(on path: Int, outside source: IPAddress, _ name: UInt64) -> Box<NAT>? {
        guard terms.behaviours[path] != nil, source.isIPv4 else { return nil }
        return Box(NAT(innerAddress: Self.privateAddress, outerAddress: source, seed: plan.seed, name: name))
    }

    /// A client's own address: a private one behind its own NAT, where the outside sees its source.
    func inside(_ source: IPAddress, on path: Int) -> IPAddress {
        terms.behaviours[path] != nil && source.isIPv4 ? Self.privateAddress : source
    }

    private static var privateAddress: IPAddress { IPAddress(v4: 0xC0A8_0002) }

    private func choosePath(_ population: Workload.Population, _ name: UInt64) -> Int {
        guard population.paths.count > 1 else { return population.paths[0].path }
        var stream = RandomStream(seed: plan.seed, entity: name, purpose: .pathChoice)
        var draw = stream.scaled(below: 1_000_000_000)
        for share in population.paths {
            if draw < UInt64(share.share.partsPerBillion) { return share.path }
            draw -= UInt64(share.share.partsPerBillion)
        }
        return population.paths[population.paths.count - 1].path
    }

    /// A gateway's address of a family, where it has one.
    func gatewayAddress(_ gateway: Int, isIPv4: Bool) -> IPAddress {
        isIPv4 ? terms.gatewayAddresses[gateway].v4 : terms.gatewayAddresses[gateway].v6
    }

    /// The place in the run's order of what an entity sends next.
    mutating func order(_ local: Int, at time: Instant, _ eventClass: UInt8) -> EventOrder {
        clients[local].sent += 1
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        return EventOrder(time: time, class: eventClass, source: entity, count: clients[local].sent)
    }

    /// Notes in the entity's digest that something happened to it.
    mutating func note(
        _ local: Int,
        _ order: EventOrder,
        _ kind: ShardEvent,
        _ first: UInt64 = 0,
        _ second: UInt64 = 0
    ) {
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        if entity == 0, let disturbance = plan.disturbance { clients[local].digest.mix(disturbance(), 0) }
        clients[local].digest.record(order, target: entity, kind: kind.rawValue, first, second)
        let digest = clients[local].digest
        log.record(at: order.time, entity: entity, digest)
        excerpt?.record(order, target: entity, kind: kind.rawValue, digest)
    }
}

extension Route {
    /// Ports 500 and 4500 at both ends.
    init(from client: IPAddress, to gateway: IPAddress) {
        func path(_ port: UInt16, _ isEncapsulated: Bool) -> Path {
            Path(
                local: UDPEndpoint(address: client, port: port),
                remote: UDPEndpoint(address: gateway, port: port),
                isEncapsulated: isEncapsulated
            )
        }
        self.init(plain: path(500, false), encapsulated: path(4500, true))
    }
}

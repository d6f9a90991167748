import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Metrics
import Primitives
import Simulation

/// A client and its half, reduced to what a desk sees of them: when packets come, and what is reported of them.
private struct ToyClient {
    let id: UInt32
    var stream: RandomStream
    var digest = EntityDigest()
    var sent: UInt64 = 0
    var attempt: UInt32 = 0
    /// 0 is nothing, 1 half-open, 2 established.
    var phase = 0
    var hasCookie = false
    var request: UInt32 = 0
    var generation: UInt32 = 0
    var boot: UInt32 = 0
    var rekeys: UInt64 = 0

    var half: HalfID { HalfID(client: id, attempt: attempt) }
    var spi: IKESPI { IKESPI(rawValue: UInt64(id) << 40 | UInt64(attempt) << 20 | rekeys << 1 | 1) }
}

/// Clients that send as they please, without listening much: every case of a desk comes up.
struct ToyClients: ~Copyable {
    static let minimumDelay = Duration.microseconds(300)

    private var clients: [ToyClient]
    var queue = EventQueue()
    private var packets: [JobCompletion] = []
    private let index: Int
    private let desk: Int
    private let partition: Partition
    private let restarts: RestartSchedule

    init(index: Int, desk: Int, partition: Partition, shard: Int, seed: UInt64, restarts: RestartSchedule) {
        self.index = index
        self.desk = desk
        self.partition = partition
        self.restarts = restarts
        clients = (0..<partition.count(of: UInt32(shard))).map { local in
            let id = partition.entity(at: local, of: UInt32(shard))
            let name = StableName.hash(of: "client", UInt64(id))
            return ToyClient(id: id, stream: RandomStream(seed: seed, entity: name, purpose: .test))
        }
        for local in clients.indices { wake(local, after: .zero) }
    }

    private mutating func wake(_ local: Int, after now: Instant) {
        let time = now + .microseconds(Int64(1 + clients[local].stream.below(12_000)))
        let order = order(at: time, class: 6, local)
        queue.push(Event(order: order, target: clients[local].id, kind: 0))
    }

    private mutating func order(at time: Instant, class: UInt8, _ local: Int) -> EventOrder {
        clients[local].sent += 1
        return EventOrder(time: time, class: `class`, source: clients[local].id, count: clients[local].sent)
    }

    mutating func accept(_ messages: [GatewayMessage]) {
        for case .completion(let completion) in messages {
            packets.append(completion)
            let place = UInt32(packets.count - 1)
            queue.push(Event(order: completion.order, target: completion.half.client, kind: 1, small: place))
        }
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        var handled = 0
        while let event = queue.popNext(before: limit) {
            handled += 1
            let local = Int(partition.localIndex(of: event.target))
            let boot = restarts.bootCount(at: event.time)
            if boot != clients[local].boot {
                clients[local].boot = boot
                begin(local)
            }
            if event.kind == 0 {
                send(local, at: event.time, &outbox)
                wake(local, after: event.time)
            } else {
                hear(packets[Int(event.small)], local, at: event.time, &outbox)
            }
        }
        return handled
    }

    /// Another attempt.
    private mutating func begin(_ local: Int) {
        clients[local].attempt += 1
        clients[local].phase = 0
        clients[local].request = 0
        clients[local].hasCookie = false
    }

    private mutating func send(
        _ local: Int,
        at now: Instant,

        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let choice = clients[local].stream.below(100)
        var note: PacketNote
        var exchange = ExchangeType.informational
        switch (clients[local].phase, choice) {
        case (0, _):
            note = PacketNote(.ikeSAInit, isResponse: false, keyExchange: .curve25519)
            note.hasCookie = clients[local].hasCookie
            exchange = .ikeSAInit
        case (1, _):
            note = PacketNote(.ikeAuth, isResponse: false, wanting: .ipv4)
            exchange = .ikeAuth
            clients[local].request = 1
        case (_, 0..<20):
            note = PacketNote(.rekeyIKE, isResponse: false, keyExchange: .curve25519)
            exchange = .createChildSA
        case (_, 20..<40):
            note = PacketNote(.createChild, isResponse: choice < 25, keyExchange: .curve25519)
            exchange = .createChildSA
        case (_, 40..<55): note = PacketNote(.delete, isResponse: false)
        default: note = PacketNote(.liveness, isResponse: choice < 65)
        }
        if clients[local].phase == 2 && !clients[local].stream.chance(.percent(30)) { clients[local].request += 1 }
        // Now and then everything at once, so that queues fill.
        let burst = clients[local].stream.chance(.percent(5)) ? 6 : 1
        for _ in 0..<burst {
            let delay = Self.minimumDelay + .microseconds(Int64(clients[local].stream.below(2_000)))
            let arrival = PacketArrival(
                order: order(at: now + delay, class: GatewayEventClass.arrival, local),
                half: clients[local].half,
                shard: UInt32(index),
                packet: UInt32(exchange.rawValue) << 16 | UInt32(note.operation.rawValue),
                source: UDPEndpoint(address: IPAddress(v4: clients[local].id / 3), port: 500),
                byteCount: UInt32(100 + choice),
                exchange: exchange,
                messageID: MessageID(rawValue: clients[local].request),
                isResponse: note.isResponse,
                spi: clients[local].phase == 0 ? .zero : clients[local].spi,
                note: note
            )
            outbox.send(.arrival(arrival), to: desk, arriving: arrival.order.time)
        }
    }

    private mutating func hear(
        _ completion: JobCompletion,
        _ local: Int,
        at now: Instant,

        _ outbox: inout Outbox<GatewayMessage>
    ) {
        clients[local].digest.record(
            completion.order,
            target: clients[local].id,
            kind: UInt16(completion.action.hashBits),
            completion.half.packed,
            completion.lease.ipv4?.low ?? 0
        )
        let isCurrent = completion.half == clients[local].half
        var transition = HalfReport.Transition.none
        switch completion.action {
        case .drop, .refuseUnknown, .openPacket, .sealPacket, .losePacket: return
        case .demandCookie:
            if isCurrent { clients[local].hasCookie = true }
            return
        case .timer(let generation):
            guard isCurrent, generation == clients[local].generation else { return }
        case .handle, .handleIfCookieIsTrue, .handleWithoutBackend:
            let exchange = UInt8(truncatingIfNeeded: completion.packet >> 16)
            let operation = UInt8(truncatingIfNeeded: completion.packet)
            if !isCurrent {
                transition = exchange == ExchangeType.ikeSAInit.rawValue ? .refused : .none
            } else if exchange == ExchangeType.ikeSAInit.rawValue && clients[local].phase == 0 {
                transition = .halfOpened
                clients[local].phase = 1
            } else if exchange == ExchangeType.ikeAuth.rawValue && clients[local].phase == 1 {
                transition = .established
                clients[local].phase = 2
            } else if operation == Operation.rekeyIKE.rawValue {
                clients[local].rekeys += 1
                clients[local].request = 0
            } else if operation == Operation.delete.rawValue {
                transition = .ended
            }
        }
        report(completion.half, transition, isCurrent, local, at: now, &outbox)
        if isCurrent && transition == .ended { begin(local) }
    }

    private mutating func report(
        _ half: HalfID,
        _ transition: HalfReport.Transition,
        _ isCurrent: Bool,
        _ local: Int,
        at now: Instant,

        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let order = order(at: now + .milliseconds(1), class: GatewayEventClass.report, local)
        var report = HalfReport(
            order: order,
            half: half,
            shard: UInt32(index),
            boot: clients[local].boot,
            transition: transition,
            spi: isCurrent && clients[local].phase > 0 ? clients[local].spi : .zero
        )
        if isCurrent {
            clients[local].generation += 1
            report.generation = clients[local].generation
            let wait = Int64(clients[local].stream.below(60_000))
            report.deadline = clients[local].stream.chance(.percent(20)) ? .never : now + .microseconds(wait)
            report.operation = wait % 2 == 0 ? .ownRequest : .ownRetransmission
            report.keyExchange = wait % 3 == 0 ? .curve25519 : nil
        }
        outbox.send(.report(report), to: desk, arriving: order.time)
    }

    func addDigests(to digests: inout [EntityDigest]) {
        for client in clients { digests[Int(client.id)] = client.digest }
    }
}

extension JobCompletion.Action {
    fileprivate var hashBits: UInt32 {
        switch self {
        case .handle: 0
        case .handleIfCookieIsTrue: 1
        case .demandCookie: 2
        case .refuseUnknown: 99
        case .drop(let reason): 3 + UInt32(reason.rawValue)
        case .timer(let generation): 100 + generation % 1_000
        case .handleWithoutBackend: 99
        case .openPacket, .sealPacket, .losePacket: 98
        }
    }
}

/// A part of the toy run: the desk, or a shard of clients.
enum WorldPart: SimulatedPart, ~Copyable {
    case desk(FrontDesk)
    case clients(ToyClients)

    var nextTime: Instant {
        switch self {
        case .desk(let desk): desk.nextTime
        case .clients(let clients): clients.queue.nextTime
        }
    }

    mutating func accept(_ messages: [GatewayMessage]) {
        switch consume self {
        case .desk(var desk):
            desk.accept(messages)
            self = .desk(desk)
        case .clients(var clients):
            clients.accept(messages)
            self = .clients(clients)
        }
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        switch consume self {
        case .desk(var desk):
            let handled = desk.run(before: limit, into: &outbox)
            self = .desk(desk)
            return handled
        case .clients(var clients):
            let handled = clients.run(before: limit, into: &outbox)
            self = .clients(clients)
            return handled
        }
    }
}

struct DeskWorldResult: Equatable {
    var desk: EntityDigest
    var log: WindowLog?
    var clients: String
    var metrics: [UInt64]
    var eventCount: UInt64
}

/// Runs 60 clients against a desk for a second and a half of virtual time, with a restart of each kind.
func runDeskWorld(seed: UInt64 = 5, shardCount: UInt32 = 4, window: Duration, deskFirst: Bool = true) -> DeskWorldResult
{
    let partition = Partition(entityCount: 60, shardCount: shardCount)
    let restarts = RestartSchedule([
        .init(down: DeskUnderTest.at(500_000), up: DeskUnderTest.at(560_000), keepsState: true),
        .init(down: DeskUnderTest.at(1_000_000), up: DeskUnderTest.at(1_020_500), keepsState: false),
    ])
    let deskPlace = deskFirst ? 0 : Int(shardCount)
    let simulator = Simulator<WorldPart>(
        partCount: Int(shardCount) + 1,
        window: window,
        firstCheckpoint: DeskUnderTest.at(1_500_000),
        atCheckpoint: { _, _ in nil },
        makePart: { part in
            guard part == deskPlace else {
                let shard = deskFirst ? part - 1 : part
                return .clients(
                    ToyClients(
                        index: part,
                        desk: deskPlace,
                        partition: partition,
                        shard: shard,
                        seed: seed,
                        restarts: restarts
                    )
                )
            }
            return .desk(FrontDesk(settings(seed: seed, restarts)))
        }
    )
    simulator.runToEnd()
    return result(of: simulator, partition, deskPlace)
}

private func settings(seed: UInt64, _ restarts: RestartSchedule) -> FrontDeskSettings {
    var settings = FrontDeskSettings(
        entity: 100,
        name: StableName.hash(of: "gw"),
        seed: seed,
        internalLatency: .milliseconds(1),
        costs: DeskUnderTest.costs(perActiveSA: 1_000)
    )
    settings.cores = 2
    settings.serialShare = .percent(30)
    settings.serviceTimes = .exponential
    settings.queuePackets = 25
    settings.halfOpen.cookiesAbove = 6
    settings.halfOpen.cookiesAbovePerSource = 2
    settings.halfOpen.refuseAbovePerSource = 2
    settings.halfOpen.refuseAbove = 12
    settings.pool = [IPPrefix("10.0.0.0/26")!]
    settings.restarts = restarts
    settings.logLength = .milliseconds(50)
    return settings
}

private func result(of simulator: Simulator<WorldPart>, _ partition: Partition, _ deskPlace: Int) -> DeskWorldResult {
    var digests = Array(repeating: EntityDigest(), count: Int(partition.entityCount))
    var result = DeskWorldResult(
        desk: EntityDigest(),
        log: nil,
        clients: "",
        metrics: [],
        eventCount: simulator.windowCounts.events
    )
    for part in 0..<simulator.partCount {
        simulator.withPart(part) { part in
            switch part {
            case .desk(let desk):
                let metrics = desk.metrics
                result.desk = desk.digest
                result.log = desk.log
                result.metrics =
                    DropReason.allCases.map(metrics.dropped) + PricedOperation.allCases.map(metrics.jobs)
                    + [
                        metrics.cookiesDemanded, metrics.waitedNanoseconds, metrics.busyNanoseconds,
                        UInt64(metrics.peakHalfOpen), UInt64(metrics.peakActiveSAs), UInt64(metrics.peakQueue),
                        metrics.queueSeries.total, UInt64(desk.leasedAddressCount),
                    ]
            case .clients(let clients): clients.addDigests(to: &digests)
            }
        }
    }
    var digest = RunDigest()
    for (entity, chain) in digests.enumerated() { digest.add(chain, of: UInt32(entity)) }
    result.clients = digest.description
    return result
}

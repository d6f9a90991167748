import Gateway
import Primitives
import Simulation
import Workload

/// A link that all clients of a path share: what comes first leaves first, in each direction by itself.
///
/// A datagram stays in its client's shard, and the link hears of it as long after its sending as a window may be. What
/// comes to a queue is told at once when it leaves, so that the answer takes as long again, however long the queue is.
struct SharedLink: ~Copyable {
    private let entity: UInt32
    private let latency: Duration
    private let bandwidth: Bandwidth
    private var toGateway = Bandwidth.Transmitter()
    private var toClients = Bandwidth.Transmitter()
    private var requests: RequestQueue<LinkRequest>
    private var grantCount: UInt64 = 0
    private(set) var digest = EntityDigest()
    private(set) var log = WindowLog(length: SimulationPlan.logLength)

    init(_ plan: SimulationPlan, _ number: Int) {
        guard let bandwidth = plan.workload.paths[plan.sharedLinks[number]].bandwidth else {
            preconditionFailure("a shared link is that of a path")
        }
        entity = plan.sharedLinkEntity(number)
        requests = RequestQueue(entity)
        latency = plan.sharedLinkLatency
        self.bandwidth = Bandwidth(bandwidth)
    }

    var nextTime: Instant { requests.nextTime }

    mutating func accept(_ messages: [GatewayMessage]) {
        for message in messages {
            guard case .linkRequest(let request) = message else {
                preconditionFailure("a shared link hears of datagrams alone")
            }
            requests.push(request, request.order)
        }
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        var count = 0
        while let request = requests.popNext(before: limit) {
            count += 1
            handle(request, &outbox)
        }
        return count
    }

    private mutating func handle(_ request: LinkRequest, _ outbox: inout Outbox<GatewayMessage>) {
        let now = request.order.time
        let byteCount = Int(request.byteCount)
        let departure =
            request.isToGateway
            ? toGateway.send(byteCount: byteCount, at: now, over: bandwidth)
            : toClients.send(byteCount: byteCount, at: now, over: bandwidth)
        digest.record(
            request.order,
            target: entity,
            kind: request.isToGateway ? 0 : 1,
            UInt64(request.byteCount),
            departure?.nanoseconds ?? .max
        )
        log.record(at: now, entity: entity, digest)
        grantCount += 1
        let time = now + latency
        let order = EventOrder(time: time, class: EventClass.packet, source: entity, count: grantCount)
        let grant = LinkGrant(order: order, client: request.client, datagram: request.datagram, departure: departure)
        outbox.send(.linkGrant(grant), to: Int(request.shard), arriving: time)
    }
}

import Gateway
import Primitives
import Simulation
import Workload

/// A NAT that many clients share (RFC 6888): the serial part of it, which hands its ports out in blocks.
///
/// A client's own mappings, with their timeouts and filters, live in the client's shard beside it. What clients compete
/// for is here, and is asked for once in a while only, so that it may take as long as a window is.
struct SharedNAT: ~Copyable {
    private let entity: UInt32
    private let latency: Duration
    private var blocks: PortBlocks
    private var requests: RequestQueue<PortRequest>
    private var grantCount: UInt64 = 0
    private(set) var digest = EntityDigest()
    private(set) var log = WindowLog(length: SimulationPlan.logLength)

    init(_ plan: SimulationPlan, _ number: Int) {
        guard let shared = plan.workload.paths[plan.sharedNATs[number]].nat?.shared else {
            preconditionFailure("a shared NAT is that of a path")
        }
        entity = plan.sharedNATEntity(number)
        requests = RequestQueue(entity)
        latency = plan.sharedNATLatency
        blocks = PortBlocks(addresses: shared.addresses, portsPerBlock: shared.portsPerClient)
    }

    var nextTime: Instant { requests.nextTime }

    mutating func accept(_ messages: [GatewayMessage]) {
        for message in messages {
            guard case .portRequest(let request) = message else {
                preconditionFailure("a shared NAT hears of ports alone")
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

    private mutating func handle(_ request: PortRequest, _ outbox: inout Outbox<GatewayMessage>) {
        if let returned = request.returned {
            blocks.giveBack(returned)
            return note(request, returned)
        }
        let block = blocks.take()
        note(request, block)
        grantCount += 1
        let time = request.order.time + latency
        let order = EventOrder(time: time, class: EventClass.packet, source: entity, count: grantCount)
        let grant = PortGrant(order: order, client: request.client, block: block)
        outbox.send(.portGrant(grant), to: Int(request.shard), arriving: time)
    }

    private mutating func note(_ request: PortRequest, _ block: PortBlock?) {
        let port = block.map { UInt64($0.firstPort) } ?? .max
        digest.record(request.order, target: entity, kind: 0, port, block?.address.low ?? 0)
        log.record(at: request.order.time, entity: entity, digest)
    }
}

import BasicContainers
import Gateway
import IKEv2
import Load
import Primitives
import Simulation
import Workload

// Moves: clients that go to another network in the middle of their lives (RFC 4555).
extension ClientShard {
    /// Puts the moment into the queue at which each of the shard's clients moves that a fault means.
    mutating func scheduleMoves(_ fault: Event) {
        guard let move = MoveTerms(plan.workload, Int(fault.small)) else { return }
        for local in 0..<clients.count where clients[local].population == move.population && clients[local].flood == nil
        {
            let entity = clients[local].client.place.entity
            guard let offset = move.offset(of: entity, seed: plan.seed) else { continue }
            let order = order(local, at: fault.time + offset, EventClass.fault)
            queue.push(
                Event(order: order, target: UInt32(local), kind: ShardEvent.move.rawValue, small: fault.small)
            )
        }
    }

    /// Puts a client on another path, behind that path's NAT, with another address.
    mutating func move(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        let fault = Int(event.small)
        guard let move = MoveTerms(plan.workload, fault) else { return }
        note(local, event.order, .move)
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        let number = Int(entity - plan.firstClient[move.population])
        let source = plan.workload.source(ofClient: number, after: fault)
        // Packets and ports there are drawn anew.
        let name = StableName.hash(of: clients[local].client.place.entity, UInt64(fault + 1))
        leavePorts(local, &outbox)
        clients[local].path = move.path
        clients[local].nat = nat(on: move.path, outside: source, name)
        clients[local].up = Flow(client: name, direction: .toGateway, over: links[move.path])
        clients[local].down = Flow(client: name, direction: .toClient, over: links[move.path])
        let gateway = gatewayAddress(clients[local].gateway, isIPv4: source.isIPv4)
        disturb(local, .move, until: turn.now)
        let clientPlan = clients[local].plan
        clients[local].client.move(
            to: Route(from: inside(source, on: move.path), to: gateway),
            plan: clientPlan,
            &turn,
            &tally
        )
        standing = .delivery(local)
    }
}

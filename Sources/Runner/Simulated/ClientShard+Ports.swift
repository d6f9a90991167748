import BasicContainers
import Gateway
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// A datagram that waits until its client has ports of a shared NAT.
struct HeldDatagram {
    var local: Int
    var attempt: UInt32
    var octets: [UInt8]
    var datagram: Output.Datagram
}

// Clients behind a shared NAT ask it for a block of ports with their first packet, and give it back when the last of
// their mappings has ended.
extension ClientShard {
    mutating func accept(portsIn message: GatewayMessage) {
        guard case .portGrant(let grant) = message else {
            preconditionFailure("a shard hears of completions and of ports alone")
        }
        let handle = grants.insert(grant)
        let local = plan.partition.localIndex(of: grant.client)
        queue.push(Event(order: grant.order, target: local, kind: ShardEvent.portGrant.rawValue, small: handle))
    }

    /// Whether a client can send: it has ports, or needs none of a NAT that others share.
    func hasPorts(_ local: Int) -> Bool {
        guard !plan.sharedNATs.isEmpty, clients[local].isBehindNAT,
            terms.isShared[clients[local].path]
        else { return true }
        return clients[local].portBlock != nil
    }

    /// Keeps a datagram until there are ports, and asks for some unless that was done before.
    mutating func hold(
        _ local: Int,
        _ octets: ArraySlice<UInt8>,
        _ datagram: Output.Datagram,
        attempt: UInt32,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let isAsked = heldDatagrams.contains { $0.local == local }
        heldDatagrams.append(
            HeldDatagram(local: local, attempt: attempt, octets: Array(octets), datagram: datagram)
        )
        if !isAsked { ask(local, of: clients[local].path, at: turn.now + plan.sharedNATLatency, &outbox) }
    }

    /// Asks a path's NAT for ports, or gives it back some.
    private mutating func ask(
        _ local: Int,
        of path: Int,
        returning block: PortBlock? = nil,
        at time: Instant,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        guard let part = plan.sharedNATPart(ofPath: path) else {
            preconditionFailure("ports are those of a NAT that is shared")
        }
        let request = PortRequest(
            order: order(local, at: time, EventClass.packet),
            client: plan.partition.entity(at: UInt32(local), of: index),
            shard: index,
            returned: block
        )
        outbox.send(.portRequest(request), to: part, arriving: time)
    }

    /// Sends what has waited for ports, or loses it where none are left.
    mutating func takePorts(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        let block = grants.remove(event.small).block
        note(local, event.order, .portGrant, UInt64(block?.firstPort ?? 0))
        let waiting = heldDatagrams.filter { $0.local == local }
        heldDatagrams.removeAll { $0.local == local }
        guard let block else {
            tally.mark(.portsExhausted, clients[local].population, Int32(waiting.count), at: turn.now)
            return
        }
        let path = plan.sharedNATs[Int(event.order.source - plan.sharedNATEntity(0))]
        guard clients[local].path == path, !hasPorts(local), let behaviour = terms.behaviours[path] else {
            // The client has gone elsewhere meanwhile, or has been there and come back.
            let time = turn.now + plan.sharedNATLatency
            return ask(local, of: path, returning: block, at: time, &outbox)
        }
        clients[local].nat?.value.use(block)
        for held in waiting {
            sendUp(local, held.octets[...], held.datagram, attempt: held.attempt, &outbox)
        }
        pushPortCheck(local, behaviour)
    }

    private mutating func pushPortCheck(_ local: Int, _ behaviour: NATBehaviour) {
        let idle = clients[local].nat?.value.idleFrom(behaviour) ?? turn.now
        let order = order(local, at: max(idle, turn.now + .nanoseconds(1)), EventClass.timer)
        let block = clients[local].portBlock
        queue.push(
            Event(
                order: order,
                target: UInt32(local),
                kind: ShardEvent.portCheck.rawValue,
                first: block.map(Self.packed) ?? 0
            )
        )
    }

    /// What tells a client's present ports from those that it had before.
    private static func packed(_ block: PortBlock) -> UInt64 { block.address.low << 16 | UInt64(block.firstPort) }

    /// Gives a client's ports back if its last mapping has ended.
    mutating func checkPorts(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        guard let block = clients[local].portBlock, Self.packed(block) == event.first,
            let behaviour = terms.behaviours[clients[local].path]
        else { return }
        let idle = clients[local].nat?.value.idleFrom(behaviour) ?? .zero
        guard idle <= turn.now else { return pushPortCheck(local, behaviour) }
        note(local, event.order, .portCheck, UInt64(block.firstPort))
        clients[local].nat?.value.use(nil)
        clients[local].nat?.value.flush()
        ask(local, of: clients[local].path, returning: block, at: turn.now + plan.sharedNATLatency, &outbox)
    }

    /// A client goes to another network: the NAT keeps its ports until they have been idle long enough.
    mutating func leavePorts(_ local: Int, _ outbox: inout Outbox<GatewayMessage>) {
        heldDatagrams.removeAll { $0.local == local }
        guard let block = clients[local].portBlock, let behaviour = terms.behaviours[clients[local].path]
        else { return }
        let idle = clients[local].nat?.value.idleFrom(behaviour) ?? .zero
        ask(local, of: clients[local].path, returning: block, at: max(idle, turn.now + plan.sharedNATLatency), &outbox)
    }
}

import BasicContainers
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation

extension ClientShard: SimulatedPart {
    typealias Message = GatewayMessage

    var nextTime: Instant { queue.nextTime }

    mutating func accept(_ messages: [GatewayMessage]) {
        for message in messages {
            guard case .completion(let completion) = message else {
                accept(shared: message)
                continue
            }
            let handle = completions.insert(completion)
            let local = plan.partition.localIndex(of: completion.half.client)
            queue.push(
                Event(order: completion.order, target: local, kind: ShardEvent.completion.rawValue, small: handle)
            )
        }
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int {
        let count = runEvents(before: limit, &outbox)
        atLinks.ask(&outbox)
        return count
    }

    private mutating func runEvents(before limit: Instant, _ outbox: inout Outbox<GatewayMessage>) -> Int {
        var count = 0
        guard finishEvent(&outbox) else { return count }
        while let event = queue.popNext(before: limit) {
            count += 1
            turn.now = event.time
            begin(event, &outbox)
            guard finishEvent(&outbox) else { return count }
        }
        return count
    }

    private mutating func begin(_ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        guard let kind = ShardEvent(rawValue: event.kind) else {
            preconditionFailure("a shard's queue holds its own kinds of events")
        }
        let local = Int(event.target)
        switch kind {
        case .arrival: arrive(local, event)
        case .timer: fireTimer(local, event)
        case .deliver: deliver(local, event)
        case .completion: complete(local, event, &outbox)
        case .fault: applyFault(event)
        case .flood: sendFlood(local, event)
        case .move: move(local, event, &outbox)
        case .portGrant: takePorts(local, event, &outbox)
        case .portCheck: checkPorts(local, event, &outbox)
        case .flow: sendPacket(local, event, &outbox)
        case .packet: takePacket(local, event.small, event.order, &outbox)
        case .linkGrant: leaveLink(local, event, &outbox)
        }
    }
}

// What happens to clients.
extension ClientShard {
    /// Puts the client's next arrival of its population's schedule into the queue.
    mutating func scheduleNextArrival(_ local: Int) {
        let population = clients[local].population
        let next = Int(clients[local].nextArrival)
        guard next >= 0 else { return }
        let arrival = plan.arrivals[population][next]
        clients[local].nextArrival = arrival.following
        let order = order(local, at: arrival.at, EventClass.arrival)
        queue.push(
            Event(order: order, target: UInt32(local), kind: ShardEvent.arrival.rawValue, first: UInt64(next))
        )
    }

    private mutating func arrive(_ local: Int, _ event: Event) {
        let arrival = plan.arrivals[clients[local].population][Int(event.first)]
        note(local, event.order, .arrival)
        guard clients[local].client.isIdle else {
            tally.skipped(clients[local].population, at: event.time)
            scheduleNextArrival(local)
            return
        }
        let clientPlan = clients[local].plan
        clients[local].client.arrive(
            intended: event.time,
            leaving: arrival.until,
            plan: clientPlan,
            &turn,
            &tally
        )
        standing = .arrival(local)
    }

    private mutating func fireTimer(_ local: Int, _ event: Event) {
        guard clients[local].armed == event.time else { return }
        clients[local].armed = .never
        if clients[local].client.isResting, clients[local].deadline > event.time {
            return arm(local, for: clients[local].deadline)
        }
        advanceClient(local, event.order)
    }

    /// Does the next thing of a client that is due at this instant, or arms its timer when there is none.
    mutating func advanceClient(_ local: Int, _ order: EventOrder) {
        let clientPlan = clients[local].plan
        clients[local].client.wake(plan: clientPlan)
        var deadline = clients[local].client.deadline(plan: clientPlan)
        if deadline <= order.time, hasTraffic(local) {
            noteTraffic(local)
            deadline = clients[local].client.deadline(plan: clientPlan)
        }
        guard deadline <= order.time else {
            arm(local)
            rest(local)
            return
        }
        note(local, order, .timer)
        clients[local].client.advance(plan: clientPlan, &turn, &tally)
        standing = .timer(local, order)
    }

    private mutating func deliver(_ local: Int, _ event: Event) {
        var packet = packets.take(event.small)
        note(local, event.order, .deliver, UInt64(packet.byteCount))
        deliver(local, &packet)
        packets.release(event.small, packet)
    }

    private mutating func deliver(_ local: Int, _ packet: inout PacketStore.Packet) {
        guard clients[local].flood == nil else { return }
        var inside = packet.destination
        if let behaviour = terms.behaviours[clients[local].path], clients[local].isBehindNAT {
            guard
                case .forwarded(let forwarded)? = clients[local].nat?.value.inbound(
                    to: packet.destination,
                    from: packet.source,
                    at: turn.now,
                    behaviour
                )
            else { return loseBehindNAT(local, packet) }
            inside = forwarded
        } else if inside.address != clients[local].client.place.route.plain.local.address {
            // The client has left that address.
            return loseBehindNAT(local, packet)
        }
        let way = Path(local: inside, remote: packet.source, isEncapsulated: packet.isEncapsulated)
        if hasTraffic(local), let spi = Self.childSPI(of: packet) { return take(&packet, spi, for: local, over: way) }
        guard let start = Self.messageStart(packet) else { return }
        let clientPlan = clients[local].plan
        clients[local].client.receive(
            packet.octets.extracting(droppingFirst: start),
            over: way,
            plan: clientPlan,
            &turn,
            &tally
        )
        standing = .delivery(local)
    }

    /// Where the IKE message begins in a datagram, or nil when it holds none (RFC 3948 section 2).
    static func messageStart(_ packet: borrowing PacketStore.Packet) -> Int? {
        guard packet.isEncapsulated else { return 0 }
        switch EncapsulatedKind(packet.octets) {
        case .ike: return 4
        case .esp, .keepalive, .neither: return nil
        }
    }

    /// Carries out what a client wants beside operations: datagrams on their way, the next timer.
    mutating func settleClient(_ local: Int, _ outbox: inout Outbox<GatewayMessage>) {
        journalReports(local, isGateway: false)
        followTunnel(local)
        for datagram in turn.output.datagrams { sendUp(local, datagram, &outbox) }
        turn.output.removeAll()
        arm(local)
    }

    /// Where its tunnel carries packets, somebody looks into a client all the time.
    mutating func rest(_ local: Int) {
        if !hasTraffic(local) { clients[local].client.rest(&turn) }
    }

    private mutating func arm(_ local: Int) {
        let clientPlan = clients[local].plan
        let deadline = clients[local].client.deadline(plan: clientPlan)
        clients[local].deadline = deadline
        if deadline < clients[local].armed { arm(local, for: deadline) }
    }

    private mutating func arm(_ local: Int, for deadline: Instant) {
        guard deadline != .never else { return }
        let due = max(deadline, turn.now)
        clients[local].armed = due
        let order = order(local, at: due, EventClass.timer)
        queue.push(Event(order: order, target: UInt32(local), kind: ShardEvent.timer.rawValue))
    }

    /// Sends a client's datagram through its NAT, once that has ports for it.
    private mutating func sendUp(
        _ local: Int,
        _ datagram: Output.Datagram,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let octets = turn.output.octets[datagram.range]
        let message = octets.dropFirst(datagram.path.isEncapsulated ? 4 : 0)
        let attempt = clients[local].client.attempt(sending: unsafe message.span.bytes)
        guard hasPorts(local) else { return hold(local, octets, datagram, attempt: attempt, &outbox) }
        sendUp(local, octets, datagram, attempt: attempt, &outbox)
    }

    /// Sends a client's datagram through its NAT and over its path to the gateway's front desk.
    mutating func sendUp(
        _ local: Int,
        _ octets: ArraySlice<UInt8>,
        _ datagram: Output.Datagram,
        attempt: UInt32,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let remote = datagram.path.remote
        var source = datagram.path.local
        if let behaviour = terms.behaviours[clients[local].path] {
            let outside = clients[local].nat?.value.outbound(from: source.port, to: remote, at: turn.now, behaviour)
            source = outside ?? source
        }
        capture(local, octets, from: source, to: remote)
        let outcome = travel(
            local,
            .toGateway,
            payloadByteCount: octets.count,
            isIPv4: remote.address.isIPv4,
            .message(Array(octets), datagram, attempt: attempt, from: source)
        )
        if let outcome { post(local, attempt, octets, datagram, from: source, outcome, &outbox) }
    }

    /// Has a client's datagram come to the gateway's front desk, as its path lets it.
    mutating func post(
        _ local: Int,
        _ attempt: UInt32,
        _ octets: ArraySlice<UInt8>,
        _ datagram: Output.Datagram,
        from source: UDPEndpoint,
        _ outcome: Link.Outcome,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        // A keepalive refreshes the NAT, and is nothing to the gateway (RFC 3948 section 2.3).
        guard datagram.note.operation != .natKeepalive else { return }
        switch outcome {
        case .dropped: break
        case .arrives(let arrival):
            post(local, attempt, octets, datagram, from: source, at: arrival, &outbox)
        case .arrivesTwice(let first, let second):
            post(local, attempt, octets, datagram, from: source, at: first, &outbox)
            post(local, attempt, octets, datagram, from: source, at: second, &outbox)
        }
    }

    mutating func post(
        _ local: Int,
        _ attempt: UInt32,
        _ octets: ArraySlice<UInt8>,
        _ datagram: Output.Datagram,
        from source: UDPEndpoint,
        at arrival: Instant,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let remote = datagram.path.remote
        let isEncapsulated = datagram.path.isEncapsulated
        var reader = ByteReader(unsafe octets.span.bytes.extracting(droppingFirst: isEncapsulated ? 4 : 0))
        guard let header = try? Header.decode(from: &reader) else { return }
        let handle = packets.insert(octets, from: source, to: remote, isEncapsulated: isEncapsulated)
        let gateway = clients[local].gateway
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        let isInitial = header.responderSPI == .zero
        let message = PacketArrival(
            order: order(local, at: arrival, EventClass.packet),
            half: HalfID(client: entity, attempt: attempt),
            shard: index,
            packet: handle,
            source: source,
            byteCount: UInt32(octets.count),
            exchange: header.exchange,
            messageID: header.messageID,
            isResponse: header.isResponse,
            spi: isInitial ? .zero : header.isFromInitiator ? header.responderSPI : header.initiatorSPI,
            note: datagram.note
        )
        outbox.send(.arrival(message), to: plan.deskPart(gateway), arriving: arrival)
    }
}

import BasicContainers
import DequeModule
import ESP
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation
import Workload

/// What a client has whose population has traffic: its own end of the tunnel, and its flows of both directions.
struct ClientTraffic: ~Copyable {
    var end: TunnelEnd
    var flows: [PacketFlow] = []
    var meters = FlowMeters()
}

// Traffic through tunnels: a packet's whole way is its shard's own, since a client and the gateway's halves of its IKE
// SAs live there together.
extension ClientShard {
    func hasTraffic(_ local: Int) -> Bool {
        switch clients[local].traffic {
        case .some: true
        case .none: false
        }
    }

    /// The client's IKE SAs have changed, it may be: its end goes by the Child SAs that there are now, and its flows
    /// begin with the first.
    mutating func followTunnel(_ local: Int) {
        guard hasTraffic(local) else { return }
        measure(local)
        guard !turn.output.reports.isEmpty, var traffic = clients[local].traffic.take()?.take() else { return }
        if plan.keepsPackets {
            keep(local, traffic.end.newKeys { body in clients[local].client.forEachSA { $0.forEachChild(body) } })
        }
        traffic.end.follow { body in clients[local].client.forEachSA { $0.forEachChild(body) } }
        if clients[local].client.isUp {
            for index in traffic.flows.indices where !traffic.flows[index].isRunning {
                schedule(local, index, at: traffic.flows[index].begin(at: turn.now))
            }
        }
        clients[local].traffic = Box(traffic)
    }

    mutating func followTunnel(_ local: Int, ofHalf index: Int) {
        guard hasTraffic(local), !turn.output.reports.isEmpty else { return }
        var end = clients[local].halves[index].tunnel.take()?.take() ?? gatewayEnd(local)
        if plan.keepsPackets {
            keep(
                local,
                end.newKeys { body in clients[local].halves[index].endpoint.forEachSA { $0.forEachChild(body) } }
            )
        }
        end.follow { body in clients[local].halves[index].endpoint.forEachSA { $0.forEachChild(body) } }
        clients[local].halves[index].tunnel = Box(end)
    }

    private mutating func schedule(_ local: Int, _ flow: Int, at due: Instant) {
        let order = order(local, at: due, EventClass.timer)
        queue.push(
            Event(order: order, target: UInt32(local), kind: ShardEvent.flow.rawValue, small: UInt32(flow))
        )
    }

    /// A packet of a flow is due.
    mutating func sendPacket(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        let index = Int(event.small)
        guard clients[local].client.isWanted else {
            return end(local, index)
        }
        guard let next = clients[local].traffic?.value.flows[index].next(),
            let flow = clients[local].traffic?.value.flows[index].face
        else { return }
        note(local, event.order, .flow, next.number, UInt64(next.byteCount))
        tally.mark(.packetOffered, flow.subject, at: turn.now)
        let mark = FlowMark(flow: flow.mark, number: next.number, time: event.time)
        if let reason = send(local, mark, flow, byteCount: next.byteCount, &outbox) {
            tally.packetLost(flow.subject, reason, at: turn.now)
        }
        // Nobody misses a dummy.
        if flow.isFollowedByDummy(next.number) { _ = send(local, nil, flow, byteCount: next.byteCount, &outbox) }
        schedule(local, index, at: next.following)
    }

    /// Sends a packet of a flow, or a dummy; why it gets no further, if it does not.
    private mutating func send(
        _ local: Int,
        _ mark: FlowMark?,
        _ flow: PacketFlow.Face,
        byteCount: Int,
        _ outbox: inout Outbox<GatewayMessage>
    ) -> String? {
        switch flow.direction {
        case .up: sendUp(local, mark, flow.form, flow.subject, byteCount: byteCount)
        case .down where terms.hasESPPool[clients[local].gateway]:
            waitToSeal(local, mark, flow.form, flow.subject, byteCount: byteCount, &outbox)
        case .down: sendDown(local, mark, flow.form, flow.subject, byteCount: byteCount)
        }
    }

    // MARK: Up

    private mutating func sendUp(
        _ local: Int,
        _ mark: FlowMark?,
        _ form: FlowForm,
        _ subject: Int,
        byteCount: Int
    ) -> String? {
        let handle = packets.reserve()
        let sealed = packets.write(handle) { buffer in
            clients[local].traffic?.value.end.seal(
                mark,
                form,
                byteCount: byteCount,
                into: &buffer,
                turn.cryptography
            )
        }
        guard let sealed, let way = clients[local].client.path else {
            packets.release(handle)
            return "no-tunnel"
        }
        noteVolume(local)
        guard hasPorts(local) else {
            packets.release(handle)
            return "nat"
        }
        clients[local].traffic?.value.end.sentAt = turn.now
        var source = way.local
        if way.isEncapsulated, let behaviour = terms.behaviours[clients[local].path] {
            source =
                clients[local].nat?.value.outbound(from: source.port, to: way.remote, at: turn.now, behaviour) ?? source
        }
        let path = Self.wire(from: source, to: way.remote, way)
        packets.fill(handle, byteCount: sealed, subject, over: path)
        if mark == nil { packets.makeMoot(handle) }
        if plan.keepsPackets { capture(local, packets.octets(of: handle), from: path.local, to: path.remote) }
        return travel(local, .toGateway, handle, byteCount: sealed, way)
    }

    /// Puts what a link lets through into the queue, once or twice; else why it does not.
    mutating func leave(
        _ outcome: Link.Outcome,
        _ local: Int,
        _ handle: UInt32,
        _ kind: ShardEvent
    ) -> String? {
        switch outcome {
        case .dropped(let reason):
            packets.release(handle)
            return reason.word
        case .arrives(let arrival):
            push(local, handle, kind, at: arrival)
            replay(local, handle, kind, from: arrival)
        case .arrivesTwice(let first, let second):
            let other = packets.copy(handle)
            push(local, handle, kind, at: first)
            push(local, other, kind, at: second)
            packets.pair(second < first ? other : handle, second < first ? handle : other)
            replay(local, handle, kind, from: first)
        }
        return nil
    }

    mutating func push(
        _ local: Int,
        _ handle: UInt32,
        _ kind: ShardEvent,
        at arrival: Instant
    ) {
        let order = order(local, at: arrival, EventClass.packet)
        queue.push(Event(order: order, target: UInt32(local), kind: kind.rawValue, small: handle))
    }

    /// A packet has come to the gateway.
    ///
    /// - Parameter order: of its coming; nil where it has waited for a core since.
    mutating func takePacket(
        _ local: Int,
        _ handle: UInt32,
        _ order: EventOrder?,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        var packet = packets.take(handle)
        if let order { note(local, order, .packet, UInt64(packet.byteCount)) }
        guard let spi = Self.childSPI(of: packet) else { preconditionFailure("an ESP packet has an SPI") }
        let gateway = clients[local].gateway
        var isKept = false
        if terms.restarts[gateway].isDown(at: turn.now) {
            lose(packet, "gateway-down")
        } else if order != nil, terms.hasESPPool[gateway] {
            waitToOpen(local, handle, byteCount: packet.byteCount, &outbox)
            return packets.restore(handle, packet)
        } else if let index = halfIndex(local, receiving: spi) {
            do throws(PacketDrop) {
                guard
                    let opened = try clients[local].halves[index].tunnel?.value.open(
                        &packet.buffer,
                        byteCount: packet.byteCount,
                        from: spi,
                        turn.cryptography
                    )
                else { preconditionFailure("a half that receives an SPI has an end of the tunnel") }
                hear(local, packet, ofHalf: index)
                guard let mark = opened.mark else { throw .malformed }
                if isEchoed(mark) {
                    isKept = answer(local, handle, &packet, opened, ofHalf: index, spi, &outbox)
                } else {
                    receive(local, packet, mark)
                }
            } catch {
                if error == .dummy { hear(local, packet, ofHalf: index) }
                drop(local, packet, error)
            }
            journalReports(local, isGateway: true)
            turn.output.removeAll()
            noteVolume(local, ofHalf: index)
        } else {
            drop(local, packet, .unknownSPI)
            if gatewayPolicies[gateway].values.lifeCycle.unknownSPIAnswers > 0 {
                return report(local, unknown: spi, packet, handle, &outbox)
            }
        }
        if !isKept { packets.release(handle, packet) }
    }

    /// An authentic packet has come to a half of the gateway's.
    private mutating func hear(_ local: Int, _ packet: borrowing PacketStore.Packet, ofHalf index: Int) {
        clients[local].halves[index].tunnel?.value.heardAt = turn.now
        // ESP by itself passes no NAT, and says nothing of ports.
        guard packet.isEncapsulated else { return }
        clients[local].halves[index].endpoint.follow(wayIn(of: packet, clients[local].gateway), &turn)
    }

    private func halfIndex(_ local: Int, receiving spi: ChildSPI) -> Int? {
        for index in 0..<clients[local].halves.count {
            switch clients[local].halves[index].tunnel {
            case .some(let tunnel) where tunnel.value.database.contains(spi): return index
            default: continue
            }
        }
        return nil
    }

    /// The front desk decides how many such packets are answered, and when.
    private mutating func report(
        _ local: Int,
        unknown spi: ChildSPI,
        _ packet: consuming PacketStore.Packet,
        _ handle: UInt32,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let gateway = clients[local].gateway
        let arrival = turn.now + terms.internalLatency[gateway]
        let message = PacketArrival(
            order: order(local, at: arrival, EventClass.packet),
            half: HalfID(
                client: plan.partition.entity(at: UInt32(local), of: index),
                attempt: clients[local].client.attempt
            ),
            shard: index,
            packet: handle,
            source: packet.source,
            byteCount: UInt32(packet.byteCount),
            exchange: .informational,
            messageID: .zero,
            isResponse: false,
            // No IKE SA has it, as no Child SA has the packet's.
            spi: IKESPI(rawValue: UInt64(spi.rawValue)),
            note: PacketNote(.informational, isResponse: false)
        )
        packets.restore(handle, packet)
        outbox.send(.arrival(message), to: plan.deskPart(gateway), arriving: arrival)
    }

    /// Says that the gateway does not have a packet's Child SA: over the IKE SA with its sender, where there is one.
    mutating func refuseUnknown(_ local: Int, _ spi: ChildSPI, over path: Path) {
        let policy = gatewayPolicies[clients[local].gateway]
        for index in (0..<clients[local].halves.count).reversed() {
            wakeHalf(local, index)
            if clients[local].halves[index].endpoint.expects(spi) { return }
            guard clients[local].halves[index].endpoint.refuseUnknownChild(spi, under: policy, &turn) else { continue }
            standing = .half(local, attempt: clients[local].halves[index].attempt)
            return
        }
        // What has no ports of its own is answered where IKE is (RFC 7296 section 1.5).
        var path = path
        if !path.isEncapsulated { (path.local.port, path.remote.port) = (500, 500) }
        IKESA.refuseUnknownChild(spi, over: path, &turn)
        for datagram in turn.output.datagrams { sendDown(local, datagram) }
        turn.output.removeAll()
    }

    // MARK: Down

    mutating func sendDown(
        _ local: Int,
        _ mark: FlowMark?,
        _ form: FlowForm,
        _ subject: Int,
        byteCount: Int
    ) -> String? {
        let gateway = clients[local].gateway
        guard !terms.restarts[gateway].isDown(at: turn.now) else { return "gateway-down" }
        let handle = packets.reserve()
        for index in (0..<clients[local].halves.count).reversed() {
            let sealed = packets.write(handle) { buffer in
                clients[local].halves[index].tunnel?.value.seal(
                    mark,
                    form,
                    byteCount: byteCount,
                    into: &buffer,
                    turn.cryptography
                )
            }
            guard let sealed, let way = clients[local].halves[index].endpoint.path else { continue }
            clients[local].halves[index].tunnel?.value.sentAt = turn.now
            noteVolume(local, ofHalf: index)
            let outside = gatewayAddress(gateway, isIPv4: way.remote.address.isIPv4)
            return leaveDown(local, handle, byteCount: sealed, subject, isDummy: mark == nil, from: outside, way)
        }
        packets.release(handle)
        return "no-tunnel"
    }

    /// Sends a sealed packet from the gateway's address over a half's way.
    mutating func leaveDown(
        _ local: Int,
        _ handle: UInt32,
        byteCount: Int,
        _ subject: Int,
        isDummy: Bool = false,
        from outside: IPAddress,
        _ way: Path
    ) -> String? {
        let path = Self.wire(from: UDPEndpoint(address: outside, port: way.local.port), to: way.remote, way)
        packets.fill(handle, byteCount: byteCount, subject, over: path)
        if isDummy { packets.makeMoot(handle) }
        if plan.keepsPackets { capture(local, packets.octets(of: handle), from: path.local, to: path.remote) }
        return travel(local, .toClient, handle, byteCount: byteCount, way)
    }

    /// A packet has come to the client.
    mutating func take(_ packet: inout PacketStore.Packet, _ spi: ChildSPI, for local: Int, over way: Path) {
        do throws(PacketDrop) {
            guard
                let opened = try clients[local].traffic?.value.end.open(
                    &packet.buffer,
                    byteCount: packet.byteCount,
                    from: spi,
                    turn.cryptography
                )
            else { return }
            clients[local].traffic?.value.end.heardAt = turn.now
            noteVolume(local)
            guard let mark = opened.mark else { throw .malformed }
            receive(local, packet, mark)
        } catch {
            if error == .dummy { clients[local].traffic?.value.end.heardAt = turn.now }
            drop(local, packet, error)
            guard error == .unknownSPI else { return }
            let clientPlan = clients[local].plan
            clients[local].client.receiveESP(spi, over: way, plan: clientPlan, &turn, &tally)
            standing = .delivery(local)
        }
    }

    /// A NAT has no mapping for a packet any more.
    mutating func loseBehindNAT(_ local: Int, _ packet: borrowing PacketStore.Packet) {
        if hasTraffic(local), Self.childSPI(of: packet) != nil { lose(packet, "nat") }
    }
}

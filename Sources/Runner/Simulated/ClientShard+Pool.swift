import BasicContainers
import DequeModule
import ESP
import Gateway
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation

/// A packet from behind a gateway that waits for a core to seal it.
struct WaitingPacket {
    enum Content {
        /// The next one of a flow.
        case flow(FlowForm)
        /// The answer to a packet that came by a half.
        case answer(InnerPacket, attempt: UInt32)
    }

    /// Nil for a dummy.
    let mark: FlowMark?
    /// The flow that it is of, as a tally has it.
    let subject: Int
    let content: Content
    /// With the inner IP header, and how long it is to look so.
    let byteCount: Int
    let padding: Int
}

// Where a gateway's work on ESP takes time, each packet asks the front desk for a core of the pool and is opened or
// sealed when it has had one: F until the desk hears of it, and F until the shard hears that it is done.
extension ClientShard {
    /// An ESP packet has come from outside.
    mutating func waitToOpen(_ local: Int, _ handle: UInt32, byteCount: Int, _ outbox: inout Outbox<GatewayMessage>) {
        askForCore(local, handle, byteCount: byteCount, isFromBehind: false, &outbox)
    }

    /// A packet of a flow has come from behind the gateway; why it gets no further, if it does not.
    mutating func waitToSeal(
        _ local: Int,
        _ mark: FlowMark?,
        _ form: FlowForm,
        _ subject: Int,
        byteCount: Int,
        _ outbox: inout Outbox<GatewayMessage>
    ) -> String? {
        guard !terms.restarts[clients[local].gateway].isDown(at: turn.now) else { return "gateway-down" }
        // What no Child SA is there for costs nothing.
        guard hasSender(local) else { return "no-tunnel" }
        let packet = WaitingPacket(
            mark: mark,
            subject: subject,
            content: .flow(form),
            byteCount: byteCount,
            padding: form.padding
        )
        wait(local, packet, &outbox)
        return nil
    }

    /// The target's answer to a packet that has just been opened has come from behind the gateway.
    mutating func waitToSeal(
        _ local: Int,
        answerTo opened: TunnelEnd.Opened,
        _ subject: Int,
        ofHalf index: Int,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        guard let mark = opened.mark, let reply = opened.packet?.reply, !reply.isEchoRequest else {
            return tally.packetLost(subject, PacketDrop.malformed.word, at: turn.now)
        }
        let byteCount = opened.data.count + reply.headerByteCount
        let packet = WaitingPacket(
            mark: mark,
            subject: subject,
            content: .answer(reply, attempt: clients[local].halves[index].attempt),
            byteCount: byteCount,
            padding: byteCount + opened.tfcByteCount
        )
        wait(local, packet, &outbox)
    }

    private mutating func wait(_ local: Int, _ packet: WaitingPacket, _ outbox: inout Outbox<GatewayMessage>) {
        let place = waitingPackets.insert(packet)
        askForCore(local, place, byteCount: max(packet.byteCount, packet.padding), isFromBehind: true, &outbox)
    }

    private mutating func askForCore(
        _ local: Int,
        _ packet: UInt32,
        byteCount: Int,
        isFromBehind: Bool,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let gateway = clients[local].gateway
        let arrival = turn.now + terms.internalLatency[gateway]
        let message = ESPArrival(
            order: order(local, at: arrival, EventClass.packet),
            client: plan.partition.entity(at: UInt32(local), of: index),
            shard: index,
            packet: packet,
            byteCount: UInt32(byteCount),
            isFromBehind: isFromBehind
        )
        outbox.send(.packet(message), to: plan.deskPart(gateway), arriving: arrival)
    }

    private func hasSender(_ local: Int) -> Bool {
        for index in 0..<clients[local].halves.count {
            switch clients[local].halves[index].tunnel {
            case .some(let tunnel) where tunnel.value.canSend: return true
            default: continue
            }
        }
        return false
    }

    /// A packet from behind the gateway has had its core.
    mutating func sealWaiting(_ local: Int, _ place: UInt32) {
        let packet = waitingPackets.remove(place)
        let reason =
            switch packet.content {
            case .flow(let form): sendDown(local, packet.mark, form, packet.subject, byteCount: packet.byteCount)
            case .answer(let reply, let attempt): sendAnswer(local, packet, reply, attempt)
            }
        if let reason, packet.mark != nil { tally.packetLost(packet.subject, reason, at: turn.now) }
    }

    private mutating func sendAnswer(
        _ local: Int,
        _ packet: WaitingPacket,
        _ reply: InnerPacket,
        _ attempt: UInt32
    ) -> String? {
        // The half that it came by may have gone meanwhile, and another one have taken its place.
        let last = clients[local].halves.count - 1
        guard last >= 0 else { return "no-tunnel" }
        let index = halfIndex(local, attempt) ?? last
        let handle = packets.reserve()
        let sealed = packets.write(handle) { buffer in
            clients[local].halves[index].tunnel?.value.seal(
                packet.mark,
                in: reply,
                byteCount: packet.byteCount,
                padding: packet.padding,
                into: &buffer,
                turn.cryptography
            )
        }
        guard let sealed, let way = clients[local].halves[index].endpoint.path else {
            packets.release(handle)
            return "no-tunnel"
        }
        clients[local].halves[index].tunnel?.value.sentAt = turn.now
        noteVolume(local, ofHalf: index)
        let outside = gatewayAddress(clients[local].gateway, isIPv4: way.remote.address.isIPv4)
        return leaveDown(local, handle, byteCount: sealed, packet.subject, from: outside, way)
    }

    /// A packet has got no core.
    mutating func loseWaiting(_ local: Int, _ place: UInt32, _ reason: DropReason, isFromBehind: Bool) {
        let word = reason == .queueFull ? "gateway-queue-full" : "gateway-down"
        guard !isFromBehind else {
            let packet = waitingPackets.remove(place)
            if packet.mark != nil { tally.packetLost(packet.subject, word, at: turn.now) }
            return
        }
        let packet = packets.take(place)
        lose(packet, word)
        packets.release(place, packet)
    }
}

extension InnerPacket {
    /// No host answers an answer.
    fileprivate var isEchoRequest: Bool {
        if case .echoRequest = content { true } else { false }
    }
}

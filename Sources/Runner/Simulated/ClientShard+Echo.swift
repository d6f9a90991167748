import BasicContainers
import DequeModule
import ESP
import Gateway
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation
import Workload

// What stands behind the gateway and sends packets back.
extension ClientShard {
    func isEchoed(_ mark: FlowMark) -> Bool { plan.workload.traffic[Int(mark.flow >> 1)].isEchoed }

    /// The target of an echoed flow answers a packet at once, in its place; false where it does not.
    mutating func answer(
        _ local: Int,
        _ handle: UInt32,
        _ packet: inout PacketStore.Packet,
        _ opened: TunnelEnd.Opened,
        ofHalf index: Int,
        _ spi: ChildSPI,
        _ outbox: inout Outbox<GatewayMessage>
    ) -> Bool {
        packets.settle(packet)
        let subject = Int(packet.subject)
        if terms.hasESPPool[clients[local].gateway] {
            waitToSeal(local, answerTo: opened, subject, ofHalf: index, &outbox)
            return false
        }
        guard
            let sealed = clients[local].halves[index].tunnel?.value.answer(
                opened,
                in: &packet.buffer,
                from: spi,
                turn.cryptography
            ), let way = clients[local].halves[index].endpoint.path
        else {
            tally.packetLost(subject, PacketDrop.malformed.word, at: turn.now)
            return false
        }
        clients[local].halves[index].tunnel?.value.sentAt = turn.now
        let outside = gatewayAddress(clients[local].gateway, isIPv4: way.remote.address.isIPv4)
        packets.restore(handle, from: &packet)
        if let reason = leaveDown(local, handle, byteCount: sealed, subject, from: outside, way) {
            tally.packetLost(subject, reason, at: turn.now)
        }
        return true
    }
}

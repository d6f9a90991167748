import BasicContainers
import DequeModule
import ESP
import IKEv2
import Load
import Primitives

// What is measured of traffic: each packet where it comes out, and what events cost.
extension ClientShard {
    mutating func receive(_ local: Int, _ packet: borrowing PacketStore.Packet, _ mark: FlowMark) {
        packets.settle(packet)
        guard clients[local].traffic?.value.receive(mark, &tally, at: turn.now) == true else { return }
        let subject = Int(packet.subject)
        tally.mark(.packetReceived, subject, at: turn.now)
        tally.sample(isEchoed(mark) ? .roundTrip : .packet, subject, turn.now - mark.time, at: turn.now)
    }

    /// What comes again is dropped, but no loss: it was received before.
    mutating func drop(_ local: Int, _ packet: borrowing PacketStore.Packet, _ reason: PacketDrop) {
        tally.packetDropped(clients[local].population, reason.word, at: turn.now)
        if reason != .replayed { lose(packet, reason.word) }
    }

    mutating func lose(_ packet: borrowing PacketStore.Packet, _ reason: String) {
        if !packet.isMoot { tally.packetLost(Int(packet.subject), reason, at: turn.now) }
    }

    /// Takes note of the events that the client's machines have just made known.
    mutating func measure(_ local: Int) {
        let tunnel = TunnelState(clients[local].client)
        let flows = clients[local].traffic?.value.flows ?? []
        clients[local].traffic?.value.meters.follow(turn.output, tunnel, flows, at: turn.now)
    }

    /// Has a client know what its packets say of its gateway and its NAT, before it looks what is due.
    mutating func noteTraffic(_ local: Int) {
        guard hasTraffic(local) else { return }
        let heardAt = clients[local].traffic?.value.end.heardAt ?? .zero
        let sentAt = clients[local].traffic?.value.end.sentAt ?? .zero
        clients[local].client.noteTraffic(heardAt: heardAt, sentAt: sentAt)
    }

    mutating func noteTraffic(_ local: Int, ofHalf index: Int) {
        guard hasTraffic(local) else { return }
        let heardAt = clients[local].halves[index].tunnel?.value.heardAt ?? .zero
        let sentAt = clients[local].halves[index].tunnel?.value.sentAt ?? .zero
        clients[local].halves[index].endpoint.noteTraffic(heardAt: heardAt, sentAt: sentAt)
    }

    /// Has the client rekey the Child SAs that have carried what they may.
    mutating func noteVolume(_ local: Int) {
        while let spi = clients[local].traffic?.value.end.takeSpent() {
            clients[local].client.endVolume(of: spi, at: turn.now)
            standing = .delivery(local)
        }
    }

    /// Has a half do so.
    mutating func noteVolume(_ local: Int, ofHalf index: Int) {
        while let spi = clients[local].halves[index].tunnel?.value.takeSpent() {
            clients[local].halves[index].endpoint.endVolume(of: spi, at: turn.now)
            standing = .half(local, attempt: clients[local].halves[index].attempt)
        }
    }

    /// Something happens to a client's tunnel, which is over at `end`.
    mutating func disturb(_ local: Int, _ event: TunnelEvent, until end: Instant) {
        guard hasTraffic(local) else { return }
        let flows = clients[local].traffic?.value.flows ?? []
        clients[local].traffic?.value.meters.begin(event, flows, at: turn.now, until: end)
    }

    /// A flow sends no more.
    mutating func end(_ local: Int, _ index: Int) {
        clients[local].traffic?.value.end(index, &tally, at: turn.now)
    }

    /// The run has come to its end: what the last events have cost is known as well as it will be.
    mutating func finishMeasuring(at end: Instant) {
        for local in 0..<clients.count where hasTraffic(local) {
            clients[local].traffic?.value.finish(&tally, at: end)
        }
    }
}

extension ClientTraffic {
    /// False where the packet has come before.
    fileprivate mutating func receive(
        _ mark: FlowMark,
        _ tally: inout ClientTally,
        at now: Instant
    ) -> Bool {
        guard let index = flows.firstIndex(where: { $0.mark == mark.flow }) else { return true }
        if meters.hasOutages(of: index) { meters.report(index, flows[index], &tally, at: now) }
        return meters.receive(mark.number, due: mark.time, of: index, &tally, at: now)
    }

    fileprivate mutating func end(_ index: Int, _ tally: inout ClientTally, at now: Instant) {
        flows[index].end()
        meters.finish(index, flows[index], &tally, at: now)
    }

    fileprivate mutating func finish(_ tally: inout ClientTally, at end: Instant) {
        for index in flows.indices { meters.finish(index, flows[index], &tally, at: end) }
    }
}

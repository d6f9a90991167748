import BasicContainers
import IKEv2
import Load
import Metrics
import Primitives
import Simulation
import UDPTransport

// What comes in.
extension LiveWorker {
    mutating func receive(_ ready: EventLoop.Ready, _ batch: inout ReceiveBatch) throws(SocketError) {
        if ready.readiness.contains(.failed) {
            for error in wire.takeErrors(ofSocket: ready.token) { touched.failed(error) }
        }
        guard ready.readiness.contains(.readable) else { return }
        let count = try wire.receive(fromSocket: ready.token, into: &batch, clock: clock)
        for index in 0..<count { take(batch[index], batch.bytes(at: index), socket: ready.token) }
    }

    /// Takes a datagram in from the network: whose it is, and when the path model lets it go on to its client.
    private mutating func take(_ datagram: ReceivedDatagram, _ octets: RawSpan, socket: Int) {
        turn.now = clock.now
        let place = wire.place(ofSocket: socket)
        guard let owner = owners[Owner(group: place.group, source: datagram.destination)] else {
            touched.strayCount += 1
            return
        }
        let local = Int(owner)
        let target = clients[local].target
        let isEncapsulated = datagram.source.port == target.encapsulatedPort
        // Where the target's address is the client's own, and nobody is there, a socket hears itself.
        let isOwn = datagram.source == UDPEndpoint(address: datagram.destination, port: wire.port(ofSocket: socket))
        guard datagram.source.address == target.address, isEncapsulated || datagram.source.port == target.port,
            !datagram.isTruncated, !isOwn
        else {
            touched.strayCount += 1
            return
        }
        touched.received(local, octets.byteCount)
        if plan.keepsPackets {
            let destination = UDPEndpoint(address: datagram.destination, port: wire.port(ofSocket: socket))
            journal.packets.append(
                RunSinks.Packet(
                    time: min(datagram.arrival, turn.now),
                    source: datagram.source,
                    destination: destination,
                    octets: octets.copied(),
                    client: clients[local].values.index
                )
            )
        }
        noteReceive(late: turn.now - min(datagram.arrival, turn.now), clients[local].values.population)
        let slot = place.slot < 2 ? (isEncapsulated ? 1 : 0) : place.slot
        let link = clients[local].path
        var flow = clients[local].down
        let outcome = flow.send(
            payloadByteCount: octets.byteCount,
            isIPv4: target.address.isIPv4,
            at: turn.now,
            over: links[link]
        )
        clients[local].down = flow
        switch outcome {
        case .dropped: break
        case .arrives(let arrival):
            pass(local, slot, octets, datagram, at: arrival)
        case .arrivesTwice(let first, let second):
            pass(local, slot, octets, datagram, at: first)
            pass(local, slot, octets, datagram, at: second)
        }
    }

    private mutating func pass(
        _ local: Int,
        _ slot: Int,
        _ octets: RawSpan,
        _ datagram: ReceivedDatagram,
        at arrival: Instant
    ) {
        guard arrival > turn.now else {
            return deliver(local, slot: slot, octets, from: datagram.source, due: min(datagram.arrival, turn.now))
        }
        let destination = UDPEndpoint(address: datagram.destination, port: 0)
        delays.hold(
            octets,
            until: arrival,
            local: local,
            slot: slot,
            isOutgoing: false,
            from: datagram.source,
            to: destination
        )
    }

    mutating func noteTimer(lateFrom due: Instant, _ local: Int) {
        let late = turn.now - min(due, turn.now)
        lateness.timers.record(late)
        tally.sample(.lag, clients[local].values.population, late, at: turn.now)
    }

    mutating func noteSend(late: Duration, _ population: Int, at now: Instant) {
        lateness.sends.record(max(late, .zero))
        tally.sample(.lag, population, max(late, .zero), at: now)
    }

    private mutating func noteReceive(late: Duration, _ population: Int) {
        lateness.receives.record(late)
        tally.sample(.lag, population, late, at: turn.now)
    }
}

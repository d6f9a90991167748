import BasicContainers
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation
import UDPTransport
import Workload

// What happens to clients, and what they want done.
extension LiveWorker {
    mutating func arrive(_ arrival: LivePlan.Arrival) {
        let local = Int(arrival.local)
        let population = clients[local].values.population
        noteTimer(lateFrom: arrival.at, local)
        guard clients[local].client.isIdle else { return tally.skipped(population, at: turn.now) }
        guard ceilings.admits(at: turn.now) else { return tally.mark(.clipped, population, at: turn.now) }
        let clientPlan = clients[local].plan
        record(local) { $0.arrive($1, intended: arrival.at, until: arrival.until, at: $2) }
        clients[local].client.arrive(
            intended: arrival.at,
            leaving: arrival.until,
            plan: clientPlan,
            &turn,
            &tally
        )
        settle(local, due: arrival.at)
    }

    /// Does what is due for a client, one thing at a time.
    mutating func advance(_ local: Int, due: Instant) {
        finishWaiting(local)
        let clientPlan = clients[local].plan
        while !clients[local].isWaiting, clients[local].client.deadline(plan: clientPlan) <= turn.now {
            if clients[local].client.isAttemptDue(at: turn.now), !mayBegin(local) { return }
            noteTraffic(local)
            guard clients[local].client.deadline(plan: clientPlan) <= turn.now else { break }
            record(local) { $0.advance($1, at: $2) }
            clients[local].client.advance(plan: clientPlan, &turn, &tally)
            settle(local, due: due)
        }
        sendPackets(local)
        arm(local)
    }

    /// Looks at a client again when it, or a packet of its traffic, has something due.
    private mutating func arm(_ local: Int) {
        let clientPlan = clients[local].plan
        deadlines.arm(local, at: min(clients[local].client.deadline(plan: clientPlan), packetDue(local)))
    }

    /// Whether a client may begin another attempt now; if not, it is looked at again soon.
    private mutating func mayBegin(_ local: Int) -> Bool {
        let goesOn = phase == .hold && clients[local].client.isReauthenticating
        if phase == .load || goesOn, ceilings.admits(at: turn.now) { return true }
        if phase == .load, !clients[local].isHeldBack {
            clients[local].isHeldBack = true
            tally.mark(.clipped, clients[local].values.population, at: turn.now)
        }
        sendPackets(local)
        deadlines.arm(local, at: min(turn.now + Self.holdBack, packetDue(local)))
        return false
    }

    mutating func leave(_ local: Int) {
        finishWaiting(local)
        let clientPlan = clients[local].plan
        record(local) { $0.leave($1, at: $2) }
        clients[local].client.leave(plan: clientPlan, &turn, &tally)
        settle(local, due: turn.now)
    }

    /// Gives a client a datagram that has come all the way to it.
    mutating func deliver(_ local: Int, slot: Int, _ octets: RawSpan, from remote: UDPEndpoint, due: Instant) {
        // What the path has held back for so long that the client is elsewhere by now.
        guard remote.address == clients[local].target.address else { return }
        let isEncapsulated = remote.port == clients[local].target.encapsulatedPort
        let route = clients[local].client.place.route
        var inside = isEncapsulated ? route.encapsulated.local : route.plain.local
        if let behaviour = behaviours[clients[local].path], clients[local].nat != nil {
            guard let port = clients[local].outerPort(ofSlot: slot, isEncapsulated: isEncapsulated) else { return }
            let outside = UDPEndpoint(address: clients[local].values.source, port: port)
            guard
                case .forwarded(let forwarded)? = clients[local].nat?.inbound(
                    to: outside,
                    from: remote,
                    at: turn.now,
                    behaviour
                )
            else { return }
            inside = forwarded
        }
        let way = Path(local: inside, remote: remote, isEncapsulated: isEncapsulated)
        finishWaiting(local)
        let clientPlan = clients[local].plan
        var message = octets
        if isEncapsulated {
            switch EncapsulatedKind(octets) {
            case .ike: message = octets.extracting(droppingFirst: EncapsulatedKind.markerByteCount)
            case .esp(let spi): return deliverESP(local, spi, octets, over: way, due: due)
            case .keepalive, .neither: return
            }
        }
        record(local) { $0.receive($1, message, over: way, at: $2) }
        clients[local].client.receive(message, over: way, plan: clientPlan, &turn, &tally)
        settle(local, due: due)
    }

    /// Opens an ESP packet; one of no Child SA is told to the peer.
    private mutating func deliverESP(_ local: Int, _ spi: ChildSPI, _ octets: RawSpan, over way: Path, due: Instant) {
        guard takePacket(local, spi, octets) else {
            if noteVolume(local) || packetDue(local) <= turn.now { arm(local) }
            return
        }
        let clientPlan = clients[local].plan
        record(local) { $0.receiveESP($1, spi, over: way, at: $2) }
        clients[local].client.receiveESP(spi, over: way, plan: clientPlan, &turn, &tally)
        settle(local, due: due)
    }

    /// Carries out what a client wants: operations at once or with those of others, datagrams on their way, the next
    /// deadline.
    mutating func settle(_ local: Int, due: Instant) {
        if gathersOperations, turn.output.keyExchange != nil {
            clients[local].isWaiting = true
            return gathered.add(UInt64(local), due: due, &turn)
        }
        let clientPlan = clients[local].plan
        while let request = turn.output.keyExchange.take() {
            let result = turn.cryptography.perform(request)
            clients[local].client.complete(result, plan: clientPlan, &turn, &tally)
        }
        recordOutcome()
        noteReports(local)
        followTunnel(local)
        for index in turn.output.datagrams.indices { send(local, turn.output.datagrams[index], due: due) }
        turn.output.removeAll()
        arm(local)
    }

    /// Carries out all operations that clients have asked for since the last time, and goes on with each of them.
    ///
    /// Nobody waits for others to come: it is called where the worker has seen all that is there.
    mutating func carryOut() {
        guard !gathered.isEmpty else { return }
        let now = turn.now
        while !gathered.isEmpty {
            lanes.add(gathered.carryOut(by: turn.cryptography))
            while let one = gathered.next(&turn) { goOn(one) }
        }
        turn.now = now
    }

    private mutating func goOn(_ one: consuming GatheredTurns.Resumption) {
        let (local, due) = (Int(one.owner), one.due)
        let clientPlan = clients[local].plan
        clients[local].isWaiting = false
        clients[local].client.complete(one.takeResult(), plan: clientPlan, &turn, &tally)
        settle(local, due: due)
    }

    /// Has a client go on that waits for an operation, before anything else happens to it.
    mutating func finishWaiting(_ local: Int) {
        if clients[local].isWaiting { carryOut() }
    }

    private mutating func noteReports(_ local: Int) {
        let isNew = clients[local].client.attempt != clients[local].attemptsSeen
        if isNew {
            clients[local].attemptsSeen = clients[local].client.attempt
            clients[local].isHeldBack = false
            touched.began(local)
        }
        let isConnecting =
            clients[local].client.hasEndpoint && !clients[local].client.isUp
            && (clients[local].isConnecting || isNew)
        if isConnecting != clients[local].isConnecting {
            clients[local].isConnecting = isConnecting
            ceilings.halfOpen += isConnecting ? 1 : -1
        }
        for report in turn.output.reports {
            if case .retransmitted(.delete) = report, phase == .drain { clients[local].deleteRetries &+= 1 }
            if keys != nil { noteKeys(local, report) }
            if plan.keepsPackets { captureKeys(local, report) }
            if report.isLifeCycle {
                journal.events.append(LiveEvent(time: turn.now, client: clients[local].values.index, report: report))
            }
        }
    }

    /// Keeps the keys of an IKE SA for the capture, before the first packet that is encrypted with them.
    private mutating func captureKeys(_ local: Int, _ report: Report) {
        guard let wanted = report.newKeys else { return }
        if let found = clients[local].client.withChannel(of: wanted, { RunSinks.Keys($0) }) {
            journal.keys.append(found)
        }
    }

    /// Sends a client's datagram on its way.
    private mutating func send(_ local: Int, _ datagram: Output.Datagram, due: Instant) {
        if keys != nil { noteRequest(local, datagram) }
        _ = carry(local, turn.output.octets[datagram.range], datagram.path, due: due)
    }

    /// Takes octets through a client's NAT and over its path to the network; says why they get no further, if so.
    mutating func carry(_ local: Int, _ octets: ArraySlice<UInt8>, _ path: Path, due: Instant) -> String? {
        // An IKE SA that could not go along with its client speaks to where that cannot send any more.
        guard path.remote.address == clients[local].target.address else { return "moved" }
        var slot = path.isEncapsulated ? 1 : 0
        if let behaviour = behaviours[clients[local].path], clients[local].nat != nil {
            let innerPort = path.local.port
            let outside = clients[local].nat?.outbound(from: innerPort, to: path.remote, at: turn.now, behaviour)
            slot = clients[local].slot(of: outside?.port ?? innerPort, innerPort: innerPort)
        }
        let socket = socket(of: local, slot: slot)
        let link = clients[local].path
        var flow = clients[local].up
        let outcome = flow.send(
            payloadByteCount: octets.count,
            isIPv4: path.remote.address.isIPv4,
            at: turn.now,
            over: links[link]
        )
        clients[local].up = flow
        switch outcome {
        case .dropped(let reason): return reason.word
        case .arrives(let arrival):
            forward(local, octets, path, socket, from: due, at: arrival)
        case .arrivesTwice(let first, let second):
            forward(local, octets, path, socket, from: due, at: first)
            forward(local, octets, path, socket, from: due, at: second)
        }
        return nil
    }

    /// Sends a datagram at the moment at which the path model lets it out.
    private mutating func forward(
        _ local: Int,
        _ octets: ArraySlice<UInt8>,
        _ path: Path,
        _ socket: Int,
        from due: Instant,
        at departure: Instant
    ) {
        let source = clients[local].values.source
        guard departure > turn.now else {
            return depart(local, octets, on: socket, from: source, to: path.remote, due: min(due, turn.now))
        }
        unsafe delays.hold(
            octets.span.bytes,
            until: departure,
            local: local,
            slot: socket,
            isOutgoing: true,
            from: UDPEndpoint(address: source, port: path.local.port),
            to: path.remote
        )
    }

    /// Puts a datagram into its socket's batch.
    mutating func depart(
        _ local: Int,
        _ octets: ArraySlice<UInt8>,
        on socket: Int,
        from source: IPAddress,
        to destination: UDPEndpoint,
        due: Instant
    ) {
        touched.sent(local, octets.count)
        unsent.append((due, clients[local].values.population))
        let isEncapsulated = destination.port == clients[local].target.encapsulatedPort
        let isESP = unsafe isEncapsulated && EncapsulatedKind(octets.span.bytes).isESP
        unsafe wire.send(octets.span.bytes, on: socket, from: source, to: destination, isESP: isESP)
        guard plan.keepsPackets else { return }
        let origin = UDPEndpoint(address: source, port: wire.port(ofSocket: socket))
        journal.packets.append(
            RunSinks.Packet(
                time: turn.now,
                source: origin,
                destination: destination,
                octets: Array(octets),
                client: clients[local].values.index
            )
        )
    }

    /// The socket of a client's slot; where the system has none left, packets go on leaving by the old port.
    private mutating func socket(of local: Int, slot: Int) -> Int {
        let group = clients[local].values.group
        let isIPv4 = clients[local].values.source.isIPv4
        if let socket = try? wire.number(group: group, slot: slot, isIPv4: isIPv4) { return socket }
        touched.missingSockets += 1
        do {
            return try wire.number(group: group, slot: min(slot, 1), isIPv4: isIPv4)
        } catch {
            preconditionFailure("a client's first sockets are opened before it sends: \(error)")
        }
    }

    /// How long a client waits that a ceiling holds back.
    private static var holdBack: Duration { .milliseconds(100) }
}

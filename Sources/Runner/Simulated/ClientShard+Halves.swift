import BasicContainers
import DequeModule
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation

// The gateway's halves of the IKE SAs of this shard's clients.
extension ClientShard {
    /// A job of the front desk has ended: what it was about happens now.
    mutating func complete(_ local: Int, _ event: Event, _ outbox: inout Outbox<GatewayMessage>) {
        let completion = completions.remove(event.small)
        turn.lease = completion.lease
        note(local, event.order, .completion, UInt64(completion.half.attempt), completion.action.word)
        switch completion.action {
        case .handle: handle(local, completion)
        case .handleWithoutBackend:
            turn.hasBackend = false
            handle(local, completion)
            turn.hasBackend = true
        case .demandCookie: demandCookie(local, completion)
        case .refuseUnknown: refuseUnknown(local, completion)
        case .drop: packets.release(completion.packet)
        case .handleIfCookieIsTrue: checkCookie(local, completion, &outbox)
        case .timer(let generation): fireHalfTimer(local, completion.half.attempt, generation)
        case .openPacket: takePacket(local, completion.packet, nil, &outbox)
        case .sealPacket: sealWaiting(local, completion.packet)
        case .losePacket(let reason, let isFromBehind):
            loseWaiting(local, completion.packet, reason, isFromBehind: isFromBehind)
        }
    }

    func halfIndex(_ local: Int, _ attempt: UInt32) -> Int? {
        let place = place(ofHalf: attempt, local)
        return place < clients[local].halves.count && clients[local].halves[place].attempt == attempt ? place : nil
    }

    /// How many halves of a client are of earlier attempts.
    private func place(ofHalf attempt: UInt32, _ local: Int) -> Int {
        var (low, high) = (0, clients[local].halves.count)
        while low < high {
            let middle = (low + high) / 2
            if clients[local].halves[middle].attempt < attempt { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func handle(_ local: Int, _ completion: JobCompletion) {
        let packet = packets.take(completion.packet)
        handle(local, completion, packet)
        packets.release(completion.packet, packet)
    }

    private mutating func handle(_ local: Int, _ completion: JobCompletion, _ packet: borrowing PacketStore.Packet) {
        guard let start = Self.messageStart(packet) else { return }
        let arrival = wayIn(of: packet, clients[local].gateway)
        let message = packet.octets.extracting(droppingFirst: start)
        let policy = gatewayPolicies[clients[local].gateway]
        let attempt = completion.half.attempt
        standing = .half(local, attempt: attempt)
        if let found = halfIndex(local, attempt) {
            wakeHalf(local, found)
            clients[local].halves[found].endpoint.receive(message, over: arrival, under: policy, &turn)
            return
        }
        let origin = origin(ofHalf: attempt, local)
        if let sa = IKESA.respond(to: message, over: arrival, origin, under: policy, &turn) {
            let half = Half(
                attempt: attempt,
                boot: boots[clients[local].gateway],
                endpoint: Endpoint(responding: sa)
            )
            clients[local].halves.insert(half, at: place(ofHalf: attempt, local))
        }
    }

    /// Where a half's SPIs and its chance come from.
    private func origin(ofHalf attempt: UInt32, _ local: Int) -> Origin {
        let name = StableName.hash(
            of: terms.gatewayNames[clients[local].gateway],
            clients[local].client.place.entity,
            UInt64(attempt)
        )
        let owner = plan.partition.entity(at: UInt32(local), of: index)
        let spis = SPISource(key: terms.gatewaySPIKey, owner: owner, attempt: attempt)
        return Origin(number: 0, entity: name, seed: plan.seed, spis: spis)
    }

    /// Has a half be as it was before its rest.
    mutating func wakeHalf(_ local: Int, _ place: Int) {
        guard clients[local].halves[place].isResting else { return }
        let origin = origin(ofHalf: clients[local].halves[place].attempt, local)
        clients[local].halves[place].wake(as: origin)
    }

    /// The way that a client's packet came, as the gateway sees it: to its own address, also behind a NAT.
    func wayIn(of packet: borrowing PacketStore.Packet, _ gateway: Int) -> Path {
        var local = packet.destination
        if let inside = terms.gatewayInsides[gateway], inside.isIPv4 == local.address.isIPv4 {
            local = UDPEndpoint(address: inside, port: local.port)
        }
        return Path(local: local, remote: packet.source, isEncapsulated: packet.isEncapsulated)
    }

    /// The cookie is checked by its octets; the front desk has only seen that there is one.
    private mutating func checkCookie(
        _ local: Int,
        _ completion: JobCompletion,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let packet = packets.take(completion.packet)
        let isTrue = hasGenuineCookie(packet, clients[local].gateway)
        packets.restore(completion.packet, packet)
        if isTrue {
            handle(local, completion)
        } else {
            demandCookie(local, completion)
            reportRefusal(local, completion.half.attempt, &outbox)
        }
    }

    private mutating func hasGenuineCookie(_ packet: borrowing PacketStore.Packet, _ gateway: Int) -> Bool {
        guard let start = Self.messageStart(packet) else { return false }
        let message = packet.octets.extracting(droppingFirst: start)
        return terms.cookieIssuers[gateway].hasGenuineCookie(message, over: wayIn(of: packet, gateway), &turn)
    }

    private mutating func demandCookie(_ local: Int, _ completion: JobCompletion) {
        let packet = packets.take(completion.packet)
        demandCookie(local, packet)
        packets.release(completion.packet, packet)
    }

    private mutating func demandCookie(_ local: Int, _ packet: borrowing PacketStore.Packet) {
        guard let start = Self.messageStart(packet) else { return }
        let arrival = wayIn(of: packet, clients[local].gateway)
        let message = packet.octets.extracting(droppingFirst: start)
        _ = terms.cookieIssuers[clients[local].gateway].demand(for: message, over: arrival, &turn)
        for datagram in turn.output.datagrams { sendDown(local, datagram) }
        turn.output.removeAll()
    }

    /// The gateway has no such IKE SA, or has it no more.
    private mutating func refuseUnknown(_ local: Int, _ completion: JobCompletion) {
        let packet = packets.take(completion.packet)
        refuseUnknown(local, packet)
        packets.release(completion.packet, packet)
    }

    private mutating func refuseUnknown(_ local: Int, _ packet: borrowing PacketStore.Packet) {
        let arrival = Path(
            local: packet.destination,
            remote: packet.source,
            isEncapsulated: packet.isEncapsulated
        )
        if let spi = Self.childSPI(of: packet) { return refuseUnknown(local, spi, over: arrival) }
        guard let start = Self.messageStart(packet) else { return }
        let message = packet.octets.extracting(droppingFirst: start)
        _ = IKESA.refuseUnknown(message, over: arrival, &turn)
        for datagram in turn.output.datagrams { sendDown(local, datagram) }
        turn.output.removeAll()
    }

    private mutating func fireHalfTimer(_ local: Int, _ attempt: UInt32, _ generation: UInt32) {
        guard let found = halfIndex(local, attempt), clients[local].halves[found].generation == generation else {
            return
        }
        let policy = gatewayPolicies[clients[local].gateway]
        wakeHalf(local, found)
        noteTraffic(local, ofHalf: found)
        clients[local].halves[found].endpoint.advance(under: policy, &turn)
        standing = .half(local, attempt: attempt)
    }

    /// Carries out what a half wants beside operations, and tells the front desk how it stands.
    mutating func settleHalf(_ local: Int, _ attempt: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        let gateway = clients[local].gateway
        let policy = gatewayPolicies[gateway]
        if policy.values.lifeCycle.obeysInitialContact { obeyInitialContact(local, attempt, &outbox) }
        let found = halfIndex(local, attempt)
        journalReports(local, isGateway: true)
        if let found { followTunnel(local, ofHalf: found) }
        for datagram in turn.output.datagrams { sendDown(local, datagram) }
        turn.output.removeAll()
        var report = HalfReport(
            order: order(local, at: turn.now + terms.internalLatency[gateway], EventClass.report),
            half: HalfID(client: plan.partition.entity(at: UInt32(local), of: index), attempt: attempt),
            shard: index,
            boot: boots[gateway]
        )
        if let found {
            clients[local].halves[found].describe(policy, &report)
            if report.transition == .ended {
                _ = clients[local].halves.remove(at: found)
            } else if !hasTraffic(local) {
                clients[local].halves[found].rest(&turn)
            }
        } else {
            report.transition = .refused
        }
        outbox.send(.report(report), to: plan.deskPart(gateway), arriving: report.order.time)
    }

    private mutating func reportRefusal(
        _ local: Int,
        _ attempt: UInt32,
        _ outbox: inout Outbox<GatewayMessage>
    ) {
        let gateway = clients[local].gateway
        let report = HalfReport(
            order: order(local, at: turn.now + terms.internalLatency[gateway], EventClass.report),
            half: HalfID(client: plan.partition.entity(at: UInt32(local), of: index), attempt: attempt),
            shard: index,
            boot: boots[gateway],
            transition: .refused
        )
        outbox.send(.report(report), to: plan.deskPart(gateway), arriving: report.order.time)
    }

    /// Sends a half's datagram over the path to the client's NAT.
    mutating func sendDown(_ local: Int, _ datagram: Output.Datagram) {
        let octets = turn.output.octets[datagram.range]
        var path = datagram.path
        let gateway = clients[local].gateway
        if path.local.address == terms.gatewayInsides[gateway] {
            let outside = gatewayAddress(gateway, isIPv4: path.remote.address.isIPv4)
            path.local = UDPEndpoint(address: outside, port: path.local.port)
        }
        capture(local, octets, from: path.local, to: path.remote)
        let outcome = travel(
            local,
            .toClient,
            payloadByteCount: octets.count,
            isIPv4: path.remote.address.isIPv4,
            .answer(Array(octets), path)
        )
        if let outcome { pushDelivery(local, octets, path, outcome) }
    }

    /// Has a half's datagram come to the client's NAT, as its path lets it.
    mutating func pushDelivery(_ local: Int, _ octets: ArraySlice<UInt8>, _ path: Path, _ outcome: Link.Outcome) {
        switch outcome {
        case .dropped: break
        case .arrives(let arrival): pushDelivery(local, octets, path, at: arrival)
        case .arrivesTwice(let first, let second):
            pushDelivery(local, octets, path, at: first)
            pushDelivery(local, octets, path, at: second)
        }
    }

    private mutating func pushDelivery(_ local: Int, _ octets: ArraySlice<UInt8>, _ path: Path, at arrival: Instant) {
        let handle = packets.insert(octets, from: path.local, to: path.remote, isEncapsulated: path.isEncapsulated)
        let order = order(local, at: arrival, EventClass.packet)
        queue.push(
            Event(order: order, target: UInt32(local), kind: ShardEvent.deliver.rawValue, small: handle)
        )
    }

    /// Keeps what the run's event file shows, and the keys that its capture needs.
    mutating func journalReports(_ local: Int, isGateway: Bool) {
        guard plan.keepsPackets || plan.keepsEvents else { return }
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        for report in turn.output.reports {
            if plan.keepsPackets, !isGateway { keepKeys(local, of: report) }
            if plan.keepsEvents, report.isLifeCycle {
                clients[local].journaled += 1
                journal.entries.append(
                    ShardJournal.Entry(
                        time: turn.now,
                        client: entity,
                        count: clients[local].journaled,
                        report: report,
                        isGateway: isGateway
                    )
                )
            }
        }
    }

    /// Keeps a datagram for the capture.
    mutating func capture(
        _ local: Int,
        _ octets: ArraySlice<UInt8>,
        from source: UDPEndpoint,
        to destination: UDPEndpoint
    ) {
        guard plan.keepsPackets else { return }
        journal.packets.append(
            ShardJournal.CapturedPacket(
                order: journalOrder(local),
                source: source,
                destination: destination,
                octets: Array(octets)
            )
        )
    }

    /// Keeps the keys of an IKE SA as soon as it has them: what it sends next is encrypted.
    private mutating func keepKeys(_ local: Int, of report: Report) {
        let wanted: IKESPIPair
        switch report {
        case .keysDerived(let spis): wanted = spis
        // The keys of a rekeyed IKE SA may be derived before there is an IKE SA that holds them.
        case .ikeRekeyed(_, let new, _, _): wanted = new
        default: return
        }
        let order = journalOrder(local)
        if let found = clients[local].client.withChannel(of: wanted, { RunSinks.Keys($0) }) {
            journal.keys.append(CapturedKeys(order: order, keys: found))
        }
    }

    /// The place of a packet or of keys in the run's files.
    private mutating func journalOrder(_ local: Int) -> EventOrder {
        clients[local].journaled += 1
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        return EventOrder(
            time: turn.now,
            class: EventClass.packet,
            source: entity,
            count: clients[local].journaled
        )
    }
}

extension Report {
    /// Whether the event file shows it at its usual level.
    var isLifeCycle: Bool {
        switch self {
        case .established, .authenticationLimited, .addressAssigned, .nameServerGiven, .subnetGiven, .childInstalled,
            .childRefused, .childRekeyed, .childRekeyFailed, .childDeleted, .childUnknownToPeer,
            .ikeRekeyed, .ikeRekeyFailed, .peerMoved, .peerAddressGiven, .addressesUpdated,
            .returnRoutable, .unknownToPeer, .closed, .refused:
            true
        case .keysDerived, .peerIdentified, .retransmitted, .answeredAgain, .alive, .dropped: false
        }
    }
}

extension JobCompletion.Action {
    /// What a digest notes of it.
    fileprivate var word: UInt64 {
        switch self {
        case .handle: 1
        case .handleIfCookieIsTrue: 2
        case .demandCookie: 3
        case .drop(let reason): 4 | UInt64(reason.rawValue) << 8
        case .timer(let generation): 5 | UInt64(generation) << 8
        case .refuseUnknown: 6
        case .handleWithoutBackend: 7
        case .openPacket: 8
        case .sealPacket: 9
        case .losePacket(let reason, let isFromBehind): 10 | UInt64(reason.rawValue) << 8 | (isFromBehind ? 1 << 16 : 0)
        }
    }
}

extension PricedOperation {
    fileprivate init(_ operation: IKESA.DueOperation) {
        self =
            switch operation {
            case .request: .ownRequest
            case .retransmission: .ownRetransmission
            case .expiry: .halfOpenExpiry
            }
    }
}

extension Half {
    /// Says what the half is after it was given something to handle.
    mutating func describe(_ policy: PeerPolicy, _ report: inout HalfReport) {
        generation += 1
        report.generation = generation
        if endpoint.isClosed {
            report.transition = .ended
            report.childSAChange = Int16(clamping: -childCount)
            return
        }
        if endpoint.current.stateName == .established || endpoint.current.stateName == .closing {
            if !isEstablished { report.transition = .established }
            isEstablished = true
        } else if !isCounted {
            report.transition = .halfOpened
        }
        isCounted = true
        report.deadline = endpoint.deadline(under: policy)
        let due = endpoint.dueOperation(under: policy)
        report.operation = PricedOperation(due.operation)
        report.keyExchange = due.keyExchange
        report.spi = endpoint.current.localSPI
        let count = Int32(endpoint.current.childCount)
        report.childSAChange = Int16(clamping: count - childCount)
        childCount = count
    }
}

import BasicContainers
import ESP
import IKEWire
import IKEv2
import Load
import Primitives
import Workload

/// What a client of a live run has whose population has traffic.
struct LiveTraffic: ~Copyable {
    var end: TunnelEnd
    var flows: [PacketFlow] = []
    var meters = FlowMeters()
    /// By flow.
    var unanswered: [UnansweredPackets] = []
    /// By flow; nil where packets are echoed.
    var oneWay: [OneWayFlow?] = []

    /// When the next packet is due, or a poll of the other end.
    var due: Instant {
        var due = Instant.never
        for index in flows.indices {
            if flows[index].isRunning, flows[index].direction == .up { due = min(due, flows[index].due) }
            if let way = oneWay[index] { due = min(due, way.nextPoll) }
        }
        return due
    }

    /// Reports what events have cost a flow, before the next packet of it is counted.
    mutating func report(_ index: Int, _ tally: inout ClientTally, at now: Instant) {
        if meters.hasOutages(of: index) { meters.report(index, flows[index], &tally, at: now) }
    }

    /// Ends the measuring of a flow that sends no more.
    mutating func finish(_ index: Int, _ tally: inout ClientTally, at now: Instant) {
        meters.finish(index, flows[index], &tally, at: now)
    }

    var unansweredCount: Int { unanswered.reduce(0) { $0 + $1.count } }
}

// Traffic through tunnels in real time: what a client measures is what comes back to it.
extension LiveWorker {
    /// A client's share of its population's traffic; nil where there is none.
    func traffic(of values: LivePlan.ClientValues, _ policy: PeerPolicy) -> Box<LiveTraffic>? {
        let (name, population) = (plan.name(of: values), values.population)
        let volume = VolumeLifetime(policy.values.childLifetime, seed: plan.seed, entity: name)
        let profile = plan.workload.profiles[plan.workload.populations[population].profile]
        let end = TunnelEnd(isGateway: false, volume: volume, windowSize: profile.replayWindow.size)
        var traffic = LiveTraffic(end: end)
        for (number, values) in plan.workload.traffic.enumerated() where values.population == population {
            for direction in PacketFlow.Direction.allCases {
                guard
                    let flow = PacketFlow(plan.workload, traffic: number, direction, client: name, seed: plan.seed)
                else { continue }
                traffic.flows.append(flow)
                traffic.unanswered.append(UnansweredPackets())
                traffic.oneWay.append(values.isEchoed ? nil : OneWayFlow())
                traffic.meters.add(flow)
            }
        }
        return traffic.flows.isEmpty ? nil : Box(traffic)
    }

    private func hasTraffic(_ local: Int) -> Bool {
        switch clients[local].traffic {
        case .some: true
        case .none: false
        }
    }

    /// When a client's next packet is due.
    func packetDue(_ local: Int) -> Instant {
        switch clients[local].traffic {
        case .some(let traffic): traffic.value.due
        case .none: .never
        }
    }

    private func unansweredCount(_ local: Int) -> Int {
        switch clients[local].traffic {
        case .some(let traffic): traffic.value.unansweredCount
        case .none: 0
        }
    }

    /// The client's Child SAs have changed, it may be: its end goes by those that there are now.
    mutating func followTunnel(_ local: Int) {
        guard hasTraffic(local) else { return }
        let tunnel = TunnelState(clients[local].client)
        let flows = clients[local].traffic?.value.flows ?? []
        clients[local].traffic?.value.meters.follow(turn.output, tunnel, flows, at: turn.now)
        guard !turn.output.reports.isEmpty, var traffic = clients[local].traffic.take() else { return }
        if plan.keepsPackets {
            journal.childKeys += traffic.value.end.newKeys { body in
                clients[local].client.forEachSA { $0.forEachChild(body) }
            }
        }
        traffic.value.end.follow { body in clients[local].client.forEachSA { $0.forEachChild(body) } }
        if phase == .load, clients[local].client.isUp {
            for index in traffic.value.flows.indices where !traffic.value.flows[index].isRunning {
                traffic.value.begin(index, at: turn.now)
            }
        }
        clients[local].traffic = consume traffic
    }

    /// Sends what is due; each packet was intended for its own time, however late it leaves.
    mutating func sendPackets(_ local: Int) {
        guard packetDue(local) <= turn.now, var traffic = clients[local].traffic.take() else { return }
        let goesOn = phase == .load && clients[local].client.isWanted
        for index in traffic.value.flows.indices where traffic.value.flows[index].isRunning {
            guard goesOn else {
                traffic.value.flows[index].end()
                // What has come of a one-way flow is told later.
                if traffic.value.oneWay[index] == nil {
                    traffic.value.finish(index, &tally, at: turn.now)
                }
                continue
            }
            giveUp(index, &traffic.value)
            guard traffic.value.flows[index].direction == .up else { continue }
            var room = Self.packetsAtOnce
            while traffic.value.flows[index].due <= turn.now, room > 0 {
                sendPacket(local, of: index, &traffic.value)
                room -= 1
            }
        }
        poll(local, &traffic.value, goesOn: goesOn)
        clients[local].traffic = consume traffic
        // Whoever sends is armed anew after it.
        _ = noteVolume(local)
    }

    /// Has a client rekey the Child SAs that have carried what they may, when it is next looked at.
    ///
    /// - Returns: Whether there are any.
    mutating func noteVolume(_ local: Int) -> Bool {
        var isSpent = false
        while let spi = clients[local].traffic?.value.end.takeSpent() {
            record(local) { $0.endVolume($1, of: spi, at: $2) }
            clients[local].client.endVolume(of: spi, at: turn.now)
            recordOutcome()
            isSpent = true
        }
        return isSpent
    }

    private mutating func sendPacket(_ local: Int, of index: Int, _ traffic: inout LiveTraffic) {
        let due = traffic.flows[index].due
        let (number, byteCount, _) = traffic.flows[index].next()
        let flow = traffic.flows[index]
        tally.mark(.packetOffered, flow.subject, at: turn.now)
        let mark = FlowMark(flow: flow.mark, number: number, time: due)
        traffic.unanswered[index].leave(number, due: due)
        let sealed = traffic.end.seal(
            mark,
            flow.form,
            byteCount: byteCount,
            into: &packetBuffer,
            turn.cryptography
        )
        let reason: String?
        if let sealed, let path = clients[local].client.path {
            traffic.end.sentAt = turn.now
            // What is no UDP datagram is not ours to send.
            reason = path.isEncapsulated ? carry(local, packetBuffer[..<sealed], path, due: due) : "no-udp"
        } else {
            reason = "no-tunnel"
        }
        if let reason {
            _ = traffic.unanswered[index].takeAnswer(number)
            tally.packetLost(flow.subject, reason, at: turn.now)
        }
        if flow.face.isFollowedByDummy(number) { sendDummy(local, flow.face, byteCount: byteCount, due: due, &traffic) }
    }

    /// Nobody misses a dummy.
    private mutating func sendDummy(
        _ local: Int,
        _ flow: PacketFlow.Face,
        byteCount: Int,
        due: Instant,
        _ traffic: inout LiveTraffic
    ) {
        guard let path = clients[local].client.path, path.isEncapsulated,
            let sealed = traffic.end.seal(nil, flow.form, byteCount: byteCount, into: &packetBuffer, turn.cryptography)
        else { return }
        _ = carry(local, packetBuffer[..<sealed], path, due: due)
    }

    /// Has a client know what its packets say of its gateway and its NAT, before it looks what is due.
    mutating func noteTraffic(_ local: Int) {
        guard hasTraffic(local) else { return }
        let heardAt = clients[local].traffic?.value.end.heardAt ?? .zero
        let sentAt = clients[local].traffic?.value.end.sentAt ?? .zero
        guard max(heardAt, sentAt) > clients[local].trafficNoted else { return }
        clients[local].trafficNoted = max(heardAt, sentAt)
        record(local) { $0.noteTraffic($1, heardAt: heardAt, sentAt: sentAt, at: $2) }
        clients[local].client.noteTraffic(heardAt: heardAt, sentAt: sentAt)
        recordOutcome()
    }

    /// Takes an ESP packet that has come to a client.
    ///
    /// - Returns: Whether it is of none of its Child SAs.
    mutating func takePacket(_ local: Int, _ spi: ChildSPI, _ octets: RawSpan) -> Bool {
        guard var traffic = clients[local].traffic.take() else { return true }
        var isUnknown = false
        packetBuffer.removeAll(keepingCapacity: true)
        unsafe octets.withUnsafeBytes { unsafe packetBuffer.append(contentsOf: $0) }
        do throws(PacketDrop) {
            let opened = try traffic.value.end.open(&packetBuffer, from: spi, turn.cryptography)
            traffic.value.end.heardAt = turn.now
            if let mark = opened.mark {
                if let index = traffic.value.flows.firstIndex(where: { $0.mark == mark.flow }) {
                    receive(mark.number, of: index, &traffic.value)
                }
            } else if let answer = try? FlowAnswer(decoding: packetBuffer.rawSpan.extracting(opened.data)) {
                take(answer, local, &traffic.value)
            }
        } catch {
            // What is lost so does not come back, and is counted for that.
            tally.packetDropped(clients[local].values.population, error.word, at: turn.now)
            if error == .dummy { traffic.value.end.heardAt = turn.now }
            isUnknown = error == .unknownSPI
        }
        clients[local].traffic = consume traffic
        return isUnknown
    }

    private mutating func receive(_ number: UInt64, of index: Int, _ traffic: inout LiveTraffic) {
        let subject = traffic.flows[index].subject
        guard let due = traffic.unanswered[index].takeAnswer(number) else {
            // Late, or the second time.
            if traffic.meters.hasSeen(number, of: index) { tally.mark(.packetDuplicated, subject, at: turn.now) }
            return
        }
        traffic.report(index, &tally, at: turn.now)
        _ = traffic.meters.receive(number, due: due, of: index, &tally, at: turn.now)
        tally.mark(.packetReceived, subject, at: turn.now)
        let kind: ClientTally.Latency = traffic.oneWay[index] == nil ? .roundTrip : .packet
        tally.sample(kind, subject, max(turn.now - due, .zero), at: turn.now)
    }

    /// Something happens to a client's tunnel, which is over at `end`: at once unless said.
    mutating func disturb(_ local: Int, _ event: TunnelEvent, until end: Instant? = nil) {
        guard hasTraffic(local) else { return }
        let flows = clients[local].traffic?.value.flows ?? []
        clients[local].traffic?.value.meters.begin(event, flows, at: turn.now, until: end ?? turn.now)
    }

    mutating func giveUp(_ index: Int, _ traffic: inout LiveTraffic, all: Bool = false) {
        let (patience, reason) = traffic.waiting(for: index, at: turn.now)
        for _ in 0..<traffic.unanswered[index].giveUp(at: turn.now, after: patience, all: all) {
            tally.packetLost(traffic.flows[index].subject, reason, at: turn.now)
        }
    }

    // MARK: The end

    /// Whether nothing is on its way any more that is worth waiting for; what is not back by then is lost.
    mutating func settleTraffic(since begun: Instant) -> Bool {
        let hasOneWay = plan.workload.traffic.contains { !$0.isEchoed }
        let patience = UnansweredPackets.patience + (hasOneWay ? OneWayFlow.reportPatience : .zero)
        let isOver = turn.now >= begun + patience
        for local in 0..<clients.count {
            guard isOver || unansweredCount(local) == 0 else { return false }
        }
        for local in 0..<clients.count where hasTraffic(local) {
            guard var traffic = clients[local].traffic.take() else { continue }
            for index in traffic.value.flows.indices {
                giveUp(index, &traffic.value, all: true)
                traffic.value.finish(index, &tally, at: turn.now)
                guard let clock = traffic.value.oneWay[index]?.clock else { continue }
                tally.sample(.clockError, traffic.value.flows[index].subject, clock.error, at: turn.now)
            }
            clients[local].traffic = consume traffic
        }
        return true
    }

    /// A flow that is behind leaves room for others.
    private static var packetsAtOnce: Int { 64 }
}

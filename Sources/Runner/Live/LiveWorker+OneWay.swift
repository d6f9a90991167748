import BasicContainers
import ESP
import IKEv2
import Load
import Primitives
import UDPTransport

// One-way flows in real time: what has come of them, their other end says when it is asked, and it sends what it is
// ordered to.
extension LiveTraffic {
    /// A tunnel is there for a flow. Where packets come from its other end, they begin once that has answered.
    mutating func begin(_ index: Int, at now: Instant) {
        if flows[index].direction == .up { _ = flows[index].begin(at: now) }
        if oneWay[index]?.nextPoll == .never { oneWay[index]?.nextPoll = now }
    }

    /// How long a packet of a flow is waited for, and why it is lost if it does not come.
    func waiting(for index: Int, at now: Instant) -> (patience: Duration, reason: String) {
        guard let way = oneWay[index] else { return (UnansweredPackets.patience, "unanswered") }
        let isHeard = way.heardAt.map { $0 + OneWayFlow.reportPatience > now } ?? false
        return (UnansweredPackets.patience + OneWayFlow.reportPatience, isHeard ? "lost" : "unreported")
    }
}

extension LiveWorker {
    /// Asks the other ends of a client's one-way flows, where it is time.
    mutating func poll(_ local: Int, _ traffic: inout LiveTraffic, goesOn: Bool) {
        for index in traffic.flows.indices {
            guard var way = traffic.oneWay[index], way.nextPoll <= turn.now else { continue }
            giveUp(index, &traffic)
            if traffic.flows[index].isRunning, traffic.flows[index].direction == .down {
                order(index, &traffic, &way)
            }
            let isDone = !goesOn && traffic.unanswered[index].count == 0
            way.nextPoll = isDone ? .never : turn.now + OneWayFlow.interval
            if !isDone { ask(local, of: index, &traffic, way) }
            traffic.oneWay[index] = way
        }
    }

    /// Orders what is due before long.
    private mutating func order(_ index: Int, _ traffic: inout LiveTraffic, _ way: inout OneWayFlow) {
        let horizon = min(turn.now + OneWayFlow.lead, plan.end)
        while traffic.flows[index].due < horizon {
            let due = traffic.flows[index].due
            let (number, byteCount, _) = traffic.flows[index].next()
            tally.mark(.packetOffered, traffic.flows[index].subject, at: turn.now)
            traffic.unanswered[index].leave(number, due: due)
            way.order(
                number,
                due: clock.systemTime(of: due),
                byteCount: byteCount,
                at: clock.systemTime(of: turn.now)
            )
        }
    }

    private mutating func ask(_ local: Int, of index: Int, _ traffic: inout LiveTraffic, _ way: OneWayFlow) {
        guard let path = clients[local].client.path, path.isEncapsulated else { return }
        var (first, count) = (0, 0)
        repeat {
            var writer = ByteWriter()
            way.poll(of: traffic.flows[index].mark, at: clock.systemTime(of: clock.now), from: first)
                .write(into: &writer)
            first += FlowPoll.mostOrders
            count += 1
            let form = traffic.flows[index].form
            guard let sealed = traffic.end.seal(writer.bytes, form, into: &packetBuffer, turn.cryptography) else {
                return
            }
            traffic.end.sentAt = turn.now
            // What the path loses is asked for again.
            _ = carry(local, packetBuffer[..<sealed], path, due: turn.now)
        } while count < OneWayFlow.mostPolls && first < way.orders.count
    }

    /// The other end of a one-way flow has answered.
    mutating func take(_ answer: FlowAnswer, _ local: Int, _ traffic: inout LiveTraffic) {
        guard let index = traffic.flows.firstIndex(where: { $0.mark == answer.flow }), var way = traffic.oneWay[index]
        else { return }
        let before = way.lateness
        let news = way.take(answer, from: ClockName.own, at: clock.systemTime(of: clock.now), turn.now)
        if way.lateness > before { noteSend(late: way.lateness, clients[local].values.population, at: turn.now) }
        for arrival in news.arrivals { receive(arrival, of: index, &traffic) }
        if traffic.flows[index].direction == .down, !traffic.flows[index].isRunning, phase == .load,
            clients[local].client.isUp
        {
            _ = traffic.flows[index].begin(at: turn.now + OneWayFlow.interval)
            way.nextPoll = turn.now
        }
        if news.hasMore { way.nextPoll = turn.now }
        traffic.oneWay[index] = way
    }

    /// A packet has come to the other end, as that says now.
    private mutating func receive(_ arrival: FlowAnswer.Arrival, of index: Int, _ traffic: inout LiveTraffic) {
        let subject = traffic.flows[index].subject
        guard let due = traffic.unanswered[index].takeAnswer(arrival.number) else {
            guard traffic.meters.hasSeen(arrival.number, of: index) else { return }
            return tally.mark(.packetDuplicated, subject, at: turn.now)
        }
        let cameAt = min(clock.instant(systemTime: arrival.time), turn.now)
        traffic.report(index, &tally, at: turn.now)
        _ = traffic.meters.receive(arrival.number, due: due, of: index, &tally, at: turn.now, arrival: cameAt)
        tally.mark(.packetReceived, subject, at: turn.now)
        tally.sample(.packet, subject, max(cameAt - due, .zero), at: turn.now)
    }
}

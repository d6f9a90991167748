import Primitives
import Simulation

/// What an event costs around its handler: chance, digest, link and window.
func benchmarkSimulation() {
    var stream = RandomStream(seed: 1, entity: 2, purpose: .packetDelay)
    var sum: UInt64 = 0
    measure("random draw", 20_000_000) { sum &+= stream.next() }
    let lognormal = DurationDistribution(.lognormal(median: .milliseconds(40), sigmaMillionths: 400_000))
    measure("lognormal delay", 2_000_000) { sum &+= UInt64(lognormal.draw(from: &stream).nanoseconds) }
    let exponential = DurationDistribution(.exponential(mean: .milliseconds(3)))
    measure("exponential delay", 5_000_000) { sum &+= UInt64(exponential.draw(from: &stream).nanoseconds) }

    var digest = EntityDigest()
    var count: UInt64 = 0
    measure("event into its entity's digest", 20_000_000) {
        count += 1
        let order = EventOrder(time: Instant(nanoseconds: count * 1_000), class: 1, source: 7, count: count)
        digest.record(Event(order: order, target: 3, kind: 2, first: sum))
    }

    var link = Link(seed: 1, latency: Latency(perClient: lognormal, perPacket: exponential))
    link.loss = .gilbertElliott(toBad: .percent(1), toGood: .percent(30), inGood: .zero, inBad: .one)
    link.mtu = MTU(byteCount: 1_400, excess: .fragment)
    var flow = Flow(client: 3, direction: .toGateway, over: link)
    var now = Instant.zero
    measure("packet over a lossy link with jitter", 5_000_000) {
        now += .microseconds(100)
        if case .arrives(let arrival) = flow.send(payloadByteCount: 300, isIPv4: true, at: now, over: link) {
            sum &+= arrival.nanoseconds
        }
    }

    for partCount in [9, 257] {
        let stopwatch = Stopwatch()
        let simulator = pingPong(partCount: partCount, pending: 4_096)
        let perEvent = Double(stopwatch.nanoseconds) / Double(simulator.windowCounts.events)
        printFigure("event between a desk and \(partCount - 1) shards", perEvent, "ns/event")
    }
    precondition(sum &+ digest.low != 0, "the work is not optimized away")
}

private func measure(_ name: String, _ count: Int, _ body: () -> Void) {
    let stopwatch = Stopwatch()
    for _ in 0..<count { body() }
    printFigure(name, Double(stopwatch.nanoseconds) / Double(count), "ns")
}

/// A part that answers each event with one for another part, a window or two later.
private struct PingPongPart: SimulatedPart, ~Copyable {
    var queue = EventQueue()
    let partCount: UInt32
    var stream: RandomStream
    var sent: UInt64 = 0

    var nextTime: Instant { queue.nextTime }

    mutating func accept(_ messages: [Event]) {
        for message in messages { queue.push(message) }
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<Event>) -> Int {
        var handled = 0
        while let event = queue.popNext(before: limit) {
            handled += 1
            let time = event.time + .milliseconds(1) + .nanoseconds(Int64(stream.scaled(below: 4_000_000)))
            // Shards talk to the desk, which is part 0, and the desk to shards.
            let peer = event.target == 0 ? 1 + UInt32(stream.scaled(below: UInt64(partCount) - 1)) : 0
            let order = EventOrder(time: time, class: 0, source: event.target, count: sent)
            sent += 1
            outbox.send(Event(order: order, target: peer, kind: 0), to: Int(peer), arriving: time)
        }
        return handled
    }
}

private func pingPong(partCount: Int, pending: UInt64) -> Simulator<PingPongPart> {
    let simulator = Simulator<PingPongPart>(
        partCount: partCount,
        window: .milliseconds(1),
        firstCheckpoint: .zero + .seconds(2),
        atCheckpoint: { _, _ in nil },
        makePart: { index in
            var part = PingPongPart(
                partCount: UInt32(partCount),
                stream: RandomStream(seed: 1, entity: UInt64(index), purpose: .packetDelay)
            )
            for count in 0..<(pending / UInt64(partCount)) {
                let order = EventOrder(time: .zero + .microseconds(1), class: 1, source: UInt32(index), count: count)
                part.queue.push(Event(order: order, target: UInt32(index), kind: 0))
            }
            return part
        }
    )
    simulator.runToEnd()
    return simulator
}

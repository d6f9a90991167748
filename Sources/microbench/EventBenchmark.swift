import Primitives
import Simulation

/// The hold model: each step pops the earliest event and pushes one a random while later.
func benchmarkEventQueue() {
    for pending in [300, 3_000, 100_000] {
        printFigure("event queue, memory, \(pending) pending, timers", memory(pending: pending), "bytes/event")
    }
    for (name, pending) in [("10k", 10_000), ("1M", 1_000_000)] {
        // Mean 1 s ahead, spread over four decades as timers and packets are.
        let best = (0..<3).map { _ in hold(pending: pending, steps: 4_000_000, spread: spreadDelay) }.min() ?? 0
        printFigure("event queue, hold, \(name) pending, spread", best, "ns/event")
        let even = (0..<3).map { _ in hold(pending: pending, steps: 4_000_000, spread: evenDelay) }.min() ?? 0
        printFigure("event queue, hold, \(name) pending, even", even, "ns/event")
    }
    let handled = (0..<3).map { _ in handle(clients: 1_000_000, steps: 4_000_000) }.min() ?? 0
    printFigure("events of 1M clients, 3 cache lines each", handled, "ns/event")
    printFigure("events of 1M clients, 3 cache lines each", 1e9 / handled, "/s/core")
}

func evenDelay(_ chance: UInt64) -> UInt64 { chance % 2_000_000_000 }

func spreadDelay(_ chance: UInt64) -> UInt64 { (chance % 2_000_000_000) >> (chance >> 62 * 4) }

/// A cheap generator, so that the figure is the queue's own.
private struct XorShift {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

func hold(pending: Int, steps: Int, spread: (UInt64) -> UInt64) -> Double {
    var queue = EventQueue()
    var chance = XorShift(state: 0x9E37_79B9_7F4A_7C15)
    var count: UInt64 = 0
    func event(after now: Instant) -> Event {
        count += 1
        let time = Instant(nanoseconds: now.nanoseconds + spread(chance.next()))
        return Event(order: EventOrder(time: time, class: 1, source: 1, count: count), target: 0, kind: 0)
    }
    for _ in 0..<pending { queue.push(event(after: .zero)) }
    // As many steps again before the clock starts: until then the tick is still being found.
    for _ in 0..<(2 * pending) {
        guard let next = queue.popNext(before: .never) else { break }
        queue.push(event(after: next.time))
    }
    let stopwatch = Stopwatch()
    for _ in 0..<steps {
        guard let next = queue.popNext(before: .never) else { break }
        queue.push(event(after: next.time))
    }
    return Double(stopwatch.nanoseconds) / Double(steps)
}

/// What a client keeps: three cache lines, of which a handler reads and writes each.
private typealias ThreeLines = InlineArray<24, UInt64>

/// An engine in small: each of the clients has one event pending, whose handler touches the client and pushes the next.
private func handle(clients clientCount: Int, steps: Int) -> Double {
    var clients = [ThreeLines](repeating: ThreeLines(repeating: 0), count: clientCount)
    var queue = EventQueue()
    var chance = XorShift(state: 0x9E37_79B9_7F4A_7C15)
    var count: UInt64 = 0
    func push(_ client: UInt32, after now: Instant) {
        count += 1
        let time = Instant(nanoseconds: now.nanoseconds + spreadDelay(chance.next()))
        let order = EventOrder(time: time, class: 1, source: client, count: count)
        queue.push(Event(order: order, target: client, kind: 0))
    }
    func step() {
        guard let next = queue.popNext(before: .never) else { return }
        let client = Int(next.target)
        for line in 0..<3 { clients[client][8 * line] &+= next.time.nanoseconds }
        push(next.target, after: next.time)
    }
    for client in 0..<UInt32(clientCount) { push(client, after: .zero) }
    // As many steps again before the clock starts: until then the tick is still being found.
    for _ in 0..<(2 * clientCount) { step() }
    let stopwatch = Stopwatch()
    for _ in 0..<steps { step() }
    let nanoseconds = stopwatch.nanoseconds
    precondition(clients.contains { $0[16] != 0 }, "the work is not optimized away")
    return Double(nanoseconds) / Double(steps)
}

/// What a shard's queue holds of each event when it is in its stride: packets, retransmissions, liveness, lifetimes.
private func memory(pending: Int) -> Double {
    var queue = EventQueue()
    var chance = XorShift(state: 0x9E37_79B9_7F4A_7C15)
    let means: [UInt64] = [50_000_000, 4_000_000_000, 30_000_000_000, 3_600_000_000_000]
    for count in 0..<UInt64(pending * 20) {
        if count >= UInt64(pending) { _ = queue.popNext(before: .never) }
        let delay = means[Int(count % 4)] / 2 + chance.next() % means[Int(count % 4)]
        let time = Instant(nanoseconds: queue.lastTime.nanoseconds + delay)
        queue.push(Event(order: EventOrder(time: time, class: 0, source: 0, count: count), target: 0, kind: 0))
    }
    return Double(queue.storageByteCount) / Double(pending)
}

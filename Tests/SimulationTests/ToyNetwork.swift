import Dispatch
import Primitives
import Simulation
import Synchronization

/// Nodes that gossip: each draws whom to tell, what, and when to speak again.
struct ToyNode {
    let id: UInt32
    var stream: RandomStream
    var sent: UInt64 = 0
    var sum: UInt64
    var digest = EntityDigest()
}

/// Something outside the order of events that a node could wrongly read: here a counter that all threads share.
final class Disorder: Sendable {
    private let counter = Atomic<UInt64>(0)
    func next() -> UInt64 { counter.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// A shard of nodes.
struct ToyShard: SimulatedPart, ~Copyable {
    static let minimumDelay = Duration.milliseconds(2)

    var nodes: [ToyNode]
    var queue = EventQueue()
    var log = WindowLog(length: .milliseconds(50))
    let partition: Partition
    let disorder: Disorder?
    /// Operations are carried out with those of other shards.
    let gathers: Bool
    /// The event in which the shard stands, the number that it wants worked on, and how often it still asks.
    var standing: Event?
    var asked: UInt64?
    var furtherQuestions: UInt64 = 0

    init(index: Int, partition: Partition, seed: UInt64, gathers: Bool, disorder: Disorder?) {
        self.partition = partition
        self.disorder = disorder
        self.gathers = gathers
        nodes = (0..<partition.count(of: UInt32(index))).map { local in
            let id = partition.entity(at: local, of: UInt32(index))
            let name = StableName.hash(of: "node", UInt64(id))
            return ToyNode(id: id, stream: RandomStream(seed: seed, entity: name, purpose: .test), sum: UInt64(id))
        }
        for local in nodes.indices { schedule(of: local, after: .zero) }
    }

    var nextTime: Instant { queue.nextTime }

    mutating func accept(_ messages: [Event]) {
        for message in messages { queue.push(message) }
    }

    private mutating func schedule(of local: Int, after now: Instant) {
        let time = now + .microseconds(Int64(1 + nodes[local].stream.below(20_000)))
        let order = EventOrder(time: time, class: 0, source: nodes[local].id, count: nodes[local].sent)
        nodes[local].sent += 1
        queue.push(Event(order: order, target: nodes[local].id, kind: 0))
    }

    var isWaiting: Bool { asked != nil }

    static func carryOut(_ waiting: [Int], of parts: borrowing Cells<ToyShard>) -> LaneUse {
        for part in waiting { parts[part].carryOut() }
        return LaneUse(calls: 1, steps: UInt64(waiting.count))
    }

    private mutating func carryOut() {
        guard let number = asked, let event = standing else { preconditionFailure("the shard has asked") }
        let local = Int(partition.localIndex(of: event.target))
        nodes[local].sum ^= number &* 0x9E37_79B9_7F4A_7C15
        asked = furtherQuestions > 0 ? nodes[local].sum : nil
        furtherQuestions = furtherQuestions > 0 ? furtherQuestions - 1 : 0
    }

    mutating func run(before limit: Instant, into outbox: inout Outbox<Event>) -> Int {
        var handled = 0
        finishEvent(&outbox)
        while !isWaiting, let event = queue.popNext(before: limit) {
            handled += 1
            let local = Int(partition.localIndex(of: event.target))
            nodes[local].sum = nodes[local].sum &* 31 &+ event.first &+ (disorder?.next() ?? 0)
            nodes[local].digest.record(event)
            standing = event
            if nodes[local].sum % 4 == 0 {
                asked = event.first
                furtherQuestions = nodes[local].sum / 4 % 3
            }
            finishEvent(&outbox)
        }
        return handled
    }

    /// What a node does when it has its answers.
    private mutating func finishEvent(_ outbox: inout Outbox<Event>) {
        while isWaiting && !gathers { carryOut() }
        guard !isWaiting, let event = standing.take() else { return }
        let local = Int(partition.localIndex(of: event.target))
        log.record(at: event.time, entity: event.target, nodes[local].digest)
        if event.kind == 0 { tell(local, event, &outbox) }
    }

    private mutating func tell(_ local: Int, _ event: Event, _ outbox: inout Outbox<Event>) {
        schedule(of: local, after: event.time)
        let peer = UInt32(nodes[local].stream.below(UInt64(partition.entityCount)))
        let jitter = Duration.microseconds(Int64(nodes[local].stream.below(3_000)))
        let time = event.time + Self.minimumDelay + jitter
        let order = EventOrder(time: time, class: 1, source: nodes[local].id, count: nodes[local].sent)
        nodes[local].sent += 1
        let message = Event(order: order, target: peer, kind: 1, first: nodes[local].sum)
        outbox.send(message, to: Int(partition.shard(of: peer)), arriving: time)
    }
}

struct ToyResult: Equatable {
    var digest: String
    var log: WindowLog
    /// Of the windows that there were, which go by their length and the shards.
    var windowCounts: WindowCounts
    /// How operations were gathered: nothing that two runs have to share.
    var batchCounts: BatchCounts

    static func == (one: ToyResult, other: ToyResult) -> Bool {
        one.digest == other.digest && one.log == other.log && one.windowCounts.events == other.windowCounts.events
    }
}

/// Runs the toy network for a second of virtual time.
func runToyNetwork(
    seed: UInt64 = 7,
    shardCount: UInt32 = 8,
    window: Duration = ToyShard.minimumDelay,
    workers: Int = 1,
    batchSize: Int? = nil,
    smallRound: Int = 0,
    checkpoints: Duration = .milliseconds(100),
    disorder: Disorder? = nil
) -> ToyResult {
    let partition = Partition(entityCount: 60, shardCount: shardCount)
    let end = Instant.zero + .seconds(1)
    let simulator = Simulator<ToyShard>(
        partCount: Int(partition.shardCount),
        window: window,
        workers: workers,
        batchSize: batchSize ?? 1,
        smallRound: smallRound,
        firstCheckpoint: min(end, .zero + checkpoints),
        atCheckpoint: { simulator, now in
            for part in 0..<simulator.partCount {
                simulator.withPart(part) { precondition($0.nextTime >= now, "all before a checkpoint is done") }
            }
            return now == end ? nil : min(end, now + checkpoints)
        },
        makePart: {
            ToyShard(index: $0, partition: partition, seed: seed, gathers: batchSize != nil, disorder: disorder)
        }
    )
    if workers == 1 {
        simulator.runToEnd()
    } else {
        DispatchQueue.concurrentPerform(iterations: simulator.partCount) { simulator.build(part: $0) }
        while simulator.nextRound() {
            let next = Atomic<Int>(0)
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                while true {
                    let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard part < simulator.partCount else { break }
                    simulator.run(part: part, worker: worker)
                }
                simulator.finishRound(worker: worker)
            }
        }
    }
    return result(of: simulator, partition)
}

private func result(of simulator: Simulator<ToyShard>, _ partition: Partition) -> ToyResult {
    var digest = RunDigest()
    for entity in 0..<partition.entityCount {
        let chain = simulator.withPart(Int(partition.shard(of: entity))) {
            var chain = $0.nodes[Int(partition.localIndex(of: entity))].digest
            chain.mix($0.nodes[Int(partition.localIndex(of: entity))].sum, 0)
            return chain
        }
        digest.add(chain, of: entity)
    }
    var log = WindowLog(length: .milliseconds(50))
    for part in 0..<simulator.partCount { simulator.withPart(part) { log.merge($0.log) } }
    return ToyResult(
        digest: digest.description,
        log: log,
        windowCounts: simulator.windowCounts,
        batchCounts: simulator.batchCounts
    )
}

import Primitives
import Simulation
import Testing

@Suite("The event queue")
struct EventQueueTests {
    /// Delays in nanoseconds, of which one is drawn for each push.
    struct Pattern: CustomTestStringConvertible {
        let name: String
        let delays: [UInt64]
        var testDescription: String { name }
    }

    static let patterns = [
        Pattern(name: "ties", delays: [0, 0, 0, 1_000, 1_000]),
        Pattern(name: "within a slot", delays: [0, 1, 2, 3, 100, 900]),
        Pattern(name: "packets", delays: [20_000, 50_000, 100_000, 5_000_000, 40_000_000]),
        Pattern(
            name: "packets and lifetimes",
            delays: [0, 1_000_000, 40_000_000, 4_000_000_000, 3_600_000_000_000, 14_400_000_000_000]
        ),
        Pattern(name: "centuries", delays: [1, 1 << 20, 1 << 40, 1 << 60]),
    ]

    private func event(at time: Instant, _ count: UInt64, _ stream: inout RandomStream) -> Event {
        let source = UInt32(stream.below(3))
        let order = EventOrder(time: time, class: UInt8(stream.below(3)), source: source, count: count)
        return Event(order: order, target: source, kind: 1, first: count)
    }

    @Test("it gives back what a heap gives back", arguments: patterns, 0..<6 as Range<UInt64>)
    func heapOracle(pattern: Pattern, seed: UInt64) {
        var stream = RandomStream(seed: seed, entity: 1, purpose: .test)
        var queue = EventQueue(tickShift: seed * 6)
        var heap = EventHeap()
        var now = Instant.zero
        var popped = 0
        for step in 0..<30_000 as Range<UInt64> {
            // Grows, then shrinks, so that the tick is reviewed at many sizes.
            if stream.below(100) < (step < 15_000 ? 55 : 45) {
                let delay = pattern.delays[Int(stream.below(UInt64(pattern.delays.count)))]
                guard delay < .max - now.nanoseconds - 4 else { continue }
                let time = Instant(nanoseconds: now.nanoseconds + delay + (delay == 0 ? 0 : stream.below(4)))
                let event = event(at: time, step, &stream)
                queue.push(event)
                heap.push(event)
            } else {
                let limit = stream.below(4) == 0 ? Instant(nanoseconds: now.nanoseconds + stream.below(3_000)) : .never
                let expected = !heap.isEmpty && heap.first.time < limit ? heap.popFirst() : nil
                let event = queue.popNext(before: limit)
                #expect(event == expected)
                now = expected?.time ?? now
                popped += expected == nil ? 0 : 1
            }
            let next = queue.nextTime
            #expect(next == (heap.isEmpty ? .never : heap.first.time))
            let count = queue.count
            #expect(count == heap.count)
        }
        while let event = queue.popNext(before: .never) { #expect(event == heap.popFirst()) }
        #expect(heap.isEmpty && popped > 5_000)
    }

    @Test("a hundred thousand events at one instant come in their order")
    func oneInstant() {
        var queue = EventQueue()
        let time = Instant(nanoseconds: 1_000_000)
        for index in 0..<100_000 as Range<UInt64> {
            // 7,919 and 100,000 have no common factor: every count comes once.
            let count = index * 7_919 % 100_000
            queue.push(Event(order: EventOrder(time: time, class: 0, source: 0, count: count), target: 0, kind: 0))
        }
        var expected: UInt64 = 0
        while let event = queue.popNext(before: .never) {
            #expect(event.order.count == expected)
            expected += 1
        }
        #expect(expected == 100_000)
    }

    @Test("the order is by time, class, source and count, in that order")
    func fullOrder() {
        let orders = [
            EventOrder(time: .zero, class: 0, source: 9, count: 9),
            EventOrder(time: .zero, class: 1, source: 0, count: 9),
            EventOrder(time: .zero, class: 1, source: 1, count: 0),
            EventOrder(time: .zero, class: 1, source: 1, count: 1),
            EventOrder(time: Instant(nanoseconds: 1), class: 0, source: 0, count: 0),
        ]
        #expect(orders.shuffled().sorted() == orders)
        #expect(MemoryLayout<Event>.stride == 48)
    }

    /// Dead when the event's generation is not that of its target.
    private struct Generations: EventLiveness {
        var current: [UInt32]
        func isLive(_ event: Event) -> Bool { current[Int(event.target)] == event.small }
    }

    @Test("cancelled events are never seen, and are dropped on the way")
    func cancellation() {
        var stream = RandomStream(seed: 1, entity: 1, purpose: .test)
        var queue = EventQueue()
        var generations = Generations(current: Array(repeating: 0, count: 100))
        var live = 0
        for count in 0..<20_000 as Range<UInt64> {
            let target = UInt32(stream.below(100))
            // Each timer replaces the target's last one, as a retransmission timer does.
            generations.current[Int(target)] += 1
            let time = Instant(nanoseconds: 1_000_000_000 + stream.below(60_000_000_000))
            let order = EventOrder(time: time, class: 0, source: target, count: count)
            queue.push(Event(order: order, target: target, kind: 0, small: generations.current[Int(target)]))
        }
        var last = Instant.zero
        while let event = queue.popNext(before: .never, generations) {
            #expect(event.time >= last)
            #expect(generations.isLive(event))
            last = event.time
            live += 1
        }
        #expect(live == 100)
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test("memory is that of the most events that were ever pending, not of all")
    func memory() {
        var queue = EventQueue()
        var count: UInt64 = 0
        for _ in 0..<50 {
            for _ in 0..<2_000 {
                count += 1
                let time = Instant(nanoseconds: queue.lastTime.nanoseconds + count % 977 * 1_000_003)
                queue.push(Event(order: EventOrder(time: time, class: 0, source: 0, count: count), target: 0, kind: 0))
            }
            while queue.popNext(before: .never) != nil {}
        }
        let byteCount = queue.storageByteCount
        #expect(byteCount <= 2_000 * 16 * 48)
    }

    @Test("an event in the past, or one counted twice, stops the run")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            var queue = EventQueue()
            let order = EventOrder(time: Instant(nanoseconds: 5), class: 0, source: 0, count: 0)
            queue.push(Event(order: order, target: 0, kind: 0))
            _ = queue.popNext(before: .never)
            let past = EventOrder(time: Instant(nanoseconds: 4), class: 0, source: 0, count: 1)
            queue.push(Event(order: past, target: 0, kind: 0))
        }
        await #expect(processExitsWith: .failure) {
            var queue = EventQueue()
            for _ in 0..<2 {
                let order = EventOrder(time: Instant(nanoseconds: 1 << 30), class: 0, source: 0, count: 7)
                queue.push(Event(order: order, target: 0, kind: 0))
            }
            _ = queue.popNext(before: .never)
        }
    }
}

import Primitives
import Simulation
import Testing

@Suite("Digests, partitions and windows")
struct TraceTests {
    private let reference = Event(
        order: EventOrder(time: Instant(nanoseconds: 10), class: 1, source: 2, count: 3),
        target: 4,
        kind: 5,
        small: 6,
        first: 7,
        second: 8
    )

    private func digest(_ events: [Event]) -> EntityDigest {
        var digest = EntityDigest()
        for event in events { digest.record(event) }
        return digest
    }

    private func text(_ digests: [(UInt32, EntityDigest)]) -> String {
        var run = RunDigest()
        for (entity, digest) in digests { run.add(digest, of: entity) }
        return run.description
    }

    @Test("every field of an event and the order of events change the digest")
    func sensitivity() {
        func variant(
            _ time: UInt64 = 10,
            _ class: UInt8 = 1,
            _ source: UInt32 = 2,
            _ count: UInt64 = 3,
            _ target: UInt32 = 4,
            _ kind: UInt16 = 5,
            _ small: UInt32 = 6,
            _ first: UInt64 = 7,
            _ second: UInt64 = 8
        ) -> Event {
            let order = EventOrder(time: Instant(nanoseconds: time), class: `class`, source: source, count: count)
            return Event(order: order, target: target, kind: kind, small: small, first: first, second: second)
        }
        #expect(digest([variant()]) == digest([reference]))
        let variants = [
            variant(11), variant(10, 0), variant(10, 1, 3), variant(10, 1, 2, 4), variant(10, 1, 2, 3, 5),
            variant(10, 1, 2, 3, 4, 6), variant(10, 1, 2, 3, 4, 5, 7), variant(10, 1, 2, 3, 4, 5, 6, 8),
            variant(10, 1, 2, 3, 4, 5, 6, 7, 9),
        ]
        for event in variants {
            #expect(digest([event]) != digest([reference]))
            #expect(digest([event, reference]) != digest([reference, event]))
        }
    }

    @Test("a run's digest tells entities apart and stays what it is from version to version")
    func runDigest() {
        let one = digest([reference])
        let two = digest([reference, reference])
        #expect(text([(0, one), (1, two)]) != text([(0, two), (1, one)]))
        #expect(text([(0, one)]) != text([(1, one)]))
        #expect(text([]) != text([(0, EntityDigest())]))
        #expect(text([(0, one), (1, two)]) == "v1:8b9f71e2def4f87d7d0bd2fa70a0f077")
    }

    @Test("window logs of parts add up to the run's, and name the first difference")
    func windowLog() {
        let one = digest([reference])
        let two = digest([reference, reference])
        var whole = WindowLog(length: .seconds(1))
        whole.record(at: Instant.zero + .milliseconds(500), entity: 1, one)
        whole.record(at: Instant.zero + .milliseconds(2_500), entity: 2, two)
        var left = WindowLog(length: .seconds(1))
        left.record(at: Instant.zero + .milliseconds(2_500), entity: 2, two)
        var right = WindowLog(length: .seconds(1))
        right.record(at: Instant.zero + .milliseconds(500), entity: 1, one)
        left.merge(right)
        #expect(left == whole)
        #expect(left.firstDifference(from: whole) == nil)
        left.record(at: Instant.zero + .milliseconds(2_600), entity: 2, one)
        #expect(left.firstDifference(from: whole) == (.zero + .seconds(2))..<(.zero + .seconds(3)))
        #expect(whole.firstDifference(from: right) == (.zero + .seconds(2))..<(.zero + .seconds(3)))
    }

    @Test("an excerpt names the first event that differs, whichever run has it")
    func excerpt() throws {
        let range = Instant.zero..<(.zero + .seconds(1))
        func excerpt(_ events: [(nanoseconds: UInt64, first: UInt64)]) -> TraceExcerpt {
            var excerpt = TraceExcerpt(of: range)
            var digest = EntityDigest()
            for (count, event) in events.enumerated() {
                let time = Instant(nanoseconds: event.nanoseconds)
                let order = EventOrder(time: time, class: 0, source: 0, count: UInt64(count))
                digest.record(Event(order: order, target: 0, kind: 0, first: event.first))
                excerpt.record(order, target: 0, kind: 0, digest)
            }
            return excerpt
        }
        let reference = excerpt([(10, 1), (20, 2), (30, 3)])
        #expect(reference.firstDifference(from: excerpt([(10, 1), (20, 2), (30, 3), (2_000_000_000, 9)])) == nil)

        let changed = try #require(reference.firstDifference(from: excerpt([(10, 1), (20, 9), (30, 3)])))
        #expect(changed.ours?.order.time.nanoseconds == 20 && changed.theirs?.order == changed.ours?.order)
        let missing = try #require(reference.firstDifference(from: excerpt([(10, 1)])))
        #expect(missing.ours?.order.time.nanoseconds == 20 && missing.theirs == nil)
        let earlier = try #require(reference.firstDifference(from: excerpt([(10, 1), (15, 2), (30, 3)])))
        #expect(earlier.ours == nil && earlier.theirs?.order.time.nanoseconds == 15)
        var split = excerpt([(10, 1), (20, 2)])
        split.merge(TraceExcerpt(of: range))
        #expect(split.firstDifference(from: reference)?.theirs?.order.time.nanoseconds == 30)
    }

    @Test("every entity has one home", arguments: [1, 2, 7, 64, 1_000] as [UInt32])
    func partition(shardCount: UInt32) {
        let partition = Partition(entityCount: 333, shardCount: shardCount)
        var seen = [Int](repeating: 0, count: 333)
        for shard in 0..<partition.shardCount {
            for local in 0..<partition.count(of: shard) {
                let entity = partition.entity(at: local, of: shard)
                seen[Int(entity)] += 1
                #expect(partition.shard(of: entity) == shard)
                #expect(partition.localIndex(of: entity) == local)
            }
        }
        #expect(seen.allSatisfy { $0 == 1 })
        #expect(partition.shardCount == min(shardCount, 333))
    }

    @Test("a window is the smallest of the declared minima")
    func lookahead() {
        var lookahead = Lookahead(gatewayLatency: .milliseconds(1))
        lookahead.declare(.milliseconds(5), by: "paths.home")
        #expect(lookahead.window == .milliseconds(1) && lookahead.decidedBy == "gateway.internal-latency")
        lookahead.declare(.microseconds(200), by: "paths.lan")
        #expect(lookahead.window == .microseconds(200) && lookahead.decidedBy == "paths.lan")
    }
}

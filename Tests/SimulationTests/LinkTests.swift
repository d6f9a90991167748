import Primitives
import Simulation
import Testing

@Suite("Links")
struct LinkTests {
    private static let tenMilliseconds = Latency(perClient: .constant(.milliseconds(10)))

    private func link(
        _ latency: Latency = LinkTests.tenMilliseconds,
        _ change: (inout Link) -> Void = { _ in }
    ) -> Link {
        var link = Link(seed: 3, latency: latency)
        change(&link)
        return link
    }

    /// Sends packets of 200 bytes at a fixed pace, and gives back what became of each.
    private func outcomes(
        _ count: Int,
        over link: borrowing Link,
        every gap: Duration = .milliseconds(1)
    ) -> [Link.Outcome] {
        var flow = Flow(client: 5, direction: .toGateway, over: link)
        var outcomes: [Link.Outcome] = []
        for index in 0..<Int64(count) {
            outcomes.append(flow.send(payloadByteCount: 200, isIPv4: true, at: .zero + gap * index, over: link))
        }
        return outcomes
    }

    @Test("a plain link delays every packet by its latency")
    func plain() {
        let expected = (0..<5 as Range<Int64>).map { Link.Outcome.arrives(.zero + .milliseconds(10 + $0)) }
        #expect(outcomes(5, over: link()) == expected)
    }

    @Test("a client's part of the delay is drawn once, for both directions, and differs between clients")
    func clientDelay() {
        let link = link(
            Latency(perClient: DurationDistribution(.uniform(from: .milliseconds(5), to: .milliseconds(25))))
        )
        let up = Flow(client: 1, direction: .toGateway, over: link)
        let down = Flow(client: 1, direction: .toClient, over: link)
        #expect(up.clientDelay == down.clientDelay && up.name != down.name)
        #expect(Flow(client: 2, direction: .toGateway, over: link).clientDelay != up.clientDelay)
        #expect(link.latency.minimum == .milliseconds(5))
    }

    @Test("order is kept unless the link says otherwise", arguments: [true, false])
    func order(keepsOrder: Bool) {
        let jitter = DurationDistribution(.exponential(mean: .milliseconds(20)))
        let link = link(Latency(perClient: .constant(.milliseconds(5)), perPacket: jitter, keepsOrder: keepsOrder))
        var overtakings = 0
        var last = Instant.zero
        for outcome in outcomes(500, over: link) {
            guard case .arrives(let arrival) = outcome else {
                Issue.record("a link without loss delivers")
                continue
            }
            overtakings += arrival < last ? 1 : 0
            last = arrival
        }
        #expect((overtakings == 0) == keepsOrder)
    }

    @Test("a held-back packet is overtaken, the others keep their order")
    func reordering() {
        let link = link { $0.reordering = Reordering(share: .percent(20), extraDelay: .milliseconds(50)) }
        var held = 0
        for (index, outcome) in outcomes(5_000, over: link).enumerated() {
            let sent = Instant.zero + .milliseconds(Int64(index))
            if outcome == .arrives(sent + .milliseconds(60)) {
                held += 1
            } else {
                #expect(outcome == .arrives(sent + .milliseconds(10)))
            }
        }
        #expect((850...1_150).contains(held))
    }

    @Test("random loss loses its share")
    func randomLoss() {
        let lost = outcomes(20_000, over: link { $0.loss = .random(.percent(5)) }).filter { $0 == .dropped(.lost) }
        // Standard deviation 31: four of them.
        #expect((876...1_124).contains(lost.count))
    }

    @Test("Gilbert-Elliott loses its share, in bursts of the length of theory")
    func gilbertElliott() {
        let loss = Loss.gilbertElliott(toBad: .percent(2), toGood: .percent(25), inGood: .zero, inBad: .one)
        let outcomes = outcomes(100_000, over: link { $0.loss = loss })
        var lost = 0
        var bursts = 0
        var wasLost = false
        for outcome in outcomes {
            let isLost = outcome == .dropped(.lost)
            lost += isLost ? 1 : 0
            bursts += isLost && !wasLost ? 1 : 0
            wasLost = isLost
        }
        // 2 / (2 + 25) of the packets, and bursts of 1 / 25 % = 4.
        let share = Double(loss.average.partsPerBillion) / 1e9
        #expect(abs(share - 2.0 / 27) < 1e-6)
        #expect(abs(Double(lost) / 100_000 - share) < 0.006)
        #expect(abs(Double(lost) / Double(bursts) - 4) < 0.3)
    }

    @Test("a fault that changes the loss shifts nobody's later draws")
    func faultsDoNotShift() {
        let jitter = DurationDistribution(.exponential(mean: .milliseconds(2)))
        let latency = Latency(perClient: .constant(.milliseconds(5)), perPacket: jitter, keepsOrder: false)
        let calm = link(latency) { $0.loss = .random(.percent(1)) }
        var link = link(latency)
        var flow = Flow(client: 5, direction: .toGateway, over: calm)
        var disturbed = flow
        for index in 0..<400 as Range<Int64> {
            link.loss = calm.loss
            link.isUp = !(200..<300).contains(index)
            if (100..<200).contains(index) { link.loss = .random(.percent(50)) }
            let now = Instant.zero + .milliseconds(index)
            let expected = flow.send(payloadByteCount: 100, isIPv4: true, at: now, over: calm)
            let outcome = disturbed.send(payloadByteCount: 100, isIPv4: true, at: now, over: link)
            switch index {
            case 100..<200: #expect(outcome == expected || outcome == .dropped(.lost))
            case 200..<300: #expect(outcome == .dropped(.pathDown))
            default: #expect(outcome == expected)
            }
        }
    }

    @Test("a duplicated packet arrives twice, after a delay of its own")
    func duplication() {
        let jitter = DurationDistribution(.exponential(mean: .milliseconds(2)))
        let link = link(Latency(perClient: .constant(.milliseconds(5)), perPacket: jitter, keepsOrder: false)) {
            $0.duplication = .percent(10)
        }
        let doubles = outcomes(5_000, over: link).filter {
            guard case .arrivesTwice(let first, let second) = $0 else { return false }
            return first != second
        }
        #expect((400...600).contains(doubles.count))
    }

    @Test("a rate delays packets by their length, and a full queue drops the last")
    func bandwidth() {
        // 228 bytes with headers take 1.824 ms at 1 Mbit/s; the queue holds two of them.
        let link = link { $0.bandwidth = Bandwidth(bitsPerSecond: 1_000_000, queueByteCount: 456) }
        let together = outcomes(4, over: link, every: .zero)
        let expected: [Link.Outcome] = [
            .arrives(.zero + .microseconds(11_824)), .arrives(.zero + .microseconds(13_648)),
            .dropped(.queueFull), .dropped(.queueFull),
        ]
        #expect(together == expected)
        let apart = outcomes(100, over: link, every: .microseconds(1_824))
        #expect(!apart.contains(.dropped(.queueFull)))
        let slow = Bandwidth(bitsPerSecond: 1, queueByteCount: 1 << 40)
        #expect(slow.time(of: 1_000_000) == .hours(24))
        #expect(Bandwidth(bitsPerSecond: 3_000_000_000, queueByteCount: 0).time(of: 1) == .nanoseconds(3))
    }

    @Test("behind a link that many flows share, packets meet what they would meet without one")
    func shared() {
        let jitter = DurationDistribution(.exponential(mean: .milliseconds(2)))
        var link = link(Latency(perClient: .constant(.milliseconds(5)), perPacket: jitter, keepsOrder: true)) {
            $0.loss = .gilbertElliott(toBad: .percent(5), toGood: .percent(30), inGood: .zero, inBad: .percent(90))
            $0.duplication = .percent(10)
            $0.reordering = Reordering(share: .percent(5), extraDelay: .milliseconds(9))
            $0.mtu = MTU(byteCount: 1_000, excess: .fragment)
        }
        var own = Flow(client: 5, direction: .toGateway, over: link)
        var shared = Flow(client: 5, direction: .toGateway, over: link)
        var outcomes: Set<Link.Outcome> = []
        for index in 0..<2_000 as Range<Int64> {
            let now = Instant.zero + .milliseconds(index)
            // Every other one goes in two IP fragments.
            let byteCount = index % 2 == 0 ? 200 : 1_200
            let expected = own.send(payloadByteCount: byteCount, isIPv4: true, at: now, over: link)
            guard case .waits(let passage) = shared.enter(payloadByteCount: byteCount, isIPv4: true, over: link) else {
                Issue.record("packet \(index) does not come to the link")
                return
            }
            #expect(passage.byteCount == (index % 2 == 0 ? 228 : 1_248))
            let outcome = shared.leave(passage, at: now, over: link)
            #expect(outcome == expected)
            outcomes.insert(outcome)
        }
        #expect(outcomes.contains(.dropped(.lost)) && outcomes.count > 500)
        link.mtu = MTU(byteCount: 1_000, excess: .drop)
        #expect(shared.enter(payloadByteCount: 1_200, isIPv4: true, over: link) == .dropped(.overMTU))
        link.isUp = false
        #expect(shared.enter(payloadByteCount: 200, isIPv4: true, over: link) == .dropped(.pathDown))
    }

    struct ShapeClaim {
        let payload: Int
        let isIPv4: Bool
        let excess: MTU.Excess
        let packets: Int?
        let bytes: Int?

        init(_ payload: Int, v4 isIPv4: Bool, _ excess: MTU.Excess, _ packets: Int?, _ bytes: Int?) {
            self.payload = payload
            self.isIPv4 = isIPv4
            self.excess = excess
            self.packets = packets
            self.bytes = bytes
        }
    }

    @Test(
        "a datagram over the MTU becomes fragments or is dropped",
        arguments: [
            ShapeClaim(1_372, v4: true, .fragment, 1, 1_400),
            ShapeClaim(1_373, v4: true, .fragment, 2, 1_421),
            ShapeClaim(1_352, v4: false, .fragment, 1, 1_400),
            ShapeClaim(1_353, v4: false, .fragment, 2, 1_457),
            ShapeClaim(2 * 1_376 - 8, v4: true, .fragment, 2, 2 * 1_376 + 40),
            ShapeClaim(2 * 1_376 - 7, v4: true, .fragment, 3, 2 * 1_376 + 1 + 60),
            ShapeClaim(1_373, v4: true, .drop, nil, nil),
            ShapeClaim(1_372, v4: true, .drop, 1, 1_400),
        ]
    )
    func shapes(claim: ShapeClaim) {
        let limit = MTU(byteCount: 1_400, excess: claim.excess)
        let shape = MTU.shape(of: claim.payload, isIPv4: claim.isIPv4, limit: limit)
        #expect(shape?.packetCount == claim.packets && shape?.byteCount == claim.bytes)
    }

    @Test("the loss of one fragment loses the datagram")
    func fragmentLoss() {
        let link = link {
            $0.mtu = MTU(byteCount: 576, excess: .fragment)
            $0.loss = .random(.percent(10))
        }
        var flow = Flow(client: 5, direction: .toGateway, over: link)
        var lost = 0
        for index in 0..<10_000 as Range<Int64> {
            let now = Instant.zero + .milliseconds(index)
            // 2,008 bytes in four fragments.
            if flow.send(payloadByteCount: 2_000, isIPv4: true, at: now, over: link) == .dropped(.lost) { lost += 1 }
        }
        #expect(flow.packetCount == 40_000)
        // 1 - 0.9^4 = 34.39 %, with a standard deviation of 48.
        #expect((3_247...3_631).contains(lost))
    }

    @Test("a flow is small enough for millions of them")
    func size() {
        #expect(MemoryLayout<Flow>.stride <= 48)
    }
}

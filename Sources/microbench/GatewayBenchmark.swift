import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation

/// A front desk on its own: what each packet costs it, from the arrival to the completion and the report.
func benchmarkGateway() {
    for (name, halves) in [("10k", 10_000), ("1M", 1_000_000)] as [(String, UInt32)] {
        var crowd = Crowd(halves: halves)
        crowd.establish()
        crowd.exchange(rounds: 1)
        let rounds = max(2, 2_000_000 / Int(halves))
        let stopwatch = Stopwatch()
        crowd.exchange(rounds: rounds)
        let packets = Double(rounds) * Double(halves)
        printFigure("front desk, requests of \(name) IKE SAs", Double(stopwatch.nanoseconds) / packets, "ns/packet")
    }
    var crowd = Crowd(halves: 1)
    crowd.flood(packets: 200_000)
    let stopwatch = Stopwatch()
    crowd.flood(packets: 2_000_000)
    printFigure("front desk, cookie flood", Double(stopwatch.nanoseconds) / 2_000_000, "ns/packet")
}

/// Clients whose requests come one after the other, a hundred a millisecond.
private struct Crowd: ~Copyable {
    private var desk: FrontDesk
    private var outbox = Outbox<GatewayMessage>(partCount: 1)
    private var messages: [GatewayMessage] = []
    private let halves: UInt32
    private var count: UInt64 = 0
    private var sent: UInt64 = 0
    private var limit = Instant.zero
    private var round: UInt32 = 0

    init(halves: UInt32) {
        self.halves = halves
        let costs = CostTable(operation: { _ in Cost(baseNanoseconds: 30_000) }, keyExchange: { _ in .zero })
        var settings = FrontDeskSettings(
            entity: 0,
            name: 1,
            seed: 1,
            internalLatency: .milliseconds(1),
            costs: costs
        )
        settings.cores = 4
        settings.halfOpen.cookiesAbove = 0
        settings.pool = [IPPrefix(address: IPAddress(v4: 0x0A00_0000), length: 8)]
        desk = FrontDesk(settings)
    }

    private mutating func order(class: UInt8) -> EventOrder {
        count += 1
        let time = limit + .microseconds(Int64(count % 100) * 10)
        return EventOrder(time: time, class: `class`, source: 1, count: count)
    }

    private mutating func step() {
        desk.accept(messages)
        messages.removeAll(keepingCapacity: true)
        limit = limit + .milliseconds(1)
        outbox.clear(horizon: limit)
        _ = desk.run(before: limit, into: &outbox)
    }

    mutating func establish() {
        for client in 0..<halves {
            let order = order(class: GatewayEventClass.report)
            let spi = IKESPI(rawValue: UInt64(client) &* 0x9E37_79B9_7F4A_7C15 | 1)
            messages.append(
                .report(
                    HalfReport(
                        order: order,
                        half: HalfID(client: client, attempt: 0),
                        shard: 0,
                        boot: 0,
                        transition: .established,
                        spi: spi
                    )
                )
            )
            if client % 100 == 99 { step() }
        }
    }

    /// Each client sends a request, and each half books its liveness check anew.
    mutating func exchange(rounds: Int) {
        for _ in 0..<rounds {
            round += 1
            for number in 0..<halves {
                // Neighbours in time are not neighbours in memory.
                let client = UInt32(UInt64(number) * 7_919 % UInt64(halves))
                let note = PacketNote(.liveness, isResponse: false)
                let spi = IKESPI(rawValue: UInt64(client) &* 0x9E37_79B9_7F4A_7C15 | 1)
                messages.append(.arrival(arrival(client, .informational, round, spi, note)))
                if number % 100 == 99 {
                    step()
                    answer()
                }
            }
        }
    }

    mutating func flood(packets: Int) {
        for number in 0..<packets {
            let note = PacketNote(.ikeSAInit, isResponse: false, keyExchange: .curve25519)
            messages.append(.arrival(arrival(UInt32(number), .ikeSAInit, 0, .zero, note)))
            if number % 100 == 99 { step() }
        }
    }

    private mutating func arrival(
        _ client: UInt32,
        _ exchange: ExchangeType,
        _ id: UInt32,
        _ spi: IKESPI,
        _ note: PacketNote
    ) -> PacketArrival {
        PacketArrival(
            order: order(class: GatewayEventClass.arrival),
            half: HalfID(client: client, attempt: 0),
            shard: 0,
            packet: 0,
            source: UDPEndpoint(address: IPAddress(v4: client), port: 500),
            byteCount: 100,
            exchange: exchange,
            messageID: MessageID(rawValue: id),
            isResponse: false,
            spi: spi,
            note: note
        )
    }

    private mutating func answer() {
        for case .completion(let completion) in outbox.messages(to: 0) {
            sent += 1
            let time = completion.order.time + .milliseconds(1)
            let order = EventOrder(time: time, class: GatewayEventClass.report, source: 2, count: sent)
            var report = HalfReport(order: order, half: completion.half, shard: 0, boot: 0)
            report.deadline = time + .seconds(300)
            report.generation = round
            messages.append(.report(report))
        }
    }
}

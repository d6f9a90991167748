import Foundation
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation
import Testing

/// Customers that come at random to a desk: IKE_SA_INIT requests that all cost the same and that nobody else follows.
private struct Customers: ~Copyable {
    var desk: FrontDesk
    var outbox = Outbox<GatewayMessage>(partCount: 1)
    var gaps: RandomStream
    let gap: DurationDistribution
    var next = Instant.zero
    var limit = Instant.zero
    var count: UInt32 = 0

    init(cores: Int, load: Double, _ serviceTimes: FrontDeskSettings.ServiceTimes, replication: UInt64) {
        let service = Self.service
        let costs = CostTable(
            operation: { Cost(baseNanoseconds: $0 == .ikeSAInit ? service.nanoseconds : 0) },
            keyExchange: { _ in .zero }
        )
        var settings = FrontDeskSettings(
            entity: 0,
            name: StableName.hash(of: "gw"),
            seed: 100 + replication,
            internalLatency: .milliseconds(5),
            costs: costs
        )
        settings.cores = cores
        settings.serviceTimes = serviceTimes
        desk = FrontDesk(settings)
        gaps = RandomStream(seed: 100 + replication, entity: 1, purpose: .test)
        gap = DurationDistribution(
            .exponential(mean: .nanoseconds(Int64(Double(service.nanoseconds) / load / Double(cores))))
        )
    }

    static var service: Duration { .microseconds(100) }

    /// Lets so many customers come and be served; they leave when they have been.
    mutating func serve(_ number: UInt32) {
        let target = count + number
        while count < target {
            limit = limit + desk.settings.internalLatency
            var messages: [GatewayMessage] = []
            while next < limit {
                messages.append(.arrival(arrival()))
                next = next + gap.draw(from: &gaps)
            }
            for case .completion(let completion) in outbox.messages(to: 0) {
                messages.append(.report(leave(completion)))
            }
            desk.accept(messages)
            outbox.clear(horizon: limit)
            _ = desk.run(before: limit, into: &outbox)
        }
    }

    private mutating func arrival() -> PacketArrival {
        count += 1
        return PacketArrival(
            order: EventOrder(time: next, class: GatewayEventClass.arrival, source: 1, count: UInt64(count)),
            half: HalfID(client: count, attempt: 0),
            shard: 0,
            packet: 0,
            source: UDPEndpoint(address: IPAddress(v4: count), port: 500),
            byteCount: 300,
            exchange: .ikeSAInit,
            messageID: .zero,
            isResponse: false,
            spi: .zero,
            note: PacketNote(.ikeSAInit, isResponse: false, keyExchange: .curve25519)
        )
    }

    private func leave(_ completion: JobCompletion) -> HalfReport {
        let time = completion.order.time + desk.settings.internalLatency
        let order = EventOrder(
            time: time,
            class: GatewayEventClass.report,
            source: 2,
            count: completion.order.count
        )
        return HalfReport(order: order, half: completion.half, shard: 0, boot: 0, transition: .refused)
    }

    /// The mean time that a customer waits, in service times.
    static func meanWait(
        cores: Int,
        load: Double,
        _ serviceTimes: FrontDeskSettings.ServiceTimes,
        replication: UInt64
    ) -> Double {
        var customers = Customers(cores: cores, load: load, serviceTimes, replication: replication)
        customers.serve(3_000)
        let started = customers.desk.metrics.started
        let waited = customers.desk.metrics.waitedNanoseconds
        customers.serve(30_000)
        let wait = Double(customers.desk.metrics.waitedNanoseconds - waited)
        return wait / Double(customers.desk.metrics.started - started) / Double(service.nanoseconds)
    }
}

/// Mean waiting times in service times, for k servers that are busy for a share `load` of the time.
private enum Theory {
    /// The probability that a customer has to wait (Erlang, 1917).
    static func erlangC(_ k: Int, _ load: Double) -> Double {
        let a = load * Double(k)
        var term = 1.0
        var sum = 0.0
        for n in 0..<k {
            sum += term
            term *= a / Double(n + 1)
        }
        let last = term / (1 - load)
        return last / (sum + last)
    }

    static func mmk(_ k: Int, _ load: Double) -> Double { erlangC(k, load) / (Double(k) * (1 - load)) }

    /// Crommelin, "Delay probability formulae when the holding times are constant", 1932: with Poisson's P at
    /// a = ik load, the sum over i of P(n >= ik) - P(n > ik) / load.
    static func mdk(_ k: Int, _ load: Double) -> Double {
        var sum = 0.0
        for i in 1...2_000 {
            let a = Double(i * k) * load
            // The upper tail of Poisson(a) from n = ik + 1 on, from its first term downwards.
            let first = exp(-a + Double(i * k) * log(a) - lgamma(Double(i * k) + 1))
            var term = first
            var tail = 0.0
            var n = Double(i * k)
            while term > first * 1e-17 && term > 0 {
                n += 1
                term *= a / n
                tail += term
            }
            sum += first + tail - tail / load
        }
        return sum
    }
}

/// Packets that come at random to a desk's ESP pool, and all take the same.
private enum Packets {
    /// The mean time that a packet waits, in service times.
    static func meanWait(cores: Int, load: Double, replication: UInt64) -> Double {
        var settings = FrontDeskSettings(
            entity: 0,
            name: StableName.hash(of: "gw"),
            seed: 1,
            internalLatency: .milliseconds(5),
            costs: CostTable(operation: { _ in .zero }, keyExchange: { _ in .zero })
        )
        let pool = ESPPoolSettings(
            cores: cores,
            queuePackets: .max,
            perPacket: .nanoseconds(500),
            perKilobyte: .nanoseconds(1_500)
        )
        settings.esp = pool
        let service = pool.service(byteCount: 1_000)
        var desk = FrontDesk(settings)
        var outbox = Outbox<GatewayMessage>(partCount: 1)
        var gaps = RandomStream(seed: 100 + replication, entity: 1, purpose: .test)
        let mean = Int64(Double(service.nanoseconds) / load / Double(cores))
        let gap = DurationDistribution(.exponential(mean: .nanoseconds(mean)))
        var next = Instant.zero + .milliseconds(5)
        var limit = next
        var before: (served: UInt64, waited: UInt128) = (0, 0)
        for count in 1...33_000 as ClosedRange<UInt32> {
            let arrival = ESPArrival(
                order: EventOrder(time: next, class: GatewayEventClass.arrival, source: 1, count: UInt64(count)),
                client: count % 50,
                shard: 0,
                packet: count,
                byteCount: 1_000,
                isFromBehind: count % 2 == 0
            )
            desk.accept([.packet(arrival)])
            limit = next + .nanoseconds(1)
            outbox.clear(horizon: limit)
            _ = desk.run(before: limit, into: &outbox)
            next = next + gap.draw(from: &gaps)
            if count == 3_000 { before = (desk.metrics.esp.served, desk.metrics.esp.waitedNanoseconds) }
        }
        let wait = Double(desk.metrics.esp.waitedNanoseconds - before.waited)
        return wait / Double(desk.metrics.esp.served - before.served) / Double(service.nanoseconds)
    }
}

@Suite("A front desk against queueing theory")
struct QueueingTheoryTests {
    struct System: Sendable, CustomTestStringConvertible {
        let name: String
        let cores: Int
        let load: Double
        let serviceTimes: FrontDeskSettings.ServiceTimes
        let meanWait: Double

        var testDescription: String { "\(name) at \(load)" }
    }

    static let systems: [System] = [
        System(name: "M/M/1", cores: 1, load: 0.5, serviceTimes: .exponential, meanWait: 0.5 / (1 - 0.5)),
        System(name: "M/M/1", cores: 1, load: 0.75, serviceTimes: .exponential, meanWait: 0.75 / (1 - 0.75)),
        System(name: "M/M/4", cores: 4, load: 0.7, serviceTimes: .exponential, meanWait: Theory.mmk(4, 0.7)),
        System(name: "M/D/1", cores: 1, load: 0.8, serviceTimes: .exact, meanWait: 0.8 / (2 * (1 - 0.8))),
        System(name: "M/D/2", cores: 2, load: 0.7, serviceTimes: .exact, meanWait: Theory.mdk(2, 0.7)),
        System(name: "M/D/4", cores: 4, load: 0.75, serviceTimes: .exact, meanWait: Theory.mdk(4, 0.75)),
    ]

    @Test("the mean waiting time is inside the 99 % confidence interval of 10 replications", arguments: systems)
    func meets(_ system: System) {
        let waits = (0..<10).map {
            Customers.meanWait(
                cores: system.cores,
                load: system.load,
                system.serviceTimes,
                replication: UInt64($0)
            )
        }
        let mean = waits.reduce(0, +) / 10
        let variance = waits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9
        // Student's t with 9 degrees of freedom, two-sided 99 %.
        let halfWidth = 3.250 * (variance / 10).squareRoot()
        #expect(abs(mean - system.meanWait) < halfWidth, "\(mean) +- \(halfWidth), theory \(system.meanWait)")
        #expect(halfWidth < 0.08 * system.meanWait, "the interval is narrow enough to tell anything")
    }

    @Test(
        "so it is of ESP packets, which have a pool of their own",
        arguments: [(1, 0.5), (1, 0.8), (2, 0.7), (4, 0.75), (7, 0.8)]
    )
    func meets(cores: Int, load: Double) {
        let waits = (0..<10).map { Packets.meanWait(cores: cores, load: load, replication: $0) }
        let mean = waits.reduce(0, +) / 10
        let variance = waits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9
        let halfWidth = 3.250 * (variance / 10).squareRoot()
        let theory = Theory.mdk(cores, load)
        #expect(abs(mean - theory) < halfWidth, "\(mean) +- \(halfWidth), theory \(theory)")
        #expect(halfWidth < 0.08 * theory, "the interval is narrow enough to tell anything")
    }

    @Test("the formulas agree where they meet, and with Erlang's C of the tables")
    func formulas() {
        // M/D/1 by Pollaczek and Khinchine.
        for load in [0.3, 0.6, 0.9] { #expect(abs(Theory.mdk(1, load) - load / (2 * (1 - load))) < 1e-5) }
        #expect(abs(Theory.mmk(1, 0.6) - 0.6 / 0.4) < 1e-12)
        // Two servers: C = 2 load^2 / (1 + load).
        #expect(abs(Theory.erlangC(2, 0.7) - 2 * 0.49 / 1.7) < 1e-12)
        // Ten erlangs offered to 12 servers.
        #expect(abs(Theory.erlangC(12, 10.0 / 12) - 0.4494) < 1e-4)
    }
}

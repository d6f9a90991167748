import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Simulation

/// A front desk in a test's hands: packets and reports go in at moments, completions come out in words.
///
/// Times are microseconds. F is 1,000.
struct DeskUnderTest: ~Copyable {
    var desk: FrontDesk
    private var outbox = Outbox<GatewayMessage>(partCount: 4)
    private var sent: UInt64 = 0
    private var time = Instant.zero

    /// Round prices, so that a story can be followed in one's head.
    static let prices: [PricedOperation: Int64] = [
        .ikeSAInit: 100, .cookieCheck: 10, .cookieDemand: 20, .refuse: 5, .discard: 1, .ikeAuthPSK: 200,
        .createChildSA: 150, .rekeyIKESA: 160, .informational: 50, .delete: 70, .retransmissionAnswered: 30,
        .ownRequest: 40, .ownResponse: 45, .ownRetransmission: 25, .halfOpenExpiry: 15, .eapRound: 60,
    ]

    static func costs(perActiveSA nanoseconds: Int64 = 0) -> CostTable {
        CostTable(
            operation: { operation in
                Cost(
                    baseNanoseconds: prices[operation]! * 1_000,
                    perActiveSAPicoseconds: operation == .ikeAuthPSK ? nanoseconds * 1_000 : 0
                )
            },
            keyExchange: { $0 == .curve25519 ? Cost(baseNanoseconds: 100_000) : nil }
        )
    }

    init(perActiveSA: Int64 = 0, _ change: (inout FrontDeskSettings) -> Void = { _ in }) {
        var settings = FrontDeskSettings(
            entity: 9,
            name: StableName.hash(of: "gw"),
            seed: 1,
            internalLatency: .milliseconds(1),
            costs: Self.costs(perActiveSA: perActiveSA)
        )
        change(&settings)
        desk = FrontDesk(settings)
    }

    static func at(_ microseconds: Int64) -> Instant { .zero + .microseconds(microseconds) }

    static func spi(_ client: UInt32) -> IKESPI { IKESPI(rawValue: 1_000 + UInt64(client)) }

    private mutating func order(_ microseconds: Int64, class: UInt8, _ client: UInt32) -> EventOrder {
        sent += 1
        return EventOrder(time: Self.at(microseconds), class: `class`, source: client, count: sent)
    }

    /// An IKE_SA_INIT request.
    mutating func saInit(
        _ microseconds: Int64,
        _ client: UInt32,
        attempt: UInt32 = 0,
        from source: String? = nil,
        cookie: Bool = false,
        keyExchange: KeyExchangeMethod? = .curve25519,
        byteCount: UInt32 = 300
    ) {
        var note = PacketNote(.ikeSAInit, isResponse: false, keyExchange: keyExchange)
        note.hasCookie = cookie
        arrive(
            microseconds,
            client,
            attempt: attempt,
            .ikeSAInit,
            0,
            note,
            spi: .zero,
            from: source,
            byteCount: byteCount
        )
    }

    /// A request under the SPI that the client's half has.
    mutating func request(
        _ microseconds: Int64,
        _ client: UInt32,
        _ operation: Operation,
        _ id: UInt32,
        shard: UInt32 = 1,
        spi: IKESPI? = nil,
        keyExchange: KeyExchangeMethod? = nil,
        wanting addresses: AddressFamilies = .ipv4,
        fragment: (number: UInt8, total: UInt8) = (0, 0),
        isResponse: Bool = false
    ) {
        let exchange: ExchangeType =
            switch operation {
            case .ikeAuth, .eap: .ikeAuth
            case .createChild, .rekeyChild, .rekeyIKE: .createChildSA
            case .ikeIntermediate: .ikeIntermediate
            case .followUp: .ikeFollowupKE
            default: .informational
            }
        var note = PacketNote(
            operation,
            isResponse: isResponse,
            keyExchange: keyExchange,
            wanting: operation == .ikeAuth ? addresses : []
        )
        (note.fragmentNumber, note.fragmentTotal) = fragment
        arrive(microseconds, client, exchange, id, note, shard: shard, spi: spi ?? Self.spi(client))
    }

    mutating func arrive(
        _ microseconds: Int64,
        _ client: UInt32,
        attempt: UInt32 = 0,
        _ exchange: ExchangeType,
        _ id: UInt32,
        _ note: PacketNote,
        shard: UInt32 = 1,
        spi: IKESPI,
        from source: String? = nil,
        byteCount: UInt32 = 300
    ) {
        let address = source.map { IPAddress($0)! } ?? IPAddress(v4: 0xC612_0000 + client)
        let arrival = PacketArrival(
            order: order(microseconds, class: GatewayEventClass.arrival, client),
            half: HalfID(client: client, attempt: attempt),
            shard: shard,
            packet: UInt32(sent),
            source: UDPEndpoint(address: address, port: 500),
            byteCount: byteCount,
            exchange: exchange,
            messageID: MessageID(rawValue: id),
            isResponse: note.isResponse,
            spi: spi,
            note: note
        )
        desk.accept([.arrival(arrival)])
    }

    /// An ESP packet that came F before, or with `isFromBehind` one from behind the gateway.
    mutating func packet(_ microseconds: Int64, _ client: UInt32, byteCount: UInt32 = 1_000, isFromBehind: Bool = false)
    {
        let arrival = ESPArrival(
            order: order(microseconds, class: GatewayEventClass.arrival, client),
            client: client,
            shard: 1,
            packet: UInt32(sent),
            byteCount: byteCount,
            isFromBehind: isFromBehind
        )
        desk.accept([.packet(arrival)])
    }

    mutating func report(
        _ microseconds: Int64,
        _ client: UInt32,
        _ transition: HalfReport.Transition = .none,
        attempt: UInt32 = 0,
        boot: UInt32 = 0,
        spi: IKESPI? = nil,
        _ change: (inout HalfReport) -> Void = { _ in }
    ) {
        var report = HalfReport(
            order: order(microseconds, class: GatewayEventClass.report, client),
            half: HalfID(client: client, attempt: attempt),
            shard: 1,
            boot: boot,
            transition: transition,
            spi: spi ?? (transition == .none ? .zero : Self.spi(client))
        )
        change(&report)
        desk.accept([.report(report)])
    }

    /// Books a timer.
    mutating func book(
        _ microseconds: Int64,
        _ client: UInt32,
        for deadline: Int64?,
        generation: UInt32,
        _ operation: PricedOperation = .ownRequest,
        keyExchange: KeyExchangeMethod? = nil
    ) {
        report(microseconds, client) { report in
            report.deadline = deadline.map(Self.at) ?? .never
            report.generation = generation
            report.operation = operation
            report.keyExchange = keyExchange
        }
    }

    /// Runs all windows up to a moment; says what arrived at the shards, in order: "1210 7 handle".
    mutating func run(until microseconds: Int64) -> [String] {
        completions(until: microseconds).map(Self.words)
    }

    mutating func completions(until microseconds: Int64) -> [JobCompletion] {
        let end = Self.at(microseconds)
        var completions: [JobCompletion] = []
        while desk.nextTime < end {
            let limit = min(end, max(time, desk.nextTime) + desk.settings.internalLatency)
            outbox.clear(horizon: limit)
            _ = desk.run(before: limit, into: &outbox)
            time = limit
            for shard in 0..<4 {
                for case .completion(let completion) in outbox.messages(to: shard) { completions.append(completion) }
            }
        }
        return completions.sorted { $0.order < $1.order }
    }

    private static func words(_ completion: JobCompletion) -> String {
        let time = completion.order.time.nanoseconds
        precondition(time % 1_000 == 0, "stories are told in microseconds")
        let action = "\(completion.action)".replacing("Gateway.DropReason.", with: "")
        var words = "\(time / 1_000) \(completion.half.client) \(action)"
        completion.lease.forEachAddress { words += " \($0)" }
        return words
    }
}

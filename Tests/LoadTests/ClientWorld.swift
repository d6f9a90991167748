import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives

/// One client and one responder, 10 ms apart, in virtual time.
struct ClientWorld: ~Copyable {
    private struct Flight {
        var at: Instant
        var isForClient: Bool
        var octets: [UInt8]
        var path: Path
    }

    private var client: Client
    private var tally = ClientTally()
    /// What is lost on the way to the gateway.
    var isGatewayDown = false
    private(set) var now = Instant.zero
    /// When the client's IKE_SA_INIT requests left that were not sent before.
    private(set) var attempts: [Instant] = []
    /// The gateway's halves, the newest last.
    private var responders: [Responder] = []
    /// The exchanges so far, one message a line: whose, under which attempt, and what it is.
    private(set) var story: [String] = []
    /// What is lost of what the client sends.
    var loses: (PacketNote) -> Bool = { _ in false }
    /// Which message is lost, counted from the story's beginning.
    var lostMessage: Int?
    private var turn: Turn
    private let plan: ClientPlan
    private let gateway: PeerPolicy
    private var flights: [Flight] = []

    init(
        reconnect: ReconnectPolicy,
        client change: (inout PeerPolicy.Values) -> Void = { _ in },
        gateway changeGateway: (inout PeerPolicy.Values) -> Void = { _ in }
    ) {
        let seed = [UInt8](repeating: 7, count: 32)
        turn = Turn(cryptography: try! Cryptography(backend: .modelled, seed: seed.rawSpan))
        turn.lease = InnerAddresses(IPAddress("10.128.0.7")!)
        let inside = TrafficSelector(IPPrefix("10.200.0.0/16")!)
        var values = PeerPolicy.Values(
            identity: IdentityTemplate("user%05d@example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [try! Proposal(notation: "aes128gcm16-prfsha256-x25519", protocolID: .ike)],
            childProposals: [try! Proposal(notation: "aes128gcm16", protocolID: .esp)],
            remoteSelectors: [inside]
        )
        var gatewayValues = values
        gatewayValues.identity = IdentityTemplate("gw.example.org")
        gatewayValues.localSelectors = [inside]
        gatewayValues.remoteSelectors = [TrafficSelector(IPPrefix("10.128.0.0/10")!)]
        values.peerIdentity = gatewayValues.identity
        values.retransmission = RetransmissionSchedule(waits: [.seconds(1), .seconds(1)])
        change(&values)
        changeGateway(&gatewayValues)
        gateway = PeerPolicy(gatewayValues)
        plan = ClientPlan(population: 3, policy: PeerPolicy(values), reconnect: reconnect, seed: 1)
        let place = ClientPlace(number: 1, index: 1, entity: StableName.hash(of: "client"), route: .test, spiKey: 1)
        client = Client(place)
    }

    mutating func arrive(dueBefore lateness: Duration = .zero, leavingAfter stay: Duration? = nil) {
        let departure = stay.map { now + $0 } ?? .never
        client.arrive(intended: now - lateness, leaving: departure, plan: plan, &turn, &tally)
        settle()
    }

    mutating func leave() {
        client.leave(plan: plan, &turn, &tally)
        settle()
    }

    /// The gateway deletes the client's IKE SA.
    mutating func deleteFromGateway() {
        guard let responder = responders.last else { return }
        responder.endpoint.command(.delete, under: gateway, &turn)
        settle(responder)
    }

    /// The client changes an SA of the one in use, or the gateway one of its oldest half.
    mutating func command(_ command: IKESA.Command, atGateway isAtGateway: Bool) {
        turn.now = now
        guard isAtGateway else {
            client.command(command, plan: plan, &turn, &tally)
            return settle()
        }
        guard let responder = responders.first(where: { !$0.endpoint.isClosed }) else { return }
        responder.endpoint.command(command, under: gateway, &turn)
        settle(responder)
    }

    mutating func forgetStory() { story = [] }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while true {
            let flight = flights.indices.min { flights[$0].at < flights[$1].at }
            let arrival = flight.map { flights[$0].at } ?? .never
            let own = client.deadline(plan: plan)
            let waiting = responders.min { $0.deadline(gateway) < $1.deadline(gateway) }
            let next = min(arrival, own, waiting?.deadline(gateway) ?? .never)
            guard next <= end else { break }
            now = max(now, next)
            turn.now = now
            if let flight, arrival == next {
                deliver(flights.remove(at: flight))
            } else if own == next {
                client.advance(plan: plan, &turn, &tally)
                settle()
            } else if let waiting {
                waiting.endpoint.advance(under: gateway, &turn)
                settle(waiting)
            }
        }
        now = end
        turn.now = end
    }

    // What `#expect` can look at: it copies what it is given.
    var isIdle: Bool { client.isIdle }
    var isWanted: Bool { client.isWanted }
    var isUp: Bool { client.isUp }
    var isAttempting: Bool { client.isAttempting }
    var isLost: Bool { client.isLost(plan: plan) }
    var hasEndpoint: Bool { client.hasEndpoint }
    var failures: [ClientTally.Failure] { tally.failures.filter { $0.kind != .lost } }
    var lost: [ClientTally.Failure] { tally.failures.filter { $0.kind == .lost } }

    /// How often the client went down.
    var downs: Int { tally.marks.count { $0.kind == .up && $0.amount < 0 } }

    /// How many IKE SAs the gateway has with the client.
    var associationCount: Int {
        var count = 0
        for responder in responders { responder.endpoint.forEachSA { _ in count += 1 } }
        return count
    }

    /// The IKE SAs that the client has, or the gateway with it: their SPIs, those of their Child SAs, and whether
    /// nothing goes on there any more.
    func associations(atGateway isAtGateway: Bool) -> [String] {
        var found: [String] = []
        func look(_ sa: borrowing IKESA) {
            let spis = sa.spis.map { "\($0.initiator) \($0.responder)" } ?? "none"
            found.append("\(spis) \(sa.childSPIs)\(sa.isAtRest ? "" : ", \(sa.situation)")")
        }
        guard isAtGateway else {
            client.forEachSA(look)
            return found
        }
        for responder in responders { responder.endpoint.forEachSA(look) }
        return found
    }

    func total(_ kind: ClientTally.Kind) -> Int32 {
        tally.marks.filter { $0.kind == kind && $0.subject == 3 }.map(\.amount).reduce(0, +)
    }

    func latencies(_ kind: ClientTally.Latency) -> [Duration] {
        tally.samples.filter { $0.kind == kind }.map(\.value)
    }

    private mutating func deliver(_ flight: Flight) {
        let message = Array(flight.octets.dropFirst(flight.path.isEncapsulated ? 4 : 0))
        if flight.isForClient {
            client.receive(message.rawSpan, over: flight.path, plan: plan, &turn, &tally)
            settle()
            return
        }
        if let responder = responders.last(where: { $0.endpoint.hasSA(of: message.rawSpan) }) {
            responder.endpoint.receive(message.rawSpan, over: flight.path, under: gateway, &turn)
            settle(responder)
            return
        }
        // A request with a message ID of 0 and no SPI of the responder's begins another IKE SA, unless it comes again.
        guard message[8..<16].allSatisfy({ $0 == 0 }) else { return }
        if let responder = responders.last, responder.isHalfOpen(for: message[0..<8]) {
            responder.endpoint.receive(message.rawSpan, over: flight.path, under: gateway, &turn)
            settle(responder)
            return
        }
        let count = UInt32(responders.count)
        let origin = Origin(
            number: 0,
            entity: StableName.hash(of: "gateway", UInt64(count)),
            seed: 1,
            spis: SPISource(key: 2, owner: 1, attempt: count)
        )
        if let sa = IKESA.respond(to: message.rawSpan, over: flight.path, origin, under: gateway, &turn) {
            responders.append(Responder(Endpoint(responding: sa), number: responders.count + 1))
            settle(responders[responders.count - 1])
        }
    }

    /// Carries out what the turn's output asks for, be it the client's or a half's of the gateway.
    private mutating func settle(_ responder: Responder? = nil) {
        while let request = turn.output.keyExchange.take() {
            let result = turn.cryptography.perform(request)
            if let responder {
                responder.endpoint.complete(result, under: gateway, &turn)
            } else {
                client.complete(result, plan: plan, &turn, &tally)
            }
        }
        for datagram in turn.output.datagrams {
            let octets = Array(turn.output.octets[datagram.range])
            let number = responder?.number ?? attempt(sending: octets, datagram.path)
            if responder == nil, datagram.note.operation == .ikeSAInit, !datagram.note.isRetransmission {
                attempts.append(now)
            }
            let isDropped = responder == nil && (isGatewayDown || loses(datagram.note)) || story.count == lostMessage
            let what = "\(datagram.note.operation)\(datagram.note.isRetransmission ? " (again)" : "")"
            story.append("\(responder == nil ? "-->" : "<--") \(number) \(what)\(isDropped ? " (lost)" : "")")
            if isDropped { continue }
            let path = datagram.path
            flights.append(
                Flight(
                    at: now + .milliseconds(10),
                    isForClient: responder != nil,
                    octets: octets,
                    path: Path(local: path.remote, remote: path.local, isEncapsulated: path.isEncapsulated)
                )
            )
        }
        turn.output.removeAll()
    }

    private func attempt(sending octets: [UInt8], _ path: Path) -> Int {
        let message = Array(octets.dropFirst(path.isEncapsulated ? 4 : 0))
        return Int(client.attempt(sending: message.rawSpan))
    }
}

/// The gateway's half of one attempt.
private final class Responder {
    var endpoint: Endpoint
    let number: Int

    init(_ endpoint: consuming Endpoint, number: Int) {
        self.endpoint = endpoint
        self.number = number
    }

    func deadline(_ policy: PeerPolicy) -> Instant { endpoint.deadline(under: policy) }

    func isHalfOpen(for initiatorSPI: ArraySlice<UInt8>) -> Bool {
        let spi = initiatorSPI.reduce(0) { $0 << 8 | UInt64($1) }
        return endpoint.current.stateName == .halfOpen && endpoint.current.spis?.initiator.rawValue == spi
    }
}

extension Route {
    fileprivate static let test: Route = {
        let client = IPAddress("198.51.100.7")!
        let gateway = IPAddress("192.0.2.1")!
        func path(_ port: UInt16, isEncapsulated: Bool) -> Path {
            Path(
                local: UDPEndpoint(address: client, port: port),
                remote: UDPEndpoint(address: gateway, port: port),
                isEncapsulated: isEncapsulated
            )
        }
        return Route(plain: path(500, isEncapsulated: false), encapsulated: path(4500, isEncapsulated: true))
    }()
}

import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// RFC 7296 section 2.4.
@Suite("A responder of many obeys INITIAL_CONTACT")
struct InitialContactTests {
    @Test("by dropping the older IKE SAs of the same identity, their addresses with them, and no others")
    func replaces() {
        var world = FleetWorld(pool: "10.128.0.0/30")
        world.connect(number: 1)
        world.connect(number: 1)
        #expect(world.peerCount == 2)
        // The pool of two addresses is used up, until somebody makes void what has them.
        world.connect(number: 2)
        #expect(world.peerCount == 3 && world.refusedCount == 1)
        world.connect(number: 1, isFirst: true)
        #expect(world.peerCount == 2 && world.replacedTotal == 2 && world.refusedCount == 2)
        world.connect(number: 3)
        #expect(world.peerCount == 3 && world.refusedCount == 2)
        // Their Deletes come to nothing, and leave the others as they are.
        for client in world.clients { world.delete(client) }
        #expect(world.peerCount == 0)
    }

    @Test("whatever order those of one identity end in", arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]])
    func keepsOrder(_ order: [Int]) {
        var world = FleetWorld(pool: "10.128.0.0/24")
        for _ in 0..<3 { world.connect(number: 1) }
        for place in order.dropLast() { world.delete(world.clients[place]) }
        #expect(world.peerCount == 1)
        world.connect(number: 1, isFirst: true)
        #expect(world.peerCount == 1 && world.replacedTotal == 1)
        world.connect(number: 1, isFirst: true)
        #expect(world.peerCount == 1 && world.replacedTotal == 2)
    }

    @Test("unless its policy ignores it")
    func ignores() {
        var world = FleetWorld(pool: "10.128.0.0/24") { $0.lifeCycle.obeysInitialContact = false }
        for _ in 0..<3 { world.connect(number: 1, isFirst: true) }
        #expect(world.peerCount == 3 && world.replacedTotal == 0)
    }
}

/// A responder of many and its initiators, without any time between them.
struct FleetWorld: ~Copyable {
    final class Initiator {
        var endpoint: Endpoint
        let policy: PeerPolicy

        init(_ endpoint: consuming Endpoint, _ policy: PeerPolicy) {
            self.endpoint = endpoint
            self.policy = policy
        }
    }

    private var fleet: ResponderFleet
    private var turn: Turn
    private(set) var clients: [Initiator] = []
    private(set) var refusedCount = 0
    /// How often a client heard that its IKE SA is unknown.
    private(set) var unknownCount = 0
    private let settings: ResponderFleet.Settings
    private let policy: PeerPolicy

    init(pool: String, _ change: (inout PeerPolicy.Values) -> Void = { _ in }) {
        let seed = [UInt8](repeating: 7, count: 32)
        turn = Turn(cryptography: try! Cryptography(backend: .modelled, seed: seed.rawSpan))
        var values = Self.values("gw.example.org")
        values.lifeCycle.obeysInitialContact = true
        change(&values)
        var settings = ResponderFleet.Settings(seed: 1, spiKey: 2, cookieSecret: seed)
        settings.pool = [IPPrefix(pool)!]
        self.settings = settings
        policy = PeerPolicy(values)
        fleet = ResponderFleet(settings, policy: policy)
    }

    /// The responder loses all that it has.
    mutating func restart() { fleet = ResponderFleet(settings, policy: policy) }

    mutating func wait(for duration: Duration) { turn.now = turn.now + duration }

    mutating func checkLiveness(_ client: Initiator) {
        client.endpoint.command(.checkLiveness, under: client.policy, &turn)
        settle(client)
    }

    /// Sends a client's request again, whose time has come.
    mutating func retransmit(_ client: Initiator) {
        client.endpoint.advance(under: client.policy, &turn)
        settle(client)
    }

    var peerCount: Int { fleet.peerCount }
    var replacedTotal: UInt64 { fleet.replacedTotal }

    private static func values(_ identity: String) -> PeerPolicy.Values {
        PeerPolicy.Values(
            identity: IdentityTemplate(identity),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [try! Proposal(notation: "aes128gcm16-prfsha256-x25519", protocolID: .ike)],
            childProposals: [try! Proposal(notation: "aes128gcm16", protocolID: .esp)],
            localSelectors: [],
            remoteSelectors: [TrafficSelector(IPPrefix("0.0.0.0/0")!)]
        )
    }

    mutating func connect(number: UInt32, isFirst: Bool = false) {
        var values = Self.values("user%d@example.org")
        values.lifeCycle.sendsInitialContact = isFirst
        values.retransmission = RetransmissionSchedule(waits: [.seconds(1), .seconds(60)])
        let policy = PeerPolicy(values)
        let count = UInt32(clients.count)
        let origin = Origin(
            number: number,
            entity: StableName.hash(of: "client", UInt64(count)),
            seed: 1,
            spis: SPISource(key: 1, owner: count)
        )
        let client = UDPEndpoint(address: IPAddress(v4: 0xC633_6407 + count), port: 500)
        let gateway = UDPEndpoint(address: IPAddress("192.0.2.1")!, port: 500)
        let plain = Path(local: client, remote: gateway, isEncapsulated: false)
        var encapsulated = Path(local: client, remote: gateway, isEncapsulated: true)
        (encapsulated.local.port, encapsulated.remote.port) = (4500, 4500)
        let route = Route(plain: plain, encapsulated: encapsulated)
        clients.append(Initiator(Endpoint(initiating: origin, over: route, under: policy, &turn), policy))
        settle(clients[clients.count - 1])
    }

    /// Sends an ESP packet from where a client is, or from a stranger; how long the answer is, nil where there is none.
    mutating func sendESP(_ spi: ChildSPI, from number: Int) -> Int? {
        let address = IPAddress(v4: 0xC633_6407 + UInt32(number))
        let way = Path(
            local: UDPEndpoint(address: IPAddress("192.0.2.1")!, port: 500),
            remote: UDPEndpoint(address: address, port: 500),
            isEncapsulated: false
        )
        fleet.receiveESP(spi, over: way, &turn)
        let byteCount = turn.output.datagrams.first.map { $0.range.count }
        if clients.indices.contains(number) { settle(clients[number], startingAtFleet: true) }
        turn.output.removeAll()
        return byteCount
    }

    mutating func delete(_ client: Initiator) {
        client.endpoint.command(.delete, under: client.policy, &turn)
        settle(client)
    }

    /// Carries messages to and fro until nobody has anything to say.
    private mutating func settle(_ client: Initiator, startingAtFleet isFromFleet: Bool = false) {
        var isForFleet = !isFromFleet
        while true {
            while let request = turn.output.keyExchange.take() {
                client.endpoint.complete(turn.cryptography.perform(request), under: client.policy, &turn)
            }
            refusedCount += turn.output.reports.count { if case .childRefused = $0 { isForFleet } else { false } }
            unknownCount += turn.output.reports.count { $0.isOfUnknown }
            let sent = turn.output.datagrams.map { (Array(turn.output.octets[$0.range]), $0.path) }
            turn.output.removeAll()
            if sent.isEmpty { return }
            for (octets, path) in sent {
                let way = Path(local: path.remote, remote: path.local, isEncapsulated: path.isEncapsulated)
                if isForFleet {
                    fleet.receive(octets.rawSpan, over: way, &turn)
                } else {
                    client.endpoint.receive(octets.rawSpan, over: way, under: client.policy, &turn)
                }
            }
            isForFleet.toggle()
        }
    }
}

extension Report {
    /// Whether it says that the peer has lost something.
    fileprivate var isOfUnknown: Bool {
        switch self {
        case .unknownToPeer, .childUnknownToPeer: true
        default: false
        }
    }
}

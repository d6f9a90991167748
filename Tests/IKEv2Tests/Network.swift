import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// Two ends and the way between them: what one sends the other gets after a delay, unless the test says otherwise.
struct Network: ~Copyable {
    enum Side: Int { case initiator, responder }

    struct Flight {
        var at: Instant
        var to: Side
        var octets: [UInt8]
        var path: Path
        var note: PacketNote
    }

    var initiator: Endpoint
    var responder: Endpoint?
    var turn: Turn
    var initiatorPolicy: PeerPolicy
    var responderPolicy: PeerPolicy
    var flights: [Flight] = []
    var delay = Duration.milliseconds(10)
    var now = Instant.zero
    var reports: [[Report]] = [[], []]
    /// Everything that was sent, for captures and claims about the wire.
    var wire: [Flight] = []
    /// Drops what it says true to.
    var isLost: (Flight) -> Bool = { _ in false }
    /// The address that the initiator's datagrams seem to come from.
    var seenFrom: (UDPEndpoint) -> UDPEndpoint = { $0 }
    var lease: IPAddress? = IPAddress("10.128.0.7")
    var attempt: UInt32 = 0

    static let client = IPAddress("198.51.100.7")!
    static let gateway = IPAddress("192.0.2.1")!

    init(
        initiator initiatorPolicy: PeerPolicy = .client(),
        responder responderPolicy: PeerPolicy = .gateway(),
        backend: CryptoBackend = .openSSL,
        seed: UInt8 = 7
    ) {
        self.initiatorPolicy = initiatorPolicy
        self.responderPolicy = responderPolicy
        let octets = [UInt8](repeating: seed, count: 32)
        turn = Turn(cryptography: try! Cryptography(backend: backend, seed: octets.rawSpan))
        let route = Route(
            plain: Path(
                local: UDPEndpoint(address: Self.client, port: 500),
                remote: UDPEndpoint(address: Self.gateway, port: 500),
                isEncapsulated: false
            ),
            encapsulated: Path(
                local: UDPEndpoint(address: Self.client, port: 4500),
                remote: UDPEndpoint(address: Self.gateway, port: 4500),
                isEncapsulated: true
            )
        )
        let origin = Origin(
            number: 1,
            entity: StableName.hash(of: "initiator"),
            seed: UInt64(seed),
            spis: SPISource(key: 1, owner: 1)
        )
        initiator = Endpoint(initiating: origin, over: route, under: initiatorPolicy, &turn)
        settle(.initiator)
    }

    /// Carries out what a side wants: operations at once, datagrams after the delay.
    mutating func settle(_ side: Side) {
        while let request = turn.output.keyExchange.take() {
            let result = turn.cryptography.perform(request)
            switch side {
            case .initiator: initiator.complete(result, under: initiatorPolicy, &turn)
            case .responder: responder?.complete(result, under: responderPolicy, &turn)
            }
        }
        reports[side.rawValue] += turn.output.reports
        for datagram in turn.output.datagrams {
            let octets = Array(turn.output.octets[datagram.range])
            var path = Path(
                local: datagram.path.remote,
                remote: datagram.path.local,
                isEncapsulated: datagram.path.isEncapsulated
            )
            if side == .initiator { path.remote = seenFrom(path.remote) }
            let flight = Flight(
                at: now + delay,
                to: side == .initiator ? .responder : .initiator,
                octets: octets,
                path: path,
                note: datagram.note
            )
            wire.append(flight)
            if !isLost(flight) { flights.append(flight) }
        }
        turn.output.removeAll()
    }

    /// Does the next thing that happens, until a moment; false when nothing is left before it.
    mutating func step(until end: Instant) -> Bool {
        let flight = flights.indices.min { flights[$0].at < flights[$1].at }
        let flightTime = flight.map { flights[$0].at } ?? .never
        let initiatorTime = initiator.deadline(under: initiatorPolicy)
        let responderTime = responderDeadline
        let next = min(flightTime, initiatorTime, responderTime)
        guard next <= end, next != .never else { return false }
        now = max(now, next)
        turn.now = now
        if let flight, flightTime == next {
            deliver(flights.remove(at: flight))
        } else if initiatorTime == next {
            initiator.advance(under: initiatorPolicy, &turn)
            settle(.initiator)
        } else {
            responder?.advance(under: responderPolicy, &turn)
            settle(.responder)
        }
        return true
    }

    mutating func run(until end: Instant) {
        var steps = 0
        while step(until: end) {
            steps += 1
            precondition(steps < 100_000, "a story comes to rest")
        }
        now = max(now, end)
        turn.now = now
    }

    mutating func run(for duration: Duration) { run(until: now + duration) }

    private var isResponderClosed: Bool {
        switch responder {
        case .some(let endpoint): endpoint.isClosed
        case .none: false
        }
    }

    private var responderDeadline: Instant {
        switch responder {
        case .some(let endpoint): endpoint.deadline(under: responderPolicy)
        case .none: .never
        }
    }

    mutating func deliver(_ flight: Flight) {
        var octets = flight.octets
        if flight.path.isEncapsulated {
            guard octets.count > 4 else { return }
            octets.removeFirst(4)
        }
        turn.lease = lease
        switch flight.to {
        case .initiator:
            initiator.receive(octets.rawSpan, over: flight.path, under: initiatorPolicy, &turn)
        case .responder:
            if responder == nil {
                attempt += 1
                let origin = Origin(
                    number: 1,
                    entity: StableName.hash(of: "responder", UInt64(attempt)),
                    seed: 9,
                    spis: SPISource(key: 2, owner: attempt)
                )
                if let sa = IKESA.respond(
                    to: octets.rawSpan,
                    over: flight.path,
                    origin,
                    under: responderPolicy,
                    &turn
                ) {
                    responder = Endpoint(responding: sa)
                }
            } else {
                responder?.receive(octets.rawSpan, over: flight.path, under: responderPolicy, &turn)
            }
        }
        settle(flight.to)
        if isResponderClosed { responder = nil }
    }

    mutating func command(_ command: IKESA.Command, at side: Side) {
        switch side {
        case .initiator: initiator.command(command, under: initiatorPolicy, &turn)
        case .responder: responder?.command(command, under: responderPolicy, &turn)
        }
        settle(side)
    }

    func count(_ side: Side, _ isWanted: (Report) -> Bool) -> Int { reports[side.rawValue].count(where: isWanted) }
}

extension PeerPolicy {
    static func client(_ change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        var values = Values(
            identity: IdentityTemplate("user%05d@example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [try! Proposal(notation: "aes128gcm16-prfsha256-x25519", protocolID: .ike)],
            childProposals: [try! Proposal(notation: "aes128gcm16", protocolID: .esp)],
            remoteSelectors: [TrafficSelector(IPPrefix("10.200.0.0/16")!)]
        )
        values.peerIdentity = IdentityTemplate("gw.example.org")
        change(&values)
        return PeerPolicy(values)
    }

    static func gateway(_ change: (inout Values) -> Void = { _ in }) -> PeerPolicy {
        var values = Values(
            identity: IdentityTemplate("gw.example.org"),
            preSharedKey: Array("test-only".utf8),
            ikeProposals: [try! Proposal(notation: "aes128gcm16-prfsha256-x25519-ecp256", protocolID: .ike)],
            childProposals: [try! Proposal(notation: "aes128gcm16", protocolID: .esp)],
            localSelectors: [TrafficSelector(IPPrefix("10.200.0.0/16")!)],
            remoteSelectors: [TrafficSelector(IPPrefix("10.128.0.0/10")!)]
        )
        change(&values)
        return PeerPolicy(values)
    }
}

import IKECrypto
import IKEWire
import IKEv2
import Primitives

enum Side: Int, CaseIterable {
    case initiator, responder

    var other: Side { self == .initiator ? .responder : .initiator }
}

/// Two ends and the way between them, in virtual time: what one sends the other gets after a delay, unless the test
/// says otherwise.
///
/// A class, though it has one owner: functions that held the IKE SAs themselves took minutes to compile.
final class Network {
    /// A datagram on its way.
    struct Flight {
        var at: Instant
        var sentAt: Instant
        var to: Side
        /// The UDP payload, marker included.
        var octets: [UInt8]
        var path: Path
        var note: PacketNote

        var from: Side { to.other }
        var isKeepalive: Bool { octets == [0xFF] }
        /// The IKE message, without the marker.
        var message: [UInt8] { Array(octets.dropFirst(path.isEncapsulated ? 4 : 0)) }
    }

    /// What becomes of a datagram.
    enum Fate {
        case arrives
        case isLost
        case isDelayed(Duration)
        /// Waits until `release`.
        case isHeld
        case arrivesTwice
    }

    /// What a run shows, whatever the crypto behind it.
    enum Step: Equatable {
        case sent(Instant, from: Side, byteCount: Int, PacketNote)
        case reported(Instant, Side, Report)
    }

    var initiator: Endpoint
    var responder: Endpoint?
    var turn: Turn
    var policies: [PeerPolicy]
    var cookies: CookieIssuer?
    var now = Instant.zero
    var delay = Duration.milliseconds(10)
    var fate: (Flight) -> Fate = { _ in .arrives }
    /// Where the initiator's datagrams seem to come from.
    var outside: (UDPEndpoint) -> UDPEndpoint = { $0 }
    /// The responder's own address, where a NAT stands in front of it that lets everything through.
    var gatewayInside: IPAddress?
    /// Where the initiator is, and where it believes the responder to be.
    var route = Route.test
    /// The inner addresses that the responder has for the initiator.
    var lease = InnerAddresses(IPAddress("10.128.0.7")!)

    var flights: [Flight] = []
    var held: [Flight] = []
    var reports: [[Report]] = [[], []]
    /// Everything that was sent, whether it arrived or not.
    var wire: [Flight] = []
    var trajectory: [Step] = []
    /// The story so far in the RFC's notation, one message a line.
    var story: [String] = []
    var ring = KeyRing()
    /// Whether operations wait until the test has them done.
    var holdsOperations = false
    var operation: KeyExchangeRequest?
    /// Whether an end rests after everything that happens to it, where it can: nothing may come of that.
    var rests = true
    /// How often an end has rested.
    var restCount = 0
    /// What the responder wants the server behind it to be asked.
    var backend: BackendRequest?
    private var attempt: UInt32 = 0
    /// The initiator's, and that of the responder's last attempt.
    var origins: [Origin]
    private var hasStarted = false

    init(
        initiator: PeerPolicy = .client(),
        responder: PeerPolicy = .gateway(),
        backend: CryptoBackend = .modelled,
        seed: UInt8 = 7
    ) {
        policies = [initiator, responder]
        let octets = [UInt8](repeating: seed, count: 32)
        turn = Turn(cryptography: try! Cryptography(backend: backend, seed: octets.rawSpan))
        origins = [
            Origin(
                number: 1,
                entity: StableName.hash(of: "initiator"),
                seed: UInt64(seed),
                spis: SPISource(key: 1, owner: 1)
            )
        ]
        self.initiator = Endpoint(initiating: origins[0], over: .test, under: initiator, &turn)
    }

    /// Carries out what the initiator wanted when it was made, once the test has said what becomes of datagrams.
    private func start() {
        guard !hasStarted else { return }
        hasStarted = true
        settle(.initiator)
    }

    /// Two ends with an IKE SA and a Child SA between them, and an empty story.
    static func established(
        initiator: PeerPolicy = .client(),
        responder: PeerPolicy = .gateway(),
        backend: CryptoBackend = .modelled,
        seed: UInt8 = 7
    ) -> Network {
        let network = Network(initiator: initiator, responder: responder, backend: backend, seed: seed)
        network.run(for: .milliseconds(100))
        network.forgetStory()
        return network
    }

    /// Begins a new chapter: what happened so far is no longer told, but still checked.
    func forgetStory() {
        story = []
        reports = [[], []]
    }
}

// What happens.
extension Network {
    /// Does the next thing that is to happen up to a moment; false when there is none.
    func step(until end: Instant) -> Bool {
        start()
        let flight = flights.indices.min { flights[$0].at < flights[$1].at }
        let arrival = flight.map { flights[$0].at } ?? .never
        let deadlines = Side.allCases.map { deadline(of: $0) }
        let next = min(arrival, deadlines[0], deadlines[1])
        guard next <= end, next != .never else { return false }
        now = max(now, next)
        if let flight, arrival == next {
            deliver(flights.remove(at: flight))
        } else {
            advance(deadlines[0] == next ? .initiator : .responder)
        }
        return true
    }

    func run(until end: Instant) {
        var steps = 0
        while step(until: end) {
            steps += 1
            precondition(steps < 100_000, "a story comes to rest")
        }
        now = max(now, end)
    }

    func run(for duration: Duration) { run(until: now + duration) }

    func advance(_ side: Side) {
        turn.now = now
        switch side {
        case .initiator: initiator.advance(under: policies[0], &turn)
        case .responder: responder?.advance(under: policies[1], &turn)
        }
        settle(side)
    }

    func command(_ command: IKESA.Command, at side: Side) {
        start()
        turn.now = now
        switch side {
        case .initiator: initiator.command(command, under: policies[0], &turn)
        case .responder: responder?.command(command, under: policies[1], &turn)
        }
        settle(side)
    }

    /// The initiator is elsewhere from now on.
    func move(to route: Route) {
        start()
        turn.now = now
        self.route = route
        initiator.move(to: route, under: policies[0], &turn)
        settle(.initiator)
    }

    /// Hands over what was held back, the oldest first, to arrive at once.
    func release(_ isWanted: (Flight) -> Bool = { _ in true }) {
        let released = held.filter(isWanted)
        held.removeAll(where: isWanted)
        for flight in released { deliver(flight) }
    }

    /// Gives a datagram to the one it is meant for.
    func deliver(_ flight: Flight) {
        turn.now = now
        guard !flight.isKeepalive, !flight.path.isEncapsulated || flight.octets.prefix(4) == [0, 0, 0, 0] else {
            return
        }
        receive(flight.message, over: flight.path, at: flight.to)
    }

    func receive(_ message: [UInt8], over path: Path, at side: Side) {
        start()
        turn.now = now
        turn.lease = lease
        switch side {
        case .initiator: initiator.receive(message.rawSpan, over: path, under: policies[0], &turn)
        case .responder:
            if hasResponder {
                responder?.receive(message.rawSpan, over: path, under: policies[1], &turn)
            } else {
                respond(message, over: path)
            }
        }
        settle(side)
    }

    var hasResponder: Bool {
        switch responder {
        case .some: true
        case .none: false
        }
    }

    /// The responder has no IKE SA with this initiator yet, as on a gateway's front desk.
    private func respond(_ message: [UInt8], over path: Path) {
        if let cookies, !cookies.hasGenuineCookie(message.rawSpan, over: path, &turn) {
            _ = cookies.demand(for: message.rawSpan, over: path, &turn)
            return
        }
        attempt += 1
        let origin = Origin(
            number: 1,
            entity: StableName.hash(of: "responder", UInt64(attempt)),
            seed: 9,
            spis: SPISource(key: 2, owner: attempt)
        )
        origins = [origins[0], origin]
        if let sa = IKESA.respond(to: message.rawSpan, over: path, origin, under: policies[1], &turn) {
            responder = Endpoint(responding: sa)
        }
    }

    func deadline(of side: Side) -> Instant {
        switch side {
        case .initiator: return initiator.deadline(under: policies[0])
        case .responder:
            switch responder {
            case .some(let endpoint): return endpoint.deadline(under: policies[1])
            case .none: return .never
            }
        }
    }
}

// What comes of it.
extension Network {
    /// Carries out what a side wants: operations at once, datagrams after the delay.
    func settle(_ side: Side) {
        while let request = turn.output.keyExchange.take() {
            if holdsOperations {
                operation = consume request
                break
            }
            let result = turn.cryptography.perform(request)
            switch side {
            case .initiator: initiator.complete(result, under: policies[0], &turn)
            case .responder: responder?.complete(result, under: policies[1], &turn)
            }
        }
        if let request = turn.output.backend.take() { backend = request }
        learnKeys()
        for report in turn.output.reports {
            reports[side.rawValue].append(report)
            trajectory.append(.reported(now, side, report))
        }
        for datagram in turn.output.datagrams { send(datagram, from: side) }
        turn.output.removeAll()
        forgetClosedResponder()
        if rests { rest(side) }
    }

    private func send(_ datagram: Output.Datagram, from side: Side) {
        var path = Path(
            local: datagram.path.remote,
            remote: datagram.path.local,
            isEncapsulated: datagram.path.isEncapsulated
        )
        var isReachable = true
        switch side {
        case .initiator:
            path.remote = outside(path.remote)
            if let inside = gatewayInside { path.local = UDPEndpoint(address: inside, port: path.local.port) }
        case .responder:
            if gatewayInside != nil {
                path.remote = UDPEndpoint(address: route.plain.remote.address, port: path.remote.port)
            }
            // The way back through the NAT.
            let inside = route.insides.first { outside($0) == path.local }
            isReachable = inside != nil
            path.local = inside ?? path.local
        }
        let flight = Flight(
            at: now + delay,
            sentAt: now,
            to: side.other,
            octets: Array(turn.output.octets[datagram.range]),
            path: path,
            note: datagram.note
        )
        wire.append(flight)
        trajectory.append(.sent(now, from: side, byteCount: flight.octets.count, flight.note))
        dispatch(flight, isReachable ? fate(flight) : .isLost)
    }

    private func dispatch(_ flight: Flight, _ fate: Fate) {
        var remark = flight.note.isRetransmission ? " (again)" : ""
        switch fate {
        case .arrives: flights.append(flight)
        case .isLost: remark += " (lost)"
        case .isDelayed(let duration):
            var late = flight
            late.at = late.at + duration
            flights.append(late)
            remark += " (late)"
        case .isHeld:
            held.append(flight)
            remark += " (held)"
        case .arrivesTwice:
            flights += [flight, flight]
            remark += " (twice)"
        }
        let arrow = flight.to == .responder ? "-->" : "<--"
        story.append("\(arrow) \(flight.isKeepalive ? "0xFF" : ring.notation(of: flight.message, turn))\(remark)")
    }

    private func learnKeys() {
        var ring = KeyRing()
        swap(&ring, &self.ring)
        initiator.forEachSA { ring.learn($0) }
        switch responder {
        case .some(let endpoint): endpoint.forEachSA { ring.learn($0) }
        case .none: break
        }
        swap(&ring, &self.ring)
    }

    private func forgetClosedResponder() {
        switch responder {
        case .some(let endpoint): if !endpoint.isClosed { return }
        case .none: return
        }
        responder = nil
    }
}

// What can be asked.
extension Network {
    /// The state of a side's IKE SA in use, in words.
    func situation(of side: Side) -> String {
        switch side {
        case .initiator: return initiator.current.situation
        case .responder:
            switch responder {
            case .some(let endpoint): return endpoint.current.situation
            case .none: return "nothing"
            }
        }
    }

    func count(_ side: Side, _ isWanted: (Report) -> Bool) -> Int { reports[side.rawValue].count(where: isWanted) }

    /// The reasons for which a side's IKE SAs ended, in order.
    func ends(_ side: Side) -> [CloseReason] {
        reports[side.rawValue].compactMap { report in
            if case .closed(_, let reason) = report { reason } else { nil }
        }
    }

    /// A side's reports without what only says how messages travelled.
    func news(_ side: Side) -> [Report] {
        reports[side.rawValue].filter { report in
            switch report {
            case .keysDerived, .retransmitted, .answeredAgain, .dropped: false
            default: true
            }
        }
    }
}

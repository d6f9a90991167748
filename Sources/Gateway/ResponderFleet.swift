import IKECrypto
import IKEWire
package import IKEv2
package import Primitives
import Simulation

/// A responder for any number of initiators: it finds the IKE SA that a message is for, demands cookies under load,
/// leases inner addresses and keeps the deadlines.
///
/// It does no input or output. After each call the driver sends what is in the turn's output and empties it.
package struct ResponderFleet: ~Copyable {
    /// What a responder gives, and when half-open IKE SAs are too many.
    package struct Settings: Sendable {
        package var seed: UInt64
        /// Keys the permutation that SPIs come from.
        package var spiKey: UInt64
        /// 32 octets from which cookies are made.
        package var cookieSecret: [UInt8]
        package var halfOpen = FrontDeskSettings.HalfOpenLimits()
        package var pool: [IPPrefix] = []
        /// No more IKE SAs than these, whatever a peer sends.
        package var mostPeers = 1_000_000
        /// The driver takes the packets of Child SAs, and asks whose they are.
        package var hasTunnels = false
        /// Operations of several peers are carried out together, when the driver asks for it.
        package var gathersOperations = false

        package init(seed: UInt64, spiKey: UInt64, cookieSecret: [UInt8]) {
            self.seed = seed
            self.spiKey = spiKey
            self.cookieSecret = cookieSecret
        }
    }

    struct Peer: ~Copyable {
        var endpoint: Endpoint
        var lease = AddressPools.Lease()
        let source: IPAddress
        /// The key by which a repeated IKE_SA_INIT request finds its half-open IKE SA.
        let initialKey: UInt64
        /// The SPIs under which it is in the table.
        var spis: [IKESPI] = []
        var isHalfOpen = true
        /// The event in the queue that is for it; a later deadline goes back into the queue.
        var armed = Instant.never
        /// Its place among those of the same identity.
        var kin = Kin()
        /// Under which it is in the table of those by their addresses.
        var remoteKey: UInt64?
        /// What its Child SAs receive.
        var childSPIs: [ChildSPI] = []
        /// It waits for an operation that is carried out with those of others.
        var isWaiting = false
    }

    let settings: Settings
    let policy: PeerPolicy
    private let cookies: CookieIssuer
    var peers = SlotTable<Peer>()
    /// The newest peer of each identity, where INITIAL_CONTACT is obeyed.
    var newestByIdentity = SPITable()
    var bySPI = SPITable()
    var unknownSPIAnswers: AnswerLimit
    /// Where peers are, and what their Child SAs receive; empty where nobody asks.
    var peersByRemote = SPITable()
    var childSPIs = ChildSPIs()
    var byInitial = SPITable()
    private var halfOpenBySource = SPITable()
    private var pools: AddressPools
    private var queue = EventQueue()
    private var eventCount: UInt64 = 0
    private var nextOwner: UInt32 = 0
    package private(set) var halfOpenCount = 0
    package private(set) var establishedTotal: UInt64 = 0
    package private(set) var cookieDemands: UInt64 = 0
    package private(set) var refusals: UInt64 = 0
    /// How many peers INITIAL_CONTACT has made void.
    package internal(set) var replacedTotal: UInt64 = 0
    var gathered = GatheredTurns()
    /// What peers want the server behind the responder to be asked.
    private var backendRequests: [(owner: UInt64, request: BackendRequest)] = []

    package init(_ settings: Settings, policy: PeerPolicy) {
        self.settings = settings
        self.policy = policy
        cookies = CookieIssuer(secret: settings.cookieSecret)
        pools = AddressPools(settings.pool)
        unknownSPIAnswers = AnswerLimit(perSecond: policy.values.lifeCycle.unknownSPIAnswers)
    }

    /// How many peers have an IKE SA, half-open ones included.
    package var peerCount: Int { peers.count }

    /// When `advance` has something to do next, or `.never`.
    package var deadline: Instant { queue.nextTime }

    /// Takes an IKE message, its non-ESP marker removed.
    package mutating func receive(_ message: RawSpan, over path: Path, _ turn: inout Turn) {
        var reader = ByteReader(message)
        guard let header = try? Header.decode(from: &reader) else { return }
        if header.responderSPI == .zero, header.exchange == .ikeSAInit, !header.isResponse {
            receiveInitial(message, header, over: path, &turn)
            return
        }
        let own = header.isFromInitiator ? header.responderSPI : header.initiatorSPI
        guard own != .zero, let packed = bySPI[own.rawValue] else {
            if unknownSPIAnswers.perSecond > 0, unknownSPIAnswers.admits(at: turn.now) {
                _ = IKESA.refuseUnknown(message, over: path, &turn)
            }
            return
        }
        handle(SlotID(packed: packed), message, over: path, &turn)
    }

    /// Does what is due at `turn.now` for one peer; call it until the deadline is later than that.
    package mutating func advance(_ turn: inout Turn) {
        guard let event = queue.popNext(before: turn.now + .nanoseconds(1)) else { return }
        let id = SlotID(packed: event.first)
        guard peers.contains(id), peers[id].armed == event.time else { return }
        peers[id].armed = .never
        if peers[id].endpoint.deadline(under: policy) <= turn.now {
            peers[id].endpoint.advance(under: policy, &turn)
        }
        settle(id, &turn)
    }

    /// What the server behind the responder is to be asked since the last call, and for whom.
    package mutating func takeBackendRequests() -> [(owner: UInt64, request: BackendRequest)] {
        defer { backendRequests.removeAll(keepingCapacity: true) }
        return backendRequests
    }

    /// Takes what that server says; a peer that has gone does not hear it.
    package mutating func take(_ answer: consuming BackendAnswer, for owner: UInt64, _ turn: inout Turn) {
        let id = SlotID(packed: owner)
        guard peers.contains(id) else { return }
        peers[id].endpoint.take(answer, under: policy, &turn)
        settle(id, &turn)
    }

    package func hasPeer(_ owner: UInt64) -> Bool { peers.contains(SlotID(packed: owner)) }

    /// Deletes every IKE SA.
    package mutating func deleteAll(_ turn: inout Turn) {
        for index in 0..<peers.indexLimit {
            guard let id = peers.id(at: index) else { continue }
            peers[id].endpoint.command(.delete, under: policy, &turn)
            settle(id, &turn)
        }
    }
}

// IKE_SA_INIT: what costs nothing is looked at before any state is made (RFC 7296 section 2.6).
extension ResponderFleet {
    private mutating func receiveInitial(_ message: RawSpan, _ header: Header, over path: Path, _ turn: inout Turn) {
        let key = Self.initialKey(header.initiatorSPI, path.remote)
        if let packed = byInitial[key] {
            handle(SlotID(packed: packed), message, over: path, &turn)
            return
        }
        let limits = settings.halfOpen
        let ofSource = Int(halfOpenBySource[Self.sourceKey(path.remote.address)] ?? 0)
        if ofSource >= limits.refuseAbovePerSource ?? .max || halfOpenCount >= limits.refuseAbove ?? .max
            || peers.count >= settings.mostPeers
        {
            refusals += 1
            return
        }
        let wantsCookie =
            halfOpenCount >= limits.cookiesAbove ?? .max || ofSource >= limits.cookiesAbovePerSource ?? .max
        if wantsCookie, !cookies.hasGenuineCookie(message, over: path, &turn) {
            if cookies.demand(for: message, over: path, &turn) { cookieDemands += 1 }
            return
        }
        nextOwner &+= 1
        let origin = Origin(
            number: 0,
            entity: StableName.hash(of: settings.spiKey, UInt64(nextOwner)),
            seed: settings.seed,
            spis: SPISource(key: settings.spiKey, owner: nextOwner)
        )
        guard let sa = IKESA.respond(to: message, over: path, origin, under: policy, &turn) else { return }
        let peer = Peer(endpoint: Endpoint(responding: sa), source: path.remote.address, initialKey: key)
        let id = peers.insert(peer)
        _ = byInitial.insert(id.packed, for: key)
        halfOpenCount += 1
        changeHalfOpen(of: path.remote.address, by: 1)
        settle(id, &turn)
    }

    private mutating func handle(_ id: SlotID, _ message: RawSpan, over path: Path, _ turn: inout Turn) {
        guard peers.contains(id) else { return }
        // What IKE_AUTH asks for is known once it is decrypted: both families are held ready.
        turn.lease = pools.extend(&peers[id].lease, to: peers[id].isHalfOpen ? [.ipv4, .ipv6] : [])
        peers[id].endpoint.receive(message, over: path, under: policy, &turn)
        settle(id, &turn)
    }

    /// Carries out operations, and keeps the tables in step with what the peer's IKE SAs have become.
    mutating func settle(_ id: SlotID, _ turn: inout Turn) {
        if settings.gathersOperations, turn.output.keyExchange != nil {
            peers[id].isWaiting = true
            return gathered.add(id.packed, due: turn.now, &turn)
        }
        while let request = turn.output.keyExchange.take() {
            let result = turn.cryptography.perform(request)
            peers[id].endpoint.complete(result, under: policy, &turn)
        }
        if let request = turn.output.backend.take() { backendRequests.append((id.packed, request)) }
        var hasNewSPI = false
        while let report = turn.output.takeUnabsorbed() {
            switch report {
            case .keysDerived: hasNewSPI = true
            case .established:
                establishedTotal += 1
                leaveHalfOpen(id)
            case .peerIdentified(let identity, let isInitialContact):
                add(id, identity, replacingOthers: isInitialContact)
            default: break
            }
        }
        if hasNewSPI { addSPIs(of: id) }
        if peers[id].endpoint.isClosed {
            remove(id)
        } else {
            noteESP(id, turn)
            arm(id, turn.now)
        }
    }

    private mutating func addSPIs(of id: SlotID) {
        var own: [IKESPI] = []
        peers[id].endpoint.forEachSA { own.append($0.localSPI) }
        for spi in own where spi != .zero && !peers[id].spis.contains(spi) {
            if bySPI.insert(id.packed, for: spi.rawValue) { peers[id].spis.append(spi) }
        }
    }

    private mutating func leaveHalfOpen(_ id: SlotID) {
        guard peers[id].isHalfOpen else { return }
        peers[id].isHalfOpen = false
        halfOpenCount -= 1
        changeHalfOpen(of: peers[id].source, by: -1)
    }

    mutating func remove(_ id: SlotID) {
        leaveHalfOpen(id)
        leaveKin(id)
        forgetESP(id)
        pools.release(peers[id].lease)
        for spi in peers[id].spis { _ = bySPI.remove(spi.rawValue) }
        _ = byInitial.remove(peers[id].initialKey)
        _ = peers.remove(id)
    }

    private mutating func arm(_ id: SlotID, _ now: Instant) {
        let deadline = peers[id].endpoint.deadline(under: policy)
        guard deadline < peers[id].armed else { return }
        let due = max(deadline, now, queue.lastTime)
        peers[id].armed = due
        eventCount += 1
        let order = EventOrder(time: due, class: 0, source: 0, count: eventCount)
        queue.push(Event(order: order, target: 0, kind: 0, first: id.packed))
    }

    private mutating func changeHalfOpen(of source: IPAddress, by change: Int) {
        let key = Self.sourceKey(source)
        let count = Int(halfOpenBySource[key] ?? 0) + change
        if count > 0 {
            halfOpenBySource.update(UInt64(count), for: key)
        } else {
            _ = halfOpenBySource.remove(key)
        }
    }

    static func initialKey(_ spi: IKESPI, _ remote: UDPEndpoint) -> UInt64 {
        StableName.hash(of: spi.rawValue, remote.address.high ^ remote.address.low, UInt64(remote.port)) | 1
    }

    private static func sourceKey(_ address: IPAddress) -> UInt64 {
        StableName.hash(of: address.high, address.low) | 1
    }
}

import ESP
import Gateway
import IKECrypto
import IKEWire
import IKEv2
package import Primitives
import UDPTransport
package import Workload

/// Where and how `ikestorm gateway` answers.
package struct GatewayServiceOptions: Sendable {
    /// The addresses to answer on; 0.0.0.0 for every one of IPv4, :: for every one of IPv6.
    package var addresses: [IPAddress]
    package var port: UInt16 = 500
    /// Where messages come with a non-ESP marker.
    package var encapsulatedPort: UInt16 = 4500
    /// Answers go to loopback and to these alone.
    package var allowed: [IPPrefix] = []
    /// What computes public-key operations: one at a time, or those of several peers together.
    package var library = PublicKeyLibrary.openSSL

    package init(addresses: [IPAddress]) {
        self.addresses = addresses
    }

    /// Where clients are told that they may go (RFC 4555 section 3.4): to what is served by name, and to those of the
    /// gateway's own addresses that a word for every one of their family stands for.
    fileprivate func told(_ own: [IPAddress]) -> [IPAddress] {
        let general = [true, false].map { IPAddress.everywhere(isIPv4: $0) }
        let named = addresses.filter { !general.contains($0) }
        let meant = own.filter { !named.contains($0) && addresses.contains(.everywhere(isIPv4: $0.isIPv4)) }
        return Array((named + meant).prefix(MobilityPolicy.mostAddresses))
    }
}

/// Our responder on UDP, in real time: a gateway to try ikestorm against without installing one.
///
/// One thread serves it; several share a port by running several.
package struct GatewayService: ~Copyable {
    private var fleet: ResponderFleet
    private var turn: Turn
    private var served: ServedPorts
    private let clock = MonotonicClock()
    private var loop: EventLoop
    private var radius: RADIUSCarrier?
    private var failures = GatewayFailures()
    private var echo: EchoHost
    /// A packet that is being opened, and its answer.
    private var packetBuffer: [UInt8] = []
    private var unknownSPICount: UInt64 = 0
    private let wantsStop: @Sendable () -> Bool

    /// - Parameters:
    ///   - seed: 32 octets from the operating system, from which every key comes.
    ///   - wantsStop: asked at least every 100 ms.
    /// - Throws: `LiveError` when a port cannot be bound, `CryptoError` when libcrypto lacks an algorithm.
    package init(
        _ workload: Workload,
        gateway index: Int,
        options: GatewayServiceOptions,
        seed: [UInt8],
        wantsStop: @escaping @Sendable () -> Bool
    ) throws {
        let gateway = workload.gateways[index]
        let words = seed.prefix(16).map { UInt64($0) }
        let first = words.prefix(8).reduce(0) { $0 << 8 | $1 }
        let second = words.suffix(8).reduce(0) { $0 << 8 | $1 }
        var settings = ResponderFleet.Settings(seed: first, spiKey: second, cookieSecret: seed)
        settings.hasTunnels = true
        let library = options.library.chosen
        settings.gathersOperations = library == .cryptoMB
        let limits = gateway.policy.halfOpen
        settings.halfOpen.cookiesAbove = limits.cookiesAbove
        settings.halfOpen.cookiesAbovePerSource = limits.cookiesAbovePerSource
        settings.halfOpen.refuseAbovePerSource = limits.refuseAbovePerSource
        settings.halfOpen.refuseAbove = limits.refuseAbove
        settings.pool = gateway.policy.pool
        let allowance = Allowance(Allowance.served + options.allowed)
        var timed = workload
        timed.run.epoch = Int64(clock.epoch / 1_000_000_000)
        var values = PeerPolicy(timed, gateway: index, AuthenticationMaterial(prepared: timed), servesLive: true)
            .values
        // Who may not be answered there is not followed there either (RFC 4555 section 3.5).
        values.mobility?.allowedPeers = Allowance.served + options.allowed
        values.mobility?.additionalAddresses = options.told(gateway.realAddresses)
        let policy = PeerPolicy(values)
        // Whatever can fail comes first: a value of this kind is never half made.
        let cryptography = try Cryptography(backend: .openSSL, batchLibrary: library, seed: seed.rawSpan)
        let served = try ServedPorts(options, allowance)
        var loop = try EventLoop()
        let radius = try Self.radius(gateway, allowance, second, watchedBy: &loop, from: served.count)
        try served.watch(by: &loop)
        fleet = ResponderFleet(settings, policy: policy)
        turn = Turn(cryptography: cryptography)
        echo = EchoHost(
            policy.values.childLifetime,
            seed: first,
            windowSize: gateway.policy.replayWindow.size,
            clock: clock
        )
        self.served = served
        self.loop = loop
        self.radius = radius
        self.wantsStop = wantsStop
    }

    /// Where the policy names RADIUS servers, they decide about EAP.
    private static func radius(
        _ gateway: Workload.Gateway,
        _ allowance: Allowance,
        _ number: UInt64,
        watchedBy loop: inout EventLoop,
        from token: Int
    ) throws -> RADIUSCarrier? {
        guard let radius = gateway.policy.radius, !radius.servers.isEmpty else { return nil }
        let stream = KeyMaterialStream(entity: StableName.hash(of: "radius", number))
        let carrier = try RADIUSCarrier(radius, identity: gateway.identity, allowance: allowance, stream: stream)
        try carrier.watch(by: &loop, from: token)
        return carrier
    }

    /// The ports that were bound, where 0 was asked for.
    package var ports: (plain: UInt16, encapsulated: UInt16) { served.numbers }

    /// Serves until it is to stop; `report` is called about once a second.
    package mutating func serve(report: (GatewayServiceStatus) -> Void = { _ in }) throws {
        var batch = try ReceiveBatch.gathering()
        var nextReport = clock.now + .seconds(1)
        while !wantsStop() {
            let soon = clock.now + .milliseconds(100)
            _ = try loop.wait(until: min(fleet.deadline, radiusDeadline, echo.due, soon, nextReport), clock: clock)
            for port in 0..<served.count { try receive(by: port, into: &batch) }
            try serveRADIUS()
            turn.now = clock.now
            while fleet.deadline <= turn.now {
                fleet.advance(&turn)
                queueOutput()
            }
            carryOut()
            Self.sendDue(by: &echo, fleet, turn, &served)
            flush()
            if turn.now >= nextReport {
                nextReport = turn.now + .seconds(1)
                echo.prune(at: turn.now) { fleet.hasPeer($0) }
                report(status)
            }
        }
    }

    /// Deletes every IKE SA, without waiting for the answers.
    package mutating func deleteAll() {
        turn.now = clock.now
        carryOut()
        fleet.deleteAll(&turn)
        queueOutput()
        carryOut()
        flush()
    }

    package var status: GatewayServiceStatus {
        GatewayServiceStatus(
            peers: fleet.peerCount,
            halfOpen: fleet.halfOpenCount,
            established: fleet.establishedTotal,
            cookieDemands: fleet.cookieDemands,
            replaced: fleet.replacedTotal,
            radiusFailovers: radiusFailovers,
            failures: failures,
            received: served.counters.received,
            sent: served.counters.sent,
            packets: packetCounts
        )
    }

    private var packetCounts: GatewayServiceStatus.Packets {
        GatewayServiceStatus.Packets(
            echoed: echo.answeredCount,
            sunk: echo.sunkCount,
            ordered: echo.orderedCount,
            dropped: PacketDrop.allCases.compactMap { reason in
                let count = echo.drops[reason] + (reason == .unknownSPI ? unknownSPICount : 0)
                return count > 0 ? (reason.word, count) : nil
            }
        )
    }

    private mutating func receive(by port: Int, into batch: inout ReceiveBatch) throws {
        while true {
            let count = try served.receive(port, into: &batch, clock: clock)
            for index in 0..<count { take(index, of: batch, by: port) }
            carryOut()
            flush()
            guard count >= Self.batchCapacity else { return }
        }
    }

    private static var batchCapacity: Int { 64 }

    private mutating func take(_ index: Int, of batch: borrowing ReceiveBatch, by port: Int) {
        let datagram = batch[index]
        guard !datagram.isTruncated else { return }
        let isEncapsulated = served.isEncapsulated(port)
        let path = Path(
            local: UDPEndpoint(address: datagram.destination, port: served.number(port)),
            remote: datagram.source,
            isEncapsulated: isEncapsulated
        )
        turn.now = clock.now
        let octets = batch.bytes(at: index)
        switch isEncapsulated ? EncapsulatedKind(octets) : nil {
        case nil: receive(octets, over: path)
        case .ike: receive(octets.extracting(droppingFirst: EncapsulatedKind.markerByteCount), over: path)
        case .esp(let spi):
            packetBuffer.removeAll(keepingCapacity: true)
            unsafe octets.withUnsafeBytes { unsafe packetBuffer.append(contentsOf: $0) }
            takePacket(spi, over: path)
        case .keepalive, .neither: break
        }
        queueOutput()
    }

    private mutating func receive(_ message: RawSpan, over path: Path) {
        if fleet.isWaiting(for: message, over: path) {
            let now = turn.now
            carryOut()
            turn.now = now
        }
        fleet.receive(message, over: path, &turn)
    }

    /// Has peers go on that wait for operations; called where all that had come has been looked at.
    private mutating func carryOut() {
        Self.carryOut(&fleet, &turn, &failures, &served)
    }

    /// Takes the ESP packet in the buffer; what is behind the responder answers it.
    private mutating func takePacket(_ spi: ChildSPI, over path: Path) {
        guard let owner = fleet.owner(of: spi) else {
            unknownSPICount += 1
            return fleet.receiveESP(spi, over: path, &turn)
        }
        guard Self.take(&packetBuffer, spi, owner, by: &echo, fleet, turn, path, &served) else { return }
        fleet.follow(owner, to: path, &turn)
        while let spent = echo.takeSpent(of: owner) { fleet.endVolume(of: spent, of: owner, &turn) }
    }

    // Both lend parts of the service apart, since what sends is called while the host behind it works.

    private static func take(
        _ octets: inout [UInt8],
        _ spi: ChildSPI,
        _ owner: UInt64,
        by echo: inout EchoHost,
        _ fleet: borrowing ResponderFleet,
        _ turn: borrowing Turn,
        _ path: Path,
        _ served: inout ServedPorts
    ) -> Bool {
        echo.take(&octets, from: spi, of: owner, fleet, turn) { served.send($0, path) }
    }

    /// Sends what the host behind the responder was ordered to.
    private static func sendDue(
        by echo: inout EchoHost,
        _ fleet: borrowing ResponderFleet,
        _ turn: borrowing Turn,
        _ served: inout ServedPorts
    ) {
        echo.sendDue(fleet, turn) { owner, octets in
            if let path = fleet.path(of: owner) { served.send(octets, path) }
        }
    }

    private var radiusDeadline: Instant {
        switch radius {
        case .some(let carrier): carrier.deadline
        case .none: .never
        }
    }

    private var radiusFailovers: Int {
        switch radius {
        case .some(let carrier): carrier.failovers
        case .none: 0
        }
    }

    /// Takes what RADIUS servers say, and what is due towards them.
    private mutating func serveRADIUS() throws {
        guard var carrier = radius.take() else { return }
        while let answer = try carrier.next(clock: clock, &turn) {
            let owner = answer.owner
            fleet.take(answer.takeAnswer(), for: owner, &turn)
            queueOutput()
        }
        turn.now = clock.now
        for owner in carrier.advance(turn) { fleet.take(.silence, for: owner, &turn) }
        for (owner, request) in fleet.takeBackendRequests() where !carrier.ask(request, for: owner, turn) {
            fleet.take(.silence, for: owner, &turn)
        }
        carrier.prune { fleet.hasPeer($0) }
        radius = consume carrier
        queueOutput()
        flush()
    }

    /// Moves what the fleet wants to send into the sockets' batches.
    private mutating func queueOutput() { Self.queueOutput(&turn, &failures, &served) }

    private static func queueOutput(
        _ turn: inout Turn,
        _ failures: inout GatewayFailures,
        _ served: inout ServedPorts
    ) {
        for report in turn.output.reports { failures.note(report) }
        for datagram in turn.output.datagrams {
            served.send(turn.output.octets[datagram.range], datagram.path)
        }
        turn.output.removeAll()
    }

    private static func carryOut(
        _ fleet: inout ResponderFleet,
        _ turn: inout Turn,
        _ failures: inout GatewayFailures,
        _ served: inout ServedPorts
    ) {
        fleet.carryOut(&turn) { queueOutput(&$0, &failures, &served) }
    }

    private mutating func flush() { served.flush() }
}

import IKECrypto
import Primitives

/// A request that waits for its answer.
struct PendingRequest: Sendable {
    let owner: UInt64
    let request: AccessRequest
    let sentAt: Instant
    /// Names the request for as long as it lives.
    let ticket: UInt64
    var server = 0
    var lane = 0
    var identifier: UInt8 = 0
    var authenticator: [UInt8] = []
    var octets: [UInt8] = []
    /// How often the server has been sent it before.
    var sendings = 0
    /// Names the sending that is waited for.
    var serial: UInt64 = 0
    /// The servers that were asked, a bit for each.
    var askedServers: UInt64 = 0

    init(owner: UInt64, request: AccessRequest, sentAt: Instant, ticket: UInt64) {
        self.owner = owner
        self.request = request
        self.sentAt = sentAt
        self.ticket = ticket
    }
}

extension RADIUSClient {
    /// The first server that answers as far as is known; the first of all others when none does.
    func preferredServer(besides asked: UInt64, at now: Instant) -> Int? {
        let others = settings.servers.indices.filter { asked & 1 << UInt64($0) == 0 }
        return others.first { deadUntil[$0] <= now } ?? others.first
    }

    /// Gives a request an identifier and its octets for one server.
    mutating func place(
        _ pending: inout PendingRequest,
        on server: Int,
        slot: Int,
        _ cryptography: borrowing Cryptography
    ) -> RADIUSRefusal? {
        guard let lane = freeLane(to: server), let identifier = lanes[lane].take(for: slot) else { return .busy }
        let authenticator = cryptography.octets(count: 16, from: &stream)
        guard
            let octets = pending.request.encoded(
                identifier: identifier,
                authenticator: authenticator,
                secret: settings.servers[server].secret,
                nas: settings.nas,
                cryptography
            )
        else {
            lanes[lane].free(identifier)
            return .tooLong
        }
        pending.server = server
        pending.lane = lane
        pending.identifier = identifier
        pending.authenticator = authenticator
        pending.octets = octets
        pending.sendings = 0
        pending.askedServers |= 1 << UInt64(server)
        return nil
    }

    /// Sends what a slot holds, and sets its timer.
    mutating func emit(_ slot: Int, at now: Instant, into output: inout RADIUSOutput) {
        serial += 1
        slots[slot]?.serial = serial
        guard let pending = slots[slot] else { return }
        output.datagrams.append(
            RADIUSOutput.Datagram(
                server: settings.servers[pending.server].endpoint,
                sourcePort: settings.sourcePorts[pending.lane % settings.sourcePorts.count],
                octets: pending.octets
            )
        )
        queues[pending.sendings].append(
            DeadlineQueue.Entry(deadline: now + settings.waits[pending.sendings], slot: slot, serial: serial)
        )
        prune()
    }

    /// Ends a request.
    mutating func release(_ slot: Int) {
        guard let pending = slots[slot] else { return }
        lanes[pending.lane].free(pending.identifier)
        slots[slot] = nil
        freeSlots.append(slot)
        prune()
    }

    /// The next entry of a queue that is due, removed from it.
    mutating func due(_ queue: Int, at now: Instant) -> DeadlineQueue.Entry? {
        prune()
        guard let entry = queues[queue].first, entry.deadline <= now else { return nil }
        queues[queue].removeFirst()
        return entry
    }

    /// Forgets the entries at the queues' heads whose sending is not waited for any more.
    mutating func prune() {
        for queue in queues.indices {
            while let entry = queues[queue].first, !isAwaited(entry, isLast: queue == settings.waits.count) {
                queues[queue].removeFirst()
            }
        }
    }

    private func isAwaited(_ entry: DeadlineQueue.Entry, isLast: Bool) -> Bool {
        guard let pending = slots[entry.slot] else { return false }
        return entry.serial == (isLast ? pending.ticket : pending.serial)
    }

    /// The lane between a server and a port, when both are known.
    func lane(from server: UDPEndpoint, on port: UInt16) -> Int? {
        guard let place = settings.sourcePorts.firstIndex(of: port),
            let server = settings.servers.firstIndex(where: { $0.endpoint == server })
        else { return nil }
        return server * settings.sourcePorts.count + place
    }

    /// A lane to a server with a free identifier; the ports take turns.
    private mutating func freeLane(to server: Int) -> Int? {
        let count = settings.sourcePorts.count
        for _ in 0..<count {
            let lane = server * count + nextPort
            nextPort = (nextPort + 1) % count
            if lanes[lane].usedCount < 256 { return lane }
        }
        return nil
    }
}

extension RADIUSAnswer.Verdict {
    init?(_ code: RADIUSCode) {
        switch code {
        case .accessAccept: self = .accept
        case .accessReject: self = .reject
        case .accessChallenge: self = .challenge
        default: return nil
        }
    }
}

extension RADIUSAnswer {
    init(
        _ packet: borrowing RADIUSPacket,
        _ verdict: Verdict,
        to pending: PendingRequest,
        secret: [UInt8],
        at now: Instant,
        _ cryptography: borrowing Cryptography
    ) throws(DecodeError) {
        var timeout: Duration?
        if let value = packet.first(.sessionTimeout) {
            var reader = ByteReader(value)
            timeout = .seconds(Int64(try reader.readInteger(as: UInt32.self)))
        }
        let msk =
            verdict == .accept
            ? try packet.msk(requestAuthenticator: pending.authenticator, secret: secret, cryptography)
            : SecretBytes()
        self.init(
            owner: pending.owner,
            verdict: verdict,
            eapMessage: packet.eapMessage,
            state: packet.first(.state)?.copied(),
            server: pending.server,
            msk: msk,
            sessionTimeout: timeout,
            latency: now - pending.sentAt
        )
    }
}

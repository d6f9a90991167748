package import IKECrypto
package import Primitives

/// The client of RFC 2865 for requests that carry EAP.
///
/// Datagrams and the moment go in, datagrams and answers come out. A request is sent again by the schedule; when a
/// server stays silent the next one is asked, unless the silent one alone knows the conversation. An answer counts when
/// it comes from the server that was asked and proves that it knows the secret.
package struct RADIUSClient: ~Copyable {
    let settings: RADIUSClientSettings
    var stream: KeyMaterialStream
    /// For each server, for each port.
    var lanes: [Lane]
    var slots: [PendingRequest?] = []
    var freeSlots: [Int] = []
    /// For each sending of a request, and one for when it is given up.
    var queues: [DeadlineQueue]
    var deadUntil: [Instant]
    var serial: UInt64 = 0
    var nextPort = 0
    package private(set) var counters = RADIUSCounters()

    package init(_ settings: RADIUSClientSettings, stream: KeyMaterialStream) {
        self.settings = settings
        self.stream = stream
        lanes = Array(repeating: Lane(), count: settings.servers.count * settings.sourcePorts.count)
        queues = Array(repeating: DeadlineQueue(), count: settings.waits.count + 1)
        deadUntil = Array(repeating: .zero, count: settings.servers.count)
    }

    /// How many requests wait for their answers.
    package var inFlightCount: Int { slots.count - freeSlots.count }

    /// When `advance` has something to do next, or `.never`.
    package var deadline: Instant { queues.compactMap { $0.first?.deadline }.min() ?? .never }

    /// Sends a request on behalf of `owner`, or says why not.
    package mutating func send(
        _ request: AccessRequest,
        owner: UInt64,
        at now: Instant,
        cryptography: borrowing Cryptography,
        into output: inout RADIUSOutput
    ) -> RADIUSRefusal? {
        serial += 1
        var pending = PendingRequest(owner: owner, request: request, sentAt: now, ticket: serial)
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        let server = request.server ?? preferredServer(besides: 0, at: now)
        if let refusal = place(&pending, on: server ?? 0, slot: slot, cryptography) {
            freeSlots.append(slot)
            counters.refusals += 1
            return refusal
        }
        counters.requests += 1
        slots[slot] = pending
        queues[settings.waits.count].append(
            DeadlineQueue.Entry(deadline: now + settings.giveUpAfter, slot: slot, serial: pending.ticket)
        )
        emit(slot, at: now, into: &output)
        return nil
    }

    /// Takes a datagram that came from `server` to one of the client's ports.
    package mutating func receive(
        _ datagram: RawSpan,
        from server: UDPEndpoint,
        on port: UInt16,
        at now: Instant,
        cryptography: borrowing Cryptography
    ) -> RADIUSReceipt {
        let packet: RADIUSPacket
        do throws(DecodeError) {
            packet = try RADIUSPacket(datagram)
        } catch {
            return drop(.malformed(error))
        }
        guard let lane = lane(from: server, on: port) else { return drop(.unknownServer) }
        let slot = lanes[lane].slots[Int(packet.identifier)]
        guard slot >= 0, let pending = slots[slot] else { return drop(.notAwaited) }
        let secret = settings.servers[pending.server].secret
        // What answers EAP carries a Message-Authenticator (RFC 3579 section 3.1).
        guard packet.isAnswer(to: pending.authenticator, secret: secret, cryptography),
            packet.hasMessageAuthenticator(
                requestAuthenticator: pending.authenticator,
                secret: secret,
                cryptography
            )
        else { return drop(.forged) }
        guard let verdict = RADIUSAnswer.Verdict(packet.code) else { return drop(.unexpectedCode) }
        do throws(DecodeError) {
            let answer = try RADIUSAnswer(packet, verdict, to: pending, secret: secret, at: now, cryptography)
            deadUntil[pending.server] = .zero
            release(slot)
            count(verdict)
            return .answer(answer)
        } catch {
            return drop(.malformed(error))
        }
    }

    /// Does what is due at `now`; before the deadline that is nothing.
    package mutating func advance(
        to now: Instant,
        cryptography: borrowing Cryptography,
        into output: inout RADIUSOutput
    ) {
        let giveUp = settings.waits.count
        while let entry = due(giveUp, at: now) { fail(entry.slot, into: &output) }
        for sending in 0..<giveUp {
            while let entry = due(sending, at: now) {
                if sending + 1 < giveUp {
                    counters.retransmissions += 1
                    slots[entry.slot]?.sendings += 1
                    emit(entry.slot, at: now, into: &output)
                } else {
                    failOver(entry.slot, at: now, cryptography, into: &output)
                }
            }
        }
    }

    /// Asks the next server, or gives up.
    private mutating func failOver(
        _ slot: Int,
        at now: Instant,
        _ cryptography: borrowing Cryptography,
        into output: inout RADIUSOutput
    ) {
        guard var pending = slots[slot] else { return }
        deadUntil[pending.server] = now + settings.deadTime
        guard pending.request.server == nil,
            let next = preferredServer(besides: pending.askedServers, at: now)
        else { return fail(slot, into: &output) }
        lanes[pending.lane].free(pending.identifier)
        if place(&pending, on: next, slot: slot, cryptography) != nil {
            // Its old identifier is free already; what is left is the slot.
            slots[slot] = nil
            freeSlots.append(slot)
            counters.timeouts += 1
            output.failures.append((pending.owner, .timeout))
            return prune()
        }
        counters.failovers += 1
        slots[slot] = pending
        emit(slot, at: now, into: &output)
    }

    private mutating func fail(_ slot: Int, into output: inout RADIUSOutput) {
        guard let pending = slots[slot] else { return }
        counters.timeouts += 1
        output.failures.append((pending.owner, .timeout))
        release(slot)
    }

    private mutating func drop(_ reason: RADIUSDropReason) -> RADIUSReceipt {
        switch reason {
        case .malformed: counters.malformed += 1
        case .forged: counters.forged += 1
        case .unknownServer, .notAwaited, .unexpectedCode: counters.stray += 1
        }
        return .dropped(reason)
    }

    private mutating func count(_ verdict: RADIUSAnswer.Verdict) {
        switch verdict {
        case .accept: counters.accepts += 1
        case .reject: counters.rejects += 1
        case .challenge: counters.challenges += 1
        }
    }
}

package import IKECrypto
package import IKEWire
import Primitives

/// What every state of an IKE SA has once its keys exist: protection, message IDs, and the way to the peer.
package struct Channel: ~Copyable {
    package let spis: IKESPIPair
    /// Whether this end is the IKE SA's original initiator: it decides the flag and which keys are its own.
    package let isInitiator: Bool
    package let suite: IKESuite
    package private(set) var keys: IKEKeys
    package internal(set) var path: Path
    package internal(set) var nat: NATStatus
    /// This end's part in MOBIKE.
    package internal(set) var mobilityRole = MobilityRole.none
    /// The largest packet that carries a fragment; 0 unless both ends have said that they take them (RFC 7383 section
    /// 2.3).
    let fragmentPacketByteCount: UInt16
    /// The explicit IV of a combined cipher is a counter, so that no nonce comes twice (RFC 5282 section 3.1).
    private(set) var ivCounter: UInt64 = 0
    package internal(set) var nextRequest: MessageID
    package internal(set) var expectedRequest: MessageID
    package internal(set) var outstanding: OutstandingRequest?
    /// The last answer, or all its fragments back to back.
    private(set) var lastResponse: [UInt8] = []
    private(set) var lastResponseNote = PacketNote(.informational, isResponse: true)
    /// The fragments of the next request.
    var partialRequest: Box<Reassembly>?
    /// The fragments of the answer to the outstanding request.
    var partialResponse: Box<Reassembly>?
    /// What MOBIKE has to remember.
    var mobility: Box<Mobility>?
    /// When the peer last proved that it is there.
    var heardAt: Instant
    var sentAt: Instant

    init(
        spis: IKESPIPair,
        isInitiator: Bool,
        fragmentPacketByteCount: UInt16,
        suite: IKESuite,
        keys: consuming IKEKeys,
        path: Path,
        nat: NATStatus,
        firstRequest: MessageID,
        firstExpected: MessageID,
        at now: Instant
    ) {
        self.spis = spis
        self.isInitiator = isInitiator
        self.suite = suite
        self.keys = keys
        self.path = path
        self.nat = nat
        self.fragmentPacketByteCount = fragmentPacketByteCount
        nextRequest = firstRequest
        expectedRequest = firstExpected
        heardAt = now
        sentAt = now
    }

    /// Goes on under other keys, whose place the old ones take: those that an additional key exchange has made
    /// (RFC 9370 section 2.2.2), or those before it, under which the peer may repeat its request.
    mutating func exchangeKeys(with other: inout IKEKeys) { swap(&keys, &other) }

    /// The IKE SA is established: nobody authenticates by its keys any more.
    mutating func forgetAuthentication() { keys.forgetAuthentication() }

    /// Goes on where it was before a rest.
    mutating func resume(ivCounter: UInt64, lastResponse: [UInt8], _ note: PacketNote) {
        self.ivCounter = ivCounter
        self.lastResponse = lastResponse
        lastResponseNote = note
    }

    /// The SPI that this end chose.
    package var localSPI: IKESPI { isInitiator ? spis.initiator : spis.responder }

    /// Whether so few message IDs are left that the IKE SA has to end: they never wrap (RFC 7296 section 2.2).
    var isNearlyUsedUp: Bool { max(nextRequest, expectedRequest).rawValue >= UInt32.max - Self.reservedIDs }

    /// Message IDs that are kept for closing the IKE SA.
    private static var reservedIDs: UInt32 { 16 }
}

// Sending.
extension Channel {
    /// Sends a request and keeps it until it is answered; its message ID is used for nothing else.
    mutating func request(
        _ exchange: ExchangeType,
        _ note: PacketNote,
        origin: inout Origin,
        policy: PeerPolicy,
        _ turn: inout Turn,
        _ payloads: (inout MessageEncoder) -> Void
    ) {
        precondition(outstanding == nil, "a window of 1 has one request outstanding")
        let id = nextRequest
        nextRequest = id.next
        protect(exchange, id, isResponse: false, origin: &origin, &turn, payloads)
        outstanding = OutstandingRequest(
            message: turn.writer.span.copied(),
            note: note,
            sentAt: turn.now,
            schedule: policy.values.retransmission
        )
        transmit(note, over: path, &turn)
    }

    /// Answers the request that was expected, and remembers the answer for a repetition of it.
    mutating func respond(
        _ exchange: ExchangeType,
        _ note: PacketNote,
        origin: inout Origin,
        _ turn: inout Turn,
        _ payloads: (inout MessageEncoder) -> Void
    ) {
        let id = expectedRequest
        expectedRequest = id.next
        protect(exchange, id, isResponse: true, origin: &origin, &turn, payloads)
        lastResponse = turn.writer.span.copied()
        lastResponseNote = note
        lastResponseNote.isRetransmission = true
        transmit(note, over: answerPath, &turn)
    }

    /// Makes an earlier answer the last one again, since its request comes again.
    mutating func recall(_ answer: IKESA.Answer) {
        lastResponse = answer.octets
        lastResponseNote = answer.note
        expectedRequest = answer.id.next
    }

    /// Builds a message in the turn's writer: HDR, SK {payloads}, or HDR, SKF {...} as often as its length asks for.
    private mutating func protect(
        _ exchange: ExchangeType,
        _ id: MessageID,
        isResponse: Bool,
        origin: inout Origin,
        _ turn: inout Turn,
        _ payloads: (inout MessageEncoder) -> Void
    ) {
        var flags: Header.Flags = isInitiator ? .initiator : []
        if isResponse { flags.insert(.response) }
        let header = Header(
            initiatorSPI: spis.initiator,
            responderSPI: spis.responder,
            exchange: exchange,
            flags: flags,
            messageID: id
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        encoder.beginEncrypted(ivByteCount: suite.cipher.ivByteCount)
        payloads(&encoder)
        let missing = encoder.extraPadding
        let region = encoder.endEncrypted(
            blockByteCount: suite.cipher.blockByteCount,
            icvByteCount: suite.icvByteCount
        )
        encoder.finish(into: &turn.writer)
        if takesFragments, turn.writer.count > fragmentByteCount {
            protectInFragments(header, region, missing: missing, origin: &origin, &turn)
        } else {
            seal(region, origin: &origin, &turn)
        }
    }

    /// Gives a message in the turn's writer its IV, encrypts it and adds its ICV.
    mutating func seal(_ region: EncryptedRegion, origin: inout Origin, _ turn: inout Turn) {
        writeIV(at: region.ivStart, origin: &origin, &turn)
        var writer = turn.takeWriter()
        writer.withMutableBytes { messages in
            var message = messages._mutatingExtracting(region.messageStart..<region.end)
            if isInitiator {
                turn.cryptography.seal(
                    &message,
                    bodyOffset: region.ivStart - region.messageStart,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: keys.ei,
                    integrityKey: keys.ai
                )
            } else {
                turn.cryptography.seal(
                    &message,
                    bodyOffset: region.ivStart - region.messageStart,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: keys.er,
                    integrityKey: keys.ar
                )
            }
        }
        turn.giveBack(writer)
    }

    private mutating func writeIV(at offset: Int, origin: inout Origin, _ turn: inout Turn) {
        if suite.cipher.isAEAD {
            turn.writer.patch(ivCounter, at: offset)
            ivCounter += 1
        } else {
            // CBC wants an IV that cannot be foretold (RFC 3602 section 3).
            turn.writer.withMutableBytes { message in
                var iv = message._mutatingExtracting(offset..<offset + suite.cipher.ivByteCount)
                turn.cryptography.fill(&iv, from: &origin.material)
            }
        }
    }

    private mutating func transmit(_ note: PacketNote, over path: Path, _ turn: inout Turn) {
        turn.sendMessage(over: path, note)
        sentAt = turn.now
    }

    /// Sends the outstanding request again when its time has come.
    ///
    /// - Returns: false when it was sent as often as the schedule says, and has failed.
    mutating func retransmitIfDue(policy: PeerPolicy, _ turn: inout Turn) -> Bool {
        guard var request = outstanding, request.deadline <= turn.now else { return true }
        guard request.retransmit(at: turn.now, schedule: policy.values.retransmission) else { return false }
        var note = request.note
        note.isRetransmission = true
        turn.output.sendAll(request.message.rawSpan, over: path, note)
        turn.output.report(.retransmitted(note.operation))
        sentAt = turn.now
        outstanding = request
        return true
    }

    mutating func sendKeepalive(_ turn: inout Turn) {
        turn.output.sendKeepalive(over: path)
        sentAt = turn.now
    }
}

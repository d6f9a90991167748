package import IKECrypto
package import IKEWire
import Primitives

/// What every state of an IKE SA has once its keys exist: protection, message IDs, and the way to the peer.
package struct Channel: ~Copyable {
    package let spis: IKESPIPair
    /// Whether this end is the IKE SA's original initiator: it decides the flag and which keys are its own.
    package let isInitiator: Bool
    package let suite: IKESuite
    package let keys: IKEKeys
    package internal(set) var path: Path
    package internal(set) var nat: NATStatus
    /// The explicit IV of a combined cipher is a counter, so that no nonce comes twice (RFC 5282 section 3.1).
    private var ivCounter: UInt64 = 0
    package internal(set) var nextRequest: MessageID
    package internal(set) var expectedRequest: MessageID
    package private(set) var outstanding: OutstandingRequest?
    private var lastResponse: [UInt8] = []
    private var lastResponseNote = PacketNote(.informational, isResponse: true)
    /// When the peer last proved that it is there.
    private(set) var heardAt: Instant
    private(set) var sentAt: Instant

    init(
        spis: IKESPIPair,
        isInitiator: Bool,
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
        nextRequest = firstRequest
        expectedRequest = firstExpected
        heardAt = now
        sentAt = now
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
        transmit(note, &turn)
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
        transmit(note, &turn)
    }

    /// Builds a message in the turn's writer: HDR, SK {payloads}.
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
        let region = encoder.endEncrypted(
            blockByteCount: suite.cipher.blockByteCount,
            icvByteCount: suite.icvByteCount
        )
        encoder.finish(into: &turn.writer)
        writeIV(at: region.ivStart, origin: &origin, &turn)
        var writer = turn.takeWriter()
        writer.withMutableBytes { message in
            if isInitiator {
                turn.cryptography.seal(
                    &message,
                    bodyOffset: region.ivStart,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: keys.ei,
                    integrityKey: keys.ai
                )
            } else {
                turn.cryptography.seal(
                    &message,
                    bodyOffset: region.ivStart,
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

    private mutating func transmit(_ note: PacketNote, _ turn: inout Turn) {
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
        turn.output.send(request.message.rawSpan, over: path, note)
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

// Receiving.
extension Channel {
    /// What a datagram is to this IKE SA.
    enum Arrival: ~Copyable {
        /// The next request, decrypted.
        case request(ExchangeType, Contents)
        /// The answer to the outstanding request, decrypted.
        case response(ExchangeType, Contents)
        /// A request that is genuine but cannot be understood (RFC 7296 section 2.21).
        case unreadableRequest(ExchangeType, NotifyType, data: [UInt8])
        case unreadableResponse
        /// Answered from memory, or not for this IKE SA.
        case nothing
    }

    /// Takes a datagram apart: checks its SPIs, message ID and ICV, answers a repeated request from memory, and
    /// follows the peer to a new address (RFC 7296 sections 2.1, 2.3 and 2.23).
    mutating func receive(_ datagram: RawSpan, over arrival: Path, _ turn: inout Turn) -> Arrival {
        guard let message = try? MessageDecoder(datagram), isAddressed(message.header) else {
            turn.output.report(.dropped)
            return .nothing
        }
        let header = message.header
        guard isExpected(header) || isRepeated(header) else {
            turn.output.report(.dropped)
            return .nothing
        }
        var buffer = turn.takeScratch()
        unsafe datagram.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        guard let opened = open(message.payloads, &buffer, &turn) else {
            turn.giveBack(buffer)
            turn.output.report(.dropped)
            return .nothing
        }
        guard isExpected(header) else {
            turn.giveBack(buffer)
            answerAgain(over: arrival, &turn)
            return .nothing
        }
        heardAt = turn.now
        follow(arrival, &turn)
        if header.isResponse { outstanding = nil }
        return read(header, opened, buffer)
    }

    private func isAddressed(_ header: Header) -> Bool {
        header.initiatorSPI == spis.initiator && header.responderSPI == spis.responder
            && header.isFromInitiator != isInitiator
    }

    /// Whether a message is the next request, or the answer to the outstanding one.
    private func isExpected(_ header: Header) -> Bool {
        // The last message ID stays unused, so that there is always a next one.
        guard header.messageID.rawValue != .max else { return false }
        guard header.isResponse else { return header.messageID == expectedRequest }
        guard let outstanding else { return false }
        return header.messageID.next == nextRequest && outstanding.isRequest(for: header)
    }

    /// Whether a message is the request that was answered last.
    private func isRepeated(_ header: Header) -> Bool {
        guard !header.isResponse, header.messageID.rawValue != .max, !lastResponse.isEmpty else { return false }
        return header.messageID.next == expectedRequest
    }

    /// Sends the last answer to wherever the request came from this time (RFC 7296 section 2.11).
    ///
    /// The peer is not followed there: a repeated request may be an attacker's replay (RFC 7296 section 2.23).
    private mutating func answerAgain(over arrival: Path, _ turn: inout Turn) {
        turn.output.send(lastResponse.rawSpan, over: arrival, lastResponseNote)
        turn.output.report(.answeredAgain)
        sentAt = turn.now
    }

    /// Where the payloads stand once they are decrypted.
    private struct Opened {
        let first: PayloadType
        let start: Int
        let end: Int
        /// The padding does not fit, though the ICV is right.
        let isMalformed: Bool
    }

    /// Decrypts in place; nil when the datagram is not the peer's.
    private func open(
        _ payloads: consuming PayloadSequence,
        _ buffer: inout [UInt8],
        _ turn: inout Turn
    ) -> Opened? {
        while let payload = try? payloads.next() {
            guard payload.type == .encrypted else { continue }
            let first = payload.nextType
            let ivStart = payload.bodyOffset
            guard ivStart + payload.body.byteCount == buffer.count else { return nil }
            let start = ivStart + suite.cipher.ivByteCount
            let icvStart = buffer.count - suite.icvByteCount
            guard start < icvStart else { return nil }
            guard isOpened(&buffer, bodyOffset: ivStart, &turn) else { return nil }
            let padding = Int(buffer[icvStart - 1])
            let end = icvStart - 1 - padding
            return Opened(first: first, start: start, end: max(start, end), isMalformed: end < start)
        }
        return nil
    }

    private func isOpened(_ buffer: inout [UInt8], bodyOffset: Int, _ turn: inout Turn) -> Bool {
        var octets = buffer.mutableSpan
        var message = unsafe octets.mutableBytes
        do throws(CryptoError) {
            if isInitiator {
                _ = try turn.cryptography.open(
                    &message,
                    bodyOffset: bodyOffset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: keys.er,
                    integrityKey: keys.ar
                )
            } else {
                _ = try turn.cryptography.open(
                    &message,
                    bodyOffset: bodyOffset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: keys.ei,
                    integrityKey: keys.ai
                )
            }
            return true
        } catch {
            return false
        }
    }

    private func read(_ header: Header, _ opened: Opened, _ buffer: consuming [UInt8]) -> Arrival {
        do throws(ContentsError) {
            if opened.isMalformed { throw .malformed(.malformed(.payloadLengthTooSmall)) }
            let contents = try Contents(buffer, first: opened.first, from: opened.start, to: opened.end)
            return header.isResponse ? .response(header.exchange, contents) : .request(header.exchange, contents)
        } catch {
            if header.isResponse { return .unreadableResponse }
            switch error {
            case .malformed: return .unreadableRequest(header.exchange, .invalidSyntax, data: [])
            case .unsupportedCritical(let type):
                return .unreadableRequest(header.exchange, .unsupportedCriticalPayload, data: [type.rawValue])
            }
        }
    }

    /// Sends to where the peer's last genuine message came from, unless this end is the one behind a NAT
    /// (RFC 7296 section 2.23).
    private mutating func follow(_ arrival: Path, _ turn: inout Turn) {
        guard arrival != path else { return }
        guard nat.isPeerBehindNAT || !nat.isLocalBehindNAT else { return }
        let hasMoved = arrival.remote != path.remote
        path = arrival
        if hasMoved { turn.output.report(.peerMoved(arrival.remote)) }
    }
}

extension OutstandingRequest {
    /// Whether a response is of the exchange that the request began.
    fileprivate func isRequest(for header: Header) -> Bool {
        message.count > Header.byteCount && message[18] == header.exchange.rawValue
    }
}

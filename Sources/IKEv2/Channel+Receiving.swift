import IKECrypto
import IKEWire
import Primitives

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

    /// Takes a datagram apart: checks its SPIs, message ID and ICV, answers a repeated request from memory, joins
    /// fragments, and follows the peer to a new address (RFC 7296 sections 2.1, 2.3 and 2.23).
    mutating func receive(_ datagram: RawSpan, over arrival: Path, _ turn: inout Turn) -> Arrival {
        guard let message = try? MessageDecoder(datagram), isAddressed(message.header),
            let envelope = Envelope(message.payloads, endingAt: datagram.byteCount),
            isOfUse(envelope, message.header)
        else {
            turn.output.report(.dropped)
            return .nothing
        }
        let header = message.header
        var buffer = turn.takeScratch()
        unsafe datagram.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        guard let opened = open(envelope, &buffer, &turn) else {
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
        guard let place = envelope.fragment, !opened.isMalformed else {
            return take(header, opened, buffer, over: arrival, &turn)
        }
        let part = Array(buffer[opened.start..<opened.end])
        turn.giveBack(buffer)
        return take(place, header, opened.first, part, over: arrival, &turn)
    }

    /// Takes a message that is whole.
    private mutating func take(
        _ header: Header,
        _ opened: Opened,
        _ buffer: consuming [UInt8],
        over arrival: Path,
        _ turn: inout Turn
    ) -> Arrival {
        follow(arrival, &turn)
        if header.isResponse {
            outstanding = nil
            partialResponse = nil
        } else {
            partialRequest = nil
        }
        return read(header, opened, buffer)
    }

    /// Takes a fragment, and the message that it makes whole (RFC 7383 section 2.6).
    private mutating func take(
        _ place: FragmentPlace,
        _ header: Header,
        _ first: PayloadType,
        _ part: [UInt8],
        over arrival: Path,
        _ turn: inout Turn
    ) -> Arrival {
        var partial = takePartial(header) ?? Box(Reassembly(of: place.total, header.exchange))
        switch partial.value.add(place, first: first, part) {
        case .incomplete:
            if header.isResponse { partialResponse = consume partial } else { partialRequest = consume partial }
            return .nothing
        case .tooLong:
            turn.output.report(.dropped)
            return .nothing
        case .complete:
            let (first, payloads) = partial.take().joined()
            let opened = Opened(first: first, start: 0, end: payloads.count, isMalformed: false)
            return take(header, opened, payloads, over: arrival, &turn)
        }
    }

    private mutating func takePartial(_ header: Header) -> Box<Reassembly>? {
        header.isResponse ? partialResponse.take() : partialRequest.take()
    }

    /// The protected part of a datagram: an Encrypted payload, or a fragment of one.
    private struct Envelope {
        let first: PayloadType
        let ivStart: Int
        let fragment: FragmentPlace?

        /// Nil where there is none, or one that does not fill the datagram.
        init?(_ payloads: consuming PayloadSequence, endingAt end: Int) {
            while let payload = try? payloads.next() {
                guard payload.bodyOffset + payload.body.byteCount == end else { continue }
                if payload.type == .encrypted {
                    first = payload.nextType
                    ivStart = payload.bodyOffset
                    fragment = nil
                    return
                }
                guard payload.type == .encryptedFragment, let part = try? EncryptedFragment(payload) else { return nil }
                first = part.firstType
                ivStart = part.contentOffset
                fragment = FragmentPlace(number: Int(part.number), total: Int(part.total))
                return
            }
            return nil
        }
    }

    /// Whether a message is expected, or may be answered again, and is worth its decryption.
    ///
    /// Of a repeated request in fragments the first one alone is answered (RFC 7383 section 2.6.1).
    private func isOfUse(_ envelope: Envelope, _ header: Header) -> Bool {
        guard let place = envelope.fragment else { return isExpected(header) || isRepeated(header) }
        guard takesFragments, place.total <= FragmentPlace.mostFragments else { return false }
        guard isExpected(header) else { return isRepeated(header) && place.number == 1 }
        return header.isResponse
            ? Self.wants(place, header.exchange, beside: partialResponse)
            : Self.wants(place, header.exchange, beside: partialRequest)
    }

    private static func wants(
        _ place: FragmentPlace,
        _ exchange: ExchangeType,
        beside partial: borrowing Box<Reassembly>?
    ) -> Bool {
        switch partial {
        case .some(let partial): partial.value.wants(place, exchange)
        case .none: true
        }
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
        return outstanding.id == header.messageID && outstanding.isRequest(for: header)
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
        turn.output.sendAll(lastResponse.rawSpan, over: arrival, lastResponseNote)
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
    private func open(_ envelope: Envelope, _ buffer: inout [UInt8], _ turn: inout Turn) -> Opened? {
        let start = envelope.ivStart + suite.cipher.ivByteCount
        let icvStart = buffer.count - suite.icvByteCount
        guard start < icvStart, isOpened(&buffer, bodyOffset: envelope.ivStart, &turn) else { return nil }
        let padding = Int(buffer[icvStart - 1])
        let end = icvStart - 1 - padding
        return Opened(first: envelope.first, start: start, end: max(start, end), isMalformed: end < start)
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
    mutating func follow(_ arrival: Path, _ turn: inout Turn) {
        guard mobilityRole == .none else { return noteArrival(arrival) }
        guard arrival != path else { return }
        guard nat.isPeerBehindNAT || !nat.isLocalBehindNAT else { return }
        let hasMoved = arrival.remote != path.remote
        path = arrival
        if hasMoved { turn.output.report(.peerMoved(arrival.remote)) }
    }
}

extension OutstandingRequest {
    /// The message ID, where the header has it (RFC 7296 section 3.1).
    var id: MessageID {
        MessageID(rawValue: message[20..<24].reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// Whether a response is of the exchange that the request began.
    fileprivate func isRequest(for header: Header) -> Bool {
        message.count > Header.byteCount && message[18] == header.exchange.rawValue
    }
}

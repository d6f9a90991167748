import IKEWire
package import Primitives

/// How many messages of unknown IKE SAs are answered in a second, so that nobody is made to send much
/// (RFC 7296 section 2.21.4).
package struct AnswerLimit: Hashable, Sendable, BitwiseCopyable {
    package var perSecond: UInt32
    private var second: UInt32 = .max
    private var count: UInt32 = 0

    package init(perSecond: UInt32) { self.perSecond = perSecond }

    /// Whether one more answer may be sent, which counts as sent.
    package mutating func admits(at now: Instant) -> Bool {
        let current = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
        if current != second {
            second = current
            count = 0
        }
        guard count < perSecond else { return false }
        count += 1
        return true
    }
}

// Messages of IKE SAs that this end does not have (RFC 7296 sections 1.5 and 2.21.4).
extension IKESA {
    /// HDR, N(INVALID_IKE_SPI) with the SPIs and the message ID of a request; a response is never answered.
    ///
    /// - Returns: false for what is no request of an IKE SA.
    package static func refuseUnknown(_ datagram: RawSpan, over path: Path, _ turn: inout Turn) -> Bool {
        var reader = ByteReader(datagram)
        guard let request = try? Header.decode(from: &reader), !request.isResponse, request.majorVersion == 2,
            request.exchange != .ikeSAInit, request.initiatorSPI != .zero, request.responderSPI != .zero
        else { return false }
        let header = Header(
            initiatorSPI: request.initiatorSPI,
            responderSPI: request.responderSPI,
            exchange: request.exchange,
            flags: request.isFromInitiator ? .response : [.initiator, .response],
            messageID: request.messageID
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        encoder.notify(.invalidIKESPI)
        encoder.finish(into: &turn.writer)
        turn.sendMessage(over: path, PacketNote(.refusal, isResponse: true))
        return true
    }
}

extension Channel {
    /// Whether somebody, maybe the peer, says without protection that there is no such IKE SA: a hint, no more
    /// (RFC 7296 section 2.21.4).
    func isSaidToBeUnknown(_ datagram: RawSpan) -> Bool {
        // A protected message begins with an Encrypted payload.
        guard datagram.byteCount > Header.byteCount, datagram[16] == PayloadType.notify.rawValue,
            var message = try? MessageDecoder(datagram), message.header.isResponse,
            message.header.initiatorSPI == spis.initiator, message.header.responderSPI == spis.responder,
            let payload = try? message.payloads.next(), payload.type == .notify
        else { return false }
        return (try? Notify(payload.body))?.type == .invalidIKESPI
    }
}

extension IKESA.Established {
    /// Asks whether the peer is there, unless it has shown that it is a short while ago or is being asked.
    consuming func takeHint(_ report: Report, policy: PeerPolicy, _ turn: inout Turn) -> IKESA {
        turn.output.report(report)
        if channel.outstanding == nil, outgoing == .idle, channel.heardAt + Self.hintInterval <= turn.now {
            enqueue(.checkLiveness, notBefore: turn.now)
        }
        return startNext(policy: policy, &turn)
    }

    /// How often hints are followed at most.
    private static var hintInterval: Duration { .seconds(10) }
}

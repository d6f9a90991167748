package import IKECrypto
package import IKEWire
package import Primitives

/// Makes and checks the cookies of a responder under load, without a memory of whom it gave one (RFC 7296 section 2.6).
///
/// A cookie is the number of a period of time, and a hash over it, the initiator's SPI, address and nonce, and the
/// responder's secret; it is good in its own period and in the next one.
package struct CookieIssuer: Sendable {
    private let secret: [UInt8]
    private let period: Duration

    package init(secret: [UInt8], period: Duration = .seconds(60)) {
        precondition(period > .zero, "a cookie's period is longer than nothing")
        self.secret = secret
        self.period = period
    }

    package func cookie(
        nonce: RawSpan,
        spi: IKESPI,
        address: IPAddress,
        at now: Instant,
        _ cryptography: borrowing Cryptography
    ) -> [UInt8] {
        cookie(nonce: nonce, spi: spi, address: address, period: currentPeriod(now), cryptography)
    }

    package func isGenuine(
        _ cookie: [UInt8],
        nonce: RawSpan,
        spi: IKESPI,
        address: IPAddress,
        at now: Instant,
        _ cryptography: borrowing Cryptography
    ) -> Bool {
        let current = currentPeriod(now)
        for period in [current, current &- 1] {
            let expected = self.cookie(nonce: nonce, spi: spi, address: address, period: period, cryptography)
            if constantTimeEquals(expected.rawSpan, cookie.rawSpan) { return true }
        }
        return false
    }

    private func currentPeriod(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / UInt64(period.nanoseconds))
    }

    private func cookie(
        nonce: RawSpan,
        spi: IKESPI,
        address: IPAddress,
        period: UInt32,
        _ cryptography: borrowing Cryptography
    ) -> [UInt8] {
        var input = ByteWriter(capacity: nonce.byteCount + 28)
        input.writeInteger(period)
        input.writeInteger(spi.rawValue)
        input.writeInteger(address.high)
        input.writeInteger(address.low)
        input.write(nonce)
        let tag = cryptography.sha256(input.span, secret.rawSpan)
        var cookie = ByteWriter(capacity: Self.byteCount)
        cookie.writeInteger(period)
        cookie.write(Array(tag.octets.prefix(Self.byteCount - 4)))
        return cookie.bytes
    }

    private static var byteCount: Int { 24 }
}

extension CookieIssuer {
    /// Answers an IKE_SA_INIT request with HDR(A,0), N(COOKIE), and keeps nothing.
    ///
    /// - Returns: false when the request is not one that can be answered.
    package func demand(for request: RawSpan, over path: Path, _ turn: inout Turn) -> Bool {
        guard let facts = try? InitialRequest(request) else { return false }
        let cookie = cookie(
            nonce: facts.nonce.rawSpan,
            spi: facts.spi,
            address: path.remote.address,
            at: turn.now,
            turn.cryptography
        )
        let header = Header(
            initiatorSPI: facts.spi,
            responderSPI: .zero,
            exchange: .ikeSAInit,
            flags: .response,
            messageID: .zero
        )
        turn.writer.removeAll()
        var encoder = MessageEncoder(header, into: &turn.writer)
        encoder.notify(.cookie, cookie)
        encoder.finish(into: &turn.writer)
        turn.sendMessage(over: path, PacketNote(.cookieDemand, isResponse: true))
        return true
    }

    /// Whether an IKE_SA_INIT request brings a cookie that was given out for it.
    package func hasGenuineCookie(_ request: RawSpan, over path: Path, _ turn: inout Turn) -> Bool {
        guard let facts = try? InitialRequest(request), let cookie = facts.cookie else { return false }
        return isGenuine(
            cookie,
            nonce: facts.nonce.rawSpan,
            spi: facts.spi,
            address: path.remote.address,
            at: turn.now,
            turn.cryptography
        )
    }
}

/// What a responder looks at before it keeps any state for an initiator.
package struct InitialRequest: Sendable {
    package let spi: IKESPI
    package let nonce: [UInt8]
    package let cookie: [UInt8]?

    /// - Throws: `DecodeError` when the datagram is not an IKE_SA_INIT request with a nonce.
    package init(_ datagram: RawSpan) throws(DecodeError) {
        var message = try MessageDecoder(datagram)
        guard message.header.exchange == .ikeSAInit, !message.header.isResponse, message.header.isFromInitiator else {
            throw .malformed(.unsupportedFormat)
        }
        var nonce: [UInt8]?
        var cookie: [UInt8]?
        while let payload = try message.payloads.next() {
            switch payload.type {
            case .nonce: nonce = try Nonce(payload.body).data.copied()
            case .notify:
                let notify = try Notify(payload.body)
                if notify.type == .cookie { cookie = notify.data.copied() }
            default: break
            }
        }
        guard let nonce else { throw .malformed(.nonceLength) }
        spi = message.header.initiatorSPI
        self.nonce = nonce
        self.cookie = cookie
    }
}

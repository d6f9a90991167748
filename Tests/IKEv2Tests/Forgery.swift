import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// Payloads in the clear, type by type, to be changed and sent.
struct ForgedPayloads {
    var payloads: [(type: PayloadType, isCritical: Bool, body: [UInt8])] = []

    init() {}

    init(_ content: KeyRing.Content) {
        var sequence = PayloadSequence(first: content.first, bytes: content.octets.rawSpan.extracting(content.range))
        while let payload = try? sequence.next() {
            payloads.append((payload.type, payload.isCritical, payload.body.copied()))
        }
    }

    mutating func append(_ type: PayloadType, isCritical: Bool = false, _ body: [UInt8] = []) {
        payloads.append((type, isCritical, body))
    }

    mutating func appendNotify(_ type: NotifyType, _ data: [UInt8] = []) {
        append(.notify, [0, 0, UInt8(type.rawValue >> 8), UInt8(truncatingIfNeeded: type.rawValue)] + data)
    }

    mutating func replacing(_ type: PayloadType, _ change: (inout [UInt8]) -> Void) {
        for index in payloads.indices where payloads[index].type == type { change(&payloads[index].body) }
    }

    mutating func removing(_ type: PayloadType) {
        payloads.removeAll { $0.type == type }
    }
}

extension Network {
    /// The message with other payloads, protected by the keys that its sender has.
    func resealed(_ message: [UInt8], _ change: (inout ForgedPayloads) -> Void) -> [UInt8] {
        guard let content = ring.open(message, turn), let header = try? MessageDecoder(message.rawSpan).header else {
            preconditionFailure("only a message that the ring has keys for is changed")
        }
        var payloads = ForgedPayloads(content)
        change(&payloads)
        return sealed(header, payloads)
    }

    /// A message that a side could send as its next request, with any payloads.
    func forgedRequest(
        _ exchange: ExchangeType,
        from side: Side,
        _ change: (inout ForgedPayloads) -> Void
    ) -> [UInt8] {
        var payloads = ForgedPayloads()
        change(&payloads)
        return sealed(nextRequest(exchange, from: side), payloads)
    }

    /// The header of the next request that a side's peer waits for.
    func nextRequest(_ exchange: ExchangeType, from side: Side) -> Header {
        let facts = withCurrent(of: side.other) { sa in
            sa.withChannel { (spis: $0.spis, id: $0.expectedRequest, isInitiator: $0.isInitiator) }
        }
        guard let facts = facts ?? nil else { preconditionFailure("only an IKE SA with keys is sent requests") }
        return Header(
            initiatorSPI: facts.spis.initiator,
            responderSPI: facts.spis.responder,
            exchange: exchange,
            flags: facts.isInitiator ? [] : .initiator,
            messageID: facts.id
        )
    }

    /// Lends a side's IKE SA in use.
    func withCurrent<Result>(of side: Side, _ body: (borrowing IKESA) -> Result) -> Result? {
        switch side {
        case .initiator: return body(initiator.current)
        case .responder:
            switch responder {
            case .some(let endpoint): return body(endpoint.current)
            case .none: return nil
            }
        }
    }

    func sealed(_ header: Header, _ payloads: ForgedPayloads) -> [UInt8] {
        sealed(header) { encoder in
            for payload in payloads.payloads {
                encoder.payload(payload.type, isCritical: payload.isCritical, payload.body.rawSpan)
            }
        }
    }

    /// A message under the keys of the end that the header names, whose explicit IV is one that no end ever reaches.
    func sealed(_ header: Header, _ payloads: (inout MessageEncoder) -> Void) -> [UInt8] {
        guard let entry = ring.entry(for: header) else { preconditionFailure("the ring has the keys") }
        var writer = ByteWriter()
        var encoder = MessageEncoder(header, into: &writer)
        encoder.beginEncrypted(ivByteCount: entry.suite.cipher.ivByteCount)
        payloads(&encoder)
        let region = encoder.endEncrypted(
            blockByteCount: entry.suite.cipher.blockByteCount,
            icvByteCount: entry.suite.icvByteCount
        )
        encoder.finish(into: &writer)
        for offset in region.iv { writer.patch(0xA5 as UInt8, at: offset) }
        seal(&writer, at: region.ivStart, entry, asInitiator: header.isFromInitiator)
        return writer.bytes
    }

    func seal(_ writer: inout ByteWriter, at offset: Int, _ entry: KeyRing.Entry, asInitiator: Bool) {
        let suite = entry.suite
        writer.withMutableBytes { octets in
            if asInitiator {
                turn.cryptography.seal(
                    &octets,
                    bodyOffset: offset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: entry.ei,
                    integrityKey: entry.ai
                )
            } else {
                turn.cryptography.seal(
                    &octets,
                    bodyOffset: offset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: entry.er,
                    integrityKey: entry.ar
                )
            }
        }
    }
}

extension Network {
    /// Sets both ends' message IDs as if they had had many exchanges.
    func skipMessageIDs(to id: UInt32) {
        initiator.skipMessageIDs(to: MessageID(rawValue: id))
        responder?.skipMessageIDs(to: MessageID(rawValue: id))
    }
}

import Capture
import IKEWire
import Primitives

/// Packets as a capture has them, one after the other.
struct Wire {
    private(set) var frames: [CapturedFrame] = []
    /// Milliseconds since the first one.
    var now: UInt64 = 0
    var client = "192.0.2.1:500"
    var gateway = "192.0.2.10:500"
    /// Whether a non-ESP marker stands in front of each message.
    var isEncapsulated = false

    /// A message of IKE_SA_INIT.
    mutating func initial(spi: UInt64 = 1, response: Bool = false, _ payloads: [Payload], cutTo byteCount: Int? = nil) {
        send(.ikeSAInit, 0, spi: spi, response: response, payloads, cutTo: byteCount)
    }

    /// A message of the initiator, or of the responder, of an IKE SA.
    mutating func send(
        _ exchange: ExchangeType,
        _ number: UInt32,
        spi: UInt64 = 1,
        response: Bool = false,
        _ payloads: [Payload],
        cutTo byteCount: Int? = nil
    ) {
        let isFirst = exchange == .ikeSAInit && !response
        let header = Header(
            initiatorSPI: IKESPI(rawValue: spi),
            responderSPI: isFirst ? .zero : IKESPI(rawValue: 0xFF00 + spi),
            exchange: exchange,
            flags: response ? .response : .initiator,
            messageID: MessageID(rawValue: number)
        )
        var writer = ByteWriter()
        if isEncapsulated { writer.appendZeros(4) }
        Message(header: header, payloads: payloads).encode(into: &writer)
        packet(writer.bytes, fromGateway: response, cutTo: byteCount)
    }

    /// A datagram as raw IP.
    mutating func packet(_ datagram: [UInt8], fromGateway: Bool, cutTo byteCount: Int? = nil) {
        let ends = (Self.endpoint(client), Self.endpoint(gateway))
        var writer = ByteWriter()
        UDPPacket(
            source: fromGateway ? ends.1 : ends.0,
            destination: fromGateway ? ends.0 : ends.1,
            datagram: datagram.rawSpan
        ).encode(into: &writer)
        raw(Array(writer.bytes.prefix(byteCount ?? .max)), originalByteCount: writer.count)
    }

    mutating func raw(_ packet: [UInt8], originalByteCount: Int? = nil) {
        frames.append(
            CapturedFrame(
                timestamp: 1_700_000_000_000_000_000 + now * 1_000_000,
                linkType: 101,
                bytes: packet,
                originalByteCount: originalByteCount ?? packet.count
            )
        )
    }

    private static func endpoint(_ text: String) -> UDPEndpoint {
        let parts = text.split(separator: ":")
        return UDPEndpoint(address: IPAddress(String(parts[0])) ?? .unspecified, port: UInt16(parts[1]) ?? 0)
    }
}

/// Payloads of the exchanges, with as little in them as there may be.
enum Part {
    static func sa(_ notation: String) -> Payload {
        let proposal = try? Proposal(notation: notation, protocolID: .ike)
        return Payload(.securityAssociation, .securityAssociation(proposal.map { [$0] } ?? []))
    }

    static let offer = sa("aes256gcm16-prfsha384-x25519-ecp256")
    static let choice = sa("aes256gcm16-prfsha384-x25519")
    static let nonce = Payload(.nonce, .nonce([UInt8](repeating: 1, count: 32)))

    static func ke(_ method: KeyExchangeID = .curve25519) -> Payload {
        Payload(.keyExchange, .keyExchange(method, [UInt8](repeating: 2, count: 32)))
    }

    static func notify(_ type: NotifyType, _ data: [UInt8] = []) -> Payload {
        Payload(.notify, .notify(type, protocolID: .none, spi: [], data: data))
    }

    /// Octets that nobody can read.
    static func encrypted(_ byteCount: Int) -> Payload {
        let octets = [UInt8](repeating: 3, count: byteCount)
        return Payload(.encrypted, .encrypted(firstType: .identificationInitiator, octets))
    }

    static func fragment(_ number: UInt16, of total: UInt16) -> Payload {
        let octets = [UInt8](repeating: UInt8(number), count: 400)
        return Payload(
            .encryptedFragment,
            .encryptedFragment(
                firstType: number == 1 ? .identificationInitiator : .none,
                number: number,
                total: total,
                octets
            )
        )
    }
}

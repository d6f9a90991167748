package import IKEWire
package import Primitives

/// One exchange as its client saw it.
package struct MatrixExchange: Hashable, Sendable {
    package var type: ExchangeType
    var messageID: MessageID
    var initiatorSPI: IKESPI
    var sent: Instant
    /// Requests of the same message ID, a retransmission or a retry with a cookie among them.
    package var requests = 1
    /// When the response was there, with all of its fragments.
    var answered: Instant?
    /// It went by the port of encapsulation, or in fragments.
    var isEncapsulated = false
    var isFragmented = false
    var fragmentsSeen: [UInt16] = []

    package var time: Duration? { answered.map { $0 - sent } }
}

/// What became of one cell's client: its exchanges, and what its machine reported.
struct MatrixTrace {
    private(set) var exchanges: [MatrixExchange] = []
    private(set) var events: [RunSinks.Event] = []
    /// The notifies of the gateway's IKE_SA_INIT responses, which are in the clear.
    private(set) var notifies: [NotifyType] = []
    /// The hashes that the gateway takes in signatures (RFC 7427 section 4), by their numbers.
    private(set) var signatureHashes: [UInt16] = []

    mutating func note(_ event: RunSinks.Event) { events.append(event) }

    /// Takes a datagram that the client sent or received.
    mutating func note(_ packet: RunSinks.Packet, isOutgoing: Bool, isEncapsulated: Bool) {
        let start = isEncapsulated && packet.octets.prefix(4).allSatisfy({ $0 == 0 }) ? 4 : 0
        let octets = packet.octets.rawSpan.extracting(start..<packet.octets.count)
        // What is no IKE message is a keepalive of the client, or nothing that an exchange could be timed by.
        do throws(DecodeError) {
            var message = try MessageDecoder(octets)
            if isOutgoing, !message.header.isResponse {
                noteRequest(message.header, at: packet.time, isEncapsulated)
            } else if !isOutgoing, message.header.isResponse {
                try noteResponse(&message, at: packet.time)
            }
        } catch { return }
    }

    private func index(of header: Header) -> Int? {
        exchanges.lastIndex {
            $0.messageID == header.messageID && $0.type == header.exchange && $0.initiatorSPI == header.initiatorSPI
        }
    }

    private mutating func noteRequest(_ header: Header, at time: Instant, _ isEncapsulated: Bool) {
        let isFragment = header.nextPayload == .encryptedFragment
        guard let index = index(of: header) else {
            exchanges.append(
                MatrixExchange(
                    type: header.exchange,
                    messageID: header.messageID,
                    initiatorSPI: header.initiatorSPI,
                    sent: time,
                    isEncapsulated: isEncapsulated,
                    isFragmented: isFragment
                )
            )
            return
        }
        exchanges[index].requests += 1
    }

    @_lifetime(message: copy message)
    private mutating func noteResponse(_ message: inout MessageDecoder, at time: Instant) throws(DecodeError) {
        guard let index = index(of: message.header) else { return }
        while let payload = try message.payloads.next() {
            switch payload.type {
            case .encryptedFragment:
                var reader = ByteReader(payload.body)
                let number = try reader.readInteger(as: UInt16.self)
                let total = try reader.readInteger(as: UInt16.self)
                guard !exchanges[index].fragmentsSeen.contains(number) else { return }
                exchanges[index].fragmentsSeen.append(number)
                guard exchanges[index].fragmentsSeen.count == Int(total) else { return }
            case .notify where message.header.exchange == .ikeSAInit:
                let notify = try Notify(payload.body)
                notifies.append(notify.type)
                guard notify.type == .signatureHashAlgorithms else { continue }
                var reader = ByteReader(notify.data)
                while !reader.isAtEnd { signatureHashes.append(try reader.readInteger()) }
            default: break
            }
        }
        // IKE_SA_INIT may be asked again with a cookie or another key exchange: its last response counts.
        guard exchanges[index].answered == nil || message.header.exchange == .ikeSAInit else { return }
        exchanges[index].answered = time
    }
}

extension MatrixTrace {
    /// From the first request to the last answer, or as long as the client stayed if one has none.
    func span(_ stay: Duration) -> ClosedRange<Instant>? {
        guard let first = exchanges.first?.sent else { return nil }
        let leaving = max(first, .zero + stay)
        return first...exchanges.reduce(first) { max($0, $1.answered ?? leaving) }
    }

    func events(_ name: String) -> [RunSinks.Event] { events.filter { $0.name == name } }

    func has(_ name: String) -> Bool { events.contains { $0.name == name } }

    /// Whether there is an event of this name that began at this end.
    func hasFromHere(_ name: String) -> Bool {
        events.contains { event in
            event.name == name && event.details.contains { $0.key == "from-here" && $0.value == "true" }
        }
    }

    /// Why, as the first event of this name says it.
    func reason(_ name: String) -> String? {
        events.first { $0.name == name }?.details.first { $0.key == "reason" }?.value
    }
}

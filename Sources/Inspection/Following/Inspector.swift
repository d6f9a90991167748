package import Capture
package import IKECrypto
import IKEWire
import Primitives

/// Follows the IKE negotiations of a capture, frame by frame, and says at the end what became of each.
///
/// Its memory is bounded whatever the capture holds: so many negotiations, so many messages of each.
package struct Inspector: ~Copyable {
    private let opener: MessageOpener
    private let keys: KeyTable
    private var assembler = DatagramAssembler()
    var table: NegotiationTable
    var tally = CaptureTally()
    /// Negotiations that made place for others, by what became of them.
    var dropped: [DroppedTally] = []

    /// - Parameter capacity: how many negotiations are followed at once.
    package init(keys: KeyTable = KeyTable(), capacity: Int = 2_048) throws(CryptoError) {
        opener = try MessageOpener()
        self.keys = keys
        table = NegotiationTable(capacity: capacity)
    }

    package mutating func take(_ frame: CapturedFrame) {
        tally.count(frame)
        switch assembler.take(frame) {
        case .datagram(let datagram): take(datagram)
        case .unreachable(let error): take(error)
        case .fragment: tally.fragments += 1
        case .other: tally.others += 1
        case .unknownLinkType: tally.unknownLink(frame.linkType)
        }
        for lost in assembler.takeLost() { take(lost) }
    }

    /// Gives up what is still incomplete.
    package mutating func finish() {
        assembler.finish()
        for lost in assembler.takeLost() { take(lost) }
    }
}

extension Inspector {
    private mutating func take(_ datagram: CapturedDatagram) {
        if datagram.isCut { tally.cut += 1 }
        switch Carrier(datagram) {
        case .ike(let offset): takeMessage(datagram, from: offset)
        case .esp(let spi): takeESP(spi, datagram)
        case .keepalive: tally.keepalives += 1
        case .other: tally.others += 1
        }
    }

    private mutating func takeESP(_ spi: ChildSPI, _ datagram: CapturedDatagram) {
        tally.esp += 1
        guard let index = table.index(of: spi) else { return }
        table[index].espCount += 1
        table[index].lastESPTime = datagram.timestamp
        // Which end it comes from, its destination says: the responder does not move.
        guard datagram.destination.address == table[index].responder.address else { return }
        let places = Negotiation.Places(initiator: datagram.source, responder: datagram.destination)
        table[index].move(to: places, sender: .initiator, at: datagram.timestamp)
    }

    private mutating func take(_ error: ICMPError) {
        tally.icmp += 1
        let index = table.all.lastIndex { negotiation in
            let ends = [negotiation.places.initiator, negotiation.places.responder]
            return ends.contains(error.source) && ends.contains(error.destination)
        }
        guard let index else { return }
        table[index].timeline.append(Timeline.Entry(timestamp: error.timestamp, event: .unreachable(error)))
        guard table[index].unreachable.count < Negotiation.mostOfAKind else { return }
        table[index].unreachable.append(error)
    }

    private mutating func take(_ lost: LostDatagram) {
        tally.lostDatagrams += 1
        let index = table.all.lastIndex { negotiation in
            let ends = [negotiation.places.initiator.address, negotiation.places.responder.address]
            return ends.contains(lost.source) && ends.contains(lost.destination)
        }
        guard let index else { return }
        table[index].timeline.append(Timeline.Entry(timestamp: lost.timestamp, event: .lostFragments(lost)))
        guard table[index].lostDatagrams.count < Negotiation.mostOfAKind else { return }
        table[index].lostDatagrams.append(lost)
    }
}

extension Inspector {
    private mutating func takeMessage(_ datagram: CapturedDatagram, from offset: Int) {
        let bytes = datagram.payload.rawSpan
        let message = bytes.extracting(offset..<bytes.byteCount)
        guard !datagram.isCut else { return }
        var reader = ByteReader(message)
        guard let header = try? Header.decode(from: &reader) else {
            tally.malformed += 1
            return
        }
        guard header.majorVersion == 2 else {
            if header.majorVersion == 1 { tally.ikev1 += 1 } else { tally.malformed += 1 }
            return
        }
        tally.messages += 1
        let sender: Role = header.isFromInitiator ? .initiator : .responder
        let places =
            sender == .initiator
            ? Negotiation.Places(initiator: datagram.source, responder: datagram.destination)
            : Negotiation.Places(initiator: datagram.destination, responder: datagram.source)
        let index = place(of: header, places, at: datagram.timestamp)
        table[index].move(to: places, sender: sender, at: datagram.timestamp)
        read(message, header, sender, datagram, of: index)
        table[index].lastTime = max(table[index].lastTime, datagram.timestamp)
        table.register(table[index].facts.childSPIs, of: index)
    }

    private mutating func place(of header: Header, _ places: Negotiation.Places, at time: UInt64) -> Int {
        let index: Int
        if let known = table.index(of: header) {
            index = known
        } else {
            if table.isFull { makeRoom() }
            index = table.add(header, places, at: time)
        }
        if table[index].responderSPI == .zero { table[index].responderSPI = header.responderSPI }
        if table[index].keys == nil, table[index].responderSPI != .zero {
            table[index].keys = keys.keys(
                initiatorSPI: table[index].initiatorSPI,
                responderSPI: table[index].responderSPI
            )
        }
        return index
    }

    /// Reads what is in the message as far as keys allow, and keeps what it says.
    private mutating func read(
        _ message: RawSpan,
        _ header: Header,
        _ sender: Role,
        _ datagram: CapturedDatagram,
        of index: Int
    ) {
        var received = ReceivedMessage(
            header: header,
            sender: sender,
            time: datagram.timestamp,
            byteCount: message.byteCount,
            packetByteCount: datagram.packetByteCount,
            packetCount: datagram.packetCount,
            digest: Self.digest(of: message)
        )
        guard let content = MessageContent(message) else {
            tally.malformed += 1
            let count = table[index].count(received)
            append(received, copy: count.copy, "", .malformed, to: index)
            return
        }
        received.fragment = content.fragment
        let (place, copy) = table[index].count(received)
        let opened = open(content, message, sender, place, received, of: index)
        let payloads = content.payloads + (opened.payloads ?? [])
        // What is sent again says nothing new.
        if copy == 1 || opened.payloads != nil { keep(payloads, received, place, of: index) }
        let isOpened = opened.reading == .decrypted
        if isOpened { change(place, received, of: index) { $0.isOpened = true } }
        let notation = (isOpened ? opened.payloads ?? [] : content.payloads).map(\.description)
        append(received, copy: copy, notation.joined(separator: ", "), opened.reading, to: index)
    }

    private mutating func open(
        _ content: borrowing MessageContent,
        _ message: RawSpan,
        _ sender: Role,
        _ place: Int,
        _ received: ReceivedMessage,
        of index: Int
    ) -> (payloads: [Payload]?, reading: Timeline.Reading) {
        guard let contentOffset = content.contentOffset else { return (nil, .clear) }
        guard let keys = table[index].keys else { return (nil, .encrypted) }
        guard let inside = opener.open(message, contentOffset: contentOffset, keys: keys, sender: sender) else {
            tally.unopened += 1
            return (nil, .unopened)
        }
        var (whole, first) = (inside, content.firstType)
        if let fragment = content.fragment {
            var joined: [UInt8]?
            change(place, received, of: index) { leg in
                joined = leg.fragments?.add(fragment.number, firstType: content.firstType, inside)
                first = leg.fragments?.firstType ?? .none
            }
            guard let joined else { return (nil, .decrypted) }
            whole = joined
        }
        guard let payloads = try? Payload.decodeAll(PayloadSequence(first: first, bytes: whole.rawSpan)) else {
            return (nil, .malformed)
        }
        return (payloads, .decrypted)
    }

    private mutating func keep(_ payloads: [Payload], _ received: ReceivedMessage, _ place: Int, of index: Int) {
        let isInside = payloads.contains { $0.type != .encrypted && $0.type != .encryptedFragment }
        if isInside { change(place, received, of: index) { $0.isRead = true } }
        table[index].facts.read(payloads, received.header, sender: received.sender)
        for payload in payloads {
            guard case .notify(let type, _, _, let data) = payload.content else { continue }
            if type.isError {
                change(place, received, of: index) { leg in
                    if leg.errors.count < Facts.mostOfAKind { leg.errors.append(type) }
                }
            }
            if received.header.exchange == .ikeSAInit { readNATDetection(type, data, received, of: index) }
        }
    }

    private mutating func change(
        _ place: Int,
        _ received: ReceivedMessage,
        of index: Int,
        _ body: (inout Exchange.Leg) -> Void
    ) {
        if received.header.isResponse {
            body(&table[index].exchanges[place].response)
        } else {
            body(&table[index].exchanges[place].request)
        }
    }

    /// A hash that does not fit the address of the capture was made on the other side of a NAT (RFC 7296 section 2.23).
    private mutating func readNATDetection(
        _ type: NotifyType,
        _ data: [UInt8],
        _ received: ReceivedMessage,
        of index: Int
    ) {
        let isSource = type == .natDetectionSourceIP
        guard isSource || type == .natDetectionDestinationIP else { return }
        let end: Role = isSource ? received.sender : received.sender.other
        let places = table[index].places
        let endpoint = end == .initiator ? places.initiator : places.responder
        var writer = ByteWriter()
        writer.writeInteger(received.header.initiatorSPI.rawValue)
        writer.writeInteger(received.header.responderSPI.rawValue)
        endpoint.address.write(into: &writer)
        writer.writeInteger(endpoint.port)
        guard opener.cryptography.sha1(writer.span).octets != data else { return }
        if end == .initiator {
            table[index].facts.isInitiatorTranslated = true
        } else {
            table[index].facts.isResponderTranslated = true
        }
    }

    private mutating func append(
        _ received: ReceivedMessage,
        copy: Int,
        _ content: String,
        _ reading: Timeline.Reading,
        to index: Int
    ) {
        let message = Timeline.Message(
            sender: received.sender,
            exchange: received.header.exchange,
            isResponse: received.header.isResponse,
            messageID: received.header.messageID,
            fragment: received.fragment,
            byteCount: received.byteCount,
            packetCount: received.packetCount,
            copy: copy,
            content: content,
            reading: reading
        )
        table[index].timeline.append(Timeline.Entry(timestamp: received.time, event: .message(message)))
    }

    /// FNV-1a: what tells one request from the next needs no secret.
    private static func digest(of message: RawSpan) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for place in 0..<message.byteCount { hash = (hash ^ UInt64(message[place])) &* 0x100_0000_01B3 }
        return hash
    }
}

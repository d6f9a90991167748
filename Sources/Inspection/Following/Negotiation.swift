import Capture
import IKEWire
import Primitives

/// One IKE SA as the capture shows it, from its first message to its last.
struct Negotiation: Sendable {
    /// Counts from 1, in the order of the first messages.
    let number: Int
    let initiatorSPI: IKESPI
    var responderSPI = IKESPI.zero
    /// Where the ends were when it began.
    let initiator: UDPEndpoint
    let responder: UDPEndpoint
    var beginning = Beginning.seen
    let firstTime: UInt64
    var lastTime: UInt64
    var exchanges: [Exchange] = []
    var facts = Facts()
    var keys: IKESAKeys?
    var timeline = Timeline()
    /// Where the ends are now, and since when.
    var places: Places
    var moves: [Move] = []
    var unreachable: [ICMPError] = []
    var lostDatagrams: [LostDatagram] = []
    var espCount = 0
    var lastESPTime: UInt64 = 0

    enum Beginning: Hashable, Sendable {
        case seen
        /// The capture begins in the middle of it.
        case missing
        /// It replaces another one.
        case rekeyed(of: Int)
    }

    struct Places: Hashable, Sendable {
        var initiator: UDPEndpoint
        var responder: UDPEndpoint
    }

    /// The initiator's packets begin to come from elsewhere.
    struct Move: Hashable, Sendable {
        var timestamp: UInt64
        var from: UDPEndpoint
        var to: UDPEndpoint
    }

    init(number: Int, _ header: Header, _ places: Places, at time: UInt64) {
        self.number = number
        initiatorSPI = header.initiatorSPI
        responderSPI = header.responderSPI
        initiator = places.initiator
        responder = places.responder
        self.places = places
        firstTime = time
        lastTime = time
        if header.exchange != .ikeSAInit { beginning = .missing }
    }

    /// The last exchange of a kind that the filter takes.
    func last(_ type: ExchangeType) -> Exchange? { exchanges.last { $0.type == type } }

    static let mostExchanges = 96
    static let mostOfAKind = 8
}

extension Negotiation {
    /// Counts a message, and gives back the place of its exchange and how often the message has been here.
    mutating func count(_ message: ReceivedMessage) -> (exchange: Int, copy: Int) {
        let index = place(of: message)
        let leg: WritableKeyPath<Exchange, Exchange.Leg> = message.header.isResponse ? \.response : \.request
        if !exchanges[index][keyPath: leg].isSeen { exchanges[index][keyPath: leg].firstTime = message.time }
        // A capture of several interfaces may step back in time.
        exchanges[index][keyPath: leg].lastTime = max(exchanges[index][keyPath: leg].lastTime, message.time)
        let isLonger = message.byteCount > exchanges[index][keyPath: leg].byteCount
        if isLonger {
            exchanges[index][keyPath: leg].byteCount = message.byteCount
            exchanges[index][keyPath: leg].packetByteCount = message.packetByteCount
        }
        guard let fragment = message.fragment else {
            exchanges[index][keyPath: leg].copies += 1
            return (index, exchanges[index][keyPath: leg].copies)
        }
        // A sender that makes its fragments smaller begins anew with a larger total (RFC 7383 section 2.5.2).
        if exchanges[index][keyPath: leg].fragments?.total ?? 0 < fragment.total {
            exchanges[index][keyPath: leg].fragments = FragmentTally(total: UInt16(clamping: fragment.total))
        }
        guard let tally = exchanges[index][keyPath: leg].fragments, fragment.number <= tally.total else {
            exchanges[index][keyPath: leg].copies += 1
            return (index, 1)
        }
        let copy = exchanges[index][keyPath: leg].fragments?.count(fragment.number) ?? 1
        exchanges[index][keyPath: leg].copies = max(exchanges[index][keyPath: leg].copies, copy)
        return (index, copy)
    }

    private mutating func place(of message: ReceivedMessage) -> Int {
        let header = message.header
        let requester = header.isResponse ? message.sender.other : message.sender
        let isFirst = header.exchange == .ikeSAInit && !header.isResponse
        let known = exchanges.lastIndex {
            $0.type == header.exchange && $0.messageID == header.messageID && $0.requester == requester
                && (!isFirst || $0.digest == message.digest)
        }
        if let known { return known }
        // The beginning says most about a failure, and the end the rest.
        if exchanges.count == Self.mostExchanges { exchanges.remove(at: Self.mostExchanges / 2) }
        var exchange = Exchange(type: header.exchange, messageID: header.messageID, requester: requester)
        if isFirst { exchange.digest = message.digest }
        exchanges.append(exchange)
        return exchanges.count - 1
    }

    /// Notes where a message came from and went to; what an end changes is news, the move to port 4500 is not.
    mutating func move(to new: Places, sender: Role, at time: UInt64) {
        defer {
            // What goes to an end says where the other believes it to be; where it is, its own packets say.
            if sender == .initiator { places = new } else { places.responder = new.responder }
        }
        let old = places
        guard sender == .initiator, old.initiator != new.initiator else { return }
        let isPortFloat = old.responder.port != new.responder.port && old.initiator.address == new.initiator.address
        guard !isPortFloat else { return }
        timeline.append(
            Timeline.Entry(timestamp: time, event: .moved(.initiator, from: old.initiator, to: new.initiator))
        )
        guard moves.count < Self.mostOfAKind else { return }
        moves.append(Move(timestamp: max(time, firstTime), from: old.initiator, to: new.initiator))
    }
}

/// An IKE message on its way through the capture.
struct ReceivedMessage {
    var header: Header
    var sender: Role
    var time: UInt64
    var byteCount: Int
    var packetByteCount: Int
    var packetCount: Int
    var fragment: Timeline.Fragment?
    var digest: UInt64
}

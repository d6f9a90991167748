import BasicContainers
import IKEWire
import Primitives

// Windows of more than one request, which few ends have (RFC 7296 section 2.3).
extension IKESA {
    /// What an end keeps of overlapping exchanges.
    ///
    /// A class, since it lives apart from its IKE SA anyway.
    final class Windows {
        /// How many of the peer's requests this end takes at once.
        let size: UInt32
        /// How many requests the peer takes at once, as far as it has said.
        var peerSize: UInt32 = 1
        /// The lowest of the peer's requests that is not answered, while a later one is.
        var lowest: MessageID?
        /// The answers to its last requests.
        var answers: [Answer] = []
        /// This end's exchanges that wait for their answers, but for the one in the IKE SA itself.
        var flights = UniqueArray<Flight>()
        /// Which request's fragments the channel joins.
        var joining: MessageID?
        /// The other requests in the window of which some fragments have come.
        var partials: [PartialRequest] = []

        init(size: UInt32) { self.size = size }
    }

    struct Answer: Sendable {
        let id: MessageID
        let octets: [UInt8]
        let note: PacketNote
    }

    /// A request that waits for its answer, and what it is for.
    struct Flight: ~Copyable {
        var outgoing: Outgoing
        var draft: Box<Draft>?
        var request: OutstandingRequest?
        var partialResponse: Box<Reassembly>?

        var purpose: Purpose? {
            switch draft {
            case .some(let draft): draft.value.purpose
            case .none: nil
            }
        }
    }
}

// The peer's requests, in any order.
extension IKESA.Established {
    /// Makes ready for a request that is not the next one, but in the window: it is new, or was answered before; or for
    /// the answer to an exchange that was put aside.
    mutating func enterWindow(_ datagram: RawSpan) {
        var reader = ByteReader(datagram)
        guard let window = windowSize, let header = try? Header.decode(from: &reader) else { return }
        guard !header.isResponse else { return bringForward(answeredBy: header) }
        let (id, lowest) = (header.messageID, channel.expectedRequest)
        guard id.rawValue < lowest.rawValue.addingReportingOverflow(window).partialValue else { return }
        if let answer = answer(to: id) {
            windows?.lowest = lowest
            channel.recall(answer)
        } else if id >= lowest {
            if id > lowest { windows?.lowest = lowest }
            channel.expectedRequest = id
            joinFragments(of: id)
        }
    }

    /// Forgets a request that came to nothing.
    mutating func leaveWindow() {
        guard let lowest = windows?.lowest else { return }
        windows?.lowest = nil
        channel.expectedRequest = lowest
    }

    /// Remembers the answer that was sent last, and waits for the lowest request that has none.
    mutating func keepAnswer() {
        guard let window = windowSize else { return }
        let answered = MessageID(rawValue: channel.expectedRequest.rawValue - 1)
        let answer = IKESA.Answer(id: answered, octets: channel.lastResponse, note: channel.lastResponseNote)
        windows?.answers.append(answer)
        var lowest = windows?.lowest ?? answered
        windows?.lowest = nil
        while self.answer(to: lowest) != nil { lowest = lowest.next }
        channel.expectedRequest = lowest
        windows?.answers.removeAll { $0.id.rawValue + window < lowest.rawValue }
        windows?.partials.removeAll { $0.id < lowest }
    }

    /// Waits for no request any more that is older than one that has been answered: an IKE SA that is being closed
    /// remembers its last answer alone, and must not answer one request in two ways (RFC 7296 section 2.1).
    mutating func leaveGaps() {
        if let last = windows?.answers.max(by: { $0.id < $1.id }), last.id >= channel.expectedRequest {
            channel.recall(last)
        }
        joinFragments(of: channel.expectedRequest)
    }

    private func answer(to id: MessageID) -> IKESA.Answer? {
        windows?.answers.first { $0.id == id }
    }

    var windows: IKESA.Windows? { extras?.windows }

    private var windowSize: UInt32? { windows?.size }
}

// This end's own requests.
extension IKESA.Established {
    var hasFlights: Bool { windows.map { !$0.flights.isEmpty } ?? false }

    /// Whether another request may be sent beside those that wait for their answers: not beside a rekey of the IKE SA
    /// or a change of addresses, and not further ahead of the oldest than the peer's window is wide.
    func mayOverlap(_ kind: IKESA.PendingTask.Kind) -> Bool {
        switch kind {
        case .rekeyIKE, .close, .updateAddresses, .checkPath: return false
        case .createChild, .rekeyChild, .deleteChild, .checkLiveness, .announceWindow, .refuseChild: break
        }
        guard let peerSize = windows?.peerSize, peerSize > 1, incoming == nil, !isSuperseded,
            !isAwaitingResult, draftPurpose != .rekeyIKE, let oldest = oldestRequest
        else { return false }
        return channel.nextRequest.rawValue - oldest.rawValue < peerSize
    }

    private var oldestRequest: MessageID? {
        var oldest = channel.outstanding?.id
        guard let windows else { return oldest }
        for index in 0..<windows.flights.count {
            guard let id = windows.flights[index].request?.id else { continue }
            oldest = min(oldest ?? id, id)
        }
        return oldest
    }

    /// Puts the exchange that waits for its answer aside, so that another one can begin.
    mutating func setAside() {
        guard outgoing != .idle else { return }
        windows?.flights.append(takeFlight())
        windows?.limitResponses()
    }

    private mutating func takeFlight() -> IKESA.Flight {
        let flight = IKESA.Flight(
            outgoing: outgoing,
            draft: draft.take(),
            request: channel.outstanding,
            partialResponse: channel.partialResponse.take()
        )
        outgoing = .idle
        channel.outstanding = nil
        return flight
    }

    private mutating func give(_ flight: consuming IKESA.Flight) {
        var flight = flight
        outgoing = flight.outgoing
        channel.outstanding = flight.request
        draft = flight.draft.take()
        channel.partialResponse = flight.partialResponse.take()
    }

    /// Goes on with an exchange that was put aside, if it is one that a response answers.
    mutating func bringForward(answeredBy header: Header) {
        guard hasFlights, header.isResponse else { return }
        bringForward { $0.request?.id == header.messageID }
    }

    /// Goes on with the rekey of a Child SA that was put aside, since the peer rekeys the same one.
    mutating func bringForward(rekeyOf child: ChildSPI) {
        guard hasFlights else { return }
        bringForward { $0.purpose == .rekeyChild(child) }
    }

    private mutating func bringForward(_ isWanted: (borrowing IKESA.Flight) -> Bool) {
        guard let windows else { return }
        for index in 0..<windows.flights.count where isWanted(windows.flights[index]) {
            let flight = windows.flights.remove(at: index)
            setAside()
            return give(flight)
        }
    }

    var flightDeadline: Instant {
        var earliest = Instant.never
        guard let windows else { return earliest }
        for index in 0..<windows.flights.count {
            earliest = min(earliest, windows.flights[index].request?.deadline ?? .never)
        }
        return earliest
    }

    /// Sends the requests again whose time has come; false where one has failed.
    mutating func retransmitFlights(policy: PeerPolicy, _ turn: inout Turn) -> Bool {
        guard hasFlights, flightDeadline <= turn.now else { return true }
        guard let windows else { return true }
        for _ in 0..<windows.flights.count {
            // Each in turn; they come back in the order that they had.
            let current = takeFlight()
            give(windows.flights.remove(at: 0))
            let isAlive = channel.retransmitIfDue(policy: policy, &turn)
            setAside()
            give(current)
            guard isAlive else { return false }
        }
        return true
    }
}

// How wide they are.
extension IKESA.Established {
    /// Takes N(SET_WINDOW_SIZE), where this end sends overlapping requests at all.
    mutating func takeWindowSize(_ contents: borrowing Contents) {
        guard let windows else { return }
        contents.forEachNotify { notify in
            guard notify.type == .setWindowSize, let size = notify.integer(as: UInt32.self), size > 0 else { return }
            windows.peerSize = min(size, Self.mostOverlapping)
        }
    }

    /// HDR, SK {N(SET_WINDOW_SIZE)}: an IKE SA that a rekey made begins with windows of 1.
    mutating func announceWindow(policy: PeerPolicy, _ turn: inout Turn) {
        outgoing = .checkingLiveness
        let note = PacketNote(.informational, isResponse: false)
        channel.request(.informational, note, origin: &origin, policy: policy, &turn) { $0.windowSize(policy) }
    }

    /// A peer that promises more than this is not believed to need it.
    private static var mostOverlapping: UInt32 { 256 }
}

extension MessageEncoder {
    /// [N(SET_WINDOW_SIZE)]
    mutating func windowSize(_ policy: PeerPolicy) {
        let size = policy.values.lifeCycle.windowSize
        if size > 1 { notify(.setWindowSize, integer: size) }
    }
}

package import IKECrypto
package import IKEWire
package import Primitives

/// One end's IKE SAs with one peer: the one in use, and those that a rekey has replaced and that are being deleted.
///
/// A driver owns an endpoint for each initiator, and one for each peer of a responder.
package struct Endpoint: ~Copyable {
    /// The IKE SA that has the Child SAs.
    package internal(set) var current: IKESA
    private var retiring: [RetiringSA] = []

    /// Starts as an initiator; the turn's output asks for a key pair.
    package init(
        initiating origin: Origin,
        over route: Route,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        current = .initiate(origin, over: route, under: policy, &turn)
    }

    /// Takes over what `IKESA.respond` made of an IKE_SA_INIT request.
    package init(responding sa: consuming IKESA) {
        current = sa
    }

    /// Takes a datagram, its non-ESP marker removed, and gives it to the IKE SA that its SPIs name.
    package mutating func receive(
        _ datagram: RawSpan,
        over path: Path,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        if let index = retiringIndex(of: datagram) {
            retiring[index].sa.receive(datagram, over: path, under: policy, &turn)
        } else {
            current.receive(datagram, over: path, under: policy, &turn)
        }
        settle(&turn)
    }

    /// Takes the result of the operation that was asked for.
    package mutating func complete(
        _ result: consuming KeyExchangeResult,
        under policy: PeerPolicy,
        _ turn: inout Turn
    ) {
        // Only the IKE SA in use begins or answers an exchange with a key exchange.
        current.complete(result, under: policy, &turn)
        settle(&turn)
    }

    /// Takes what the server behind this end says; an answer that nobody waits for changes nothing.
    package mutating func take(_ answer: consuming BackendAnswer, under policy: PeerPolicy, _ turn: inout Turn) {
        current.take(answer, under: policy, &turn)
        settle(&turn)
    }

    /// Does what is due at `turn.now`.
    package mutating func advance(under policy: PeerPolicy, _ turn: inout Turn) {
        current.advance(under: policy, &turn)
        for index in retiring.indices { retiring[index].sa.advance(under: policy, &turn) }
        settle(&turn)
    }

    package mutating func command(_ command: IKESA.Command, under policy: PeerPolicy, _ turn: inout Turn) {
        current.command(command, under: policy, &turn)
        settle(&turn)
    }

    /// Goes on with other message IDs, as if so many exchanges had been: only both ends together can.
    package mutating func skipMessageIDs(to id: MessageID) {
        current.skipMessageIDs(to: id)
    }

    /// Whether the IKE SA in use can go along when this end moves to another route: both ends speak MOBIKE, and the
    /// peer is where the route leads to, or has said that it can be reached there (RFC 4555 section 3.5).
    package func canMove(to route: Route) -> Bool { current.canMove(to: route) }

    /// Goes on over another route, and tells the peer.
    package mutating func move(to route: Route, under policy: PeerPolicy, _ turn: inout Turn) {
        current.move(to: route, under: policy, &turn)
        for index in retiring.indices { retiring[index].sa.move(to: route, under: policy, &turn) }
        settle(&turn)
    }

    /// Forgets every IKE SA without a word to the peer, who cannot be reached any more from where this end is.
    package mutating func abandon(_ turn: inout Turn) {
        forEachSA { sa in
            sa.reportUnfinished(.abandoned, &turn)
            if let spis = sa.spis { turn.output.report(.closed(spis, .abandoned)) }
        }
        retiring = []
        current = .closed(.abandoned)
    }

    /// When `advance` has something to do next, or `.never`.
    package func deadline(under policy: PeerPolicy) -> Instant {
        var earliest = current.deadline(under: policy)
        for old in retiring { earliest = min(earliest, old.sa.deadline(under: policy)) }
        return earliest
    }

    /// Whether every IKE SA with the peer has come to its end.
    package var isClosed: Bool {
        retiring.isEmpty && current.stateName == .closed
    }

    /// Whether a message is for one of the IKE SAs here, by the SPIs in it.
    package func hasSA(of datagram: RawSpan) -> Bool {
        var reader = ByteReader(datagram)
        guard let header = try? Header.decode(from: &reader) else { return false }
        let named = IKESPIPair(initiator: header.initiatorSPI, responder: header.responderSPI)
        return current.spis == named || retiring.contains { $0.sa.spis == named }
    }

    /// The way to the peer; nil before there is one.
    package var path: Path? { current.withChannel { $0.path } }

    package var retiringCount: Int { retiring.count }

    /// Visits every IKE SA that has not ended, the one in use first.
    package func forEachSA(_ body: (borrowing IKESA) -> Void) {
        if current.stateName != .closed { body(current) }
        for old in retiring { body(old.sa) }
    }

    /// Lends the keys of the IKE SA of these SPIs, be it in use, replaced, or one that may yet lose against another;
    /// nil where there is none.
    package func withChannel<Result>(of spis: IKESPIPair, _ body: (borrowing Channel) -> Result) -> Result? {
        var result: Result?
        func look(_ channel: borrowing Channel) { if channel.spis == spis { result = body(channel) } }
        forEachSA { sa in
            _ = sa.withChannel(look)
            _ = sa.withRivalChannel(look)
        }
        return result
    }

    /// Takes in what a rekey made, and forgets what has ended.
    mutating func settle(_ turn: inout Turn) {
        if var successor = turn.successor.take()?.take() {
            swap(&current, &successor)
            if successor.stateName != .closed { retiring.append(RetiringSA(successor)) }
        }
        if let redundant = turn.redundant.take()?.take() { retiring.append(RetiringSA(redundant)) }
        if retiring.isEmpty { return }
        retiring.removeAll { $0.sa.stateName == .closed }
        while retiring.count > Self.mostRetiring { drop(retiring.removeFirst(), &turn) }
    }

    /// Forgets an IKE SA that the peer should have deleted, since too many of them wait.
    private func drop(_ old: RetiringSA, _ turn: inout Turn) {
        guard let spis = old.sa.spis else { return }
        turn.output.report(.closed(spis, .abandoned))
    }

    /// How many replaced IKE SAs wait for their Delete; a peer that rekeys without end gets no more room.
    private static var mostRetiring: Int { 8 }

    private func retiringIndex(of datagram: RawSpan) -> Int? {
        guard !retiring.isEmpty else { return nil }
        var reader = ByteReader(datagram)
        guard let header = try? Header.decode(from: &reader) else { return nil }
        let named = IKESPIPair(initiator: header.initiatorSPI, responder: header.responderSPI)
        return retiring.firstIndex { $0.sa.spis == named }
    }
}

/// An IKE SA on its way out; it lives apart, since few endpoints have one at a time.
private final class RetiringSA {
    var sa: IKESA

    init(_ sa: consuming IKESA) {
        self.sa = sa
    }
}

extension Endpoint {
    /// What `advance` will do at the deadline, as far as its price goes.
    package func dueOperation(
        under policy: PeerPolicy
    ) -> (operation: IKESA.DueOperation, keyExchange: KeyExchangeMethod?) {
        let earliest = deadline(under: policy)
        if current.deadline(under: policy) == earliest { return current.dueOperation(under: policy) }
        return (.retransmission, nil)
    }
}

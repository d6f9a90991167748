import BasicContainers
import IKEWire
import Primitives

/// What a Child SA's packets are wrapped in (RFC 4301 section 4.1).
package enum ChildMode: Hashable, Sendable, BitwiseCopyable {
    case tunnel
    /// Between the two ends themselves. An initiator insists on it; a responder agrees to it where it is asked for.
    case transport
}

// USE_TRANSPORT_MODE (RFC 7296 section 1.3.1), and the addresses in traffic selectors that a NAT puts in the wrong
// (RFC 7296 section 2.23.1).
extension IKESA.Established {
    /// The selectors of a Child SA in transport mode: the two ends, as this one sees them.
    var endSelectors: (own: [TrafficSelector], peer: [TrafficSelector]) { ends(of: channel.path) }

    /// Whether the request asks for transport mode and this end agrees.
    func agreesToTransport(_ contents: borrowing Contents, replacing old: ChildSPI?, policy: PeerPolicy) -> Bool {
        guard contents.hasNotify(.useTransportMode) else { return false }
        guard let old, let index = childIndex(inbound: old) else { return policy.values.childMode == .transport }
        return children[index].isTransport
    }

    /// The peer's selectors as this end understands them: a NAT has changed the addresses that the ends have for each
    /// other, but not what the peer wrote.
    ///
    /// - Parameter side: What this end says of that side, or said when it asked: either end may be elsewhere by now.
    func understood(
        _ selectors: [TrafficSelector],
        ofPeer isPeers: Bool,
        as side: [TrafficSelector]
    ) -> [TrafficSelector] {
        let isTranslated = isPeers ? channel.nat.isPeerBehindNAT : channel.nat.isLocalBehindNAT
        guard isTranslated, let address = side.first?.startAddress else { return selectors }
        return selectors.map { $0.startAddress == $0.endAddress ? $0.moved(to: address) : $0 }
    }

    /// The sides of a Child SA in transport mode that the peer asks for; nil where they are not the two ends.
    func transportSides(
        _ initiators: [TrafficSelector],
        _ responders: [TrafficSelector]
    ) -> (initiator: [TrafficSelector], responder: [TrafficSelector])? {
        let ends = endSelectors
        let initiator = narrow(understood(initiators, ofPeer: true, as: ends.peer), to: ends.peer)
        let responder = narrow(understood(responders, ofPeer: false, as: ends.own), to: ends.own)
        return initiator.isEmpty || responder.isEmpty ? nil : (initiator, responder)
    }

    /// This end wanted transport mode, and the peer made a Child SA in tunnel mode: it has to be deleted.
    mutating func reject(tunnel inbound: ChildSPI, _ turn: inout Turn) {
        if let index = childIndex(inbound: inbound) { children[index].supersede() }
        enqueue(.deleteChild(inbound), notBefore: turn.now)
    }
}

extension PeerPolicy {
    /// What an initiator offers for the first Child SA.
    func firstOffer(over path: Path) -> (own: [TrafficSelector], peer: [TrafficSelector]) {
        switch values.childMode {
        case .tunnel: (localOffer, values.remoteSelectors)
        case .transport: ends(of: path)
        }
    }
}

private func ends(of path: Path) -> (own: [TrafficSelector], peer: [TrafficSelector]) {
    ([TrafficSelector(path.local.address)], [TrafficSelector(path.remote.address)])
}

extension TrafficSelector {
    /// Everything of one address.
    init(_ address: IPAddress) { self.init(from: address, through: address) }

    /// The same protocol and ports of another address.
    fileprivate func moved(to address: IPAddress) -> TrafficSelector {
        var moved = TrafficSelector(address)
        moved.ipProtocol = ipProtocol
        moved.startPort = startPort
        moved.endPort = endPort
        return moved
    }
}

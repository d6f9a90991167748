package import IKEWire
package import IKEv2
import Primitives

// ESP packets: of whom they are, and those of Child SAs that the responder does not have (RFC 7296 section 1.5).
extension ResponderFleet {
    /// The peer whose Child SA receives under an SPI.
    package func owner(of spi: ChildSPI) -> UInt64? { childSPIs.owner(of: spi) }

    /// What the Child SAs of a peer receive; nothing where it has gone.
    package func childSPIs(of owner: UInt64) -> [ChildSPI] {
        let id = SlotID(packed: owner)
        return peers.contains(id) ? peers[id].childSPIs : []
    }

    /// Lends the Child SAs of a peer; none where it has gone.
    package func forEachChild(of owner: UInt64, _ body: (borrowing ChildSA) -> Void) {
        let id = SlotID(packed: owner)
        guard peers.contains(id) else { return }
        peers[id].endpoint.forEachSA { $0.forEachChild(body) }
    }

    /// Where a peer is; nil where it has gone.
    package func path(of owner: UInt64) -> Path? {
        let id = SlotID(packed: owner)
        return peers.contains(id) ? peers[id].endpoint.path : nil
    }

    /// A packet of a peer is authentic: what is sent to it follows it there (RFC 7296 section 2.23).
    package mutating func follow(_ owner: UInt64, to path: Path, _ turn: inout Turn) {
        let id = SlotID(packed: owner)
        guard peers.contains(id) else { return }
        peers[id].endpoint.follow(path, &turn)
        settle(id, &turn)
    }

    /// A Child SA of a peer has carried what it may (RFC 4301 section 4.4.2.1).
    package mutating func endVolume(of spi: ChildSPI, of owner: UInt64, _ turn: inout Turn) {
        let id = SlotID(packed: owner)
        guard peers.contains(id) else { return }
        peers[id].endpoint.endVolume(of: spi, at: turn.now)
        settle(id, &turn)
    }

    /// Takes an ESP packet that came by UDP. One that no Child SA receives is answered: over the IKE SA with whoever is
    /// at the other end of the way, or else without protection; as often in a second as messages of unknown IKE SAs.
    package mutating func receiveESP(_ spi: ChildSPI, over path: Path, _ turn: inout Turn) {
        guard unknownSPIAnswers.perSecond > 0, !childSPIs.contains(spi) else { return }
        let id = peersByRemote[Self.key(of: path.remote)].map { SlotID(packed: $0) }
        if let id, peers[id].endpoint.expects(spi) { return }
        guard unknownSPIAnswers.admits(at: turn.now) else { return }
        guard let id, peers[id].endpoint.refuseUnknownChild(spi, under: policy, &turn) else {
            return IKESA.refuseUnknownChild(spi, over: path, &turn)
        }
        settle(id, &turn)
    }

    /// Keeps in mind where a peer is, and what its Child SAs receive, where packets come or anybody is to be told of
    /// others.
    mutating func noteESP(_ id: SlotID, _ turn: borrowing Turn) {
        // Neither changes without a report.
        guard settings.hasTunnels || unknownSPIAnswers.perSecond > 0, !turn.output.reports.isEmpty else { return }
        var children: [ChildSPI] = []
        peers[id].endpoint.forEachSA { $0.forEachChild { children.append($0.inbound) } }
        let key = peers[id].endpoint.path.map { Self.key(of: $0.remote) }
        if key != peers[id].remoteKey {
            forgetRemote(of: id)
            // Whoever was there before is not there any more.
            if let key { peersByRemote.update(id.packed, for: key) }
            peers[id].remoteKey = key
        }
        guard children != peers[id].childSPIs else { return }
        childSPIs.remove(peers[id].childSPIs, of: id)
        childSPIs.insert(children, of: id)
        peers[id].childSPIs = children
    }

    /// The peer goes.
    mutating func forgetESP(_ id: SlotID) {
        forgetRemote(of: id)
        childSPIs.remove(peers[id].childSPIs, of: id)
    }

    private mutating func forgetRemote(of id: SlotID) {
        guard let key = peers[id].remoteKey, peersByRemote[key] == id.packed else { return }
        _ = peersByRemote.remove(key)
    }

    private static func key(of remote: UDPEndpoint) -> UInt64 {
        StableName.hash(of: remote.address.high, remote.address.low, UInt64(remote.port)) | 1
    }
}

/// What all Child SAs receive, each by the peer that it is with.
struct ChildSPIs: ~Copyable {
    private var table = SPITable()

    func owner(of spi: ChildSPI) -> UInt64? { table[UInt64(spi.rawValue)] }

    func contains(_ spi: ChildSPI) -> Bool { table[UInt64(spi.rawValue)] != nil }

    mutating func insert(_ spis: [ChildSPI], of id: SlotID) {
        // Peers draw their SPIs apart, so that two may have the same; either is reason enough to say nothing.
        for spi in spis { _ = table.insert(id.packed, for: UInt64(spi.rawValue)) }
    }

    mutating func remove(_ spis: [ChildSPI], of id: SlotID) {
        for spi in spis where table[UInt64(spi.rawValue)] == id.packed { _ = table.remove(UInt64(spi.rawValue)) }
    }
}

import IKECrypto
import IKEWire
package import IKEv2
import Primitives

// Peers whose operations are carried out together, eight at a time where libcrypto_mb is there.
extension ResponderFleet {
    /// Whether the peer that a message is for waits for an operation: the driver has it go on before it gives the peer
    /// anything else.
    package func isWaiting(for message: RawSpan, over path: Path) -> Bool {
        guard !gathered.isEmpty else { return false }
        var reader = ByteReader(message)
        guard let header = try? Header.decode(from: &reader) else { return false }
        let own = header.isFromInitiator ? header.responderSPI : header.initiatorSPI
        let packed = own == .zero ? byInitial[Self.initialKey(header.initiatorSPI, path.remote)] : bySPI[own.rawValue]
        guard let packed, peers.contains(SlotID(packed: packed)) else { return false }
        return peers[SlotID(packed: packed)].isWaiting
    }

    /// Carries out all operations that peers wait for, and goes on with each of them; `then` takes what the turn's
    /// output says each time.
    package mutating func carryOut(_ turn: inout Turn, then take: (inout Turn) -> Void) {
        while !gathered.isEmpty {
            _ = gathered.carryOut(by: turn.cryptography)
            while let one = gathered.next(&turn) {
                goOn(one, &turn)
                take(&turn)
            }
        }
    }

    private mutating func goOn(_ one: consuming GatheredTurns.Resumption, _ turn: inout Turn) {
        let id = SlotID(packed: one.owner)
        // INITIAL_CONTACT of another peer may have made it void meanwhile.
        guard peers.contains(id) else { return turn.output.removeAll() }
        peers[id].isWaiting = false
        peers[id].endpoint.complete(one.takeResult(), under: policy, &turn)
        settle(id, &turn)
    }
}

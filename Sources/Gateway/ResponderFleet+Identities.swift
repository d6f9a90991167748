import Primitives

/// A peer's place in the list of those that have authenticated as the same identity.
struct Kin: BitwiseCopyable, Sendable {
    /// The identity, hashed; 0 for a peer that is in no list.
    var identity: UInt64 = 0
    var older: SlotID?
    var newer: SlotID?
}

// Who has the same identity (RFC 7296 section 2.4).
extension ResponderFleet {
    /// Notes that a peer has authenticated, and forgets the older ones of its identity if it says that it has no other
    /// IKE SA: without a Delete, since there is nobody who would answer it.
    mutating func add(_ id: SlotID, _ identity: UInt64, replacingOthers: Bool) {
        // A key of the table is never 0.
        let key = identity | 1
        if replacingOthers {
            while let older = newestByIdentity[key] {
                replacedTotal += 1
                remove(SlotID(packed: older))
            }
        }
        let older = newestByIdentity[key].map { SlotID(packed: $0) }
        peers[id].kin = Kin(identity: key, older: older)
        if let older { peers[older].kin.newer = id }
        newestByIdentity.update(id.packed, for: key)
    }

    /// Takes a peer out of its list.
    mutating func leaveKin(_ id: SlotID) {
        let kin = peers[id].kin
        guard kin.identity != 0 else { return }
        peers[id].kin = Kin()
        if let older = kin.older { peers[older].kin.newer = kin.newer }
        if let newer = kin.newer {
            peers[newer].kin.older = kin.older
        } else if let older = kin.older {
            newestByIdentity.update(older.packed, for: kin.identity)
        } else {
            _ = newestByIdentity.remove(kin.identity)
        }
    }
}

import BasicContainers
import Gateway
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Simulation

// What a shard hands over at a checkpoint and at the end.
extension ClientShard {
    mutating func hand(
        to collector: inout Collector,
        _ entries: inout [ShardJournal.Entry],
        _ packets: inout [ShardJournal.CapturedPacket],
        _ keys: inout [CapturedKeys]
    ) {
        collector.take(&tally)
        entries += journal.entries
        packets += journal.packets
        keys += journal.keys
        journal.removeAll()
    }

    func addDigests(to digests: inout [EntityDigest], _ log: inout WindowLog) {
        for local in 0..<clients.count {
            digests[Int(plan.partition.entity(at: UInt32(local), of: index))] = clients[local].digest
        }
        log.merge(self.log)
    }

    /// What has to hold of every client at the end of a run (and does, whatever went wrong on the way).
    func checkInvariants(_ violations: inout [String]) {
        for local in 0..<clients.count where clients[local].flood == nil {
            checkKeys(local, &violations)
            if clients[local].client.isLost {
                let entity = plan.partition.entity(at: UInt32(local), of: index)
                violations.append("client \(entity): is neither up nor trying, and has not failed")
            }
        }
    }

    /// How many attempts have neither succeeded nor failed.
    var attemptCount: Int64 {
        var count: Int64 = 0
        for local in 0..<clients.count where clients[local].client.isAttempting { count += 1 }
        return count
    }

    /// Both ends of an IKE SA hold the same keys, and their Child SAs name each other.
    private func checkKeys(_ local: Int, _ violations: inout [String]) {
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        var broken: [String] = []
        clients[local].client.forEachSA { ours in
            guard let spis = ours.spis, spis.responder != .zero else { return }
            for half in clients[local].halves {
                half.endpoint.forEachSA { theirs in
                    guard theirs.spis == spis else { return }
                    if let problem = ours.disagreement(with: theirs) { broken.append("\(spis.initiator): \(problem)") }
                }
            }
        }
        for problem in broken { violations.append("client \(entity): \(problem)") }
    }
}

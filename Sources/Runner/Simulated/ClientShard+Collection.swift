import BasicContainers
import DequeModule
import Gateway
import IKECrypto
package import IKEWire
package import IKEv2
import Load
import Primitives
import Simulation

// What a shard hands over at a checkpoint and at the end.
extension ClientShard {
    mutating func hand(
        to collector: inout Collector,
        _ entries: inout [ShardJournal.Entry],
        _ packets: inout [ShardJournal.CapturedPacket],
        _ keys: inout [CapturedKeys],
        _ childKeys: inout [CapturedChildKeys]
    ) {
        collector.take(&tally)
        entries += journal.entries
        packets += journal.packets
        keys += journal.keys
        childKeys += journal.childKeys
        journal.removeAll()
    }

    /// Addresses in the memory of so many clients at most, evenly spread over all of them.
    func places(atMost limit: Int) -> [UInt] {
        let step = max(1, clients.count / limit)
        return unsafe clients.span.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            return stride(from: 0, to: buffer.count, by: step).map { unsafe UInt(bitPattern: base + $0) }
        }
    }

    /// Ends the shard: takes each client's digest, checks what has to hold of it at the end of a run (and does,
    /// whatever went wrong on the way), and lets go of it while it is at hand: a million clients are looked at once.
    ///
    /// - Returns: how many attempts have neither succeeded nor failed.
    mutating func close(_ digests: inout [EntityDigest], _ log: inout WindowLog, _ findings: inout RunFindings) -> Int64
    {
        var attempts: Int64 = 0
        while !clients.isEmpty {
            let local = clients.count - 1
            let entity = plan.partition.entity(at: UInt32(local), of: index)
            digests[Int(entity)] = clients[local].digest
            if clients[local].flood == nil {
                wakeAll(local)
                checkKeys(local, &findings.violations)
                checkEnds(local, &findings.oneSided)
                let clientPlan = clients[local].plan
                if clients[local].client.isLost(plan: clientPlan) {
                    findings.violations.append("client \(entity): is neither up nor trying, and has not failed")
                }
                if clients[local].client.isAttempting { attempts += 1 }
            }
            _ = clients.removeLast()
        }
        log.merge(self.log)
        return attempts
    }

    private mutating func wakeAll(_ local: Int) {
        let clientPlan = clients[local].plan
        clients[local].client.wake(plan: clientPlan)
        for place in 0..<clients[local].halves.count { wakeHalf(local, place) }
    }

    /// Where nothing is going on at either end, both have the same IKE SAs and Child SAs.
    private func checkEnds(_ local: Int, _ oneSided: inout [OneSidedClient]) {
        var isAtRest = true
        var ours: UInt64 = 0
        var theirs: UInt64 = 0
        forEachEnd(local) { isOurs, sa in
            isAtRest = isAtRest && sa.isAtRest
            if isOurs { ours &+= sa.likeness } else { theirs &+= sa.likeness }
        }
        guard isAtRest, ours != theirs else { return }
        var found = OneSidedClient(client: plan.partition.entity(at: UInt32(local), of: index))
        forEachEnd(local) { isOurs, sa in
            guard let spis = sa.spis else { return }
            let association = OneSidedClient.Association(spis: spis, children: sa.childSPIs)
            if isOurs { found.ours.append(association) } else { found.theirs.append(association) }
        }
        oneSided.append(found)
    }

    private func forEachEnd(_ local: Int, _ body: (_ isOurs: Bool, borrowing IKESA) -> Void) {
        clients[local].client.forEachSA { body(true, $0) }
        for index in 0..<clients[local].halves.count {
            clients[local].halves[index].endpoint.forEachSA { body(false, $0) }
        }
    }

    /// Both ends of an IKE SA hold the same keys, and their Child SAs name each other.
    private func checkKeys(_ local: Int, _ violations: inout [String]) {
        let entity = plan.partition.entity(at: UInt32(local), of: index)
        var broken: [String] = []
        clients[local].client.forEachSA { ours in
            guard let spis = ours.spis, spis.responder != .zero else { return }
            for index in 0..<clients[local].halves.count {
                clients[local].halves[index].endpoint.forEachSA { theirs in
                    guard theirs.spis == spis else { return }
                    if let problem = ours.disagreement(with: theirs) { broken.append("\(spis.initiator): \(problem)") }
                }
            }
        }
        for problem in broken { violations.append("client \(entity): \(problem)") }
    }
}

/// What was found wrong at the end of a run.
struct RunFindings {
    var violations: [String] = []
    var oneSided: [OneSidedClient] = []
}

/// A client that has other IKE SAs or Child SAs at the end of a run than the gateway has of it, though nothing is going
/// on between them.
package struct OneSidedClient: Hashable, Sendable, CustomStringConvertible {
    /// An IKE SA, and its Child SAs by their SPIs at the initiator of the IKE SA and at the responder.
    package struct Association: Hashable, Sendable, CustomStringConvertible {
        package var spis: IKESPIPair
        package var children: [[ChildSPI]]

        package var description: String { "\(spis.initiator) \(spis.responder) \(children)" }
    }

    /// Its place among all clients of the run.
    package var client: UInt32
    package var ours: [Association] = []
    package var theirs: [Association] = []

    package var description: String { "client \(client): it has \(ours), and the gateway \(theirs)" }
}

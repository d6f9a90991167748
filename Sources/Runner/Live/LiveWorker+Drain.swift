import BasicContainers
import IKEv2
import Load
import Primitives
import UDPTransport
import Workload

/// How far a worker has come with deleting its IKE SAs.
struct DrainState: Sendable {
    var begun = Instant.zero
    /// Clients that have not been told to leave yet, the next one last.
    var waiting: [Int32] = []
    /// Clients whose attempt is let come to its end first.
    var connecting: [Int32] = []
    var told = 0
    var nextLook = Instant.zero
    var isTrafficSettled = false
}

extension LiveWorker {
    /// Goes on to the phase that the coordinator has asked for.
    mutating func enter(_ wanted: LiveShared.Phase) {
        guard wanted != phase else { return }
        phase = wanted
        turn.now = clock.now
        if wanted == .hold || wanted == .drain {
            let associations = associations()
            shared.desks[number].report { if $0.associations == nil { $0.associations = associations } }
        }
        recordStates()
        if wanted == .drain {
            drain = DrainState(begun: turn.now)
            for local in (0..<clients.count).reversed() where !clients[local].client.isIdle {
                drain.waiting.append(Int32(local))
            }
        }
    }

    /// Tells the next clients to leave, at a pace that a gateway can follow.
    mutating func drainSome() {
        guard phase == .drain, isTrafficSettled() else { return }
        let elapsed = turn.now - drain.begun
        let allowed = 1 + Int(elapsed.nanoseconds / 1_000) * Self.deletesPerSecond / plan.workerCount / 1_000_000
        while drain.told < allowed, let local = drain.waiting.popLast() {
            if clients[Int(local)].isConnecting, elapsed < Self.patience {
                drain.connecting.append(local)
            } else {
                drain.told += 1
                leave(Int(local))
            }
        }
        if drain.waiting.isEmpty, !drain.connecting.isEmpty {
            swap(&drain.waiting, &drain.connecting)
        }
    }

    /// Whether packets that are on their way have been waited for, while there still are Child SAs to receive them.
    private mutating func isTrafficSettled() -> Bool {
        guard !drain.isTrafficSettled else { return true }
        drain.isTrafficSettled = settleTraffic(since: drain.begun)
        // The pace of deletion counts from here.
        if drain.isTrafficSettled { drain.begun = turn.now }
        return drain.isTrafficSettled
    }

    /// Whether no client has an IKE SA any more.
    var isDrained: Bool {
        mutating get {
            guard drain.isTrafficSettled, drain.waiting.isEmpty, drain.connecting.isEmpty, turn.now >= drain.nextLook
            else { return false }
            drain.nextLook = turn.now + .milliseconds(20)
            // A gateway that has deleted an IKE SA does not answer a Delete that comes again.
            for local in 0..<clients.count
            where clients[local].client.hasEndpoint && clients[local].deleteRetries < Self.deleteTries { return false }
            return true
        }
    }

    /// The IKE SAs that there are, for the gateway's list to be compared with.
    func associations() -> [LiveAssociation] {
        var associations: [LiveAssociation] = []
        for local in 0..<clients.count {
            let values = clients[local].values
            let target = clients[local].target.address
            clients[local].client.forEachSA { sa in
                guard let spis = sa.spis else { return }
                associations.append(
                    LiveAssociation(
                        identity: plan.identity(of: values),
                        source: values.source,
                        target: target,
                        spis: spis,
                        state: sa.stateName,
                        children: sa.activeChildren
                    )
                )
            }
        }
        return associations
    }

    /// All workers together.
    private static var deletesPerSecond: Int { 1_000 }
    /// How often a Delete is sent again until nobody waits for its answer any longer.
    private static var deleteTries: UInt8 { 3 }
    /// How long an attempt that is under way may go on.
    private static var patience: Duration { .seconds(10) }
}

import BasicContainers
import DequeModule
import Gateway
import IKEv2
import Load
import Primitives
import Simulation

// What one half of a client means for the client's others.
extension ClientShard {
    /// Drops the halves that INITIAL_CONTACT makes void, without a Delete: their peer has forgotten them
    /// (RFC 7296 section 2.4).
    ///
    /// A client has an identity of its own, so that its halves are those of one peer; a half-open one has no peer yet.
    mutating func obeyInitialContact(_ local: Int, _ attempt: UInt32, _ outbox: inout Outbox<GatewayMessage>) {
        let isSaid = turn.output.reports.contains { report in
            if case .peerIdentified(_, isInitialContact: true) = report { true } else { false }
        }
        guard isSaid else { return }
        let gateway = clients[local].gateway
        let client = plan.partition.entity(at: UInt32(local), of: index)
        for place in (0..<clients[local].halves.count).reversed()
        where clients[local].halves[place].attempt != attempt && clients[local].halves[place].isEstablished {
            let dropped = clients[local].halves.remove(at: place)
            tally.mark(.replaced, clients[local].population, at: turn.now)
            var report = HalfReport(
                order: order(local, at: turn.now + terms.internalLatency[gateway], EventClass.report),
                half: HalfID(client: client, attempt: dropped.attempt),
                shard: index,
                boot: boots[gateway],
                transition: .ended
            )
            report.childSAChange = Int16(clamping: -dropped.childCount)
            outbox.send(.report(report), to: plan.deskPart(gateway), arriving: report.order.time)
        }
    }
}

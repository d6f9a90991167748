import BasicContainers
import ESP
import IKEv2
import Load
import Primitives
import Workload

// What a client and its gateway begin a tunnel with.
extension ClientShard {
    /// A client's share of its population's traffic; nil where there is none.
    func traffic(of population: Int, _ client: UInt64, _ policy: PeerPolicy) -> Box<ClientTraffic>? {
        // Most clients of most runs have none, and an end of a tunnel is much to make for nothing.
        guard plan.workload.traffic.contains(where: { $0.population == population }) else { return nil }
        let volume = VolumeLifetime(policy.values.childLifetime, seed: plan.seed, entity: client)
        let profile = plan.workload.profiles[plan.workload.populations[population].profile]
        let end = TunnelEnd(
            isGateway: false,
            volume: volume,
            windowSize: profile.replayWindow.size,
            behind: SequenceNumber(rawValue: plan.sequenceNumber)
        )
        var traffic = ClientTraffic(end: end)
        for number in plan.workload.traffic.indices where plan.workload.traffic[number].population == population {
            traffic.flows += PacketFlow.Direction.allCases.compactMap {
                PacketFlow(plan.workload, traffic: number, $0, client: client, seed: plan.seed)
            }
        }
        for flow in traffic.flows { traffic.meters.add(flow) }
        return traffic.flows.isEmpty ? nil : Box(traffic)
    }

    /// A new end of a tunnel with a client, at its gateway.
    func gatewayEnd(_ local: Int) -> TunnelEnd {
        let gateway = clients[local].gateway
        let name = StableName.hash(of: terms.gatewayNames[gateway], clients[local].client.place.entity)
        let lifetime = gatewayPolicies[gateway].values.childLifetime
        return TunnelEnd(
            isGateway: true,
            volume: VolumeLifetime(lifetime, seed: plan.seed, entity: name),
            windowSize: plan.workload.gateways[gateway].policy.replayWindow.size,
            behind: SequenceNumber(rawValue: plan.sequenceNumber)
        )
    }
}

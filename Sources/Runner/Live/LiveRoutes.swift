import IKEv2
import Load
import Primitives
import Workload

extension Route {
    /// From a client's ports to a target's.
    init(_ target: LiveTarget, from client: IPAddress, plainPort: UInt16, encapsulatedPort: UInt16) {
        self.init(
            plain: Path(
                local: UDPEndpoint(address: client, port: plainPort),
                remote: target.plain,
                isEncapsulated: false
            ),
            encapsulated: Path(
                local: UDPEndpoint(address: client, port: encapsulatedPort),
                remote: target.encapsulated,
                isEncapsulated: true
            )
        )
    }
}

extension ClientPlan {
    /// What the clients of each population have in common.
    static func all(of workload: Workload, _ material: AuthenticationMaterial, seed: UInt64) -> [ClientPlan] {
        workload.populations.indices.map { population in
            let profile = workload.profiles[workload.populations[population].profile]
            return ClientPlan(
                population: population,
                policy: PeerPolicy(workload, population: population, material),
                reconnect: ReconnectPolicy(profile.reconnect),
                seed: seed
            )
        }
    }
}

extension Workload.Population {
    /// The path that a client of this stable name is on: the same one in either world.
    func choosePath(seed: UInt64, name: UInt64) -> Int {
        guard paths.count > 1 else { return paths[0].path }
        var stream = RandomStream(seed: seed, entity: name, purpose: .pathChoice)
        var draw = stream.scaled(below: 1_000_000_000)
        for share in paths {
            if draw < UInt64(share.share.partsPerBillion) { return share.path }
            draw -= UInt64(share.share.partsPerBillion)
        }
        return paths[paths.count - 1].path
    }
}

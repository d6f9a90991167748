import Workload

/// What files and messages call the entities of a run.
struct ClientNames {
    private let workload: Workload
    private let first: [UInt32]
    private let clientCount: UInt32

    init(_ workload: Workload) {
        self.workload = workload
        var first: [UInt32] = []
        var count: UInt32 = 0
        for population in workload.populations {
            first.append(count)
            count += UInt32(population.count)
        }
        self.first = first
        clientCount = count
    }

    private func population(of client: UInt32) -> Int { first.lastIndex { $0 <= client } ?? 0 }

    /// `laptops/17`, `floods/spoofed`, `gateways/gw`, `paths/lte` for a NAT or a link that its clients share.
    func name(of entity: UInt32) -> String {
        if entity < clientCount {
            let population = population(of: entity)
            return "\(workload.populations[population].name)/\(entity - first[population])"
        }
        let flood = Int(entity - clientCount)
        if flood < workload.floods.count { return "floods/" + workload.floods[flood].name }
        let gateway = flood - workload.floods.count
        if gateway < workload.gateways.count { return "gateways/" + workload.gateways[gateway].name }
        // Between the gateways and what is shared are the run's faults; links come behind NATs.
        let shared = workload.paths.filter { $0.nat?.shared != nil } + workload.paths.filter(\.hasSharedLink)
        let place = gateway - workload.gateways.count - 1
        return shared.indices.contains(place) ? "paths/" + shared[place].name : "the run"
    }

    /// Whether it is a gateway's front desk.
    func isGateway(_ entity: UInt32) -> Bool { entity >= clientCount + UInt32(workload.floods.count) }

    /// The gateway of a client.
    func gateway(of client: UInt32) -> String {
        guard client < clientCount else {
            return workload.gateways[workload.floods[Int(client - clientCount)].gateway].name
        }
        return workload.gateways[workload.populations[population(of: client)].gateway].name
    }
}

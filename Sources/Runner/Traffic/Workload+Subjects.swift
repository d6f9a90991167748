import Workload

// Whose a count is, by number: a population's own, or behind those a flow's, both ways of each traffic in turn.
extension Workload {
    var subjectCount: Int { subject(ofFlow: UInt32(traffic.count) << 1) }

    /// - Parameter mark: what names the flow in its packets.
    func subject(ofFlow mark: UInt32) -> Int { populations.count + Int(mark) }

    /// A population's own, and those of its flows.
    func subjects(ofPopulation population: Int) -> [Int] {
        [population] + flows.filter { traffic[$0.traffic].population == population && $0.way == nil }.flatMap(subjects)
    }

    func subjects(of flow: Flow) -> [Int] {
        let directions: [PacketFlow.Direction] =
            switch flow.way {
            case .up: [.up]
            case .down: [.down]
            case nil: PacketFlow.Direction.allCases
            }
        return directions.map { subject(ofFlow: PacketFlow.mark(traffic: flow.traffic, $0)) }
    }
}

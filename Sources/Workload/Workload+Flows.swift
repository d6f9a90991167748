extension Workload {
    /// What is measured by itself: all that flows for a traffic, or one way of it where it has both.
    package struct Flow: Hashable, Sendable {
        package enum Way: String, CaseIterable, Hashable, Sendable {
            case up, down
        }

        /// What results and expectations call it: `calls`, `calls/up`, `calls/down`.
        package var name: String
        package var traffic: Int
        /// nil: everything.
        package var way: Way?
    }

    /// Each traffic, and behind it each of its ways.
    package var flows: [Flow] {
        traffic.enumerated().flatMap { number, traffic in
            let ways = traffic.up != nil && traffic.down != nil ? Flow.Way.allCases : []
            return [Flow(name: traffic.name, traffic: number)]
                + ways.map { Flow(name: "\(traffic.name)/\($0.rawValue)", traffic: number, way: $0) }
        }
    }
}

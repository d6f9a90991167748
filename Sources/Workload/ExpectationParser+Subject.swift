import Metrics

// Whose metric it is: a population's, or a flow's where it is known of flows.
extension ExpectationParser {
    enum Subject {
        case population(String)
        case flow(String)

        var population: String? { if case .population(let name) = self { name } else { nil } }
        var flow: String? { if case .flow(let name) = self { name } else { nil } }
    }

    mutating func subject(of metric: MetricName) throws(ExpectationProblem) -> Subject {
        let populations = names.populations
        let flows = names.traffic.flatMap(\.flows).filter { !populations.contains($0) }
        let first = self.token.text.beforeSlash
        guard let traffic = names.traffic.first(where: { $0.name == first }) else {
            // Of what is neither, the nearest of both may be meant.
            guard metric.isPerFlow, !flows.isEmpty else {
                return .population(try name(of: "population", among: populations))
            }
            return .population(try name(of: "population or traffic", among: populations + flows))
        }
        let token = take()
        let isFlow = traffic.flows.contains(token.text)
        guard metric.isPerFlow else {
            if populations.contains(token.text) { return .population(token.text) }
            throw fail(
                token,
                "`\(metric.rawValue)` is not measured by flow",
                "name the population of the traffic: \(metric.rawValue)(\(traffic.population))"
            )
        }
        if isFlow, populations.contains(token.text) {
            throw fail(
                token,
                "\"\(token.text.abbreviated)\" is a population and a traffic",
                "give one of them another name, since both have `\(metric.rawValue)`"
            )
        }
        guard isFlow else {
            let (name, flows) = (traffic.name.abbreviated, traffic.flows.joined(separator: ", "))
            throw traffic.hasBothWays
                ? fail(token, "the traffic \"\(name)\" has no \"\(token.text.abbreviated)\"", "it has \(flows)")
                : fail(token, "the traffic \"\(name)\" does not flow both ways", "write \(flows) alone")
        }
        return .flow(token.text)
    }
}

extension String {
    /// Names have no slash: what stands behind one is a way.
    fileprivate var beforeSlash: String { String(prefix { $0 != "/" }) }
}

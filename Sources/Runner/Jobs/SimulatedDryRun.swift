import Primitives
import Results
import Workload

/// What `--dry-run` prints of a simulated run: who meets whom, how fast, and what goes wrong.
package enum SimulatedDryRun {
    package static func text(of prepared: PreparedWorkload) -> String {
        let workload = prepared.workload
        var rows: [(String, String)] = []
        rows.append(("world", "simulated, \(Humane.time(workload.run.duration)) of virtual time, no packet is sent"))
        for gateway in workload.gateways {
            guard let simulated = gateway.simulated else { continue }
            let serial = simulated.serialShare > .zero ? " (\(simulated.serialShare) serial)" : ""
            let cores = "\(simulated.cores) core" + (simulated.cores == 1 ? "" : "s") + serial
            rows.append(("gateway", "\(gateway.name): \(simulated.model), \(cores), costs \(simulated.costs.name)"))
        }
        for population in workload.populations {
            let paths = population.paths.map { "\(workload.paths[$0.path].name) \(Humane.share($0.share))" }
            rows.append(
                (
                    "clients",
                    "\(population.name): \(Humane.count(UInt64(population.count))), paths "
                        + paths.joined(separator: ", ") + ", to \(workload.gateways[population.gateway].name)"
                )
            )
        }
        for arrival in workload.arrivals {
            let population = workload.populations[arrival.population].name
            rows.append(("arrivals", "\(arrival.name): \(population), \(pattern(arrival.pattern))"))
        }
        for flood in workload.floods {
            let gateway = workload.gateways[flood.gateway].name
            let span = "from \(Humane.clock(.zero + flood.at)) for \(Humane.time(flood.lasting))"
            rows.append(
                ("flood", "\(flood.name): \(flood.kind.rawValue) of \(rate(flood.rate)) at \(gateway), \(span)")
            )
        }
        for fault in workload.faults {
            let start = Humane.clock(.zero + fault.at)
            let span = fault.end > fault.at ? "\(start) to \(Humane.clock(.zero + fault.end))" : start
            rows.append(("fault", "\(fault.name): \(fault.effect.kind), \(span)"))
        }
        let count = workload.run.replications
        if count > 1 {
            rows.append(("runs", "\(count) replications, seed \(workload.seed) and seeds that follow from it"))
        }
        rows.append(("command", PrintableText.shell(prepared.command)))
        let width = rows.reduce(0) { max($0, $1.0.count) }
        let lines = rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count) + "  " + $0.1 }
        return ([workload.name] + lines.map { "  " + $0 }).joined(separator: "\n") + "\n"
    }

    private static func pattern(_ pattern: Workload.Arrival.Pattern) -> String {
        switch pattern {
        case .constant(let rate, let lasting): Self.rate(rate) + lasts(lasting)
        case .poisson(let rate, let lasting): "\(Self.rate(rate)) at random" + lasts(lasting)
        case .ramp(let from, let to, let over, let holds):
            "\(rate(from)) to \(rate(to)) within \(Humane.time(over))" + (holds ? ", then held" : "")
        case .spike(let clients, let over): "\(Humane.count(UInt64(clients))) within \(Humane.time(over))"
        case .trace(let entries): "\(Humane.count(UInt64(entries.count))) of a trace"
        }
    }

    private static func lasts(_ lasting: Duration?) -> String { lasting.map { " for \(Humane.time($0))" } ?? "" }

    private static func rate(_ rate: Workload.Rate) -> String {
        Humane.rate(perSecondThousandths: rate.perSecondThousandths)
    }
}

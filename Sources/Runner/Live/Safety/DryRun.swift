import Foundation
import Load
import Primitives
import Results
import Workload

/// What a live run would do, in words: targets, peak rates, faults, identities, addresses.
struct DryRun: CustomStringConvertible {
    private let workload: Workload
    private let targets: [LiveTarget]
    private let plan: LivePlan
    private let problems: [String]

    init(_ workload: Workload, targets: [LiveTarget], plan: LivePlan, problems: [String]) {
        self.workload = workload
        self.targets = targets
        self.plan = plan
        self.problems = problems
    }

    var description: String {
        var lines = ["\(workload.name), in real time for \(workload.run.duration); nothing has been sent"]
        for (gateway, target) in zip(workload.gateways, targets) {
            lines.append("target      \(gateway.name) (\(gateway.identity)) at \(target)")
        }
        for (index, population) in workload.populations.enumerated() { lines += describe(population, at: index) }
        lines.append("peak rate   \(peakRate) attempts in one second")
        for traffic in workload.traffic { lines += describe(traffic) }
        let safety = workload.safety
        if let rate = safety.setUpsAtMost { lines.append("ceiling     \(rate.count) attempts in \(rate.per)") }
        if let count = safety.halfOpenAtMost { lines.append("ceiling     \(count) attempts under way") }
        for condition in safety.abortWhen { lines.append("aborts when \(condition)") }
        for fault in workload.faults where fault.isLive { lines.append("fault       \(fault.name) at \(fault.at)") }
        for warning in plan.warnings { lines.append("note        \(warning)") }
        for problem in problems { lines.append("not allowed \(problem)") }
        return lines.joined(separator: "\n")
    }

    private func describe(_ population: Workload.Population, at index: Int) -> [String] {
        let profile = workload.profiles[population.profile]
        let first = profile.identity.identity(population.firstIdentity)
        let last = profile.identity.identity(population.firstIdentity + population.count - 1)
        let sources = plan.clients.joined().filter { $0.population == index }.map(\.source)
        let range = Self.range(sources.min(), sources.max())
        let inner = profile.innerPrefixes.map(\.description).joined(separator: ", ")
        return [
            "clients     \(population.count) \(population.name)",
            "  identities  \(first == last ? first : "\(first) to \(last)")",
            "  sources     \(Set(sources).count) addresses, \(range)",
            "  inner       \(inner.isEmpty ? "none" : inner)",
        ]
    }

    private func describe(_ traffic: Workload.Traffic) -> [String] {
        let population = workload.populations[traffic.population]
        let target = traffic.target?.description
        let up = target.map { " to \($0)" } ?? ""
        let ways = [
            (traffic.up, traffic.isEchoed ? "\(up), and back" : up),
            (traffic.down, " from \(target ?? "behind the gateway")"),
        ]
        return ways.compactMap { stream, way in
            guard let each = stream?.packets.perSecondThousandths else { return nil }
            return "packets     \(Humane.rate(perSecondThousandths: each)) of each of \(population.name)\(way); "
                + "\(Humane.rate(perSecondThousandths: each * UInt64(population.count))) in all"
        }
    }

    private static func range(_ first: IPAddress?, _ last: IPAddress?) -> String {
        guard let first, let last else { return "none" }
        return first == last ? "\(first)" : "\(first) to \(last)"
    }

    /// The most arrivals of one second, reconnects left out: nobody knows them before.
    private var peakRate: Int {
        var counts: [UInt64: Int] = [:]
        for arrival in plan.arrivals.joined() { counts[arrival.at.nanoseconds / 1_000_000_000, default: 0] += 1 }
        return counts.values.max() ?? 0
    }

}

import Foundation
import Load
import Metrics
import Primitives
import Results
import UDPTransport
import Workers
package import Workload

/// Runs a workload in real time against a gateway.
package struct LiveRun {
    package let workload: Workload
    /// By gateway.
    package let targets: [LiveTarget]
    let options: LiveOptions

    /// Finds the targets and asks the allowance; nothing is sent.
    ///
    /// - Parameter targets: one for each gateway in the workload's order, one for all of them, or none where the
    ///   workload names its gateways' real addresses.
    package init(_ workload: Workload, targets: [LiveTarget] = [], options: LiveOptions) throws(LiveError) {
        self.workload = workload
        self.options = options
        self.targets = try Self.resolve(targets, workload)
    }

    private static func resolve(_ targets: [LiveTarget], _ workload: Workload) throws(LiveError) -> [LiveTarget] {
        var resolved = targets
        if targets.isEmpty {
            for gateway in workload.gateways {
                guard let address = gateway.realAddresses.first else {
                    throw .noTarget(
                        "the workload does not say where \(gateway.name) is in real time: name it with --target ADDRESS"
                    )
                }
                resolved.append(LiveTarget(address: address))
            }
        } else if targets.count == 1 {
            resolved = workload.gateways.map { _ in targets[0] }
        } else if targets.count != workload.gateways.count {
            throw .noTarget("\(targets.count) targets are named for \(workload.gateways.count) gateways")
        }
        guard Set(resolved.map(\.address.isIPv4)).count == 1 else {
            throw .noTarget("a run's targets are all IPv4 or all IPv6")
        }
        return resolved
    }

    /// Offers the load and drains it; `progress` is called about once a second, from the caller's thread.
    package func run(
        sinks: RunSinks = RunSinks(),
        progress: @escaping (RunProgress) -> Void = { _ in }
    ) throws(LiveError) -> LiveResult {
        _ = LocalAddresses.raiseFileLimit()
        let plan = try LivePlan(workload, options: options, targets: targets, secrets: .drawn())
        let coordinator = LiveCoordinator(plan, options: options, sinks: sinks, progress: progress)
        return try coordinator.run(allowance: Allowance(targets.map(\.prefix)))
    }
}

extension LiveTarget {
    /// The target alone: what a socket of the run may send to.
    var prefix: IPPrefix { IPPrefix(address: address, length: address.byteCount * 8) }
}

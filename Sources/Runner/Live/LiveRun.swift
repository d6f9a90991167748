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
    private let problems: [String]

    /// Finds the targets and asks the allowance; nothing is sent.
    ///
    /// - Parameter targets: one for each gateway in the workload's order, one for all of them, or none where the
    ///   workload names its gateways' real addresses.
    package init(_ workload: Workload, targets: [LiveTarget] = [], options: LiveOptions) throws(LiveError) {
        let resolved = try Self.resolve(targets, workload)
        let allowance = try LiveAllowance(workload, options: options)
        var restricted = workload
        restricted.safety = allowance.combined
        self.workload = restricted
        self.options = options
        self.targets = resolved
        problems = allowance.problems(workload, targets: resolved)
    }

    /// What the run would do, for `--dry-run`; nothing is sent.
    package var dryRunText: String {
        get throws(LiveError) {
            let plan = try LivePlan(workload, options: options, targets: targets, secrets: .drawn())
            return DryRun(workload, targets: targets, plan: plan, problems: problems).description
        }
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
                resolved.append(LiveTarget(address: address, others: Array(gateway.realAddresses.dropFirst())))
            }
        } else if targets.count == 1 {
            resolved = workload.gateways.map { _ in targets[0] }
        } else if targets.count != workload.gateways.count {
            throw .noTarget("\(targets.count) targets are named for \(workload.gateways.count) gateways")
        }
        for gateway in resolved.indices {
            resolved[gateway].others = try others(of: resolved[gateway], gateway, workload)
        }
        return resolved
    }

    /// Those of a target's further addresses that clients move to: there is none else that the run may touch.
    private static func others(
        of target: LiveTarget,
        _ gateway: Int,
        _ workload: Workload
    ) throws(LiveError) -> [IPAddress] {
        var others: [IPAddress] = []
        for fault in workload.faults.indices {
            guard let move = MoveTerms(workload, fault), workload.populations[move.population].gateway == gateway else {
                continue
            }
            for source in move.sources where source.address.isIPv4 != target.address.isIPv4 {
                guard let place = target.reached(byIPv4: source.address.isIPv4)?.address else {
                    throw .noTarget(
                        "the clients of \(workload.populations[move.population].name) move to \(source), and in real "
                            + "time \(workload.gateways[gateway].name) has no \(source.address.isIPv4 ? "IPv4" : "IPv6") "
                            + "address: write one more, as in --target \(target),ADDRESS"
                    )
                }
                if !others.contains(place) { others.append(place) }
            }
        }
        return others
    }

    /// Offers the load and drains it; `progress` is called about once a second, from the caller's thread.
    package func run(
        sinks: RunSinks = RunSinks(),
        progress: @escaping (RunProgress) -> Void = { _ in }
    ) throws(LiveError) -> LiveResult {
        guard problems.isEmpty else { throw .notAllowed(problems) }
        _ = LocalAddresses.raiseFileLimit()
        let folder = options.folder.map { LiveFolder($0) }
        let lock = try lock(folder)
        var plan = try LivePlan(workload, options: options, targets: targets, secrets: .drawn())
        plan.keepsPackets = sinks.packet != nil
        if !options.records { plan.batchLibrary = options.library.chosen }
        plan.batchWait = options.batchWait
        if options.records, let folder {
            try folder.makePrivateFolder(folder.recordingPath)
            try RecordingHead(plan).write(to: folder.recordingPath)
        }
        try Canary(workload, targets: targets, options: options).sing()
        let coordinator = LiveCoordinator(plan, options: options, sinks: sinks, progress: progress)
        let result = try coordinator.run(allowance: Allowance(targets.flatMap(\.prefixes)))
        if let folder {
            try SafetyReport(result).write(to: folder.safetyPath)
            folder.removeEmptyJournals()
        }
        folder?.removeControls()
        _ = consume lock
        return result
    }

    /// Makes the folder's private parts, and shows that the run is going on.
    private func lock(_ folder: LiveFolder?) throws(LiveError) -> LiveLock? {
        guard let folder else { return nil }
        try folder.makePrivateFolder(folder.keysPath)
        let lock = try LiveLock(folder.lockPath)
        guard lock.isHeld else { throw .system("\(folder.path) belongs to a run that is going on") }
        return lock
    }
}

extension LiveTarget {
    /// The target's addresses alone: what a socket of the run may send to.
    var prefixes: [IPPrefix] { addresses.map { IPPrefix(address: $0, length: $0.byteCount * 8) } }
}

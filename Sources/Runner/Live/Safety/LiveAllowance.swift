import Foundation
import Primitives
import UDPTransport
import Workload

/// What a live run may touch: what the workload allows and, where there is one, the machine-wide file as well.
struct LiveAllowance {
    /// One party that has to allow something, and how it is called in messages.
    private struct Party {
        var safety: Workload.Safety
        var name: String
        /// Targets that the command line adds to the party's own.
        var extraTargets: [IPAddress] = []
    }

    private let parties: [Party]

    /// - Throws: `LiveError` when there is a machine-wide file that cannot be read.
    init(_ workload: Workload, options: LiveOptions) throws(LiveError) {
        var parties = [
            Party(safety: workload.safety, name: "the workload's safety", extraTargets: options.allowedTargets)
        ]
        if let machine = try Self.machineWide(options.allowanceFile) {
            parties.append(Party(safety: machine, name: options.allowanceFile))
        }
        self.parties = parties
    }

    /// What the machine-wide file allows; nil where there is none.
    static func machineWide(_ file: String) throws(LiveError) -> Workload.Safety? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do throws(WorkloadErrors) {
            return try Workload.Safety(contentsOf: file)
        } catch {
            throw .unreadableAllowance(file: file, problem: error.description)
        }
    }

    /// What the run would do that a party does not allow, in words.
    func problems(_ workload: Workload, targets: [LiveTarget]) -> [String] {
        var problems: [String] = []
        for (index, target) in targets.enumerated() where targets.firstIndex(of: target) == index {
            problems += target.addresses.flatMap { self.problems(with: target.at($0)) }
        }
        for flood in workload.floods {
            for party in parties where !party.safety.allowKinds.contains(flood.kind) {
                problems.append("\(party.name) does not allow \(flood.kind.rawValue) among its allow-kinds")
            }
        }
        for population in workload.populations {
            problems += self.problems(with: population, workload.profiles[population.profile])
        }
        return problems
    }

    private func problems(with target: LiveTarget) -> [String] {
        guard !target.isLoopback else { return [] }
        if Self.documentation.contains(where: { $0.contains(target.address) }) {
            return ["\(target.address) is of a range for documentation, which exists in virtual time only"]
        }
        return parties.compactMap { party in
            let isAllowed =
                party.safety.allowTargets.contains { $0.contains(target.address) }
                || party.extraTargets.contains(target.address)
            guard !isAllowed else { return nil }
            return "\(party.name) does not allow the target \(target.address) among its allow-targets"
        }
    }

    private func problems(with population: Workload.Population, _ profile: Workload.Profile) -> [String] {
        var problems: [String] = []
        for party in parties {
            for prefix in profile.innerPrefixes
            where !party.safety.allowInner.contains(where: { $0.contains(prefix) }) {
                problems.append("\(party.name) does not allow the inner prefix \(prefix) among its allow-inner")
            }
            let numbers = population.firstIdentity..<(population.firstIdentity + population.count)
            for template in [profile.identity, profile.authentication.eap?.identity].compactMap(\.self) {
                let forbidden = numbers.lazy.map { template.identity($0) }.first { identity in
                    !party.safety.allowIdentities.contains { Glob.matches(identity, pattern: $0) }
                }
                guard let forbidden else { continue }
                problems.append("\(party.name) does not allow the identity \(forbidden) among its allow-identities")
            }
        }
        return problems
    }

    /// The ceilings and abort conditions of all parties together: the lowest ceiling, and every condition.
    var combined: Workload.Safety {
        var combined = parties[0].safety
        for party in parties.dropFirst() {
            let other = party.safety
            combined.setUpsAtMost = Self.lower(combined.setUpsAtMost, other.setUpsAtMost)
            combined.halfOpenAtMost = [combined.halfOpenAtMost, other.halfOpenAtMost].compactMap(\.self).min()
            combined.abortWhen += other.abortWhen
            for step in other.onAbort where !combined.onAbort.contains(step) { combined.onAbort.append(step) }
        }
        return combined
    }

    private static func lower(_ left: Workload.Rate?, _ right: Workload.Rate?) -> Workload.Rate? {
        guard let left, let right else { return left ?? right }
        return left.perSecondThousandths <= right.perSecondThousandths ? left : right
    }

    /// RFC 5737 and RFC 3849.
    private static var documentation: [IPPrefix] {
        ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"].compactMap { IPPrefix($0) }
    }
}

import Primitives

extension Workload {
    /// Whether some clients compete for a NAT's ports.
    package var hasSharedNAT: Bool { paths.contains { $0.nat?.shared != nil } }
}

extension WarningCheck {
    /// A shared NAT with fewer blocks of ports than clients keeps some of them out.
    mutating func checkSharedNATs() {
        for (index, path) in workload.paths.enumerated() {
            guard let shared = path.nat?.shared else { continue }
            let clients = workload.populations.filter { $0.paths.contains { $0.path == index } }
                .reduce(0) { $0 + $1.count }
            let room = shared.addresses.reduce(UInt64(0)) { $0.addingReportingOverflow($1.count).partialValue }
            let blocks = room.multipliedReportingOverflow(by: UInt64(64_512 / shared.portsPerClient)).partialValue
            guard blocks < UInt64(clients) else { continue }
            warn(
                "paths.\(path.name).nat.shared",
                "the NAT of the path \(path.name) has ports for \(blocks) clients at a time, and up to \(clients) use it"
            )
        }
    }
}

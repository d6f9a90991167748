import IKEWire
package import IKEv2

/// What the responder has done so far.
package struct GatewayServiceStatus: Sendable {
    package var peers: Int
    package var halfOpen: Int
    package var established: UInt64
    package var cookieDemands: UInt64
    /// How many IKE SAs INITIAL_CONTACT has made void.
    package var replaced: UInt64
    /// How often another RADIUS server was asked, because the one before did not answer.
    package var radiusFailovers: Int
    package var failures: GatewayFailures
    package var received: UInt64
    package var sent: UInt64
    package var packets: Packets

    /// What has gone through tunnels.
    package struct Packets: Sendable {
        /// What the host behind the responder has sent back.
        package var echoed: UInt64
        /// What came to it of one-way flows, and what it sent of them.
        package var sunk: UInt64
        package var ordered: UInt64
        /// What was not let through, by reason.
        package var dropped: [(reason: String, count: UInt64)]

        /// As in "sent back 12 packets, dropped 3 replayed"; nothing where there were none.
        package var told: [String] {
            var told: [String] = []
            if echoed > 0 { told.append("sent back \(echoed) packets") }
            if sunk > 0 { told.append("took \(sunk) packets of one-way flows") }
            if ordered > 0 { told.append("sent \(ordered) packets of one-way flows") }
            if !dropped.isEmpty {
                told.append("dropped " + dropped.map { "\($0.count) \($0.reason)" }.joined(separator: ", "))
            }
            return told
        }
    }
}

/// What did not come to be, or ended although nobody wanted that: how often for each reason, in the order in which they
/// were first met.
package struct GatewayFailures: Sendable {
    package private(set) var byReason: [(name: String, count: UInt64)] = []

    package init() {}

    package var total: UInt64 { byReason.reduce(0) { $0 + $1.count } }

    /// Counts a report of a machine, if it is of a failure.
    package mutating func note(_ report: Report) {
        guard let name = Self.name(of: report) else { return }
        if let index = byReason.firstIndex(where: { $0.name == name }) {
            byReason[index].count += 1
        } else {
            byReason.append((name, 1))
        }
    }

    /// What results call it.
    private static func name(of report: Report) -> String? {
        switch report {
        // Who guessed another method than ours tries again (RFC 7296 section 1.2).
        case .refused(.invalidKEPayload): nil
        case .refused(let type), .childRefused(let type): CloseReason.refused(type).name
        case .closed(_, .deletedByPeer), .closed(_, .deletedHere), .closed(_, .rekeyed), .closed(_, .redundant): nil
        case .closed(_, let reason): reason.name
        default: nil
        }
    }

    /// As in "2 expired-certificate, 1 refused:NO_PROPOSAL_CHOSEN".
    package var text: String { byReason.map { "\($0.count) \($0.name)" }.joined(separator: ", ") }
}

package import IKEWire
package import Primitives

/// What a capture shows of IKE: each negotiation with its verdict and its timeline, and how much was not followed.
package struct InspectionReport: Sendable {
    package var tally: CaptureTally
    /// In the order of their first messages.
    package var negotiations: [NegotiationReport]
    /// Negotiations that made place for others, by outcome and cause.
    package var dropped: [Dropped]

    package struct Dropped: Hashable, Sendable {
        package var outcome: Finding.Outcome
        package var cause: Finding.Cause?
        package var count: Int
    }

    package func count(_ outcome: Finding.Outcome) -> Int {
        negotiations.count { $0.finding.outcome == outcome }
            + dropped.reduce(0) { $0 + ($1.outcome == outcome ? $1.count : 0) }
    }

    package var count: Int { negotiations.count + dropped.reduce(0) { $0 + $1.count } }
}

/// One negotiation, as it is told.
package struct NegotiationReport: Hashable, Sendable {
    package var number: Int
    package var finding: Finding
    package var initiator: UDPEndpoint
    package var responder: UDPEndpoint
    package var initiatorSPI: IKESPI
    package var responderSPI: IKESPI
    /// Nanoseconds since 1970.
    package var start: UInt64
    package var end: UInt64
    package var isDecrypted: Bool
    package var initiatorIdentity: Identity?
    package var responderIdentity: Identity?
    /// What was agreed for the IKE SA and for the first Child SA, in strongSwan's notation.
    package var ikeProposal: String?
    package var childProposal: String?
    package var isInitiatorBehindNAT: Bool
    package var isResponderBehindNAT: Bool
    package var retransmissions: Int
    package var espPackets: Int
    package var timeline: Timeline
}

extension Inspector {
    /// What is known now; `accepted` is the responder's configuration as far as the user knows it.
    package func report(accepted: [Proposal] = []) -> InspectionReport {
        let judge = Judge(all: table.all, end: tally.lastTime, accepted: accepted)
        return InspectionReport(
            tally: tally,
            negotiations: table.all.sorted { $0.number < $1.number }.map {
                NegotiationReport($0, finding: judge.finding(of: $0))
            },
            dropped: dropped.map { InspectionReport.Dropped(outcome: $0.outcome, cause: $0.cause, count: $0.count) }
        )
    }

    /// Judges all negotiations, and keeps the half that says most: failures before unknown ones before successes.
    mutating func makeRoom() {
        let judge = Judge(all: table.all, end: tally.lastTime)
        var findings: [Int: Finding] = [:]
        for negotiation in table.all { findings[negotiation.number] = judge.finding(of: negotiation) }
        let now = tally.lastTime
        var leaving = dropped
        table.makeRoom { negotiation in
            // What has just begun or is alive cannot be judged yet.
            if negotiation.lastTime + Judge.patience > now { return 2 }
            return findings[negotiation.number]?.outcome == .failed ? 1 : 0
        } dropped: { negotiation in
            guard let finding = findings[negotiation.number] else { return }
            let index = leaving.firstIndex { $0.outcome == finding.outcome && $0.cause == finding.cause }
            if let index {
                leaving[index].count += 1
            } else {
                leaving.append(DroppedTally(outcome: finding.outcome, cause: finding.cause, count: 1))
            }
        }
        dropped = leaving
    }
}

extension NegotiationReport {
    init(_ negotiation: Negotiation, finding: Finding) {
        let facts = negotiation.facts
        let legs = negotiation.exchanges.flatMap { [$0.request, $0.response] }
        number = negotiation.number
        self.finding = finding
        initiator = negotiation.initiator
        responder = negotiation.responder
        initiatorSPI = negotiation.initiatorSPI
        responderSPI = negotiation.responderSPI
        start = negotiation.firstTime
        end = negotiation.lastTime
        isDecrypted = legs.contains(where: \.isOpened)
        initiatorIdentity = facts.initiator.identity
        responderIdentity = facts.responder.identity
        ikeProposal = facts.ikeChoice?.notation
        childProposal = facts.childChoice?.notation
        isInitiatorBehindNAT = facts.isInitiatorTranslated
        isResponderBehindNAT = facts.isResponderTranslated
        retransmissions = legs.reduce(0) { $0 + max(0, $1.copies - 1) }
        espPackets = negotiation.espCount
        timeline = negotiation.timeline
    }
}

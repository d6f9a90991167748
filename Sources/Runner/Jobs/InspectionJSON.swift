import Capture
import IKEWire
import Inspection
import Primitives
import Results

/// `ikestorm inspect --json` (docs/inspect.md).
enum InspectionJSON {
    /// The name and the version of the form. A change that could mislead a reader gets a new one.
    static let schema = "ikestorm-inspect-1"

    static func value(of report: InspectionReport, capture: String, problem: String?) -> JSONValue {
        let tally = report.tally
        return [
            "schema": .string(schema),
            "version": .string(IkestormVersion.text),
            "capture": .string(capture),
            "problem": problem.map(JSONValue.string) ?? .null,
            "counts": [
                "failed": .integer(report.count(.failed)), "established": .integer(report.count(.established)),
                "unknown": .integer(report.count(.unknown)),
            ],
            "packets": [
                "all": .integer(tally.packets), "ike": .integer(tally.messages), "esp": .integer(tally.esp),
                "keepalives": .integer(tally.keepalives), "icmp": .integer(tally.icmp),
                "cut": .integer(tally.cut), "malformed": .integer(tally.malformed), "ikev1": .integer(tally.ikev1),
                "unopened": .integer(tally.unopened), "lostFragments": .integer(tally.lostDatagrams),
            ],
            "negotiations": .array(report.negotiations.map(value)),
            "notFollowed": .array(
                report.dropped.map {
                    [
                        "outcome": .string($0.outcome.rawValue), "cause": cause($0.cause), "count": .integer($0.count),
                    ]
                }
            ),
        ]
    }

    private static func value(of negotiation: NegotiationReport) -> JSONValue {
        let finding = negotiation.finding
        return [
            "number": .integer(negotiation.number),
            "outcome": .string(finding.outcome.rawValue),
            "cause": cause(finding.cause),
            "exchange": finding.exchange.map { .string($0.description) } ?? .null,
            "headline": .string(finding.headline),
            "reasons": .strings(finding.reasons),
            "checks": .strings(finding.checks),
            "initiator": .string(negotiation.initiator.description),
            "responder": .string(negotiation.responder.description),
            "initiatorSPI": .string(negotiation.initiatorSPI.description),
            "responderSPI": .string(negotiation.responderSPI.description),
            "start": .integer(negotiation.start),
            "end": .integer(negotiation.end),
            "decrypted": .bool(negotiation.isDecrypted),
            "initiatorIdentity": text(negotiation.initiatorIdentity?.text),
            "responderIdentity": text(negotiation.responderIdentity?.text),
            "ikeProposal": text(negotiation.ikeProposal),
            "childProposal": text(negotiation.childProposal),
            "initiatorBehindNAT": .bool(negotiation.isInitiatorBehindNAT),
            "responderBehindNAT": .bool(negotiation.isResponderBehindNAT),
            "retransmissions": .integer(negotiation.retransmissions),
            "espPackets": .integer(negotiation.espPackets),
            "events": .array((negotiation.timeline.first + negotiation.timeline.last).map(value)),
            "eventsLeftOut": .integer(negotiation.timeline.omittedCount),
        ]
    }

    private static func value(of entry: Timeline.Entry) -> JSONValue {
        switch entry.event {
        case .message(let message):
            return [
                "time": .integer(entry.timestamp), "event": .string("message"),
                "sender": .string(message.sender.rawValue), "exchange": .string(message.exchange.description),
                "response": .bool(message.isResponse), "messageID": .integer(message.messageID.rawValue),
                "fragment": message.fragment.map { .array([.integer($0.number), .integer($0.total)]) },
                "octets": .integer(message.byteCount), "ipPackets": .integer(message.packetCount),
                "copy": .integer(message.copy), "reading": .string(message.reading.rawValue),
                "payloads": .string(message.content),
            ]
        case .unreachable(let error):
            return [
                "time": .integer(entry.timestamp), "event": .string("icmp"),
                "reporter": .string(error.reporter.description), "from": .string(error.source.description),
                "to": .string(error.destination.description),
            ]
        case .lostFragments(let lost):
            return [
                "time": .integer(entry.timestamp), "event": .string("ip-fragments-lost"),
                "from": .string(lost.source.description), "to": .string(lost.destination.description),
                "ipPackets": .integer(lost.packetCount),
            ]
        case .moved(let role, let from, let to):
            return [
                "time": .integer(entry.timestamp), "event": .string("moved"), "sender": .string(role.rawValue),
                "from": .string(from.description), "to": .string(to.description),
            ]
        }
    }

    private static func cause(_ cause: Finding.Cause?) -> JSONValue { text(cause?.rawValue) }

    private static func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
}

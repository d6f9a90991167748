import Capture
import IKEWire
import Primitives

// What was sent and not answered (RFC 7296 sections 2.1 and 2.23, RFC 7383 section 2.5).
extension Judge {
    func unanswered(_ exchange: Exchange, of negotiation: Negotiation) -> Finding {
        let requester = exchange.requester.rawValue
        let what = "the \(requester)'s \(exchange.type) request \(exchange.messageID)"
        if !exchange.request.isWhole, let tally = exchange.request.fragments {
            if isCutOff(exchange.request) { return cutOff(in: exchange.type) }
            return fragmentsLost(exchange, tally, of: negotiation, isResponse: false)
        }
        if exchange.response.isSeen, let tally = exchange.response.fragments {
            if isCutOff(exchange.response) { return cutOff(in: exchange.type) }
            return fragmentsLost(exchange, tally, of: negotiation, isResponse: true)
        }
        if isCutOff(exchange.request) { return cutOff(in: exchange.type) }
        if let finding = ipFragmentsLost(exchange, of: negotiation) { return finding }
        var reasons = [sent(exchange, as: what)]
        if let finding = mappingChanged(exchange, of: negotiation, reasons) { return finding }
        let longest = negotiation.exchanges.filter(\.isAnswered).map(\.request.packetByteCount).max() ?? 0
        let isLong = exchange.request.packetByteCount > max(longest, 576)
        if isLong {
            reasons.append(
                "Its packets have up to \(exchange.request.packetByteCount) octets; the longest that was answered had \(longest). The path may "
                    + "lose long packets, or a filter their fragments."
            )
        } else {
            reasons.append(
                "Packets of this size were answered before: the peer is gone, drops the request, or its answers are lost."
            )
        }
        return Finding(
            .failed,
            exchange.type == .ikeAuth ? .requestUnanswered : .peerVanished,
            in: exchange.type,
            headline: "\(what) is never answered",
            reasons: reasons + notices(of: negotiation),
            checks: [
                "a capture at the other end: does the request arrive, does an answer leave?",
                isLong
                    ? "the path's MTU; IKE fragmentation (RFC 7383) with smaller fragments"
                    : "whether UDP port \(negotiation.places.responder.port) passes both ways",
            ]
        )
    }

    private func sent(_ exchange: Exchange, as what: String) -> String {
        let leg = exchange.request
        let pieces = leg.fragments.map { " in \(Words.count($0.total, "fragment"))" } ?? ""
        return "\(what.prefix(1).uppercased() + what.dropFirst()) was sent \(Words.times(leg.copies))\(pieces), over "
            + "\(Words.time(leg.lastTime - leg.firstTime)), and no answer passes the place of the capture."
    }

    private func fragmentsLost(
        _ exchange: Exchange,
        _ tally: FragmentTally,
        of negotiation: Negotiation,
        isResponse: Bool
    ) -> Finding {
        let leg = isResponse ? exchange.response : exchange.request
        let sender = isResponse ? exchange.requester.other : exchange.requester
        let kind = "\(exchange.type) \(isResponse ? "response" : "request") \(exchange.messageID)"
        let missing = tally.missing.prefix(8).map(String.init)
        let verb = missing.count == 1 ? "is" : "are"
        let longest =
            negotiation.exchanges.flatMap { [$0.request, $0.response] }.filter { $0.fragments == nil }
            .map(\.packetByteCount).max() ?? 0
        return Finding(
            .failed,
            .fragmentsLost,
            in: exchange.type,
            headline: "fragments of the \(sender.rawValue)'s \(kind) are lost on the way",
            reasons: [
                "The \(sender.rawValue) sends the message in \(Words.count(tally.total, "fragment")) (RFC 7383). Of them "
                    + "\(Words.list(missing)) \(verb) never in the capture, though others came \(Words.times(leg.copies)): they are lost before the "
                    + "place of the capture, and the message cannot be put together.",
                "The fragments that came were in IP packets of up to \(leg.packetByteCount) octets, and whole messages in packets of up to "
                    + "\(longest): longer ones do not seem to get through.",
            ] + notices(of: negotiation),
            checks: [
                "the path's MTU between the \(sender.rawValue) and the place of the capture, and filters that drop long packets",
                "a smaller fragment size at the \(sender.rawValue) (strongSwan: fragment_size)",
            ]
        )
    }

    private func ipFragmentsLost(_ exchange: Exchange, of negotiation: Negotiation) -> Finding? {
        guard let lost = negotiation.lostDatagrams.last else { return nil }
        return Finding(
            .failed,
            .fragmentsLost,
            in: exchange.type,
            headline: "IP fragments from \(lost.source) to \(lost.destination) are lost on the way",
            reasons: [
                "\(Words.count(negotiation.lostDatagrams.count, "datagram")) from \(lost.source) came in IP fragments, of which some never "
                    + "pass the place of the capture: the datagrams cannot be put together.",
                "Many firewalls and NATs drop IP fragments.",
            ] + notices(of: negotiation),
            checks: [
                "IKE fragmentation (RFC 7383) at both ends, which makes IP fragments needless",
                "filters that drop IP fragments",
            ]
        )
    }

    /// What the responder sent to where the initiator was.
    private func unheard(_ negotiation: Negotiation, at place: UDPEndpoint) -> [String] {
        negotiation.exchanges.filter { $0.requester == .responder && !$0.isAnswered && $0.request.isSeen }.prefix(1).map
        {
            "The responder's \($0.type) request \($0.messageID) was sent \(Words.times($0.request.copies)) to \(place), and not answered: "
                + "a responder gives such an IKE SA up."
        }
    }

    /// The responder speaks to where the initiator was.
    private func mappingChanged(_ exchange: Exchange, of negotiation: Negotiation, _ reasons: [String]) -> Finding? {
        guard let move = negotiation.moves.last, !negotiation.facts.hasMoved,
            move.timestamp < exchange.request.lastTime + Self.patience
        else { return nil }
        let isSameHost = move.from.address == move.to.address
        let explanation =
            isSameHost
            ? ": a NAT gave it another port, as it does when a mapping has expired or the NAT has restarted" : ""
        return Finding(
            .failed,
            .natMappingChanged,
            in: exchange.type,
            headline: "the initiator's address changed in the middle, from \(move.from) to \(move.to)",
            reasons: [
                "Until \(Words.time(move.timestamp - negotiation.firstTime)) the initiator's packets came from \(move.from), then from "
                    + "\(move.to)\(explanation)."
            ] + unheard(negotiation, at: move.from) + reasons + [
                "Answers and requests to the old place are lost. An end behind a NAT is to be followed by its authenticated packets (RFC 7296 "
                    + "section 2.23), or says itself that it has moved (MOBIKE, RFC 4555); neither happened here."
            ] + notices(of: negotiation),
            checks: [
                "the NAT's timeout for UDP, and a NAT keepalive at the initiator that is more frequent",
                "MOBIKE at both ends",
            ]
        )
    }
}

import Capture
import IKEWire
import Primitives

/// A line of an explanation, and how a terminal may show it.
package struct ReportLine: Hashable, Sendable {
    package var text: String
    package var emphasis: Emphasis

    package init(_ text: String, _ emphasis: Emphasis = .plain) {
        self.text = text
        self.emphasis = emphasis
    }

    package enum Emphasis: Hashable, Sendable {
        case plain
        case heading
        case good
        case bad
        case doubtful
        case dim
    }
}

extension InspectionReport {
    /// The whole as text: the verdict on the capture, then what failed with its reasons, then the rest in short.
    ///
    /// - Parameter shown: how many negotiations are told at length.
    package func lines(shown: Int) -> [ReportLine] {
        var lines = summary
        let long = negotiations.filter { $0.finding.outcome == .failed }.prefix(shown)
        for negotiation in long { lines += [ReportLine("")] + negotiation.lines }
        let told = Set(long.map(\.number))
        let short = negotiations.filter { !told.contains($0.number) }
        if !short.isEmpty {
            lines += [ReportLine(""), ReportLine(long.isEmpty ? "Negotiations" : "The other negotiations", .heading)]
            lines += short.prefix(max(shown, 1)).map { ReportLine("  " + $0.shortLine, $0.emphasis) }
            if short.count > max(shown, 1) { lines.append(ReportLine("  and \(short.count - max(shown, 1)) more")) }
        }
        if !dropped.isEmpty {
            lines += [ReportLine(""), ReportLine("Earlier negotiations, no longer followed", .heading)]
            for entry in dropped {
                lines.append(
                    ReportLine(
                        "  \(entry.outcome.rawValue) \(entry.cause.map { "(\($0.rawValue)) " } ?? "")\(entry.count)"
                    )
                )
            }
        }
        return lines
    }

    private var summary: [ReportLine] {
        let failed = count(.failed)
        var parts: [String] = []
        if failed > 0 { parts.append("\(failed) failed") }
        if count(.established) > 0 { parts.append("\(count(.established)) established") }
        if count(.unknown) > 0 { parts.append("\(count(.unknown)) without an end") }
        let finding = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
        let emphasis: ReportLine.Emphasis = failed > 0 ? .bad : count == 0 ? .doubtful : .good
        let first =
            count == 0
            ? ReportLine("No IKEv2 negotiation in this capture", emphasis)
            : ReportLine(Words.count(count, "negotiation") + finding, emphasis)
        return [first, ReportLine(contents, .dim)] + warnings.map { ReportLine($0, .doubtful) }
    }

    private var contents: String {
        var parts = ["\(Words.count(tally.packets, "packet")) in \(Words.time(tally.lastTime - tally.firstTime))"]
        parts.append("\(tally.messages) of IKE")
        if tally.esp > 0 { parts.append("\(tally.esp) of ESP") }
        if tally.keepalives > 0 { parts.append(Words.count(tally.keepalives, "NAT keepalive")) }
        if tally.icmp > 0 { parts.append("\(tally.icmp) of ICMP") }
        return parts.joined(separator: ", ")
    }

    /// What the capture cannot show.
    private var warnings: [String] {
        var warnings: [String] = []
        if tally.cut > 0 {
            warnings.append(
                "\(Words.count(tally.cut, "datagram")) cut by the capture's snap length: capture whole packets (tcpdump -s 0)"
            )
        }
        for link in tally.unknownLinks {
            warnings.append("\(Words.count(link.packets, "packet")) of link type \(link.type), which cannot be read")
        }
        if tally.ikev1 > 0 { warnings.append("\(Words.count(tally.ikev1, "message")) of IKEv1, which is not followed") }
        if tally.malformed > 0 {
            warnings.append("\(Words.count(tally.malformed, "message")) that no correct sender sends")
        }
        if tally.unopened > 0 {
            warnings.append("\(Words.count(tally.unopened, "message")) that the keys at hand do not open")
        }
        if tally.lostDatagrams > 0 {
            warnings.append("\(Words.count(tally.lostDatagrams, "datagram")) of which IP fragments are missing")
        }
        return warnings
    }
}

extension NegotiationReport {
    var emphasis: ReportLine.Emphasis {
        switch finding.outcome {
        case .established: .plain
        case .failed: .bad
        case .unknown: .doubtful
        }
    }

    var shortLine: String {
        "\(number)  \(initiator) with \(responder)\(who): \(finding.headline)"
    }

    private var who: String { initiatorIdentity.map { ", \($0.text)" } ?? "" }

    /// The verdict first, the reasons, what to look at, and the timeline.
    var lines: [ReportLine] {
        let place = finding.exchange.map { " in \($0)" } ?? ""
        var lines = [
            ReportLine("Negotiation \(number) failed\(place): \(finding.headline)", .bad),
            ReportLine("  \(initiator) with \(responder), \(spis)", .dim),
        ]
        lines += finding.reasons.flatMap { Self.wrapped($0, first: "  ", rest: "  ") }.map { ReportLine($0) }
        if let nat { lines += Self.wrapped(nat, first: "  ", rest: "  ").map { ReportLine($0) } }
        if !finding.checks.isEmpty {
            lines.append(ReportLine("  Look at", .heading))
            lines += finding.checks.flatMap { Self.wrapped($0, first: "  - ", rest: "    ") }.map { ReportLine($0) }
        }
        lines.append(ReportLine("  What was sent", .heading))
        lines += timelineLines
        return lines
    }

    private var spis: String {
        responderSPI == .zero ? "SPI \(initiatorSPI)" : "SPIs \(initiatorSPI) and \(responderSPI)"
    }

    private var nat: String? {
        switch (isInitiatorBehindNAT, isResponderBehindNAT) {
        case (true, true): "Both ends are behind a NAT, or say so to have ESP in UDP."
        case (true, false): "The initiator is behind a NAT."
        case (false, true): "The responder is behind a NAT, or says so to have ESP in UDP."
        case (false, false): nil
        }
    }

    private var timelineLines: [ReportLine] {
        let rows = timeline.first.map(row)
        let later = timeline.last.map(row)
        let width = (rows + later).map(\.left.count).max() ?? 0
        func line(_ row: (left: String, right: String)) -> ReportLine {
            let space = String(repeating: " ", count: width - row.left.count)
            return ReportLine(row.right.isEmpty ? row.left : row.left + space + "  " + row.right)
        }
        var lines = rows.map(line)
        if timeline.omittedCount > 0 { lines.append(ReportLine("    ... \(timeline.omittedCount) more ...", .dim)) }
        return lines + later.map(line)
    }

    private func row(_ entry: Timeline.Entry) -> (left: String, right: String) {
        let time = "  " + Self.offset(from: start, to: entry.timestamp)
        switch entry.event {
        case .message(let message):
            let arrow = message.sender == .initiator ? "-->" : "<--"
            return ("\(time)  \(arrow) \(message.name), \(message.size)", message.remark)
        case .unreachable(let error):
            return ("\(time)  ICMP from \(error.reporter)", "for \(error.source) to \(error.destination)")
        case .lostFragments(let lost):
            return ("\(time)  IP fragments from \(lost.source)", "\(lost.packetCount) came, the others never")
        case .moved(let role, let from, let to): return ("\(time)  the \(role.rawValue) moves", "from \(from) to \(to)")
        }
    }

    /// Seconds and milliseconds, flush right.
    private static func offset(from start: UInt64, to time: UInt64) -> String {
        let milliseconds = (time >= start ? time - start : 0) / 1_000_000
        let fraction = String(milliseconds % 1_000)
        let text = "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
    }

    /// A text in lines of at most 100 characters.
    static func wrapped(_ text: String, first: String, rest: String) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > 100 {
                lines.append(line)
                line = rest
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        lines.append(line)
        return lines
    }
}

extension Timeline.Message {
    /// `IKE_AUTH request 1, fragment 2 of 3`.
    var name: String {
        let kind = isResponse ? "response" : "request"
        let piece = fragment.map { ", fragment \($0.number) of \($0.total)" } ?? ""
        return "\(exchange) \(kind) \(messageID)\(piece)"
    }

    var size: String {
        let packets = packetCount > 1 ? " in \(packetCount) IP fragments" : ""
        return "\(byteCount) octets\(packets)"
    }

    /// What is in it, or that it was there before.
    var remark: String {
        // They come in pairs, with every IKE_SA_INIT.
        let content = content.replacing(
            "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)",
            with: "N(NAT_DETECTION_*)"
        )
        if copy > 1 { return "again (\(copy))" }
        switch reading {
        case .clear: return content
        case .decrypted: return content.isEmpty ? (fragment == nil ? "SK {}" : "") : "SK {\(content)}"
        case .encrypted: return fragment == nil ? "encrypted" : ""
        case .unopened: return "encrypted, and not by these keys"
        case .malformed: return "malformed"
        }
    }
}

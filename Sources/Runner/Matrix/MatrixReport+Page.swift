import IKEWire
import Primitives
package import Results

extension MatrixReport {
    /// The report as a page: the pairs as a grid, everything else as rows, and what was not tried.
    package var page: ReportPage {
        var footnotes = Footnotes()
        var sections = [grid(&footnotes)]
        for (heading, isMeant) in Self.groups {
            let rows = results.filter { isMeant($0.cell.kind) }
            guard !rows.isEmpty else { continue }
            sections.append(
                ReportPage.Section(
                    heading,
                    lead: base.map { "with \($0.name)" } ?? "",
                    head: ["", "", "ms of each exchange"],
                    rows: rows.map { row(of: $0, &footnotes) }
                )
            )
        }
        if !footnotes.texts.isEmpty {
            let notes = footnotes.texts.enumerated().map { "[\($0 + 1)] \($1)" }
            sections.append(ReportPage.Section("Refused and broken", notes: notes))
        }
        sections.append(ReportPage.Section("Not tried", notes: leftOut))
        if !doubts.isEmpty { sections.append(ReportPage.Section("Doubts about the times", notes: doubts)) }
        return ReportPage(title: "ikestorm matrix of \(target)", summary: summary, sections: sections)
    }

    private static let groups: [(heading: String, isMeant: @Sendable (MatrixCell.Kind) -> Bool)] = [
        ("Other transforms", { $0 == .transform }),
        ("Authentication", { if case .authentication = $0 { true } else { false } }),
        ("Features", { if case .feature = $0 { true } else { false } }),
    ]

    private var summary: ReportPage.Cell {
        var text =
            "\(triedCount) tried: \(count(.works)) work, \(count(.refused)) refused (\(explainedCount) explained), "
            + "\(count(.broken)) broken"
        if count(.notTried) > 0 { text += ", \(count(.notTried)) not tried" }
        if leftBehind > 0 { text += "; \(leftBehind) IKE SAs could not be deleted" }
        let isBad = count(.broken) > 0 || explainedCount < count(.refused)
        return ReportPage.Cell(text, isBad ? .bad : count(.refused) > 0 ? .doubtful : .good)
    }

    private func grid(_ footnotes: inout Footnotes) -> ReportPage.Section {
        var rows: [[ReportPage.Cell]] = []
        for cipher in ciphers {
            var row = [ReportPage.Cell(cipher.ike)]
            for keyExchange in keyExchanges {
                let found = results.first { $0.cell.cipher == cipher && $0.cell.keyExchange == keyExchange }
                row.append(found.map { cell(of: $0, &footnotes) } ?? ReportPage.Cell("-"))
            }
            rows.append(row)
        }
        return ReportPage.Section(
            "Key exchange and cipher",
            lead: "what works, with the ms of IKE_SA_INIT+IKE_AUTH; a number in brackets says below what does not",
            head: [""] + keyExchanges,
            rows: rows,
            isNumeric: true
        )
    }

    private func cell(of result: MatrixResult, _ footnotes: inout Footnotes) -> ReportPage.Cell {
        switch result.verdict {
        case .works:
            let times = result.setUpTimes.map { $0.time.map(Self.milliseconds) ?? "?" }
            return ReportPage.Cell(times.joined(separator: "+"), .good)
        case .refused: return ReportPage.Cell("no [\(footnotes.numbers(of: result))]", .doubtful)
        case .broken: return ReportPage.Cell("BROKEN [\(footnotes.numbers(of: result))]", .bad)
        case .notTried: return ReportPage.Cell("- [\(footnotes.numbers(of: result))]")
        }
    }

    private func row(of result: MatrixResult, _ footnotes: inout Footnotes) -> [ReportPage.Cell] {
        let verdict =
            switch result.verdict {
            case .works: ReportPage.Cell("works", .good)
            case .refused: ReportPage.Cell("refused [\(footnotes.numbers(of: result))]", .doubtful)
            case .broken: ReportPage.Cell("BROKEN [\(footnotes.numbers(of: result))]", .bad)
            case .notTried: ReportPage.Cell("not tried [\(footnotes.numbers(of: result))]")
            }
        return [ReportPage.Cell(result.cell.name), verdict, ReportPage.Cell(Self.times(of: result))]
    }

    /// `IKE_SA_INIT 1.2, IKE_AUTH 0.9, INFORMATIONAL 0.3 0.4`.
    private static func times(of result: MatrixResult) -> String {
        var types: [ExchangeType] = []
        for exchange in result.exchanges where !types.contains(exchange.type) { types.append(exchange.type) }
        return types.map { type in
            let times = result.exchanges.filter { $0.type == type }.map { $0.time.map(milliseconds) ?? "-" }
            return "\(type) " + times.joined(separator: " ")
        }
        .joined(separator: ", ")
    }

    static func milliseconds(_ time: Duration) -> String {
        let tenths = UInt64(max(0, time.nanoseconds) + 50_000) / 100_000
        return tenths < 1_000 ? "\(tenths / 10).\(tenths % 10)" : "\(tenths / 10)"
    }

    /// What cells have in common is said once.
    private struct Footnotes {
        private(set) var texts: [String] = []

        /// `2`, or `2,5` where there is more than one reason.
        mutating func numbers(of result: MatrixResult) -> String {
            let verdict = result.verdict.text
            var notes = result.explanations.isEmpty ? [verdict] : result.explanations.map { verdict + ": " + $0 }
            if !result.evidence.isEmpty {
                let words = result.evidence.map { GatewayLog.words(of: $0) }
                notes = notes.map { $0 + " (its log: " + words.joined(separator: "; ") + ")" }
            }
            return notes.map { String(number(of: $0)) }.joined(separator: ",")
        }

        private mutating func number(of text: String) -> Int {
            if let index = texts.firstIndex(of: text) { return index + 1 }
            texts.append(text)
            return texts.count
        }
    }
}

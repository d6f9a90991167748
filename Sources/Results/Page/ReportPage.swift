/// A report of tables and sentences, which a terminal, Markdown and HTML show each in its own way.
package struct ReportPage: Hashable, Sendable {
    package enum Emphasis: Hashable, Sendable {
        case plain, good, doubtful, bad
    }

    package struct Cell: Hashable, Sendable {
        package var text: String
        package var emphasis: Emphasis

        package init(_ text: String, _ emphasis: Emphasis = .plain) {
            self.text = text
            self.emphasis = emphasis
        }
    }

    package struct Section: Hashable, Sendable {
        package var heading: String
        /// What there is to know before one reads it.
        package var lead: String
        package var head: [String]
        package var rows: [[Cell]]
        /// Whether all columns but the first are numbers, which end in line.
        package var isNumeric: Bool
        /// Sentences, which stand where there is no table, or behind it.
        package var notes: [String]

        package init(
            _ heading: String,
            lead: String = "",
            head: [String] = [],
            rows: [[Cell]] = [],
            isNumeric: Bool = false,
            notes: [String] = []
        ) {
            self.heading = heading
            self.lead = lead
            self.head = head
            self.rows = rows
            self.isNumeric = isNumeric
            self.notes = notes
        }
    }

    package var title: String
    /// The page in a sentence.
    package var summary: Cell
    package var sections: [Section]

    package init(title: String, summary: Cell, sections: [Section]) {
        self.title = title
        self.summary = summary
        self.sections = sections
    }
}

extension ReportPage {
    /// The page as a terminal shows it; names that others chose are made harmless.
    package func text(style: TextStyle) -> String {
        var lines = [style.bold(PrintableText.line(title)), summary.painted(PrintableText.line(summary.text), style)]
        for section in sections {
            lines += ["", style.bold(PrintableText.line(section.heading))]
            if !section.lead.isEmpty { lines.append(style.dim(PrintableText.line(section.lead))) }
            lines += section.tableLines(style)
            lines += section.notes.map { "  " + PrintableText.line($0) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension ReportPage.Cell {
    fileprivate func painted(_ text: String, _ style: TextStyle) -> String {
        switch emphasis {
        case .plain: text
        case .good: style.good(text)
        case .doubtful: style.doubtful(text)
        case .bad: style.bad(text)
        }
    }
}

extension ReportPage.Section {
    /// The rows in columns as wide as their widest cell; colours come last, since their codes would count as width.
    fileprivate func tableLines(_ style: TextStyle) -> [String] {
        let all = (head.isEmpty ? [] : [head.map { ReportPage.Cell($0) }]) + rows
        let texts = all.map { row in row.map { PrintableText.line($0.text) } }
        let columns = texts.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in texts.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return zip(all, texts).map { row, texts in
            var line = " "
            for (column, text) in texts.enumerated() {
                let space = String(repeating: " ", count: widths[column] - text.count)
                let painted = row[column].painted(text, style)
                let isLast = column == texts.count - 1
                if isNumeric, column > 0 {
                    line += " " + space + painted
                } else {
                    line += " " + painted + (isLast ? "" : space)
                }
                if !isLast { line += " " }
            }
            return line
        }
    }
}

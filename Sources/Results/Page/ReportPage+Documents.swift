extension ReportPage {
    /// The page as GitHub shows it.
    package var markdown: String {
        var lines = ["# \(PrintableText.markdown(title))", "", PrintableText.markdown(summary.text)]
        for section in sections {
            lines += ["", "## \(PrintableText.markdown(section.heading))", ""]
            if !section.lead.isEmpty { lines += [PrintableText.markdown(section.lead), ""] }
            if !section.rows.isEmpty {
                lines.append(Self.markdownRow(section.head))
                let ruler = section.head.indices.map { section.isNumeric && $0 > 0 ? "---:" : "---" }
                lines.append("| " + ruler.joined(separator: " | ") + " |")
                lines += section.rows.map { Self.markdownRow($0.map(\.text)) }
            }
            if !section.notes.isEmpty, !section.rows.isEmpty { lines.append("") }
            lines += section.notes.map { "- " + PrintableText.markdown($0) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func markdownRow(_ cells: [String]) -> String {
        "| " + cells.map(PrintableText.markdown).joined(separator: " | ") + " |"
    }

    /// The page as one file of HTML, without script and without anything that would be fetched.
    package var html: String {
        var lines = [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            "<title>\(PrintableText.xml(title))</title>", "<style>\(Self.styleSheet)</style>", "</head>", "<body>",
            "<h1>\(PrintableText.xml(title))</h1>",
            "<p class=\"\(summary.emphasis.className)\">\(PrintableText.xml(summary.text))</p>",
        ]
        for section in sections {
            lines.append("<h2>\(PrintableText.xml(section.heading))</h2>")
            if !section.lead.isEmpty { lines.append("<p>\(PrintableText.xml(section.lead))</p>") }
            lines += section.htmlTable
            guard !section.notes.isEmpty else { continue }
            lines.append("<ul>")
            lines += section.notes.map { "<li>\(PrintableText.xml($0))</li>" }
            lines.append("</ul>")
        }
        return (lines + ["</body>", "</html>"]).joined(separator: "\n") + "\n"
    }

    private static let styleSheet =
        "body{font:15px/1.5 system-ui,sans-serif;margin:2em;color:#222;background:#fff}"
        + "table{border-collapse:collapse;display:block;overflow-x:auto}"
        + "th,td{border:1px solid #ccc;padding:.2em .6em;text-align:left;white-space:nowrap}"
        + "table.n td+td{text-align:right}th{background:#f4f4f4}"
        + ".good{color:#176117}.doubtful{color:#8a5a00}.bad{color:#b00020;font-weight:bold}"
}

extension ReportPage.Section {
    fileprivate var htmlTable: [String] {
        guard !rows.isEmpty else { return [] }
        var lines = [isNumeric ? "<table class=\"n\">" : "<table>"]
        lines.append("<tr>" + head.map { "<th>\(PrintableText.xml($0))</th>" }.joined() + "</tr>")
        for row in rows {
            let cells = row.map { "<td class=\"\($0.emphasis.className)\">\(PrintableText.xml($0.text))</td>" }
            lines.append("<tr>" + cells.joined() + "</tr>")
        }
        return lines + ["</table>"]
    }
}

extension ReportPage.Emphasis {
    fileprivate var className: String {
        switch self {
        case .plain: "plain"
        case .good: "good"
        case .doubtful: "doubtful"
        case .bad: "bad"
        }
    }
}

/// Colours and weights for a terminal, or nothing for a file.
package struct TextStyle: Hashable, Sendable {
    package var hasColours: Bool

    package static var plain: TextStyle { TextStyle(hasColours: false) }

    package init(hasColours: Bool) {
        self.hasColours = hasColours
    }

    /// Colours only where a terminal shows them and nobody has asked for none (no-color.org).
    package init(isTerminal: Bool, environment: [String: String]) {
        hasColours =
            isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    package func bold(_ text: String) -> String { paint(text, "1") }

    package func dim(_ text: String) -> String { paint(text, "2") }

    package func good(_ text: String) -> String { paint(text, "32") }

    package func bad(_ text: String) -> String { paint(text, "1;31") }

    package func doubtful(_ text: String) -> String { paint(text, "33") }

    private func paint(_ text: String, _ code: String) -> String {
        hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Rows of text in columns as wide as their widest cell.
struct TextTable {
    /// The first column is flush left, the others flush right unless told otherwise.
    var leftColumns: Set<Int> = [0]
    var indentation = "  "
    private var rows: [[String]] = []

    init() {}

    mutating func add(_ cells: String...) { rows.append(cells) }

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines, without spaces at their ends; cells hold no colours, whose codes would count as width.
    var lines: [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            var line = indentation
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += leftColumns.contains(column) ? cell + space : space + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

extension String {
    /// At most so many characters, the last of them a `…` where some are missing.
    func shortened(to width: Int) -> String { count <= width ? self : prefix(max(0, width - 1)) + "…" }
}

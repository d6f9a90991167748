import Metrics
import Primitives

/// What a comparison comes to, as a table of at most 100 columns.
package struct ComparisonReport {
    private let comparison: Comparison
    private let style: TextStyle
    private var lines: [String] = []

    /// The whole report, each line ended.
    package static func text(of comparison: Comparison, style: TextStyle = .plain) -> String {
        var report = ComparisonReport(comparison: comparison, style: style)
        report.write()
        return report.lines.map { $0 + "\n" }.joined()
    }

    private init(comparison: Comparison, style: TextStyle) {
        self.comparison = comparison
        self.style = style
    }

    private var terms: ComparisonTerms { comparison.terms }

    private mutating func write() {
        let name = style.bold(PrintableText.line(comparison.base.record.name))
        lines.append(name + "  " + style.painted(headline, as: comparison.answer, isStrict: comparison.isStrict))
        lines.append(style.dim(subtitle))
        var sides = TextTable()
        sides.leftColumns = [0, 1, 2]
        sides.indentation = ""
        for (index, side) in ([comparison.base] + comparison.others.map(\.side)).enumerated() {
            sides.add(letter(index), PrintableText.line(side.name).shortened(to: 60), runs(of: side))
        }
        lines += [""] + sides.lines
        for (index, other) in comparison.others.enumerated() { write(other, letter(index + 1)) }
    }

    /// A, B, C and so on.
    private func letter(_ index: Int) -> String {
        index < 26 ? String(Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(index)))) : "#\(index + 1)"
    }

    private func runs(of side: ComparedSide) -> String {
        let count = side.runs.count
        let usable = side.usable.count
        let all = count == 1 ? "1 run" : "\(count) runs"
        return usable == count ? all : "\(all), \(usable) of them usable"
    }

    private var headline: String {
        let others = comparison.others
        let figures = others.flatMap(\.figures).filter { !$0.isAllowed }.map(\.answer)
        let facts = others.flatMap(\.facts).filter { !$0.isAllowed }.map(\.answer)
        let count = (figures + facts).count { $0 == comparison.answer }
        let hasAllowed = others.contains { other in
            other.figures.contains { $0.isAllowed && $0.answer != .same } || other.facts.contains { $0.isAllowed }
        }
        guard comparison.answer != .same else { return hasAllowed ? "SAME but for what is allowed" : "SAME" }
        let place = count == 0 ? "" : " in \(count) figure" + (count == 1 ? "" : "s")
        return comparison.answer.rawValue.uppercased() + place
    }

    private var subtitle: String {
        let record = comparison.base.record
        switch record.mode {
        case .simulated: return "simulated · every figure of each run of one seed, exactly"
        case .live:
            let (sure, alarms) = (Humane.percent(1 - terms.falseAlarms), Humane.percent(terms.falseAlarms))
            return "live · medians of runs · \(sure) intervals · false alarms in at most \(alarms) of all jobs"
        }
    }

    private mutating func write(_ other: Comparison.Other, _ letter: String) {
        let title = comparison.others.count > 1 ? "\(letter): \(other.answer.rawValue)" : "Figures"
        lines += ["", style.bold(title)]
        if comparison.base.mode == .live {
            writeMeasured(other, letter)
        } else {
            writeExact(other, letter)
        }
        guard !other.notes.isEmpty || other.obstacle != nil else { return }
        lines += ["", style.bold("Notes")]
        if let obstacle = other.obstacle { lines.append("  " + style.doubtful(PrintableText.line(obstacle))) }
        lines += other.notes.map { "  " + PrintableText.line($0) }
    }
}

extension ComparisonReport {
    /// A row whose first cell is as long as the others leave room for.
    private struct Row {
        var name: String
        var cells: [String]
        var answer: ComparisonAnswer
        var isAllowed: Bool
    }

    /// Worse ones first, each kind in the order of the metrics. Answers in parentheses are of what may change.
    private mutating func write(_ rows: [Row], header: [String], leftColumns: Set<Int>) {
        let ordered = ComparisonAnswer.allCases.flatMap { answer in rows.filter { $0.answer == answer } }
        let cells = ordered.map { $0.cells + [$0.isAllowed ? "(\($0.answer.rawValue))" : $0.answer.rawValue] }
        let widths = header.indices.map { column in (cells + [header]).map { $0[column].count }.max() ?? 0 }
        let room = Self.width - widths.reduce(2) { $0 + $1 + 2 }
        var table = TextTable()
        table.leftColumns = leftColumns
        table.add([""] + header)
        for (row, cells) in zip(ordered, cells) {
            table.add([PrintableText.line(row.name).shortened(to: room)] + cells)
        }
        lines.append(table.lines[0])
        for (line, row) in zip(table.lines.dropFirst(), ordered) {
            lines.append(
                row.isAllowed ? style.dim(line) : style.painted(line, as: row.answer, isStrict: comparison.isStrict)
            )
        }
    }

    private mutating func writeMeasured(_ other: Comparison.Other, _ letter: String) {
        let rows = other.figures.compactMap { figure -> Row? in
            guard case .measured(let measured) = figure.evidence else { return nil }
            return Row(
                name: figure.name.text,
                cells: cells(of: measured, figure.name),
                answer: figure.answer,
                isAllowed: figure.isAllowed
            )
        }
        guard !rows.isEmpty else {
            lines.append("  none")
            return
        }
        write(rows, header: ["A", letter, "change", "interval", "p", ""], leftColumns: [0, 6])
    }

    private func cells(of measured: ComparedFigure.Measured, _ name: FigureName) -> [String] {
        let medians = [measured.base, measured.other].map { $0.map(name.humane) ?? "-" }
        guard let difference = measured.difference, let base = measured.base else { return medians + ["-", "-", "-"] }
        return medians + [
            difference.difference == 0 ? "=" : name.change(difference.difference, from: base),
            name.change(difference.lower, difference.upper, from: base),
            Self.text(probability: measured.adjustedP),
        ]
    }

    private mutating func writeExact(_ other: Comparison.Other, _ letter: String) {
        guard !other.figures.isEmpty || !other.facts.isEmpty else {
            lines.append("  every figure is the same" + (other.pairCount > 1 ? " in \(other.pairCount) runs" : ""))
            return
        }
        let hasSeveral = other.pairCount > 1
        var rows = other.figures.compactMap { figure -> Row? in
            guard case .exact(let pairs) = figure.evidence, let first = pairs.first else { return nil }
            let texts = figure.name.texts(first)
            var change = ""
            if case (.number(let base), .number(let new)) = (first.base, first.other) {
                change = figure.name.change(Double(new) - Double(base), from: Double(base))
            }
            let count = hasSeveral ? ["\(pairs.count) of \(other.pairCount)"] : []
            return Row(
                name: figure.name.text,
                cells: [texts.base, texts.other, change] + count,
                answer: figure.answer,
                isAllowed: figure.isAllowed
            )
        }
        rows += other.facts.map { fact in
            let count = hasSeveral ? ["\(fact.pairCount) of \(other.pairCount)"] : []
            let texts = [fact.base, fact.other].map { PrintableText.line($0).shortened(to: 24) }
            return Row(name: fact.name, cells: texts + [""] + count, answer: fact.answer, isAllowed: fact.isAllowed)
        }
        write(
            rows,
            header: ["A", letter, "change"] + (hasSeveral ? ["runs"] : []) + [""],
            leftColumns: [0, hasSeveral ? 5 : 4]
        )
    }

    /// `0.031`, `< 0.001`.
    private static func text(probability: Double) -> String {
        let thousandths = UInt64((min(1, probability) * 1_000).rounded(.up))
        guard probability >= 0.001 else { return "< 0.001" }
        let digits = String(thousandths % 1_000)
        return "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }

    private static var width: Int { 100 }
}

extension TextStyle {
    func painted(_ text: String, as answer: ComparisonAnswer, isStrict: Bool) -> String {
        switch answer.exitCode(isStrict: isStrict) {
        case .pass: answer == .same ? text : good(text)
        case .inconclusive: doubtful(text)
        default: bad(text)
        }
    }
}

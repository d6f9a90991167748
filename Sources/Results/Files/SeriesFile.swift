import Metrics
import Primitives

/// `series.csv`: a row for each second, a column for each metric and population, as RFC 4180 has it.
package enum SeriesFile {
    package static func text(of table: SeriesTable) -> String {
        var text = (["second"] + table.columns.map { quoted(header(of: $0)) }).joined(separator: ",") + "\n"
        let columns = table.columns.map { column in (isShare: column.name.isShare, column.values) }
        for row in 0..<table.rowCount {
            text += JSONValue.decimal(UInt64(table.interval.nanoseconds) * UInt64(row), digits: 9)
            for (isShare, values) in columns {
                text += ","
                guard row < values.count, let value = values[row] else { continue }
                text += isShare ? JSONValue.decimal(value, digits: 9) : String(value)
            }
            text += "\n"
        }
        return text
    }

    package static func table(from bytes: [UInt8], file: String) throws(ResultError) -> SeriesTable {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ResultError(file: file, problem: "it is not UTF-8")
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "", !lines.isEmpty else {
            throw ResultError(file: file, problem: "it ends before it is complete")
        }
        var table = SeriesTable()
        let headers = fields(of: lines[0])
        guard headers.first == "second" else {
            throw ResultError(file: file, place: "line 1", problem: "the first column is not `second`")
        }
        for header in headers.dropFirst() {
            guard let column = column(named: header) else {
                throw ResultError(file: file, place: "line 1", problem: "\"\(header)\" is no column of this version")
            }
            table.columns.append(column)
        }
        for (index, line) in lines.enumerated().dropFirst() {
            try append(fields(of: line), to: &table, place: "line \(index + 1)", file: file)
        }
        if lines.count > 2, let second = fields(of: lines[2]).first,
            let nanoseconds = JSONObject.scaled(second, digits: 9)
        {
            table.interval = Duration(clamping: nanoseconds)
        }
        return table
    }

    private static func append(
        _ fields: [String],
        to table: inout SeriesTable,
        place: String,
        file: String
    ) throws(ResultError) {
        guard fields.count == table.columns.count + 1 else {
            throw ResultError(
                file: file,
                place: place,
                problem: "it has \(fields.count) fields, and the first line \(table.columns.count + 1)"
            )
        }
        for (column, field) in fields.dropFirst().enumerated() {
            let isShare = table.columns[column].name.isShare
            let value = JSONObject.scaled(field, digits: isShare ? 9 : 0)
            guard value != nil || field.isEmpty else {
                throw ResultError(file: file, place: place, problem: "\"\(field)\" is no number of this column")
            }
            table.columns[column].values.append(value)
        }
    }

    /// The column's name as an expectation would write it: `handshake.offered(laptops)`.
    private static func header(of column: SeriesTable.Column) -> String {
        column.name.rawValue + (column.subject.map { "(\(PrintableText.line($0)))" } ?? "")
    }

    private static func column(named header: String) -> SeriesTable.Column? {
        guard let open = header.firstIndex(of: "("), header.last == ")" else {
            return SeriesName(rawValue: header).map { SeriesTable.Column(name: $0, values: []) }
        }
        let subject = header[header.index(after: open)...].dropLast()
        return SeriesName(rawValue: String(header[..<open])).map {
            SeriesTable.Column(name: $0, subject: String(subject), values: [])
        }
    }

    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { $0 == "," || $0 == "\"" }) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }

    private static func fields(of line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        var wasQuote = false
        for character in line {
            let isQuote = character == "\""
            if isQuote {
                // A doubled quote ends the quoted part and begins it again, and stands for one.
                if wasQuote, !isQuoted { fields[fields.count - 1].append(character) }
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
            wasQuote = isQuote && !wasQuote
        }
        return fields
    }
}

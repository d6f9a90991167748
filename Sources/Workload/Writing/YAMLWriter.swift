import Primitives

/// A value to be written as YAML.
package indirect enum YAMLValue {
    /// A number, a word or a number with a unit, which needs no quotes.
    case bare(String)
    /// Anything a user may have written.
    case quoted(String)
    case list([YAMLValue])
    case map([(key: String, value: YAMLValue)])

    static func plain(_ value: some CustomStringConvertible) -> YAMLValue { .bare(value.description) }

    static func plain(_ duration: Duration) -> YAMLValue { .bare(UnitText.duration(duration)) }

    /// The text of a whole file.
    package var document: String {
        var lines: [String] = []
        append(to: &lines, after: "", indent: 0)
        return lines.joined(separator: "\n") + "\n"
    }

    private func append(to lines: inout [String], after key: String, indent: Int) {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .map(let entries) where !entries.isEmpty:
            if !key.isEmpty { lines.append(margin + key) }
            let inner = key.isEmpty ? indent : indent + 2
            for (name, value) in entries { value.append(to: &lines, after: name + ":", indent: inner) }
        case .list(let values) where values.contains(where: \.isLong):
            lines.append(margin + key)
            for value in values { lines.append(margin + "  - " + value.inline) }
        default: lines.append(margin + key + " " + inline)
        }
    }

    private var isLong: Bool {
        switch self {
        case .bare(let text), .quoted(let text): text.count > 40
        case .list, .map: true
        }
    }

    private var inline: String {
        switch self {
        case .bare(let text): text
        case .quoted(let text): Self.quote(text)
        case .list(let values): "[" + values.map(\.inline).joined(separator: ", ") + "]"
        case .map(let entries):
            "{ " + entries.map { "\($0.key): \($0.value.inline)" }.joined(separator: ", ") + " }"
        }
    }

    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case _ where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.value >= 0x2028:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension YAMLValue {
    /// The value as JSON: short things on one line, long ones with an indent of two.
    var json: String { json(indent: 0) }

    private func json(indent: Int) -> String {
        let inline = inlineJSON
        guard inline.count + indent > 100 else { return inline }
        let margin = String(repeating: " ", count: indent + 2)
        let end = "\n" + String(repeating: " ", count: indent)
        switch self {
        case .bare, .quoted: return inline
        case .list(let values):
            return "[\n" + values.map { margin + $0.json(indent: indent + 2) }.joined(separator: ",\n") + end + "]"
        case .map(let entries):
            let lines = entries.map { margin + Self.jsonQuote($0.key) + ": " + $0.value.json(indent: indent + 2) }
            return "{\n" + lines.joined(separator: ",\n") + end + "}"
        }
    }

    private var inlineJSON: String {
        switch self {
        case .bare(let text): return text
        case .quoted(let text): return Self.jsonQuote(text)
        case .list(let values): return "[" + values.map(\.inlineJSON).joined(separator: ", ") + "]"
        case .map(let entries):
            guard !entries.isEmpty else { return "{}" }
            return "{ " + entries.map { Self.jsonQuote($0.key) + ": " + $0.value.inlineJSON }.joined(separator: ", ")
                + " }"
        }
    }

    private static func jsonQuote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Names come from files that others wrote: before one reaches a terminal, a table or a document it is made harmless.
package enum PrintableText {
    /// The text on one line, with what a terminal would obey written as `\u{1b}`.
    package static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isUnsafeToPrint) else { return text }
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.isUnsafeToPrint {
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    /// The text as an XML attribute's value or an element's content. XML 1.0 section 2.2 has no place for most control
    /// characters, not even escaped: they are written as `line` writes them.
    package static func xml(_ text: String) -> String {
        var escaped = ""
        for scalar in line(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The text as plain words within a Markdown table.
    package static func markdown(_ text: String) -> String {
        var escaped = ""
        for scalar in line(text).unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\\", "`", "*", "_", "[", "]", "|", "~", "#", "!", "@", "$":
                escaped += "\\"
                escaped.unicodeScalars.append(scalar)
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The text as code within a Markdown table: fenced by more backquotes than it holds, its bars escaped.
    package static func markdownCode(_ text: String) -> String {
        let line = line(text)
        var longest = 0
        var run = 0
        for scalar in line.unicodeScalars {
            run = scalar == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        let padding = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
        return fence + padding + line.replacing("|", with: "\\|") + padding + fence
    }

    /// The words of a command as a shell reads them back.
    package static func shell(_ words: [String]) -> String {
        words.map { word in
            let isPlain =
                !word.isEmpty
                && word.unicodeScalars.allSatisfy {
                    $0.properties.isASCIIHexDigit || ("a"..."z").contains($0) || ("A"..."Z").contains($0)
                        || "-_./:=@%+,".unicodeScalars.contains($0)
                }
            return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }
        .joined(separator: " ")
    }
}

extension Unicode.Scalar {
    /// Control characters, and those that turn or hide the text around them.
    package var isUnsafeToPrint: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}

package import Primitives

/// A JSON document whose objects keep their order and whose numbers keep every digit.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number as it is written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// A share between 0 and 1, with as many decimals as it has.
    package static func share(_ value: Probability) -> JSONValue {
        .number(decimal(UInt64(value.partsPerBillion), digits: 9))
    }

    package static func time(_ value: Duration) -> JSONValue { .integer(value.nanoseconds) }

    package static func time(_ value: Instant) -> JSONValue { .integer(value.nanoseconds) }

    package static func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }

    /// `value` divided by ten to the power of `digits`, exactly.
    package static func decimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        var fraction = padded.suffix(digits)
        while fraction.last == "0" { fraction.removeLast() }
        return padded.dropLast(digits) + (fraction.isEmpty ? "" : "." + fraction)
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object; members whose value is nil are left out.
    package init(dictionaryLiteral elements: (String, JSONValue?)...) {
        self = .object(elements.compactMap { key, value in value.map { Member(key: key, value: $0) } })
    }
}

extension JSONValue {
    /// Two spaces a level, and on one line what is short and holds no object or array of its own.
    package var text: String {
        var text = ""
        write(into: &text, indentation: "")
        return text + "\n"
    }

    /// Everything on one line.
    package var line: String {
        var text = ""
        writeLine(into: &text)
        return text
    }

    private var isFlat: Bool {
        switch self {
        case .array(let elements): elements.allSatisfy(\.isScalar)
        case .object(let members): members.allSatisfy(\.value.isScalar)
        default: true
        }
    }

    private var isScalar: Bool {
        switch self {
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: true
        }
    }

    private func write(into text: inout String, indentation: String) {
        if isFlat {
            let line = line
            if line.utf8.count + indentation.utf8.count <= 100 || isScalar {
                text += line
                return
            }
        }
        let deeper = indentation + "  "
        switch self {
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + deeper
                element.write(into: &text, indentation: deeper)
            }
            text += "\n\(indentation)]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + deeper + Self.quoted(member.key) + ": "
                member.value.write(into: &text, indentation: deeper)
            }
            text += "\n\(indentation)}"
        default: text += line
        }
    }

    private func writeLine(into text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += value
        case .string(let value): text += Self.quoted(value)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += ", " }
                element.writeLine(into: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                text += (index > 0 ? ", " : "") + Self.quoted(member.key) + ": "
                member.value.writeLine(into: &text)
            }
            text += "}"
        }
    }

    /// Appends a string literal; what is plain ASCII, as names are, is copied at once.
    package static func appendQuoted(_ string: String, to bytes: inout [UInt8]) {
        var string = string
        let wasPlain = string.withUTF8 { buffer in
            // SAFETY: the buffer is read within the closure alone.
            guard unsafe buffer.allSatisfy(isPlain) else { return false }
            bytes.append(UInt8(ascii: "\""))
            unsafe bytes.append(contentsOf: buffer)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if !wasPlain { bytes += quoted(string).utf8 }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// A string literal that is also harmless on a terminal: whatever could move the cursor or turn the direction of
    /// the text is written as an escape.
    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.isUnsafeToPrint:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

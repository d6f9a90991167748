/// What is wrong with a JSON text, and where.
package struct JSONProblem: Error, Hashable {
    package var line: Int
    package var problem: String
}

/// Reads RFC 8259, strictly: no duplicate keys, nothing behind the value, and no deeper than a result is.
package struct JSONParser {
    private let bytes: [UInt8]
    private var next = 0

    package static func parse(_ bytes: [UInt8]) throws(JSONProblem) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.next == bytes.count else { throw parser.problem("there is something behind the value") }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private static var deepest: Int { 32 }

    private var peek: UInt8? { next < bytes.count ? bytes[next] : nil }

    private func problem(_ text: String) -> JSONProblem {
        JSONProblem(line: 1 + bytes[..<min(next, bytes.count)].count { $0 == UInt8(ascii: "\n") }, problem: text)
    }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { next += 1 }
    }

    private mutating func take(_ symbol: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: symbol) else { return false }
        next += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth < Self.deepest else { throw problem("it is nested too deeply") }
        switch peek {
        case nil: throw problem("it ends before it is complete")
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        default: return try scalar()
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
        next += 1
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        skipSpace()
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw problem("a key in quotes is missing") }
            let key = try string()
            guard keys.insert(key).inserted else {
                throw problem("the key \"\(PrintableText.line(key))\" comes twice")
            }
            skipSpace()
            guard take(":") else { throw problem("a `:` is missing") }
            skipSpace()
            members.append(JSONValue.Member(key: key, value: try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw problem(peek == nil ? "it ends before it is complete" : "a `}` is missing") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
        next += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw problem(peek == nil ? "it ends before it is complete" : "a `]` is missing") }
        return .array(elements)
    }

    private mutating func scalar() throws(JSONProblem) -> JSONValue {
        let start = next
        while let byte = peek, !Self.ends(byte) { next += 1 }
        let word = String(decoding: bytes[start..<next], as: UTF8.self)
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            guard Self.isNumber(word) else { throw problem("`\(PrintableText.line(word))` is no value") }
            return .number(word)
        }
    }

    private static func ends(_ byte: UInt8) -> Bool { " \t\r\n,]}\":".utf8.contains(byte) }

    /// RFC 8259 section 6, by hand: a histogram has thousands of numbers.
    private static func isNumber(_ word: String) -> Bool {
        var rest = Substring(word)
        func takeDigits() -> Int {
            let digits = rest.utf8.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(digits)
            return digits
        }
        if rest.first == "-" { rest = rest.dropFirst() }
        let startsWithZero = rest.first == "0"
        let whole = takeDigits()
        guard whole == 1 || (whole > 1 && !startsWithZero) else { return false }
        if rest.first == "." {
            rest = rest.dropFirst()
            guard takeDigits() > 0 else { return false }
        }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
            guard takeDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private mutating func string() throws(JSONProblem) -> String {
        next += 1
        var units: [UInt8] = []
        while let byte = peek {
            next += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw problem("it is not UTF-8") }
                return text
            case UInt8(ascii: "\\"): units += Array(String(try escape()).utf8)
            case ..<0x20: throw problem("a string has a control character")
            default: units.append(byte)
            }
        }
        throw problem("it ends before it is complete")
    }

    private mutating func escape() throws(JSONProblem) -> Unicode.Scalar {
        guard let byte = peek else { throw problem("it ends before it is complete") }
        next += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try codePoint()
        default: throw problem("an escape is unknown")
        }
    }

    private mutating func codePoint() throws(JSONProblem) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // What is no scalar is half of a surrogate pair (RFC 8259 section 7).
        guard first < 0xDC00, take("\\"), take("u") else { throw problem("half of a surrogate pair is missing") }
        let second = try codeUnit()
        guard (0xDC00...0xDFFF).contains(second) else { throw problem("half of a surrogate pair is missing") }
        let value = 0x1_0000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(value) else { throw problem("half of a surrogate pair is missing") }
        return scalar
    }

    private mutating func codeUnit() throws(JSONProblem) -> UInt16 {
        guard next + 4 <= bytes.count else { throw problem("it ends before it is complete") }
        let digits = String(decoding: bytes[next..<(next + 4)], as: UTF8.self)
        guard digits.utf8.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(digits, radix: 16)
        else { throw problem("an escape has no four hexadecimal digits") }
        next += 4
        return unit
    }
}

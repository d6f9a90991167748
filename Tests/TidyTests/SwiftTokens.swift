/// A word or a single sign of a Swift file, and where it stands.
struct Token: Equatable {
    let text: String
    let line: Int
    /// Whether a name of its own can be meant: `now` in `clock.now` is the clock's.
    let followsDot: Bool

    var isWord: Bool { text.first.map { $0.isLetter || $0 == "_" } ?? false }
    /// A type by the project's way of naming.
    var isTypeName: Bool { text.first?.isUppercase ?? false }
}

/// Cuts Swift into tokens, leaving out comments and what stands in string literals.
struct SwiftTokens {
    private let text: [UInt8]
    private var place = 0
    private var line = 1
    private(set) var tokens: [Token] = []
    /// For each line, how many octets of it a string literal holds.
    private(set) var literalByteCounts: [Int: Int] = [:]

    init(_ source: String) {
        text = Array(source.utf8)
        scan()
    }

    private mutating func scan() {
        while place < text.count {
            if stands("//") {
                while place < text.count, text[place] != UInt8(ascii: "\n") { place += 1 }
            } else if stands("/*") {
                skipBlockComment()
            } else if let pounds = openingPounds() {
                skipString(pounds: pounds)
            } else if isWordByte(text[place]) {
                let start = place
                while place < text.count, isWordByte(text[place]) { place += 1 }
                add(String(decoding: text[start..<place], as: UTF8.self))
            } else {
                if text[place] > UInt8(ascii: " ") { add(String(decoding: text[place...place], as: UTF8.self)) }
                advance()
            }
        }
    }

    private mutating func add(_ word: String) {
        let last = tokens.last
        let followsDot = last?.text == "." && tokens.dropLast().last?.text != "."
        tokens.append(Token(text: word, line: line, followsDot: followsDot))
    }

    private mutating func advance() {
        if text[place] == UInt8(ascii: "\n") { line += 1 }
        place += 1
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if stands("/*") {
                depth += 1
                place += 2
            } else if stands("*/") {
                depth -= 1
                place += 2
            } else {
                advance()
            }
        } while depth > 0 && place < text.count
    }

    /// How many pounds open a string literal here; nil when none opens.
    private func openingPounds() -> Int? {
        var pounds = 0
        while place + pounds < text.count, text[place + pounds] == UInt8(ascii: "#") { pounds += 1 }
        guard place + pounds < text.count, text[place + pounds] == UInt8(ascii: "\"") else { return nil }
        return pounds
    }

    private mutating func skipString(pounds: Int) {
        place += pounds
        let quotes = stands("\"\"\"") ? "\"\"\"" : "\""
        place += quotes.utf8.count
        let end = quotes + String(repeating: "#", count: pounds)
        while place < text.count, !stands(end) {
            if pounds == 0 && text[place] == UInt8(ascii: "\\") { place += 1 }
            if place < text.count {
                literalByteCounts[line, default: 0] += 1
                advance()
            }
        }
        place = min(place + end.utf8.count, text.count)
    }

    private func stands(_ wanted: String) -> Bool { text[place...].starts(with: wanted.utf8) }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"), 0x80...:
            true
        default: false
        }
    }
}

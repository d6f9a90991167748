import Primitives

extension Scalar {
    /// What is wrong with a written scalar, or nil; names of other things are checked where those are known.
    func problem(with text: String, isPlain: Bool) -> UnitProblem? {
        if isPlain, let trap = YAMLTrap.problem(with: text, for: self) { return trap }
        do throws(UnitProblem) {
            try check(text, isPlain: isPlain)
            return nil
        } catch {
            return error
        }
    }

    private func check(_ text: String, isPlain: Bool) throws(UnitProblem) {
        switch self {
        case .text, .file:
            guard !text.isEmpty else { throw UnitProblem("the text is empty") }
        case .boolean:
            guard ["true", "false"].contains(text), isPlain else {
                throw UnitProblem(mismatch(text), "write true or false")
            }
        case .keyword(let words, let noun):
            guard words.contains(text) else {
                throw UnitProblem("unknown \(noun) \"\(text.abbreviated)\"", Nearest.remedy(for: text, among: words))
            }
        case .count(let range, let words):
            guard !words.contains(text) else { return }
            guard isPlain else {
                throw UnitProblem("\"\(text.abbreviated)\" is text, not a number", "write it without quotes")
            }
            _ = try orWords(words, text) { text throws(UnitProblem) in try Units.count(text, in: range) }
        case .duration(let words, let isPositive):
            guard !words.contains(text) else { return }
            let duration = try orWords(words, text) { text throws(UnitProblem) in try Units.duration(text) }
            guard !isPositive || duration > .zero else { throw UnitProblem("`\(text)` is no time at all") }
        case .percent(let words):
            guard !words.contains(text) else { return }
            _ = try orWords(words, text) { text throws(UnitProblem) in try Units.percent(text) }
        case .rate: _ = try Units.rate(text)
        case .size(let words):
            guard !words.contains(text) else { return }
            _ = try orWords(words, text) { text throws(UnitProblem) in try Units.size(text) }
        case .bandwidth: _ = try Units.bandwidth(text)
        case .factor: _ = try Units.factor(text)
        case .address: _ = try Addresses.address(text)
        case .prefix: _ = try Addresses.prefix(text)
        case .selector: if text != "dynamic" { _ = try Addresses.prefix(text) }
        case .identity: _ = try Identities.template(text)
        case .proposal(let proposal): try Proposals.check(text, proposal)
        case .timestamp: _ = try Timestamps.seconds(text)
        case .reference, .expectation: break
        }
    }

    func mismatch(_ text: String) -> String { "expected \(expectation), found `\(text.abbreviated)`" }

    /// Reads a number where some words are allowed too, and guesses at those if it is no number at all.
    private func orWords<Value>(
        _ words: [String],
        _ text: String,
        _ read: (String) throws(UnitProblem) -> Value
    ) throws(UnitProblem) -> Value {
        guard let first = text.unicodeScalars.first, !words.isEmpty, !("0"..."9").contains(first), first != "-" else {
            return try read(text)
        }
        let near = Nearest.name(to: text, among: words).map { "did you mean \"\($0)\"?" }
        throw UnitProblem(mismatch(text), near)
    }
}

/// What YAML takes a plain scalar for, where its writer meant something else.
enum YAMLTrap {
    static func problem(with text: String, for scalar: Scalar) -> UnitProblem? {
        let quoted = "write \"\(text)\" in quotes"
        if text.isEmpty || ["~", "null", "Null", "NULL"].contains(text) {
            return UnitProblem("there is no value", "write \(scalar.expectation)")
        }
        if text.hasPrefix(":") {
            return UnitProblem("a value that starts with `::` is not text in YAML", quoted)
        }
        if isSexagesimal(text) {
            return UnitProblem("`\(text)` is a number in YAML, in base 60", remedy(for: text, scalar, or: quoted))
        }
        if booleans.contains(text.lowercased()) {
            return booleanTrap(text, scalar, quoted)
        }
        switch scalar {
        case .text, .identity, .file, .reference:
            guard isNumber(text) else { return nil }
            return UnitProblem("`\(text)` is a number in YAML", "for text, \(quoted)")
        default: return nil
        }
    }

    private static func booleanTrap(_ text: String, _ scalar: Scalar, _ quoted: String) -> UnitProblem? {
        switch scalar {
        case .boolean:
            if text == "true" || text == "false" { return nil }
            let meant = ["yes", "on", "true"].contains(text.lowercased()) ? "true" : "false"
            return UnitProblem("`\(text)` is not how a workload writes a boolean", "write \(meant)")
        case .text, .identity, .file, .reference:
            return UnitProblem("`\(text)` is a boolean in YAML", "for text, \(quoted)")
        case .duration(let words, _) where !words.isEmpty, .count(_, let words) where !words.isEmpty,
            .percent(let words) where !words.isEmpty:
            return UnitProblem("`\(text)` is a boolean in YAML", "write \(words[0])")
        case .keyword(let words, _) where words.contains("never") || words.contains("none"):
            return UnitProblem("`\(text)` is a boolean in YAML", "write \(words.contains("never") ? "never" : "none")")
        default:
            return UnitProblem("`\(text)` is a boolean in YAML", "write \(scalar.expectation)")
        }
    }

    private static func remedy(for text: String, _ scalar: Scalar, or quoted: String) -> String {
        guard case .duration = scalar else { return quoted }
        let parts = text.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, parts[0] < 100_000 else { return "write a length of time with its unit, such as 30s" }
        let (large, small) = (parts[0], parts[1])
        return "write \(large * 60 + small)s for minutes and seconds, or \(large * 60 + small)m for hours and minutes"
    }

    private static func isSexagesimal(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count > 1
            && parts.allSatisfy { part in
                (1...4).contains(part.count) && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            }
    }

    private static func isNumber(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard let first = digits.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return digits.allSatisfy { character in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) || [0x2E, 0x5F].contains(character)
        } || (text.hasPrefix("0x") && text.dropFirst(2).allSatisfy(\.isHexDigit))
    }

    private static let booleans = ["yes", "no", "on", "off", "true", "false", "y", "n"]
}

/// Text with octets in base 64 between lines that name them (RFC 7468).
package enum PEM {
    package struct Block: Hashable, Sendable {
        /// As in `CERTIFICATE` or `PRIVATE KEY`.
        package var label: String
        package var octets: [UInt8]
        /// The line that begins it, counted from 1.
        package var line: Int
    }

    /// What is wrong with a text, at which line.
    package struct Problem: Error, Hashable, Sendable {
        package var line: Int
        package var text: String
    }

    /// The blocks of a text; lines between them are passed over.
    package static func blocks(of text: String) throws(Problem) -> [Block] {
        var blocks: [Block] = []
        var open: (label: String, line: Int, digits: [UInt8])?
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let trimmed = Self.trimmed(line)
            if let label = label(in: trimmed, behind: "-----BEGIN ") {
                if let open { throw Problem(line: open.line, text: "the block \(open.label) has no end") }
                open = (label, number, [])
            } else if let label = label(in: trimmed, behind: "-----END ") {
                guard let begun = open, begun.label == label else {
                    throw Problem(line: number, text: "the end of a block \(label) that has not begun")
                }
                guard let octets = decode(begun.digits) else {
                    throw Problem(line: begun.line, text: "the block \(label) is not base 64")
                }
                blocks.append(Block(label: label, octets: octets, line: begun.line))
                open = nil
            } else {
                open?.digits += trimmed
            }
        }
        if let open { throw Problem(line: open.line, text: "the block \(open.label) has no end") }
        return blocks
    }

    /// A block as text, its digits 64 to a line.
    package static func text(_ label: String, _ octets: [UInt8]) -> String {
        var characters = Array("-----BEGIN \(label)-----\n".utf8)
        characters.reserveCapacity(octets.count / 3 * 4 + octets.count / 48 + 80)
        var column = 0
        for start in stride(from: 0, to: octets.count, by: 3) {
            let rest = octets[start..<min(start + 3, octets.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < rest.count ? UInt32(rest[start + index]) : 0) }
            for index in 0..<4 {
                characters.append(index <= rest.count ? digits[Int(bits >> (18 - 6 * UInt32(index)) & 63)] : padding)
            }
            column += 4
            if column == 64 {
                characters.append(UInt8(ascii: "\n"))
                column = 0
            }
        }
        if column > 0 { characters.append(UInt8(ascii: "\n")) }
        return String(decoding: characters, as: UTF8.self) + "-----END \(label)-----\n"
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    private static func trimmed(_ line: Substring.UTF8View) -> [UInt8] {
        var line = line
        while let last = line.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: " ") { line.removeLast() }
        return Array(line)
    }

    private static func label(in line: [UInt8], behind opening: String) -> String? {
        guard line.first == UInt8(ascii: "-") else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix(opening), text.hasSuffix("-----"), text.utf8.count > opening.utf8.count + 5 else {
            return nil
        }
        return String(text.dropFirst(opening.count).dropLast(5))
    }

    private static func decode(_ characters: [UInt8]) -> [UInt8]? {
        guard characters.count.isMultiple(of: 4) else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(characters.count / 4 * 3)
        let padded = characters.suffix(2).count { $0 == padding }
        var bits: UInt32 = 0
        for (index, character) in characters.dropLast(padded).enumerated() {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            switch index % 4 {
            case 1: octets.append(UInt8(truncatingIfNeeded: bits >> 4))
            case 2: octets.append(UInt8(truncatingIfNeeded: bits >> 2))
            case 3: octets.append(UInt8(truncatingIfNeeded: bits))
            default: break
            }
        }
        return octets
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

import Primitives

/// Addresses and prefixes as workloads write them.
enum Addresses {
    static func address(_ text: String) throws(UnitProblem) -> IPAddress {
        if let address = IPAddress(text) { return address }
        guard !text.contains("/") else {
            let address = text.prefix { $0 != "/" }
            throw UnitProblem("`\(text.abbreviated)` is a prefix, not an address", "write \(address)")
        }
        throw UnitProblem("`\(text.abbreviated)` is not an IP address", "write it like 192.0.2.10 or \"2001:db8::1\"")
    }

    static func prefix(_ text: String) throws(UnitProblem) -> IPPrefix {
        if let prefix = IPPrefix(text) { return prefix }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]) else {
            throw UnitProblem("`\(text.abbreviated)` is not an IP prefix", "write it like 198.51.100.0/24")
        }
        let longest = address.byteCount * 8
        guard (0...longest).contains(length) else {
            throw UnitProblem("`\(text)` is longer than an address", "the most is /\(longest)")
        }
        throw UnitProblem(
            "`\(text)` has bits set behind its length",
            "write \(IPPrefix(address: address, length: length))"
        )
    }
}

/// Identities with a number in them.
package enum Identities {
    /// Reads `user%05d@example.org`; a percent sign stands for a number's place and for nothing else.
    package static func template(_ text: String) throws(UnitProblem) -> Workload.IdentityTemplate {
        guard !text.isEmpty else { throw UnitProblem("the identity is empty") }
        guard let percent = text.firstIndex(of: "%") else {
            return Workload.IdentityTemplate(prefix: text, digits: nil, suffix: "")
        }
        var rest = text[text.index(after: percent)...]
        let width = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(width.count)
        guard rest.popFirst() == "d", width.isEmpty || (width.first == "0" && width.count > 1) else {
            throw UnitProblem(
                "`\(text.abbreviated)` has a `%` that is not a number's place",
                "write %05d for a number of five digits"
            )
        }
        guard !rest.contains("%") else {
            throw UnitProblem("`\(text.abbreviated)` has two places for a number", "write one")
        }
        guard width.count <= 3, let digits = width.isEmpty ? 1 : Int(width), (1...18).contains(digits) else {
            throw UnitProblem("`\(text.abbreviated)` has a number of \(width) digits", "write at most %018d")
        }
        return Workload.IdentityTemplate(prefix: String(text[..<percent]), digits: digits, suffix: String(rest))
    }
}

/// Wall times in RFC 3339's form, in UTC.
package enum Timestamps {
    package static func seconds(_ text: String) throws(UnitProblem) -> Int64 {
        let characters = Array(text.utf8)
        let pattern = Array("dddd-dd-ddTdd:dd:ddZ".utf8)
        let matches =
            characters.count == pattern.count
            && zip(characters, pattern).allSatisfy { character, wanted in
                wanted == UInt8(ascii: "d")
                    ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) : character == wanted
            }
        func number(_ range: Range<Int>) -> Int64 {
            characters[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }
        guard matches else {
            throw UnitProblem("`\(text.abbreviated)` is not a time", "write it in UTC, like 2026-01-01T00:00:00Z")
        }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1970, (1...12).contains(month), day >= 1, day <= lengths[Int(month) - 1], hour < 24, minute < 60,
            second < 60
        else { throw UnitProblem("`\(text)` is not a time that exists since 1970") }
        return days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    package static func text(_ seconds: Int64) -> String {
        // Howard Hinnant's civil_from_days, for years since 1970.
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(rest / 3_600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))Z"
    }

    /// Days since 1970-01-01 (Howard Hinnant's days_from_civil).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

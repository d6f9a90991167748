package import Primitives

/// What is wrong with a written number or name, and what to write instead.
package struct UnitProblem: Error, Hashable, Sendable {
    package var problem: String
    package var remedy: String?

    package init(_ problem: String, _ remedy: String? = nil) {
        self.problem = problem
        self.remedy = remedy
    }
}

/// Numbers with units, read exactly: nothing is rounded, and nothing is guessed.
package enum Units {
    /// A length of time: `250us`, `1.5s`, `4h`.
    package static func duration(_ text: String) throws(UnitProblem) -> Duration {
        let (number, unit) = try split(text, like: "30s")
        guard !unit.isEmpty else {
            throw UnitProblem(
                "`\(text)` has no unit",
                "write \(text)s, or whichever of ns, us, ms, s, m, h and d it is"
            )
        }
        guard let scale = timeUnits.first(where: { $0.name == unit })?.nanoseconds else {
            throw unknownUnit(unit, of: "time", in: text, number: number.text, names: timeUnits.map(\.name))
        }
        guard let nanoseconds = number.times(scale) else {
            throw UnitProblem("`\(text)` is finer than a nanosecond")
        }
        guard nanoseconds <= Self.longest else { throw UnitProblem("`\(text)` is too long", "the longest is 36500d") }
        return Duration(nanoseconds: Int64(nanoseconds))
    }

    /// A share: `0.2%`, in exact parts per billion.
    package static func percent(_ text: String) throws(UnitProblem) -> Probability {
        let (number, unit) = try split(text, like: "10%")
        guard unit == "%" else {
            guard unit.isEmpty else { throw UnitProblem("`\(text)` is not a percentage", "write \(number.text)%") }
            guard number.scale > 0, let parts = number.times(1_000_000_000), parts <= 1_000_000_000 else {
                throw UnitProblem("`\(text)` has no unit", "write \(text)%")
            }
            let meant = Workload.percentText(partsPerBillion: UInt64(parts))
            throw UnitProblem(
                "`\(text)` has no unit",
                "a share is written in percent: \(text) of everything is \(meant)"
            )
        }
        guard let parts = number.times(10_000_000) else { throw UnitProblem("`\(text)` is finer than a billionth") }
        guard parts <= 1_000_000_000 else { throw UnitProblem("`\(text)` is more than everything", "at most 100%") }
        return Probability(partsPerBillion: UInt32(parts))
    }

    /// Events per time: `400/s`, `5/m`, `0.5/s`.
    package static func rate(_ text: String) throws(UnitProblem) -> Workload.Rate {
        let (number, unit) = try split(text, like: "400/s")
        guard unit.first == "/" else {
            guard unit.isEmpty else { throw UnitProblem("`\(text)` is not a rate", "write it as \(number.text)/s") }
            throw UnitProblem("`\(text)` has no unit", "write \(text)/s, or another of /s, /m, /h and /d")
        }
        guard let per = rateUnits.first(where: { "/" + $0.name == unit })?.nanoseconds else {
            throw unknownUnit(unit, of: "rate", in: text, number: number.text, names: rateUnits.map { "/" + $0.name })
        }
        guard number.scale <= 6 else { throw UnitProblem("`\(text)` is finer than a millionth") }
        var count = number.digits
        var duration = Int128(per)
        for _ in 0..<number.scale { duration *= 10 }
        // The number of digits is bounded, and so is the product; the fraction is written in lowest terms.
        var (large, small) = (count, duration / 1_000_000_000)
        while small != 0 { (large, small) = (small, large % small) }
        if count != 0 {
            count /= large
            duration /= large
        } else {
            duration = 1_000_000_000
        }
        guard count <= 1_000_000_000_000 else { throw UnitProblem("`\(text)` is too fast") }
        guard duration <= longest else { throw UnitProblem("`\(text)` is too slow") }
        return Workload.Rate(count: UInt64(count), per: Duration(nanoseconds: Int64(duration)))
    }

    /// A number of bytes: `200B`, `1KB`, `64KiB`.
    package static func size(_ text: String) throws(UnitProblem) -> Int {
        let (number, unit) = try split(text, like: "64KiB")
        guard !unit.isEmpty else {
            throw UnitProblem("`\(text)` has no unit", "write \(text)B, or another of B, KB, KiB, MB, MiB, GB and GiB")
        }
        guard let scale = sizeUnits.first(where: { $0.name == unit })?.bytes else {
            throw unknownUnit(unit, of: "size", in: text, number: number.text, names: sizeUnits.map(\.name))
        }
        guard let bytes = number.times(scale) else { throw UnitProblem("`\(text)` is not a whole number of bytes") }
        guard bytes <= 1 << 50 else { throw UnitProblem("`\(text)` is too large") }
        return Int(bytes)
    }

    /// Bits per second: `10Mbit/s`.
    package static func bandwidth(_ text: String) throws(UnitProblem) -> UInt64 {
        let (number, unit) = try split(text, like: "10Mbit/s")
        guard !unit.isEmpty else {
            throw UnitProblem("`\(text)` has no unit", "write it in bit/s, kbit/s, Mbit/s or Gbit/s")
        }
        guard let scale = bandwidthUnits.first(where: { $0.name == unit })?.bits else {
            let names = bandwidthUnits.map(\.name)
            throw unknownUnit(unit, of: "bandwidth", in: text, number: number.text, names: names)
        }
        guard let bits = number.times(scale) else { throw UnitProblem("`\(text)` is not a whole number of bits") }
        guard bits <= 1_000_000_000_000_000 else { throw UnitProblem("`\(text)` is too fast") }
        return UInt64(bits)
    }

    /// A whole number without a unit.
    package static func count(_ text: String, in range: ClosedRange<Int>) throws(UnitProblem) -> Int {
        let (number, unit) = try split(text, like: "20000")
        guard unit.isEmpty || !unit.dropFirst().contains(where: \.isNumber) else {
            throw UnitProblem("`\(text)` is not a whole number in digits", "write one such as 20000")
        }
        guard unit.isEmpty else {
            throw UnitProblem("`\(text)` has a unit", "a count has none: write \(number.text)")
        }
        guard number.scale == 0 else { throw UnitProblem("`\(text)` is not a whole number") }
        if range.lowerBound == range.upperBound, !range.contains(Int(clamping: number.digits)) {
            throw UnitProblem("`\(text)` is not supported by this version", "write \(range.lowerBound)")
        }
        guard number.digits >= range.lowerBound else {
            throw UnitProblem("`\(text)` is too small", "the least is \(range.lowerBound)")
        }
        guard number.digits <= range.upperBound else {
            throw UnitProblem("`\(text)` is too large", "the most is \(range.upperBound)")
        }
        return Int(number.digits)
    }

    /// A factor such as 1.8, in exact millionths.
    package static func factor(_ text: String) throws(UnitProblem) -> Int64 {
        let (number, unit) = try split(text, like: "1.8")
        guard unit.isEmpty else { throw UnitProblem("`\(text)` has a unit", "write \(number.text)") }
        guard let millionths = number.times(1_000_000) else { throw UnitProblem("`\(text)` is finer than a millionth") }
        guard millionths <= 1_000_000_000_000 else { throw UnitProblem("`\(text)` is too large") }
        return Int64(millionths)
    }
}

extension Units {
    /// A decimal number as written: its digits, and how many of them stand behind the point.
    struct Decimal {
        var text: String
        var digits: Int128
        var scale: Int

        /// The exact product, or nil if it is not a whole number; what is too large for any use is just the largest.
        func times(_ unit: Int64) -> Int128? {
            var divisor: Int128 = 1
            for _ in 0..<scale { divisor *= 10 }
            let (product, overflow) = digits.multipliedReportingOverflow(by: Int128(unit))
            guard !overflow else { return .max }
            let (quotient, remainder) = product.quotientAndRemainder(dividingBy: divisor)
            return remainder == 0 ? quotient : nil
        }
    }

    /// Splits a text into its number and what follows it.
    static func split(_ text: String, like example: String) throws(UnitProblem) -> (Decimal, unit: String) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
        let unit = String(text.dropFirst(number.count))
        if text.first == "-" { throw UnitProblem("`\(text)` is negative", "write it like \(example)") }
        if number.contains("_") {
            throw UnitProblem("`\(text)` has an underscore", "write \(text.replacing("_", with: ""))")
        }
        if unit.first == " " {
            throw UnitProblem("`\(text)` has a space in it", "write \(text.replacing(" ", with: ""))")
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count <= 2, parts.last?.isEmpty == false else {
            throw UnitProblem("`\(text)` is not a number", "write it like \(example)")
        }
        if whole.count > 1, whole.first == "0" {
            let trimmed = whole.drop { $0 == "0" }
            throw UnitProblem(
                "`\(text)` starts with a zero, which YAML reads as octal",
                "write \(trimmed.isEmpty ? "0" : trimmed)\(text.dropFirst(whole.count))"
            )
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard whole.count <= 19, fraction.count <= 9, let digits = Int128(whole + fraction) else {
            throw UnitProblem("`\(text)` has too many digits")
        }
        return (Decimal(text: String(number), digits: digits, scale: fraction.count), unit)
    }

    private static func unknownUnit(
        _ unit: String,
        of kind: String,
        in text: String,
        number: String,
        names: [String]
    ) -> UnitProblem {
        let problem = "`\(unit)` is not a unit of \(kind)"
        if let meant = aliases.first(where: { $0.written == unit.lowercased() && names.contains($0.meant) }) {
            return UnitProblem(problem, "write \(number)\(meant.meant)")
        }
        if let near = names.first(where: { $0.lowercased() == unit.lowercased() }) {
            return UnitProblem(problem, "write \(number)\(near)")
        }
        return UnitProblem(problem, "the units are \(names.joined(separator: ", "))")
    }

    /// A hundred years, so that sums of a few durations still fit.
    private static let longest: Int128 = 36_500 * 86_400 * 1_000_000_000

    private static let timeUnits: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    private static let rateUnits = timeUnits.filter { ["s", "m", "h", "d"].contains($0.name) }

    private static let sizeUnits: [(name: String, bytes: Int64)] = [
        ("B", 1), ("KB", 1_000), ("KiB", 1_024), ("MB", 1_000_000), ("MiB", 1_048_576), ("GB", 1_000_000_000),
        ("GiB", 1_073_741_824),
    ]

    private static let bandwidthUnits: [(name: String, bits: Int64)] = [
        ("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000),
    ]

    /// What people write for a unit, and which one they mean.
    private static let aliases: [(written: String, meant: String)] = [
        ("sec", "s"), ("secs", "s"), ("second", "s"), ("seconds", "s"), ("min", "m"), ("mins", "m"), ("minute", "m"),
        ("minutes", "m"), ("hr", "h"), ("hrs", "h"), ("hour", "h"), ("hours", "h"), ("day", "d"), ("days", "d"),
        ("msec", "ms"), ("usec", "us"), ("µs", "us"), ("μs", "us"), ("nsec", "ns"), ("/sec", "/s"), ("/second", "/s"),
        ("/min", "/m"), ("/minute", "/m"), ("/hour", "/h"), ("ps", "/s"), ("hz", "/s"), ("bps", "bit/s"),
        ("kbps", "kbit/s"), ("mbps", "Mbit/s"), ("gbps", "Gbit/s"), ("kb/s", "kbit/s"), ("mb/s", "Mbit/s"),
        ("byte", "B"), ("bytes", "B"), ("k", "KB"), ("kbyte", "KB"), ("mbyte", "MB"),
    ]
}

import Results

/// The values that one setting of a workload takes: `traffic.stream.up.packets=100/s..4000/s`.
package struct Variation: Hashable, Sendable {
    /// The setting's path, as for `--set`.
    package let setting: String
    /// The ends of the range, in units of the last digit that they are written with.
    package let low: Int64
    package let high: Int64
    private let digits: Int
    private let unit: String

    /// - Throws: a usage error that says what is wrong with the text.
    package init(_ text: String) throws(JobFailure) {
        func wrong(_ problem: String) -> JobFailure {
            JobFailure(
                .usage,
                "error: --vary \(text): \(problem); write PATH=LOW..HIGH, such as arrivals.start.constant=20..5000/s"
            )
        }
        let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty else { throw wrong("there is no path with a range behind `=`") }
        guard let dots = halves[1].firstRange(of: "..") else { throw wrong("there is no `..` between two values") }
        let written = [halves[1][..<dots.lowerBound], halves[1][dots.upperBound...]]
        var numbers: [Substring] = []
        var units: [Substring] = []
        for value in written {
            let number = value.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            numbers.append(number)
            units.append(value[number.endIndex...])
        }
        // What the values are of may be said once.
        if units[0].isEmpty { units[0] = units[1] }
        guard units[0] == units[1] else { throw wrong("its ends are in different units") }
        let digits = numbers.map {
            $0.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first?.count ?? 0
        }
        guard let most = digits.max(), most <= 6 else { throw wrong("a value has at most 6 decimals") }
        let ends = zip(numbers, digits).map { number, digits in
            Int64(number.filter { $0 != "." } + String(repeating: "0", count: most - digits))
        }
        guard let low = ends[0], let high = ends[1], numbers.allSatisfy({ $0.filter { $0 == "." }.count < 2 }),
            high < 1_000_000_000_000_000
        else { throw wrong("its ends are not two numbers") }
        guard low < high else { throw wrong("the first value is not less than the second") }
        setting = String(halves[0])
        self.low = low
        self.high = high
        self.digits = most
        unit = String(units[1])
    }

    /// A value as the workload writes it.
    package func text(_ value: Int64) -> String {
        guard digits > 0 else { return "\(value)\(unit)" }
        let whole = String(value)
        let padded = String(repeating: "0", count: max(0, digits + 1 - whole.count)) + whole
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))\(unit)"
    }

    /// What sets it to a value.
    package func override(_ value: Int64) -> String { "\(setting)=\(text(value))" }
}

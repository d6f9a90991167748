import Metrics
package import Primitives

/// Numbers as people read them: three digits and a unit.
package enum Humane {
    /// `19.1 ms`, `1.31 s`, `2 min 45 s`, `1 h 5 min`.
    package static func time(_ duration: Duration) -> String {
        let magnitude = duration.nanoseconds.magnitude
        let sign = duration.nanoseconds < 0 ? "-" : ""
        if magnitude == 0 { return "0 ms" }
        // Seconds are rounded before they are split, so that 3,599.7 s is one hour and not 59 min 60 s.
        let seconds = (magnitude + 500_000_000) / 1_000_000_000
        if seconds >= 3_600 { return sign + "\(seconds / 3_600) h \(seconds % 3_600 / 60) min" }
        if seconds >= 120 { return sign + "\(seconds / 60) min" + (seconds % 60 == 0 ? "" : " \(seconds % 60) s") }
        let units: [(size: UInt64, name: String)] = [
            (1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s"),
        ]
        for unit in units.dropLast() {
            if let text = threeDigits(magnitude, per: unit.size) { return sign + text + " " + unit.name }
        }
        return sign + (threeDigits(magnitude, per: 1_000_000_000) ?? String(seconds)) + " s"
    }

    package static func time(_ nanoseconds: UInt64) -> String { time(Duration(clamping: nanoseconds)) }

    /// A moment of the run as a clock shows it: `5:00`, `1:02:03`.
    package static func clock(_ instant: Instant) -> String {
        let seconds = instant.nanoseconds / 1_000_000_000
        func two(_ value: UInt64) -> String { (value < 10 ? "0" : "") + String(value) }
        let minutes = seconds / 60
        if minutes >= 60 { return "\(minutes / 60):\(two(minutes % 60)):\(two(seconds % 60))" }
        return "\(minutes):\(two(seconds % 60))"
    }

    /// `227,418`.
    package static func count(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// `99.99 %`, rounded down, so that only all is 100 %.
    package static func share(_ share: Probability) -> String {
        let hundredths = UInt64(share.partsPerBillion) / 100_000
        if hundredths == 0, share > .zero { return "< 0.01 %" }
        if hundredths % 100 == 0 { return "\(hundredths / 100) %" }
        let decimals = hundredths % 100
        return "\(hundredths / 100)." + (decimals < 10 ? "0" : "") + "\(decimals) %"
    }

    /// `379/s`, of thousandths per second.
    package static func rate(perSecondThousandths thousandths: UInt64) -> String {
        if thousandths == 0 { return "0/s" }
        if thousandths >= 100_000 { return count((thousandths + 500) / 1_000) + "/s" }
        return (threeDigits(thousandths, per: 1_000) ?? count((thousandths + 500) / 1_000)) + "/s"
    }

    /// `42.0`, of thousandths.
    static func factor(thousandths: UInt64) -> String {
        threeDigits(thousandths, per: 1_000) ?? count((thousandths + 500) / 1_000)
    }

    /// `123 MiB`.
    package static func bytes(_ value: UInt64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var size: UInt64 = 1
        var unit = 0
        while unit + 1 < units.count, value / size >= 1_000 {
            size *= 1_024
            unit += 1
        }
        if unit == 0 { return "\(value) bytes" }
        return (threeDigits(value, per: size) ?? String(value / size)) + " " + units[unit]
    }

    /// The quotient with three digits, rounded half up; nil where it takes more than three before the point.
    static func threeDigits(_ value: UInt64, per unit: UInt64) -> String? {
        for decimals in [2, 1, 0] {
            let scale: UInt64 = decimals == 2 ? 100 : decimals == 1 ? 10 : 1
            let scaled = UInt64((UInt128(value) * UInt128(scale) + UInt128(unit / 2)) / UInt128(unit))
            guard scaled < 1_000 else { continue }
            // Whole units below the smallest have no decimals to show.
            if decimals == 0 || unit == 1 { return String(scaled / scale) }
            let fraction = String(scaled % scale)
            return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
        }
        return nil
    }
}

extension Humane {
    /// An outcome's value, or why there is none.
    package static func measured(_ measured: ExpectationOutcome.Measured) -> String {
        switch measured {
        case .value(.time(let value)): time(value)
        case .value(.share(let value)): share(value)
        case .value(.count(let value)): count(value)
        case .value(.rate(let thousandths)): rate(perSecondThousandths: thousandths)
        case .noSamples: "no samples"
        case .notRecovered: "not recovered"
        }
    }

    package static func recovery(_ outcome: Recovery.Outcome) -> String {
        switch outcome {
        case .after(.zero): "never broken"
        case .after(let duration): time(duration)
        case .never: "not recovered"
        case .noSamples: "no samples"
        }
    }
}

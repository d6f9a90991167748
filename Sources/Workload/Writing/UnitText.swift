package import Primitives

/// Writes numbers with the units that read back to the very same values.
package enum UnitText {
    /// The largest unit that says a length of time without a fraction.
    package static func duration(_ duration: Duration) -> String {
        for (name, unit) in [("d", Duration.hours(24)), ("h", .hours(1)), ("m", .minutes(1))] {
            if duration > .zero, duration.nanoseconds % unit.nanoseconds == 0 {
                return "\(duration.nanoseconds / unit.nanoseconds)\(name)"
            }
        }
        return duration.description
    }

    package static func rate(_ rate: Workload.Rate) -> String {
        let units: [(name: String, nanoseconds: Int128)] = [
            ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
        ]
        for (name, nanoseconds) in units {
            let millionths = Int128(rate.count) * nanoseconds * 1_000_000
            let (quotient, remainder) = millionths.quotientAndRemainder(dividingBy: Int128(rate.per.nanoseconds))
            if remainder == 0 { return "\(decimal(quotient))/\(name)" }
        }
        preconditionFailure("a rate is a decimal number per second, minute, hour or day")
    }

    package static func size(_ byteCount: Int) -> String {
        for (name, bytes) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if byteCount > 0, byteCount % bytes == 0 { return "\(byteCount / bytes)\(name)" }
        }
        return "\(byteCount)B"
    }

    package static func bandwidth(_ bitsPerSecond: UInt64) -> String {
        for (name, bits) in [("Gbit/s", UInt64(1_000_000_000)), ("Mbit/s", 1_000_000), ("kbit/s", 1_000)] {
            if bitsPerSecond > 0, bitsPerSecond % bits == 0 { return "\(bitsPerSecond / bits)\(name)" }
        }
        return "\(bitsPerSecond)bit/s"
    }

    package static func factor(_ millionths: Int64) -> String { decimal(Int128(millionths)) }

    private static func decimal(_ millionths: Int128) -> String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        var fraction = String(rest + 1_000_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}

/// Wall times as files and folders show them, always in UTC.
package enum UTCTime {
    /// `20261124T034740Z`, which sorts by time and is a plain file name.
    package static func compact(_ secondsSince1970: Int64) -> String {
        let (year, month, day, hour, minute, second) = parts(secondsSince1970)
        return "\(padded(year, 4))\(two(month))\(two(day))T\(two(hour))\(two(minute))\(two(second))Z"
    }

    /// `2026-11-24T03:47:40Z`, as RFC 3339 has it.
    package static func text(_ secondsSince1970: Int64) -> String {
        let (year, month, day, hour, minute, second) = parts(secondsSince1970)
        return "\(padded(year, 4))-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))Z"
    }

    private static func two(_ value: Int64) -> String { padded(value, 2) }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The Gregorian calendar by Howard Hinnant's `civil_from_days`: a year begins in March, so that a leap day
    /// comes last.
    private static func parts(_ time: Int64) -> (Int64, Int64, Int64, Int64, Int64, Int64) {
        let clamped = min(max(time, 0), 253_402_300_799)
        let (days, seconds) = clamped.quotientAndRemainder(dividingBy: 86_400)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day, seconds / 3_600, seconds % 3_600 / 60, seconds % 60)
    }
}

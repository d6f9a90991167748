import Metrics
import Primitives

extension Humane {
    /// A share as a user writes it: `5 %`, `0.1 %`.
    static func percent(_ share: Double) -> String {
        let tenths = (share * 1_000).rounded()
        let isWhole = tenths.truncatingRemainder(dividingBy: 10) == 0
        return (isWhole ? String(Int(tenths / 10)) : Humane.tenths(tenths)) + " %"
    }

    /// Tenths as whole ones: `10.2`, `1,234`.
    static func tenths(_ tenths: Double) -> String {
        let value = UInt64(min(tenths.rounded(), 1e15))
        // From a thousand on nobody looks at the tenth.
        return value >= 10_000 ? count((value + 5) / 10) : "\(value / 10).\(value % 10)"
    }
}

extension FigureName {
    /// A value in the figure's unit as people read it.
    func humane(_ value: Double) -> String {
        switch unit {
        case .time: Humane.time(UInt64(max(0, value).rounded()))
        case .share: Humane.share(Probability(partsPerBillion: UInt32(min(max(0, value), 1e9).rounded())))
        case .count:
            value == value.rounded()
                ? Humane.count(UInt64(max(0, value)))
                : Humane.factor(thousandths: UInt64((max(0, value) * 1e3).rounded()))
        }
    }

    /// A value with all its digits, for two that people would read alike.
    func exact(_ value: UInt64) -> String {
        switch unit {
        case .time: Humane.count(value) + " ns"
        case .share: JSONValue.decimal(value, digits: 7) + " %"
        case .count: Humane.count(value)
        }
    }

    func texts(_ pair: ComparedFigure.Pair) -> (base: String, other: String) {
        func text(_ value: FigureValue) -> String {
            switch value {
            case .number(let number): humane(Double(number))
            case .none: "no samples"
            case .notRecovered: "not recovered"
            }
        }
        if case (.number(let base), .number(let other)) = (pair.base, pair.other), text(pair.base) == text(pair.other) {
            return (exact(base), exact(other))
        }
        return (text(pair.base), text(pair.other))
    }

    /// A difference as a share of the first value, or, of shares, in percentage points; without either, in the unit.
    func change(_ difference: Double, from base: Double) -> String {
        let sign = difference < 0 ? "-" : "+"
        guard unit != .share else {
            let hundredths = UInt64((difference.magnitude / 1e5).rounded())
            let decimals = String(hundredths % 100)
            return "\(sign)\(hundredths / 100).\(decimals.count < 2 ? "0" : "")\(decimals) pp"
        }
        guard base > 0 else { return sign + humane(difference.magnitude) }
        return sign + Humane.tenths((difference / base).magnitude * 1e3) + " %"
    }

    /// The same of an interval's ends: `+2.1 to +18.3 %`.
    func change(_ lower: Double, _ upper: Double, from base: Double) -> String {
        let (first, last) = (change(lower, from: base), change(upper, from: base))
        let unit = [" %", " pp"].first { first.hasSuffix($0) && last.hasSuffix($0) } ?? ""
        return first.dropLast(unit.count) + " to " + last
    }
}

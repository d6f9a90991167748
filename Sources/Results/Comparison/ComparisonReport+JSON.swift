import Metrics

extension ComparisonReport {
    package static var schema: String { "ikestorm-comparison-1" }

    /// Everything of the table in full, for scripts (docs/comparing.md).
    package static func json(of comparison: Comparison, version: String) -> String {
        let terms = comparison.terms
        let isLive = comparison.base.mode == .live
        let value: JSONValue = [
            "schema": .string(schema),
            "version": .string(version),
            "name": .string(comparison.base.record.name),
            "mode": .string(comparison.base.mode.rawValue),
            "answer": .string(comparison.answer.rawValue),
            "exitCode": .integer(comparison.exitCode.rawValue),
            "falseAlarms": isLive ? real(terms.falseAlarms) : nil,
            "base": self.value(of: comparison.base),
            "comparisons": .array(comparison.others.map(self.value)),
        ]
        return value.text
    }

    private static func value(of side: ComparedSide) -> JSONValue {
        [
            "name": .string(side.name),
            "runs": .strings(side.runs.map(\.path)),
            "leftOut": .array(side.leftOut.map { ["run": .string($0.path), "reason": .string($0.reason)] }),
        ]
    }

    private static func value(of other: Comparison.Other) -> JSONValue {
        [
            "side": value(of: other.side),
            "answer": .string(other.answer.rawValue),
            "obstacle": other.obstacle.map(JSONValue.string) ?? .null,
            "notes": .strings(other.notes),
            "figures": .array(other.figures.map(value)),
            "facts": .array(other.facts.map(value)),
        ]
    }

    private static func value(of figure: ComparedFigure) -> JSONValue {
        let name = figure.name
        var members: [JSONValue.Member] = [
            .init(key: "figure", value: .string(name.text)),
            .init(key: "metric", value: .string(name.metric.rawValue)),
            .init(key: "field", value: .string(name.field)),
            .init(key: "unit", value: .string(name.unit.rawValue)),
            .init(key: "answer", value: .string(figure.answer.rawValue)),
            .init(key: "allowed", value: .bool(figure.isAllowed)),
        ]
        switch figure.evidence {
        case .exact(let pairs):
            let runs = pairs.map { pair -> JSONValue in
                [
                    "seed": .integer(pair.seed), "base": value(of: pair.base, name.unit),
                    "other": value(of: pair.other, name.unit),
                ]
            }
            members.append(.init(key: "runs", value: .array(runs)))
        case .measured(let measured): members += self.members(of: measured, name.unit)
        }
        return .object(members)
    }

    private static func members(of measured: ComparedFigure.Measured, _ unit: FigureName.Unit) -> [JSONValue.Member] {
        func number(_ value: Double?) -> JSONValue {
            value.map { real(unit == .share ? $0 / 1e9 : $0) } ?? .null
        }
        let difference = measured.difference
        return [
            .init(key: "baseCount", value: .integer(measured.baseCount)),
            .init(key: "otherCount", value: .integer(measured.otherCount)),
            .init(key: "base", value: number(measured.base)),
            .init(key: "other", value: number(measured.other)),
            .init(key: "difference", value: number(difference?.difference)),
            .init(key: "interval", value: .array([number(difference?.lower), number(difference?.upper)])),
            .init(key: "minimumEffect", value: number(measured.effect)),
            .init(key: "p", value: real(measured.p)),
            .init(key: "adjustedP", value: real(measured.adjustedP)),
        ]
    }

    private static func value(of fact: ComparedFact) -> JSONValue {
        [
            "fact": .string(fact.name),
            "seed": .integer(fact.seed),
            "base": .string(fact.base),
            "other": .string(fact.other),
            "runs": .integer(fact.pairCount),
            "answer": .string(fact.answer.rawValue),
            "allowed": .bool(fact.isAllowed),
        ]
    }

    private static func value(of value: FigureValue, _ unit: FigureName.Unit) -> JSONValue {
        switch value {
        case .number(let number):
            unit == .share ? .number(JSONValue.decimal(number, digits: 9)) : .integer(number)
        case .none: .null
        case .notRecovered: .string("not-recovered")
        }
    }

    /// Whole numbers without a point, and no more than ten digits of others: what is behind them is the machine's.
    private static func real(_ value: Double) -> JSONValue {
        if value == value.rounded(), value.magnitude < 1e15 { return .integer(Int64(value)) }
        let scale = 1e12
        guard value.magnitude < 1e3 else { return .number("\((value * 1e3).rounded() / 1e3)") }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? .integer(Int64(rounded)) : .number("\(rounded)")
    }
}

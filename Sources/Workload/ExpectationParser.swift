package import Metrics
import Primitives

/// What is wrong with an expectation, and how far into its text.
package struct ExpectationProblem: Error, Hashable, Sendable {
    package var offset: Int
    package var problem: String
    package var remedy: String?

    init(_ offset: Int, _ problem: String, _ remedy: String? = nil) {
        self.offset = offset
        self.problem = problem
        self.remedy = remedy
    }
}

/// Reads `metric[(population or flow)] [aggregation] comparison limit [after fault]`.
package struct ExpectationParser {
    /// The names that an expectation may refer to.
    package struct Names: Sendable {
        var populations: [String]
        var traffic: [Traffic]
        var faults: [String]

        /// A traffic, the population that it is of, and its ways where it has both.
        package struct Traffic: Sendable {
            var name: String
            var population: String
            var hasBothWays: Bool

            package init(_ name: String, population: String, hasBothWays: Bool) {
                self.name = name
                self.population = population
                self.hasBothWays = hasBothWays
            }

            /// What its flows are called.
            var flows: [String] {
                [name] + (hasBothWays ? Workload.Flow.Way.allCases.map { "\(name)/\($0.rawValue)" } : [])
            }
        }

        package init(populations: [String], traffic: [Traffic] = [], faults: [String]) {
            self.populations = populations
            self.traffic = traffic
            self.faults = faults
        }
    }

    let names: Names
    private let tokens: [Token]
    private var next = 0

    struct Token {
        var text: String
        var offset: Int
    }

    package static func parse(_ text: String, names: Names) throws(ExpectationProblem) -> Expectation {
        var parser = ExpectationParser(names: names, tokens: tokens(of: text))
        return try parser.expectation()
    }

    private init(names: Names, tokens: [Token]) {
        self.names = names
        self.tokens = tokens
    }

    private static func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        var word = Token(text: "", offset: 0)
        func isSymbol(_ scalar: Unicode.Scalar) -> Bool { "()<>=!".unicodeScalars.contains(scalar) }
        for (offset, scalar) in text.unicodeScalars.enumerated() {
            if isSymbol(scalar) || scalar == " " || scalar == "\t" || scalar == "\n" {
                if !word.text.isEmpty { tokens.append(word) }
                word = Token(text: "", offset: offset + 1)
                if scalar == "=", let last = tokens.last, last.offset == offset - 1,
                    ["<", ">", "=", "!"].contains(last.text)
                {
                    tokens[tokens.count - 1].text += "="
                } else if isSymbol(scalar) {
                    tokens.append(Token(text: String(scalar), offset: offset))
                }
            } else {
                if word.text.isEmpty { word.offset = offset }
                word.text.unicodeScalars.append(scalar)
            }
        }
        if !word.text.isEmpty { tokens.append(word) }
        // The end is a token too, so that what is missing has a place.
        tokens.append(Token(text: "", offset: text.unicodeScalars.count))
        return tokens
    }
}

extension ExpectationParser {
    var token: Token { tokens[min(next, tokens.count - 1)] }

    mutating func take() -> Token {
        defer { next += 1 }
        return token
    }

    private mutating func take(ifText text: String) -> Bool {
        guard token.text == text else { return false }
        next += 1
        return true
    }

    func fail(_ token: Token, _ problem: String, _ remedy: String? = nil) -> ExpectationProblem {
        ExpectationProblem(token.offset, problem, remedy)
    }

    private mutating func expectation() throws(ExpectationProblem) -> Expectation {
        let start = token
        let metric = try self.metric()
        var subject: Subject?
        var recovered: Expectation.Condition?
        if metric.kind == .recovery {
            guard take(ifText: "(") else {
                throw fail(
                    token,
                    "`\(metric.rawValue)` needs a condition",
                    "write \(metric.rawValue)(tunnels.up > 99%)"
                )
            }
            recovered = try condition()
            try close()
        } else if take(ifText: "(") {
            subject = try self.subject(of: metric)
            try close()
        }
        let (aggregation, window) = try self.aggregation(of: metric)
        let comparison = try self.comparison()
        let limit = try self.limit(of: metric, aggregation)
        var after: String?
        if take(ifText: "after") { after = try name(of: "fault", among: names.faults) }
        guard token.text.isEmpty else {
            throw fail(
                token,
                "`\(token.text)` is not expected here",
                "an expectation ends after its limit, or after `after FAULT`"
            )
        }
        if metric.kind == .recovery, names.faults.isEmpty {
            throw fail(start, "`\(metric.rawValue)` needs a fault to recover from", "add one to `faults`")
        }
        return Expectation(
            metric: metric,
            population: subject?.population,
            flow: subject?.flow,
            recovered: recovered,
            aggregation: aggregation,
            window: window,
            comparison: comparison,
            limit: limit,
            after: after
        )
    }

    private mutating func metric() throws(ExpectationProblem) -> MetricName {
        let token = take()
        if let metric = MetricName(rawValue: token.text) { return metric }
        guard !token.text.isEmpty else {
            throw fail(token, "there is no metric", "write it like handshake.latency p99 < 500ms")
        }
        throw fail(
            token,
            "unknown metric \"\(token.text.abbreviated)\"",
            Nearest.name(to: token.text, among: MetricName.allCases.map(\.rawValue)).map { "did you mean \"\($0)\"?" }
                ?? "the metrics are \(MetricName.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }

    /// The condition of `recovery.time(tunnels.up > 99%)`.
    private mutating func condition() throws(ExpectationProblem) -> Expectation.Condition {
        let start = token
        let metric = try self.metric()
        guard metric.kind == .ratio else {
            throw fail(start, "recovery is measured by a ratio, not by `\(metric.rawValue)`", "write tunnels.up > 99%")
        }
        var population: String?
        if take(ifText: "(") {
            population = try subject(of: metric).population
            try close()
        }
        let comparison = try self.comparison()
        guard comparison == .above || comparison == .atLeast else {
            throw fail(start, "recovery is upwards", "write `>` or `>=`")
        }
        guard case .share(let share) = try limit(of: metric, .value) else {
            preconditionFailure("a ratio's limit is a share")
        }
        return Expectation.Condition(metric: metric, population: population, comparison: comparison, limit: share)
    }

    mutating func name(of noun: String, among known: [String]) throws(ExpectationProblem) -> String {
        let token = take()
        guard known.contains(token.text) else {
            if token.text.isEmpty { throw fail(token, "the name of a \(noun) is missing") }
            throw fail(
                token,
                "unknown \(noun) \"\(token.text.abbreviated)\"",
                Nearest.remedy(for: token.text, among: known)
            )
        }
        return token.text
    }

    private mutating func close() throws(ExpectationProblem) {
        guard take(ifText: ")") else { throw fail(token, "a `)` is missing") }
    }

    private mutating func aggregation(
        of metric: MetricName
    ) throws(ExpectationProblem) -> (Expectation.Aggregation, Duration?) {
        let allowed = Self.aggregations(of: metric)
        guard !Self.isComparison(token.text), !token.text.isEmpty else {
            guard allowed.contains(.value) else {
                throw fail(
                    token,
                    "`\(metric.rawValue)` is a histogram",
                    "say which number of it: \(Self.list(allowed))"
                )
            }
            return (.value, nil)
        }
        let start = take()
        guard let aggregation = Expectation.Aggregation(rawValue: start.text), aggregation != .value else {
            let near = Nearest.name(to: start.text, among: allowed.map(\.rawValue)).map { "did you mean \"\($0)\"?" }
            throw fail(
                start,
                "unknown aggregation \"\(start.text.abbreviated)\"",
                near ?? "`\(metric.rawValue)` has \(Self.list(allowed))"
            )
        }
        guard allowed.contains(aggregation) else {
            throw fail(start, "`\(metric.rawValue)` has no \(start.text)", "it has \(Self.list(allowed))")
        }
        guard take(ifText: "(") else {
            guard aggregation != .rate else { throw fail(token, "`rate` needs a window", "write rate(30s)") }
            return (aggregation, nil)
        }
        let length = take()
        guard metric.kind == .ratio || aggregation == .rate else {
            throw fail(length, "`\(start.text)` of a histogram has no window", "write \(start.text) alone")
        }
        let window = try read(length) { text throws(UnitProblem) in try Units.duration(text) }
        guard window >= .seconds(1) else {
            throw fail(length, "`\(length.text)` is too short a window", "the least is 1s")
        }
        try close()
        return (aggregation, window)
    }

    private mutating func comparison() throws(ExpectationProblem) -> Expectation.Comparison {
        let token = take()
        if let comparison = Expectation.Comparison(rawValue: token.text) { return comparison }
        guard Self.isComparison(token.text) else {
            throw fail(token, "a comparison is missing", "write <, <=, > or >=")
        }
        throw fail(token, "`\(token.text)` is not a comparison", "write <, <=, > or >=")
    }

    private mutating func limit(
        of metric: MetricName,
        _ aggregation: Expectation.Aggregation
    ) throws(ExpectationProblem) -> Expectation.Limit {
        let token = take()
        guard !token.text.isEmpty, token.text != "after" else { throw fail(token, "the limit is missing") }
        if aggregation == .count || (metric.kind == .counter && aggregation == .value) {
            return .count(
                UInt64(try read(token) { text throws(UnitProblem) in try Units.count(text, in: 0...Int.max) })
            )
        }
        if metric.kind == .counter {
            let rate = try read(token) { text throws(UnitProblem) in try Units.rate(text) }
            return .rate(perSecondThousandths: rate.perSecondThousandths)
        }
        if metric.kind == .ratio {
            return .share(try read(token) { text throws(UnitProblem) in try Units.percent(text) })
        }
        return .time(try read(token) { text throws(UnitProblem) in try Units.duration(text) })
    }

    private func read<Value>(
        _ token: Token,
        _ read: (String) throws(UnitProblem) -> Value
    ) throws(ExpectationProblem) -> Value {
        do throws(UnitProblem) { return try read(token.text) } catch { throw fail(token, error.problem, error.remedy) }
    }

    /// What may be asked of a metric.
    package static func aggregations(of metric: MetricName) -> [Expectation.Aggregation] {
        switch metric.kind {
        case .counter: [.value, .rate]
        case .ratio: [.value, .min, .max, .mean, .last, .rate]
        case .latency: [.p50, .p90, .p99, .p999, .p9999, .max, .mean, .min, .count]
        case .recovery: [.value]
        }
    }

    private static func list(_ aggregations: [Expectation.Aggregation]) -> String {
        let names = aggregations.filter { $0 != .value }.map { $0 == .rate ? "rate(30s)" : $0.rawValue }
        return names.isEmpty ? "none: compare it directly" : names.joined(separator: ", ")
    }

    private static func isComparison(_ text: String) -> Bool {
        text.unicodeScalars.first.map { "<>=!".unicodeScalars.contains($0) } ?? false
    }
}

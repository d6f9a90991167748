import Primitives
import Runner
import Testing
import Workload

@Suite("Least squares")
struct LeastSquaresTests {
    @Test("exact observations give their coefficients exactly, with intervals of no width")
    func isExact() throws {
        let observations = [(1.0, 2.0), (2, 1), (3, 5), (4, 4)].map { first, second in
            LeastSquares.Observation([first, second], value: 7 * first + 11 * second, weight: first)
        }
        let fit = try LeastSquares(observations)
        #expect(abs(fit.coefficients[0].value - 7) < 1e-9)
        #expect(abs(fit.coefficients[1].value - 11) < 1e-9)
        #expect(fit.coefficients.allSatisfy { $0.halfWidth < 1e-9 })
    }

    @Test("a line through four points has the interval of the textbook")
    func hasTextbookInterval() throws {
        // y = 1 + 2x with residuals -0.1, 0.2, -0.1, 0: slope 2 +- 4.303 * s / sqrt(5).
        let values = [0.9, 3.2, 4.9, 7.0]
        let fit = try LeastSquares(
            values.enumerated().map { LeastSquares.Observation([1, Double($0)], value: $1) }
        )
        let slope = fit.coefficients[1]
        let intercept = fit.coefficients[0].value
        let squares = values.enumerated().reduce(0.0) { sum, point in
            let residual = point.element - intercept - slope.value * Double(point.offset)
            return sum + residual * residual
        }
        #expect(abs(slope.value - 2.0) < 1e-9)
        #expect(abs(slope.halfWidth - 4.303 * (squares / 2 / 5).squareRoot()) < 1e-9)
    }

    @Test("nine of ten intervals and more hold the truth, whatever the noise")
    func coversTruth() throws {
        var covered = 0
        let truth = [120.0, 3.0, 40.0]
        for seed in 0..<200 {
            var noise = SyntheticNoise(seed: UInt64(seed))
            let observations = (0..<24).map { index in
                let terms = [1.0, Double(index % 8) * 10, Double(index / 3)]
                let value = zip(terms, truth).reduce(0) { $0 + $1.0 * $1.1 }
                return LeastSquares.Observation(terms, value: value + 10 * noise.next())
            }
            let fit = try LeastSquares(observations)
            covered += zip(fit.coefficients, truth).filter { ($0.lower...$0.upper).contains($1) }.count
        }
        #expect((540...594).contains(covered), "\(covered) of 600")
    }

    @Test("a coefficient that would be negative is zero, and its interval still reaches above")
    func staysAboveZero() throws {
        let observations = [(1.0, 0.0, 5.0), (1, 1, 4.9), (1, 2, 4.9), (1, 3, 4.6), (2, 1, 10)].map {
            LeastSquares.Observation([$0.0, $0.1], value: $0.2)
        }
        let fit = try LeastSquares.nonNegative(observations)
        #expect(fit.coefficients[1].value == 0)
        #expect(fit.coefficients[1].halfWidth >= 0)
        #expect(fit.coefficients[0].value > 4.5)
    }

    @Test("columns that depend on each other, and too few observations, are refused by name")
    func refuses() {
        let same = (1...4).map { LeastSquares.Observation([Double($0), 2 * Double($0)], value: 1) }
        #expect(throws: LeastSquares.Failure.undetermined(coefficient: 1)) { try LeastSquares(same) }
        #expect(throws: LeastSquares.Failure.tooFewObservations(2, coefficients: 2)) {
            try LeastSquares(Array(same.prefix(2)))
        }
    }
}

@Suite("The fit of a cost table")
struct CostFitTests {
    /// What a gateway of known prices would have worked in every trial of a calibration.
    private func samples(_ table: CostTableFile, seed: UInt64, replications: Int = 2) -> [WorkSample] {
        var noise = SyntheticNoise(seed: seed)
        var samples: [WorkSample] = []
        func add(_ counts: [(PricedWork, Int)], active: Int) {
            var work = 3 * 2e6
            for (kind, times) in counts {
                let cost: CostTableFile.Cost? =
                    switch kind {
                    case .operation(let operation): table[operation]
                    case .keyExchange(let method): table.cost(ofKeyExchange: method)
                    }
                guard let cost else { continue }
                work +=
                    Double(times)
                    * (Double(cost.baseNanoseconds) + Double(cost.perActiveSAPicoseconds) * Double(active) / 1_000)
            }
            work += 0.3 * (work * 1e6).squareRoot() * noise.next()
            samples.append(
                WorkSample(
                    "synthetic",
                    counts.map { WorkSample.Count($0.0, Double($0.1)) },
                    activeSAs: Double(active),
                    seconds: 3,
                    nanoseconds: work
                )
            )
        }
        for _ in 0..<replications {
            for count in [100, 400, 1_000] {
                add([(.operation(.refuse), count)], active: 0)
                for asked: [PricedWork] in [
                    [.operation(.createChildSA), .operation(.delete)],
                    [.operation(.createChildSA), .keyExchange("x25519"), .operation(.delete)],
                    [.operation(.rekeyIKESA), .keyExchange("x25519"), .operation(.delete)],
                    [.operation(.informational)],
                ] {
                    add([(.operation(.ikeSAInit), count), (.keyExchange("x25519"), count)], active: 0)
                    add([(.operation(.ikeAuthPSK), count)], active: count / 2)
                    add([], active: count)
                    add(asked.map { ($0, count) }, active: count)
                    add([(.operation(.delete), count)], active: count / 2)
                }
            }
            add([(.operation(.ikeSAInit), 100), (.keyExchange("modp2048"), 100)], active: 0)
        }
        return samples
    }

    @Test("what is known is taken out of the samples, so that a part of the exchanges tells the rest")
    func takesKnownOut() throws {
        let table = try known
        // Without Child SA rekeys nothing tells the key exchange from what it is in.
        let part = samples(table, seed: 3).filter { sample in
            !sample.counts.contains {
                [.operation(.createChildSA), .operation(.informational), .keyExchange("modp2048")].contains($0.work)
            }
        }
        let unseparated: [PricedWork] = [.keyExchange("x25519")]
        let fit = try CostFit(part.map { $0.without(unseparated, at: table) })
        #expect(fit[.keyExchange("x25519")] == nil)
        for operation: CostTableFile.Operation in [.ikeSAInit, .ikeAuthPSK, .rekeyIKESA] {
            let price = try #require(fit[.operation(operation)]).cost
            let truth = Double(table[operation].baseNanoseconds)
            #expect((0.8 * truth...1.2 * truth).contains(Double(price.baseNanoseconds)), "\(operation): \(price)")
            #expect(price.interval != nil)
        }
    }

    private var known: CostTableFile {
        get throws {
            let text = #"{"base-ns": 170000}"#
            let others = CostTableFile.Operation.allCases.map { operation in
                let cost =
                    switch operation {
                    case .ikeAuthPSK: #"{"base-ns": 327000, "per-active-sa-ps": 737000}"#
                    case .createChildSA: #"{"base-ns": 210000, "per-active-sa-ps": 500000}"#
                    case .delete: #"{"base-ns": 140000, "per-active-sa-ps": 368000}"#
                    default: text
                    }
                return #""\#(operation.rawValue)": \#(cost)"#
            }
            return try CostTableFile(
                text: """
                    {"schema": "ikestorm-cost-table/1", "name": "known",
                     "provenance": {"source": "made up", "kind": "estimate"},
                     "valid-range": {"active-sas": [0, 1], "set-ups-per-second": [0, 1]},
                     "operations": {\(others.joined(separator: ", "))},
                     "key-exchanges": {"x25519": {"base-ns": 123000}, "modp2048": {"base-ns": 2817000},
                                       "ecp384": {"base-ns": 9, "interval-ns": [8, 10]}}}
                    """,
                file: "known.json"
            )
        }
    }

    @Test("known prices are found again inside of their intervals, slopes too")
    func recoversPrices() throws {
        let known = try known
        var (covered, all) = (0, 0)
        for seed in 0..<20 {
            let fit = try CostFit(samples(known, seed: UInt64(seed)))
            for price in fit.prices {
                let cost: CostTableFile.Cost? =
                    switch price.work {
                    case .operation(let operation): known[operation]
                    case .keyExchange(let method): known.cost(ofKeyExchange: method)
                    }
                let truth = try #require(cost)
                let base = price.baseNanoseconds
                all += 1
                covered += (base.lower...base.upper).contains(Double(truth.baseNanoseconds)) ? 1 : 0
                #expect(abs(base.value / Double(truth.baseNanoseconds) - 1) < 0.35, "\(price.work.name)")
                guard let slope = price.perActiveSANanoseconds else { continue }
                all += 1
                covered += (slope.lower...slope.upper).contains(Double(truth.perActiveSAPicoseconds) / 1_000) ? 1 : 0
            }
        }
        #expect(covered * 100 >= all * 88, "\(covered) of \(all)")
    }

    @Test("what was not measured keeps its price, loses its interval, and is named")
    func keepsOthers() throws {
        let known = try known
        let fit = try CostFit(samples(known, seed: 1))
        let costs = MeasuredCosts(fit, base: known)
        #expect(costs.unmeasured.contains("cookie-check"))
        #expect(costs.unmeasured.contains("ecp384"))
        #expect(!costs.unmeasured.contains("delete"))
        #expect(costs.table.cost(ofKeyExchange: "ecp384")?.interval == nil)
        #expect(costs.table[.cookieCheck] == known[.cookieCheck])
        #expect(costs.table.provenance.kind == .measured)
        #expect(costs.table.provenance.source.contains("cookie-check"))
        let interval = try #require(costs.table[.ikeAuthPSK].interval)
        #expect(interval.contains(costs.table[.ikeAuthPSK].baseNanoseconds))
        // What is written is read again.
        #expect(try CostTableFile(text: costs.table.json(), file: "fitted.json") == costs.table)
    }

    @Test("what is cheaper than the rest of its trials has a price of zero, no interval, and is named")
    func namesBounds() throws {
        var known = try known
        let place = try #require(CostTableFile.Operation.allCases.firstIndex(of: .delete))
        // A Delete that is far dearer where it is alone than behind a rekey.
        let samples = samples(known, seed: 1).map { sample in
            var sample = sample
            let isAlone = sample.counts.count == 1 && sample.counts[0].work == .operation(.delete)
            if isAlone { sample.nanoseconds *= 8 }
            return sample
        }
        known.operations[place].interval = 1...2
        let fit = try CostFit(samples)
        let bounded = fit.prices.filter(\.isBelowZero)
        try #require(!bounded.isEmpty)
        let costs = MeasuredCosts(fit, base: known)
        for price in bounded {
            #expect(price.cost.baseNanoseconds == 0 && price.cost.interval == nil)
            #expect(costs.table.provenance.source.contains("zero without an interval"))
            #expect(costs.table.provenance.source.contains(price.work.name))
        }
    }

    @Test("too few measurements have no prices, and say so")
    func refusesTooFew() throws {
        let known = try known
        let few = Array(samples(known, seed: 1, replications: 1).prefix(5))
        #expect(throws: CostFit.Failure.self) { try CostFit(few) }
    }
}

extension MeasuredCosts {
    /// The prices of synthetic samples.
    fileprivate init(_ fit: CostFit, base: CostTableFile) {
        self.init(
            fit,
            base: base,
            name: "fitted",
            origin: "Synthetic.",
            activeSAs: 0...1_000,
            setUpsPerSecond: 50...500
        )
    }
}

/// Normal noise with deviation 1, near enough: the sum of twelve uniform draws.
private struct SyntheticNoise {
    private var stream: RandomStream

    init(seed: UInt64) { stream = RandomStream(seed: seed, entity: 1, purpose: .test) }

    mutating func next() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double(stream.below(1 << 32)) / 4_294_967_296 }
    }
}

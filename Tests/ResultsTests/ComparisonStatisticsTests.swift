import Foundation
import Primitives
import Results
import Testing

/// What SciPy and statsmodels say; Vectors/statistics.py has the command that wrote it down.
private struct Vectors: Decodable {
    struct Test: Decodable {
        let first: [Double]
        let second: [Double]
        let exact: Bool
        let u: Double
        let p: Double
    }

    struct Correction: Decodable {
        let p: [Double]
        let adjusted: [Double]
    }

    struct Interval: Decodable {
        let first: [Double]
        let second: [Double]
        let difference: Double
        let lower: [Double]
        let upper: [Double]
        let scipy: [Double]
    }

    let mannWhitney: [Test]
    let holm: [Correction]
    let intervals: [Interval]

    static func read() throws -> Vectors {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "Vectors/statistics.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
    }
}

@Suite("The statistics of comparisons")
struct ComparisonStatisticsTests {
    private func isNear(_ value: Double, _ other: Double) -> Bool { abs(value - other) <= 1e-9 * max(1, abs(other)) }

    @Test("Mann and Whitney's test is SciPy's, exact and approximate")
    func testsAsSciPy() throws {
        let vectors = try Vectors.read().mannWhitney
        #expect(vectors.count > 12 && vectors.contains { $0.exact } && vectors.contains { !$0.exact })
        for vector in vectors {
            let test = MannWhitney(vector.first, vector.second)
            #expect(test.isExact == vector.exact, "\(vector)")
            #expect(test.u == vector.u, "\(vector)")
            #expect(isNear(test.p, vector.p), "\(test.p) \(vector)")
            // Which side is named first changes nothing but the side that is counted.
            let turned = MannWhitney(vector.second, vector.first)
            #expect(isNear(turned.p, vector.p))
            #expect(turned.u == Double(vector.first.count * vector.second.count) - vector.u)
        }
    }

    @Test("samples without values, or without two different ones, say nothing")
    func testsNothing() {
        #expect(MannWhitney([], [1, 2]).p == 1)
        #expect(MannWhitney([3, 3, 3], [3, 3]).p == 1)
    }

    @Test("the smallest probability is that of samples that do not overlap")
    func knowsSmallest() {
        for count in 1...12 {
            let low = (0..<count).map(Double.init)
            let high = (0..<(count + 2)).map { Double($0) + 100 }
            #expect(isNear(MannWhitney(low, high).p, MannWhitney.smallestP(count, count + 2)))
        }
        #expect(MannWhitney.leastCount(for: 0.05) == 4)
        #expect(MannWhitney.leastCount(for: 0.05 / 10) == 6)
        #expect(MannWhitney.smallestP(0, 5) == 1)
    }

    @Test("Holm's correction is that of statsmodels")
    func correctsAsStatsmodels() throws {
        for vector in try Vectors.read().holm {
            for (ours, theirs) in zip(Holm.adjusted(vector.p), vector.adjusted) { #expect(isNear(ours, theirs)) }
        }
        #expect(Holm.adjusted([]) == [])
    }

    @Test("the interval is that of every way to draw the samples anew, and SciPy's")
    func drawsAsSciPy() throws {
        for vector in try Vectors.read().intervals {
            let difference = MedianDifference(
                from: vector.first,
                to: vector.second,
                confidence: 0.95,
                resamples: 20_000,
                stream: RandomStream(seed: 1, entity: 1, purpose: .bootstrap)
            )
            #expect(isNear(difference.difference, vector.difference))
            for ends in [[difference.lower, difference.upper], vector.scipy] {
                #expect(ends[0] >= vector.lower[0] - 1e-9 && ends[0] <= vector.lower[1] + 1e-9, "\(ends) \(vector)")
                #expect(ends[1] >= vector.upper[0] - 1e-9 && ends[1] <= vector.upper[1] + 1e-9, "\(ends) \(vector)")
            }
        }
    }

    @Test("an interval is the same each time, and wider with more confidence")
    func isRepeatable() {
        func interval(_ confidence: Double, seed: UInt64 = 1) -> MedianDifference {
            let samples = (0..<40).map { (index: Int) in Double(index * index % 17) + Double(index * 7 % 11) / 13 }
            return MedianDifference(
                from: samples,
                to: samples.map { $0 * 1.3 },
                confidence: confidence,
                resamples: 500,
                stream: RandomStream(seed: seed, entity: 9, purpose: .bootstrap)
            )
        }
        #expect(interval(0.95) == interval(0.95))
        #expect(interval(0.95) != interval(0.95, seed: 2))
        #expect(interval(0.99).upper >= interval(0.5).upper && interval(0.99).lower < interval(0.5).lower)
        #expect(MedianDifference.median(of: [4, 1, 3, 2]) == 2.5 && MedianDifference.median(of: [9, 1, 2]) == 2)
    }
}

import Foundation

/// The test of Mann and Whitney, also called Wilcoxon's rank-sum test: how likely two samples are to lie as far apart
/// as these do, if both were drawn from one distribution.
///
/// It looks at the order of the values alone, so that neither the shape of a latency's distribution nor one slow run
/// matters.
package struct MannWhitney: Hashable, Sendable {
    /// How many of all pairs of a value of either sample have the greater one in the first; equal ones count half.
    package let u: Double
    /// The two-sided probability; 1 where a sample is empty or all values are equal.
    package let p: Double
    /// Whether `p` was counted out; otherwise it comes from the normal distribution, corrected for ties and continuity.
    package let isExact: Bool

    /// The probability is exact without ties and with at most 25 values a sample.
    package init(_ first: [Double], _ second: [Double]) {
        guard !first.isEmpty, !second.isEmpty else {
            u = 0
            p = 1
            isExact = true
            return
        }
        let (rankSum, ties) = Self.rankSum(of: first, among: second)
        let pairs = Double(first.count * second.count)
        u = rankSum - Double(first.count * (first.count + 1)) / 2
        // The distribution is symmetric: the further end decides.
        let further = max(u, pairs - u)
        isExact = ties.isEmpty && max(first.count, second.count) <= Self.largestExactCount
        p =
            isExact
            ? Self.exact(further, first.count, second.count)
            : Self.approximate(further, first.count, second.count, ties)
    }

    /// The smallest probability that samples of these sizes can have: with fewer values nothing is ever significant.
    package static func smallestP(_ first: Int, _ second: Int) -> Double {
        guard first > 0, second > 0 else { return 1 }
        var arrangements = 1.0
        for index in 1...min(first, second) {
            arrangements *= Double(first + second - min(first, second) + index) / Double(index)
        }
        return min(1, 2 / arrangements)
    }

    /// The least size of both samples with which a probability can be as small as `p`.
    package static func leastCount(for p: Double) -> Int {
        var count = 1
        while smallestP(count, count) > p, count < 1_000 { count += 1 }
        return count
    }

    private static var largestExactCount: Int { 25 }

    /// The sum of the ranks of `first` in both samples, and how many values are equal in each group of equal ones.
    private static func rankSum(of first: [Double], among second: [Double]) -> (sum: Double, ties: [Int]) {
        let values =
            (first.map { (value: $0, isFirst: true) } + second.map { (value: $0, isFirst: false) })
            .sorted { $0.value < $1.value }
        var sum = 0.0
        var ties: [Int] = []
        var start = 0
        while start < values.count {
            let end = values[start...].firstIndex { $0.value > values[start].value } ?? values.count
            // Equal values share the mean of their ranks, which count from 1.
            let rank = Double(start + 1 + end) / 2
            sum += rank * Double(values[start..<end].count { $0.isFirst })
            if end - start > 1 { ties.append(end - start) }
            start = end
        }
        return (sum, ties)
    }

    /// Counts the ways in which the ranks could be dealt out that lead as far as `u` or further.
    private static func exact(_ u: Double, _ first: Int, _ second: Int) -> Double {
        // ways[k][s]: the sets of k ranks whose sum is s. No more than 50 ranks: the counts stay below 2^53.
        let all = first + second
        let largest = first * (2 * all - first + 1) / 2
        var ways = [[Double]](repeating: [Double](repeating: 0, count: largest + 1), count: first + 1)
        ways[0][0] = 1
        for rank in 1...all {
            for size in stride(from: min(first, rank), through: 1, by: -1) {
                for sum in stride(from: largest, through: rank, by: -1) {
                    ways[size][sum] += ways[size - 1][sum - rank]
                }
            }
        }
        let total = ways[first].reduce(0, +)
        let least = Int(u) + first * (first + 1) / 2
        return min(1, 2 * ways[first][min(least, largest)...].reduce(0, +) / total)
    }

    private static func approximate(_ u: Double, _ first: Int, _ second: Int, _ ties: [Int]) -> Double {
        let all = Double(first + second)
        let pairs = Double(first * second)
        let tied = ties.reduce(0.0) { $0 + Double($1 * $1 * $1 - $1) }
        let variance = pairs / 12 * (all + 1 - tied / (all * (all - 1)))
        guard variance > 0 else { return 1 }
        let z = (u - pairs / 2 - 0.5) / variance.squareRoot()
        return min(1, erfc(z / 2.0.squareRoot()))
    }
}

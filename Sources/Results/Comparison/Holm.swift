/// Holm's correction: of many tests together no more than a given share of all jobs has a false alarm.
///
/// S. Holm, "A simple sequentially rejective multiple test procedure", 1979. It holds however the tests depend on each
/// other, as the latencies of one run do.
package enum Holm {
    /// The probabilities as they are to be compared with the bound for all tests together, in the order given.
    package static func adjusted(_ probabilities: [Double]) -> [Double] {
        let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
        var adjusted = probabilities
        var least = 0.0
        for (place, index) in order.enumerated() {
            least = max(least, min(1, probabilities[index] * Double(probabilities.count - place)))
            adjusted[index] = least
        }
        return adjusted
    }
}

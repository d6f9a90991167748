package import Workload

/// The prices that explain what a gateway worked: for each kind of work a base, and more for each active SA.
package struct CostFit: Sendable {
    package struct Price: Sendable {
        package var work: PricedWork
        package var baseNanoseconds: LeastSquares.Coefficient
        /// nil where it was not asked for, or where all samples had about as many SAs.
        package var perActiveSANanoseconds: LeastSquares.Coefficient?
        /// How often the work was done in all samples.
        package var times: Double

        /// The price as a cost table has it; without an interval where it is not one.
        package var cost: CostTableFile.Cost {
            let lower = Int64(max(0, baseNanoseconds.lower).rounded())
            let upper = Int64(max(0, baseNanoseconds.upper).rounded())
            return CostTableFile.Cost(
                baseNanoseconds: Int64(baseNanoseconds.value.rounded()),
                perActiveSAPicoseconds: Int64(((perActiveSANanoseconds?.value ?? 0) * 1_000).rounded()),
                interval: isBelowZero ? nil : lower...max(lower, upper)
            )
        }

        /// Whether the rest of what it was measured with is dearer than all of it: zero is then a bound, and no price.
        package var isBelowZero: Bool { baseNanoseconds.upper <= 0 }
    }

    /// Why samples have no prices, as a sentence for the user.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// In the order in which the samples name them.
    package let prices: [Price]
    /// What the gateway works without being asked for anything, in nanoseconds per second.
    package let idle: LeastSquares.Coefficient
    /// How far samples lie from the fit, as a share of their CPU time: the root of the mean square.
    package let relativeDeviation: Double
    package let sampleCount: Int

    package subscript(work: PricedWork) -> Price? { prices.first { $0.work == work } }

    package init(_ samples: [WorkSample]) throws(Failure) {
        var works: [PricedWork] = []
        for count in samples.flatMap(\.counts) where count.times > 0 && !works.contains(count.work) {
            works.append(count.work)
        }
        let sloped = works.filter { $0.mayDependOnActiveSAs && Self.activeSAsVary($0, samples) }
        let observations = samples.map { sample in
            var terms = [sample.seconds]
            terms += works.map { work in Self.times(work, sample) }
            terms += sloped.map { work in Self.times(work, sample) * sample.activeSAs }
            // The noise of many jobs is that of one times the square root of their number; a millisecond is always
            // there.
            let noise = ((sample.nanoseconds + Self.leastNoise) * Self.leastNoise).squareRoot()
            return LeastSquares.Observation(terms, value: sample.nanoseconds, weight: 1 / noise)
        }
        let fit: LeastSquares
        do throws(LeastSquares.Failure) {
            fit = try LeastSquares.nonNegative(observations)
        } catch {
            throw Self.failure(error, works, sloped)
        }
        idle = fit.coefficients[0]
        let busy = zip(samples, observations).filter { !$0.0.counts.isEmpty && $0.0.nanoseconds > 0 }.map(\.1)
        let squares = busy.reduce(0.0) { sum, observation in
            let fitted = zip(observation.terms, fit.coefficients).reduce(0) { $0 + $1.0 * $1.1.value }
            return sum + (1 - fitted / observation.value) * (1 - fitted / observation.value)
        }
        relativeDeviation = (squares / Double(max(1, busy.count))).squareRoot()
        sampleCount = samples.count
        prices = works.enumerated().map { place, work in
            Price(
                work: work,
                baseNanoseconds: fit.coefficients[1 + place],
                perActiveSANanoseconds: sloped.firstIndex(of: work).map { fit.coefficients[1 + works.count + $0] },
                times: samples.reduce(0) { $0 + Self.times(work, $1) }
            )
        }
    }

    private static func times(_ work: PricedWork, _ sample: WorkSample) -> Double {
        sample.counts.reduce(0) { $0 + ($1.work == work ? $1.times : 0) }
    }

    /// A slope wants work among few SAs and among many.
    private static func activeSAsVary(_ work: PricedWork, _ samples: [WorkSample]) -> Bool {
        let active = samples.filter { times(work, $0) > 0 }.map(\.activeSAs)
        guard let least = active.min(), let most = active.max() else { return false }
        return most >= 2 * least && most - least >= 10
    }

    private static func failure(
        _ failure: LeastSquares.Failure,
        _ works: [PricedWork],
        _ sloped: [PricedWork]
    ) -> Failure {
        switch failure {
        case .tooFewObservations(let count, let coefficients):
            return Failure(
                description: "\(count) measurements do not determine \(coefficients) numbers and their intervals: "
                    + "measure more often, or at more rates"
            )
        case .undetermined(let index):
            let names = ["idling"] + works.map(\.name) + sloped.map { $0.name + " for each SA" }
            return Failure(description: "the measurements do not tell the price of \(names[index]) from others")
        }
    }

    /// In nanoseconds: what a tick, or a thread that wakes up, does to a reading.
    private static var leastNoise: Double { 1e6 }
}

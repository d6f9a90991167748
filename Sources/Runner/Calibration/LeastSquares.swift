import Foundation
import Results

/// A linear model fitted to weighted observations, with a 95 % interval for each coefficient.
///
/// The noise of an observation is taken for normal with a deviation in inverse proportion to its weight; its size comes
/// from the residuals.
package struct LeastSquares: Sendable {
    package struct Observation: Sendable {
        /// One for each coefficient.
        package var terms: [Double]
        package var value: Double
        package var weight: Double

        package init(_ terms: [Double], value: Double, weight: Double = 1) {
            self.terms = terms
            self.value = value
            self.weight = weight
        }
    }

    package struct Coefficient: Hashable, Sendable {
        package var value: Double
        /// Half the width of the 95 % interval around the value.
        package var halfWidth: Double

        package init(value: Double, halfWidth: Double) {
            self.value = value
            self.halfWidth = halfWidth
        }

        package var lower: Double { value - halfWidth }
        package var upper: Double { value + halfWidth }
    }

    /// Why there is no fit.
    package enum Failure: Error, Hashable, Sendable {
        /// No more observations than coefficients: nothing is left to tell the noise from.
        case tooFewObservations(Int, coefficients: Int)
        /// The observations do not tell this coefficient from the others.
        case undetermined(coefficient: Int)
    }

    package let coefficients: [Coefficient]
    /// The residuals' standard deviation for an observation of weight 1.
    package let deviation: Double
    package let degreesOfFreedom: Int

    package init(_ observations: [Observation]) throws(Failure) {
        let count = observations.first?.terms.count ?? 0
        guard observations.count > count, count > 0 else {
            throw .tooFewObservations(observations.count, coefficients: count)
        }
        var normal = NormalEquations(count: count)
        for observation in observations { normal.add(observation) }
        let inverse = try normal.inverse()
        let values = normal.solution(inverse)
        var squares = 0.0
        for observation in observations {
            let fitted = zip(observation.terms, values).reduce(0) { $0 + $1.0 * $1.1 }
            let residual = (observation.value - fitted) * observation.weight
            squares += residual * residual
        }
        degreesOfFreedom = observations.count - count
        deviation = (squares / Double(degreesOfFreedom)).squareRoot()
        let quantile = StudentsT.quantile975(degreesOfFreedom: degreesOfFreedom)
        let deviation = deviation
        coefficients = (0..<count).map { index in
            let standardError = deviation * inverse[index][index].squareRoot()
            return Coefficient(value: values[index], halfWidth: quantile * standardError)
        }
    }

    /// Fits coefficients that cannot be negative: those that come out below zero are left out, the worst one first.
    ///
    /// A coefficient that was left out is zero, and its interval says how far above zero it might have been.
    package static func nonNegative(_ observations: [Observation]) throws(Failure) -> LeastSquares {
        let count = observations.first?.terms.count ?? 0
        var kept = Array(0..<count)
        var all = [Coefficient](repeating: Coefficient(value: 0, halfWidth: 0), count: count)
        while true {
            let indexes = kept
            let fit = try LeastSquares(
                observations.map { observation in
                    Observation(
                        indexes.map { observation.terms[$0] },
                        value: observation.value,
                        weight: observation.weight
                    )
                }
            )
            for (place, index) in indexes.enumerated() { all[index] = fit.coefficients[place] }
            let negative = indexes.indices.filter { fit.coefficients[$0].value < 0 }
            guard let worst = negative.min(by: { fit.significance(of: $0) < fit.significance(of: $1) }) else {
                return LeastSquares(all, deviation: fit.deviation, degreesOfFreedom: fit.degreesOfFreedom)
            }
            all[indexes[worst]] = Coefficient(value: 0, halfWidth: max(0, fit.coefficients[worst].upper))
            kept.remove(at: worst)
        }
    }

    private init(_ coefficients: [Coefficient], deviation: Double, degreesOfFreedom: Int) {
        self.coefficients = coefficients
        self.deviation = deviation
        self.degreesOfFreedom = degreesOfFreedom
    }

    private func significance(of index: Int) -> Double {
        coefficients[index].value / max(coefficients[index].halfWidth, .leastNormalMagnitude)
    }
}

/// The equations whose solution has the least squares, with columns scaled to the same length.
private struct NormalEquations {
    private var matrix: [[Double]]
    private var right: [Double]

    init(count: Int) {
        matrix = Array(repeating: Array(repeating: 0, count: count), count: count)
        right = Array(repeating: 0, count: count)
    }

    mutating func add(_ observation: LeastSquares.Observation) {
        let weight = observation.weight * observation.weight
        for row in right.indices {
            for column in right.indices {
                matrix[row][column] += weight * observation.terms[row] * observation.terms[column]
            }
            right[row] += weight * observation.terms[row] * observation.value
        }
    }

    /// Gauss-Jordan with pivoting, on the matrix scaled to a diagonal of ones.
    func inverse() throws(LeastSquares.Failure) -> [[Double]] {
        let count = right.count
        var scale: [Double] = []
        for index in 0..<count {
            guard matrix[index][index] > 0 else { throw .undetermined(coefficient: index) }
            scale.append(1 / matrix[index][index].squareRoot())
        }
        var left = matrix
        var inverse = [[Double]](repeating: Array(repeating: 0, count: count), count: count)
        for row in 0..<count {
            for column in 0..<count { left[row][column] *= scale[row] * scale[column] }
            inverse[row][row] = 1
        }
        for pivot in 0..<count {
            // The matrix is positive definite: its own diagonal is the pivot, unless columns depend on each other.
            let value = left[pivot][pivot]
            guard value > Self.least else { throw .undetermined(coefficient: pivot) }
            for column in 0..<count {
                left[pivot][column] /= value
                inverse[pivot][column] /= value
            }
            for row in 0..<count where row != pivot {
                let factor = left[row][pivot]
                guard factor != 0 else { continue }
                for column in 0..<count {
                    left[row][column] -= factor * left[pivot][column]
                    inverse[row][column] -= factor * inverse[pivot][column]
                }
            }
        }
        for row in 0..<count {
            for column in 0..<count { inverse[row][column] *= scale[row] * scale[column] }
        }
        return inverse
    }

    func solution(_ inverse: [[Double]]) -> [Double] {
        inverse.map { row in zip(row, right).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    private static var least: Double { 1e-10 }
}

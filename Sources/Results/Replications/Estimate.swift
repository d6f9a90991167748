/// What independent runs say of one figure: their mean, and how far off it may be.
package struct Estimate: Hashable, Sendable {
    /// How many runs had the figure.
    package let count: Int
    package let mean: Double
    /// Half the width of the 95 % interval around the mean (Student's t); nil of one run, which says nothing of it.
    package let halfWidth: Double?
    package let minimum: Double
    package let maximum: Double

    /// Nil where there is no value.
    package init?(_ values: [Double]) {
        guard let minimum = values.min(), let maximum = values.max() else { return nil }
        count = values.count
        self.minimum = minimum
        self.maximum = maximum
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        guard values.count > 1 else {
            halfWidth = nil
            return
        }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let variance = squares / Double(values.count - 1)
        let quantile = StudentsT.quantile975(degreesOfFreedom: values.count - 1)
        halfWidth = quantile * (variance / Double(values.count)).squareRoot()
    }
}

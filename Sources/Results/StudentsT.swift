/// Student's t distribution, as far as intervals need it.
package enum StudentsT {
    /// The value that 97.5 % are not above, so that 95 % lie between it and its negative.
    package static func quantile975(degreesOfFreedom: Int) -> Double {
        precondition(degreesOfFreedom >= 1, "there is a residual")
        guard degreesOfFreedom > table.count else { return table[degreesOfFreedom - 1] }
        // Cornish-Fisher around the normal distribution's 1.95996.
        let z = 1.959_963_985
        let n = Double(degreesOfFreedom)
        let cube = z * z * z
        return z + (cube + z) / (4 * n) + (5 * cube * z * z + 16 * cube + 3 * z) / (96 * n * n)
    }

    private static let table = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    ]
}

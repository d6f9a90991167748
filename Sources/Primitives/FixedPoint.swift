/// Logarithm, exponential and normal quantile in integers: the same bits on every machine, which libm does not promise.
///
/// Results are signed with 32 fractional bits ("Q32"). Errors are below 2^-28, far under what a delay's model means.
public enum FixedPoint {
    /// 1 in Q32.
    public static var one: Int64 { 1 << 32 }

    /// -ln(`numerator` / 2^64) in Q32; a numerator of 0 is taken as 1.
    ///
    /// ln m = 2 artanh((m - 1) / (m + 1)) after m is brought between 1/sqrt 2 and sqrt 2.
    public static func negativeLogarithm(ofFraction numerator: UInt64) -> Int64 {
        let numerator = max(numerator, 1)
        let leadingZeros = numerator.leadingZeroBitCount
        let mantissa = numerator << UInt64(leadingZeros)
        let isAboveRoot = mantissa > 0xB504_F333_F9DE_6484
        let halvings = Int64(leadingZeros) + (isAboveRoot ? 0 : 1)
        // m in Q61, and s = (m - 1) / (m + 1) in Q61.
        let m = Int64(mantissa >> (isAboveRoot ? 3 : 2))
        let unit: Int64 = 1 << 61
        let s = Int64((Int128(m - unit) << 61) / Int128(m + unit))
        let square = multiply(s, s, shift: 61)
        var series = unit / 17
        for step in 1...8 as ClosedRange<Int64> {
            series = unit / (17 - 2 * step) + multiply(series, square, shift: 61)
        }
        let logarithm = 2 * multiply(s, series, shift: 61)
        return (halvings * ln2Q57 - (logarithm >> 4)) >> 25
    }

    /// `value` times e to the power of `exponent` (Q32), at most `limit`.
    public static func scale(_ value: Int64, byExponentialOf exponent: Int64, limit: Int64) -> Int64 {
        precondition(value >= 0 && value < 1 << 50, "the value is a length of time of less than two weeks")
        let binary = multiply(exponent, log2eQ62, shift: 62)
        let power = binary >> 32
        let fraction = (binary & 0xFFFF_FFFF) << 30
        // 2^fraction = e^g by its series, inside out, in Q61.
        let g = multiply(fraction, ln2Q62, shift: 63)
        let unit: Int64 = 1 << 61
        var series = unit
        for step in 0..<13 as Range<Int64> {
            series = unit + multiply(g, series, shift: 61) / (13 - step)
        }
        let shift = 61 - power
        guard shift > 0 else { return value == 0 ? 0 : limit }
        guard shift < 127 else { return 0 }
        let product = (Int128(value) * Int128(series)) >> Int128(shift)
        return product > Int128(limit) ? limit : Int64(product)
    }

    /// The standard normal distribution's quantile at `numerator` / 2^64, in Q32.
    ///
    /// Wichura's algorithm AS 241, PPND7 (Applied Statistics 37, 1988), which has about seven digits.
    public static func normalQuantile(ofFraction numerator: UInt64) -> Int64 {
        // The distance from the median, in Q32.
        let distance = Int64(bitPattern: numerator ^ (1 << 63)) >> 32
        if distance.magnitude <= 1_825_361_101 {
            let r = 775_778_468 - multiply(distance, distance, shift: 32)
            return ratio(
                multiply(distance, polynomial([253_872_831_309, 684_150_202_569, 216_613_548_571, 14_547_624_251], r)),
                polynomial([288_568_388_360, 338_261_993_473, 76_859_167_626, one], r)
            )
        }
        let tail = squareRoot(negativeLogarithm(ofFraction: min(numerator, ~numerator)))
        let quantile: Int64
        if tail <= 5 * one {
            let r = tail - 6_871_947_674
            quantile = ratio(
                polynomial([731_167_549, 5_612_356_093, 11_840_431_941, 6_113_616_556], r),
                polynomial([0, 516_303_730, 3_165_397_952, one], r)
            )
        } else {
            let r = tail - 5 * one
            quantile = ratio(
                polynomial([74_462_724, 1_841_179_222, 13_233_766_559, 28_595_484_729], r),
                polynomial([0, 52_648_579, 1_039_291_643, one], r)
            )
        }
        return distance < 0 ? -quantile : quantile
    }

    /// The square root of a number in Q32, in Q32.
    static func squareRoot(_ value: Int64) -> Int64 {
        // With 24 bits more in front it still fits, and its root has 28 fractional bits.
        let radicand = UInt64(value) << 24
        var root: UInt64 = 0
        var bit: UInt64 = 1 << 31
        while bit != 0 {
            let candidate = root | bit
            if candidate * candidate <= radicand { root = candidate }
            bit >>= 1
        }
        return Int64(root << 4)
    }

    private static func polynomial(_ coefficients: InlineArray<4, Int64>, _ x: Int64) -> Int64 {
        var value = coefficients[0]
        for index in 1..<4 { value = multiply(value, x) + coefficients[index] }
        return value
    }

    private static func ratio(_ numerator: Int64, _ denominator: Int64) -> Int64 {
        Int64((Int128(numerator) << 32) / Int128(denominator))
    }

    private static func multiply(_ left: Int64, _ right: Int64, shift: Int128 = 32) -> Int64 {
        Int64(truncatingIfNeeded: (Int128(left) * Int128(right)) >> shift)
    }

    private static var ln2Q57: Int64 { 0x0162_E42F_EFA3_9EF3 }
    private static var ln2Q62: Int64 { 0x2C5C_85FD_F473_DE6B }
    private static var log2eQ62: Int64 { 0x5C55_1D94_AE0B_F85E }
}

import Foundation
import Primitives
import Testing

@Suite("Distributions in integers")
struct DistributionTests {
    private func real(_ q32: Int64) -> Double { Double(q32) / 4_294_967_296 }

    /// `numerator` / 2^64 as a real number.
    private func fraction(_ numerator: UInt64) -> Double { Double(numerator) / 18_446_744_073_709_551_616 }

    private static let fractions: [UInt64] =
        (0..<64).map { UInt64(1) << $0 } + (1..<200).map { UInt64.max / 200 * $0 } + [
            .max, .max - 1, 0xB504_F333_F9DE_6484,
        ]

    @Test("the logarithm agrees with the real one")
    func logarithm() {
        for numerator in Self.fractions {
            let expected = -Foundation.log(fraction(numerator))
            #expect(abs(real(FixedPoint.negativeLogarithm(ofFraction: numerator)) - expected) < 1e-9)
        }
        #expect(FixedPoint.negativeLogarithm(ofFraction: 0) == FixedPoint.negativeLogarithm(ofFraction: 1))
    }

    @Test("the exponential agrees with the real one, and stops at its limit")
    func exponential() {
        let value: Int64 = 40_000_000
        for step in -60...60 as ClosedRange<Int64> {
            let exponent = step * FixedPoint.one / 10
            let expected = Double(value) * Foundation.exp(Double(step) / 10)
            let scaled = FixedPoint.scale(value, byExponentialOf: exponent, limit: .max)
            #expect(abs(Double(scaled) - expected) <= 1 + expected * 1e-8)
        }
        #expect(FixedPoint.scale(value, byExponentialOf: 40 * FixedPoint.one, limit: 1_000_000_000) == 1_000_000_000)
        #expect(FixedPoint.scale(value, byExponentialOf: 400 * FixedPoint.one, limit: 1_000_000_000) == 1_000_000_000)
        #expect(FixedPoint.scale(value, byExponentialOf: -400 * FixedPoint.one, limit: .max) == 0)
        #expect(FixedPoint.scale(0, byExponentialOf: 400 * FixedPoint.one, limit: .max) == 0)
    }

    @Test("the normal quantile is where the distribution function says")
    func normalQuantile() {
        for numerator in Self.fractions {
            let quantile = real(FixedPoint.normalQuantile(ofFraction: numerator))
            let p = fraction(numerator)
            // The smaller tail, so that nothing is lost to a number near 1.
            let tail = 0.5 * Foundation.erfc(abs(quantile) / 2.0.squareRoot())
            let expected = numerator < 1 << 63 ? p : fraction(~numerator)
            guard expected > 1e-18 else { continue }
            #expect(abs(tail / expected - 1) < 1e-5, "at \(p): \(quantile)")
            #expect((quantile <= 0) == (p <= 0.5))
        }
        #expect(abs(real(FixedPoint.normalQuantile(ofFraction: 17_985_575_471_866_812_825)) - 1.959_964) < 1e-5)
    }

    struct Claim: CustomTestStringConvertible {
        let name: String
        let distribution: DurationDistribution
        let mean: Double
        let deviation: Double
        var testDescription: String { name }

        init(_ name: String, _ shape: DurationDistribution.Shape, mean: Double, deviation: Double) {
            self.name = name
            self.distribution = DurationDistribution(shape)
            self.mean = mean
            self.deviation = deviation
        }
    }

    static let claims = [
        Claim("constant", .constant(.milliseconds(3)), mean: 3e6, deviation: 0),
        Claim("uniform", .uniform(from: .milliseconds(5), to: .milliseconds(25)), mean: 15e6, deviation: 5.773_50e6),
        Claim("normal", .normal(mean: .milliseconds(50), deviation: .milliseconds(5)), mean: 50e6, deviation: 5e6),
        // exp(sigma^2 / 2) and its square root of exp(sigma^2) - 1.
        Claim(
            "lognormal",
            .lognormal(median: .milliseconds(40), sigmaMillionths: 400_000),
            mean: 43.331_5e6,
            deviation: 18.051_4e6
        ),
        Claim("exponential", .exponential(mean: .milliseconds(3)), mean: 3e6, deviation: 3e6),
        Claim(
            "empirical",
            .empirical([
                .init(share: .zero, value: .zero), .init(share: .percent(50), value: .milliseconds(10)),
                .init(share: .one, value: .milliseconds(30)),
            ]),
            mean: 12.5e6,
            deviation: 8.539_1e6
        ),
    ]

    @Test("draws have the mean and the deviation of theory", arguments: claims)
    func moments(claim: Claim) {
        var stream = RandomStream(seed: 11, entity: 1, purpose: .test)
        let count = 40_000
        let draws = (0..<count).map { _ in Double(claim.distribution.draw(from: &stream).nanoseconds) }
        #expect(stream.drawCount == UInt64(count))
        let mean = draws.reduce(0, +) / Double(count)
        let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
        // Five standard errors of the mean, and 5 % of the deviation, which is wider than five for all of these.
        #expect(abs(mean - claim.mean) <= 5 * claim.deviation / Double(count).squareRoot())
        #expect(abs(variance.squareRoot() - claim.deviation) <= 0.05 * claim.deviation)
    }

    @Test("a larger fraction never gives a shorter time", arguments: claims)
    func monotone(claim: Claim) {
        var last = Duration.zero
        for step in 0...4_000 as ClosedRange<UInt64> {
            let value = claim.distribution.value(atFraction: step == 4_000 ? .max : UInt64.max / 4_000 * step)
            #expect(value >= last)
            last = value
        }
    }

    @Test("no draw leaves the bounds")
    func bounds() {
        let shapes: [DurationDistribution.Shape] = [
            .normal(mean: .milliseconds(5), deviation: .milliseconds(50)),
            .lognormal(median: .milliseconds(5), sigmaMillionths: 3_000_000),
            .exponential(mean: .milliseconds(5)), .uniform(from: .zero, to: .seconds(1)),
        ]
        for shape in shapes {
            let distribution = DurationDistribution(shape, minimum: .milliseconds(2), maximum: .milliseconds(40))
            var smallest = Duration.hours(1)
            var largest = Duration.zero
            for step in 0...1_000 as ClosedRange<UInt64> {
                let value = distribution.value(atFraction: step == 1_000 ? .max : UInt64.max / 1_000 * step)
                smallest = min(smallest, value)
                largest = max(largest, value)
            }
            #expect(smallest == .milliseconds(2) && largest == .milliseconds(40))
        }
        #expect(DurationDistribution(.uniform(from: .seconds(1), to: .seconds(2))).minimum == .seconds(1))
        let wild = DurationDistribution(.lognormal(median: .hours(20), sigmaMillionths: 9_000_000))
        #expect(wild.value(atFraction: .max) == DurationDistribution.longest)
    }

    @Test("draws are these numbers on every machine and from version to version")
    func golden() {
        let fraction: UInt64 = 0xC0FF_EE00_DEAD_BEEF
        let values = Self.claims.map { $0.distribution.value(atFraction: fraction).nanoseconds }
        #expect(values == [3_000_000, 20_078_104, 53_434_151, 52_647_123, 4_206_115, 20_156_207])
    }
}

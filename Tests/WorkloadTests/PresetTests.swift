import Primitives
import Testing
import Workload

/// What the presets say in numbers, worked out by hand from the settings that their sources name.
@Suite("Presets")
struct PresetTests {
    private static let waits = "retransmission: { first: 4s, factor: 1.8, tries: 5 }"
    private static let comesBack =
        "reconnect: { after: [timeout], wait: { from: 1s, factor: 2, at-most: 5m, jitter: full }, give-up: never }"

    /// The base's profile with something else in the place of what it says.
    private static func profile(_ old: String, _ new: String) throws -> Workload.Profile {
        try BaseWorkload.workload(BaseWorkload.replacing(old, with: new)).profiles[0]
    }

    struct Retransmission: CustomTestStringConvertible {
        let name: String
        /// After each sending, in milliseconds with their fractions.
        let waits: [Double]
        let givesUpAfter: Double
        var testDescription: String { name }
    }

    private static let retransmissions = [
        // 4 s x 1.8^n for n from 0 to 5 tries.
        Retransmission(
            name: "strongswan",
            waits: [4_000, 7_200, 12_960, 23_328, 41_990.4, 75_582.72],
            givesUpAfter: 165_061.12
        ),
        // Doubled from 500 ms on; 31.5 s have gone by when the last is sent, and the timeout is 60 s.
        Retransmission(
            name: "libreswan",
            waits: [500, 1_000, 2_000, 4_000, 8_000, 16_000, 28_500],
            givesUpAfter: 60_000
        ),
        Retransmission(name: "android", waits: [500, 1_000, 2_000, 4_000, 8_000], givesUpAfter: 15_500),
        Retransmission(name: "apple", waits: [1_000, 2_000, 4_000, 8_000, 16_000], givesUpAfter: 31_000),
    ]

    @Test("a request is sent again after these waits, and its peer given up after the last", arguments: retransmissions)
    func retransmission(_ preset: Retransmission) throws {
        let read = try Self.profile(Self.waits, "retransmission: \(preset.name)").retransmission
        #expect(read.waits.map { Double($0.nanoseconds) / 1_000_000 } == preset.waits)
        #expect(Double(read.givesUpAfter.nanoseconds) / 1_000_000 == preset.givesUpAfter)
    }

    struct Reconnect: CustomTestStringConvertible {
        typealias Reason = Workload.Reconnect.Reason
        let name: String
        let after: [Reason]
        /// Before the first attempt in a row, the second, and so on, in seconds; the last one repeats.
        let waits: [Int]
        var jitterPercent: UInt32 = 0
        var giveUpAfter: Int?
        var testDescription: String { name }
    }

    private static let reconnects = [
        Reconnect(name: "strongswan", after: [.timeout, .delete, .expired], waits: [0]),
        // 5 s more each time, up to 300 s: the 61st wait.
        Reconnect(
            name: "libreswan",
            after: [.timeout, .delete, .refused, .expired],
            waits: Array(stride(from: 0, through: 300, by: 5))
        ),
        Reconnect(
            name: "android",
            after: [.timeout, .delete, .refused, .expired],
            waits: [1, 2, 5, 30, 60, 300, 900]
        ),
        Reconnect(name: "apple", after: [.timeout, .delete, .expired], waits: [1, 5, 30], jitterPercent: 50),
        Reconnect(name: "windows", after: [.timeout, .delete, .expired], waits: [60], giveUpAfter: 3),
    ]

    @Test("a client comes back after these waits, for these reasons, so often", arguments: reconnects)
    func reconnect(_ preset: Reconnect) throws {
        let read = try Self.profile(Self.comesBack, "reconnect: \(preset.name)").reconnect
        #expect(read.after == preset.after)
        #expect(read.waits == preset.waits.map { .seconds(Int64($0)) })
        #expect(read.jitter == .percent(preset.jitterPercent))
        #expect(read.giveUpAfter == preset.giveUpAfter)
    }

    /// In seconds: when an SA is rekeyed at the earliest and at the latest, and when it ends if it was not.
    struct Lifetime: Equatable {
        let earliest: Int64
        let latest: Int64
        let hard: Int64

        init(_ earliest: Int64, _ latest: Int64, hard: Int64) {
            (self.earliest, self.latest, self.hard) = (earliest, latest, hard)
        }

        init?(_ lifetime: Workload.Lifetime) {
            guard let rekey = lifetime.rekey, !lifetime.hasVolume else { return nil }
            let random = Int128(rekey.nanoseconds) * Int128(lifetime.jitter.partsPerBillion) / 1_000_000_000
            // The share of libreswan's margin is right to a part of a billion.
            self.init(
                (rekey.nanoseconds - Int64(random)) / 1_000_000_000,
                rekey.nanoseconds / 1_000_000_000,
                hard: (rekey + lifetime.over).nanoseconds / 1_000_000_000
            )
        }
    }

    struct Lifetimes: CustomTestStringConvertible {
        let name: String
        let ike: Lifetime
        let child: Lifetime
        var testDescription: String { name }
    }

    private static let lifetimes = [
        // rand_time and over_time are 10 % of 4 h and of 1 h: 24 and 6 minutes.
        Lifetimes(
            name: "strongswan",
            ike: Lifetime(12_960, 14_400, hard: 15_840),
            child: Lifetime(3_240, 3_600, hard: 3_960)
        ),
        // 8 h less the margin of 9 minutes, and up to as much again for a fuzz of 100 %.
        Lifetimes(
            name: "libreswan",
            ike: Lifetime(27_720, 28_260, hard: 28_800),
            child: Lifetime(27_720, 28_260, hard: 28_800)
        ),
        Lifetimes(
            name: "android",
            ike: Lifetime(7_200, 7_200, hard: 14_400),
            child: Lifetime(3_600, 3_600, hard: 7_200)
        ),
        Lifetimes(
            name: "apple",
            ike: Lifetime(3_600, 3_600, hard: 3_960),
            child: Lifetime(1_800, 1_800, hard: 1_980)
        ),
    ]

    @Test("SAs are rekeyed within these times, and end after these", arguments: lifetimes)
    func rekeys(_ preset: Lifetimes) throws {
        let read = try Self.profile("lifetimes: strongswan", "lifetimes: \(preset.name)").lifetimes
        #expect(Lifetime(read.ike) == preset.ike)
        #expect(Lifetime(read.child) == preset.child)
    }

    @Test("the tables have every preset, and a client that is told nothing goes by strongSwan's")
    func complete() throws {
        #expect(Presets.retransmission.map(\.name) == Self.retransmissions.map(\.name))
        #expect(Presets.reconnect.map(\.name) == Self.reconnects.map(\.name))
        #expect(Presets.lifetimes.map(\.name) == Self.lifetimes.map(\.name))
        let read = try Self.profile("    lifetimes: strongswan\n    \(Self.waits)\n    \(Self.comesBack)\n", "")
        #expect(read.retransmission == Presets.retransmission[0].value)
        #expect(read.reconnect == Presets.reconnect[0].value)
        #expect(read.lifetimes == Presets.lifetimes[0].value)
    }
}

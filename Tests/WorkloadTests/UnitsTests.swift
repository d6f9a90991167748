import Primitives
import Testing
import Workload

@Suite("Units")
struct UnitsTests {
    @Test(
        "a length of time is exact, in nanoseconds",
        arguments: [
            ("0s", 0), ("1ns", 1), ("250us", 250_000), ("1.5ms", 1_500_000), ("30s", 30_000_000_000),
            ("0.000000001s", 1), ("10m", 600_000_000_000), ("4h", 14_400_000_000_000), ("1d", 86_400_000_000_000),
            ("36500d", 3_153_600_000_000_000_000),
        ] as [(String, Int64)]
    )
    func duration(_ text: String, _ nanoseconds: Int64) throws {
        #expect(try Units.duration(text).nanoseconds == nanoseconds)
    }

    @Test(
        "what is no length of time is refused",
        arguments: [
            "", "s", "5", "5 s", "-5s", "+5s", "5S", "5min", "1.s", ".5s", "1.2.3s", "1e3s", "05s", "1_000s", "0.5ns",
            "36501d", "99999999999999999999s", "9999999999999999999d", "10m30s", "∞s", "٣s", "5s ", "0.0000000001s",
        ]
    )
    func refusesDuration(_ text: String) { #expect(throws: UnitProblem.self) { try Units.duration(text) } }

    @Test(
        "a share is exact, in parts per billion",
        arguments: [
            ("0%", 0), ("0.2%", 2_000_000), ("0.0000001%", 1), ("10%", 100_000_000), ("99.99%", 999_900_000),
            ("100%", 1_000_000_000),
        ] as [(String, UInt32)]
    )
    func percent(_ text: String, _ parts: UInt32) throws {
        #expect(try Units.percent(text) == Probability(partsPerBillion: parts))
    }

    @Test(
        "what is no share is refused",
        arguments: ["0.2", "101%", "100.0000001%", "0.00000001%", "%", "-1%", "1 %", "5%%"]
    )
    func refusesPercent(_ text: String) { #expect(throws: UnitProblem.self) { try Units.percent(text) } }

    @Test(
        "a rate is an exact fraction in its lowest terms",
        arguments: [
            ("400/s", 400, 1_000_000_000), ("5/m", 1, 12_000_000_000), ("0.5/s", 1, 2_000_000_000),
            ("0/s", 0, 1_000_000_000),
            ("60/m", 1, 1_000_000_000), ("1.25/h", 1, 2_880_000_000_000), ("0.3/s", 3, 10_000_000_000),
        ] as [(String, UInt64, Int64)]
    )
    func rate(_ text: String, _ count: UInt64, _ per: Int64) throws {
        let rate = try Units.rate(text)
        #expect(rate == Workload.Rate(count: count, per: .nanoseconds(per)))
        #expect(try Units.rate(UnitText.rate(rate)) == rate)
    }

    @Test(
        "what is no rate is refused",
        arguments: ["400", "400/sec", "400/ms", "/s", "400hz", "9999999999999/s", "0.000001/d", "0.0000001/s"]
    )
    func refusesRate(_ text: String) { #expect(throws: UnitProblem.self) { try Units.rate(text) } }

    @Test(
        "a size is a whole number of bytes",
        arguments: [
            ("200B", 200), ("1KB", 1_000), ("1KiB", 1_024), ("1.5KiB", 1_536), ("4MiB", 4_194_304),
            ("2GB", 2_000_000_000),
        ]
    )
    func size(_ text: String, _ bytes: Int) throws {
        #expect(try Units.size(text) == bytes)
        #expect(try Units.size(UnitText.size(bytes)) == bytes)
    }

    @Test("what is no size is refused", arguments: ["200", "1kb", "0.5B", "1TB", "B", "99999999999GiB"])
    func refusesSize(_ text: String) { #expect(throws: UnitProblem.self) { try Units.size(text) } }

    @Test(
        "a bandwidth is in bits per second",
        arguments: [("10Mbit/s", 10_000_000), ("1.5kbit/s", 1_500), ("1Gbit/s", 1_000_000_000), ("9bit/s", 9)]
            as [(String, UInt64)]
    )
    func bandwidth(_ text: String, _ bits: UInt64) throws {
        #expect(try Units.bandwidth(text) == bits)
        #expect(try Units.bandwidth(UnitText.bandwidth(bits)) == bits)
    }

    @Test("what is no bandwidth is refused", arguments: ["10", "10Mbps", "10MB/s", "0.5bit/s", "10mbit/s"])
    func refusesBandwidth(_ text: String) { #expect(throws: UnitProblem.self) { try Units.bandwidth(text) } }

    @Test(
        "an identity's template numbers its clients",
        arguments: [
            ("user%05d@example.org", 42, "user00042@example.org"), ("user%d@x", 7, "user7@x"), ("gw", 7, "gw"),
            ("n%02d", 123, "n123"),
        ]
    )
    func template(_ text: String, _ number: Int, _ identity: String) throws {
        let template = try Identities.template(text)
        #expect(template.identity(number) == identity)
        #expect(try Identities.template(template.description) == template)
    }

    @Test(
        "what is no template is refused",
        arguments: ["", "user%5d", "user%s", "user%", "%d%d", "%0d", "%00d", "%099d", "100%%"]
    )
    func refusesTemplate(_ text: String) { #expect(throws: UnitProblem.self) { try Identities.template(text) } }

    @Test(
        "a wall time is UTC since 1970",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-01-01T00:00:00Z", 1_767_225_600), ("2000-02-29T23:59:59Z", 951_868_799),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
        ] as [(String, Int64)]
    )
    func timestamp(_ text: String, _ seconds: Int64) throws {
        #expect(try Timestamps.seconds(text) == seconds)
        #expect(Timestamps.text(seconds) == text)
    }

    @Test(
        "what is no wall time is refused",
        arguments: [
            "2026-02-29T00:00:00Z", "2026-01-01", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z", "2026-01-01 00:00:00",
        ]
    )
    func refusesTimestamp(_ text: String) { #expect(throws: UnitProblem.self) { try Timestamps.seconds(text) } }

    @Test(
        "the nearest name is found by edits, and nothing far is guessed",
        arguments: [
            ("coutn", "count"), ("handshake.latncy", "handshake.latency"), ("zzzzz", nil), ("COUNT", "count"),
        ] as [(String, String?)]
    )
    func nearest(_ wrong: String, _ right: String?) {
        #expect(Nearest.name(to: wrong, among: ["count", "handshake.latency", "profile"]) == right)
    }

    @Test(
        "edits are counted, with swaps of neighbours",
        arguments: [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3)]
    )
    func editDistance(_ left: String, _ right: String, _ distance: Int) {
        #expect(Nearest.editDistance(left, right) == distance)
    }
}

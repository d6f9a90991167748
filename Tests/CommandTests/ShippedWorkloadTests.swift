import Foundation
import GatewayRig
import Testing

@Suite("The workloads that ship")
struct ShippedWorkloadTests {
    struct Story: Sendable, CustomTestStringConvertible {
        let name: String
        let populations: [String]
        let status: Int32
        /// The thresholds that a small number of clients cannot meet, since the effect takes the whole number.
        let missed: [String]
        /// Whether a capture has something that Wireshark cannot read, as the results say then.
        let warnsOfCapture: Bool
        var testDescription: String { name }

        init(
            _ name: String,
            _ populations: [String],
            _ status: Int32 = 0,
            missed: [String] = [],
            warnsOfCapture: Bool = false
        ) {
            self.name = name
            self.populations = populations
            self.status = status
            self.missed = missed
            self.warnsOfCapture = warnsOfCapture
        }
    }

    static let stories = [
        Story("certificate-rollover", ["abrupt", "steps"]), Story("cookie-flood", ["laptops"]),
        Story("esp-imix", ["half", "full"]), Story("esp-throughput", ["branch"]),
        Story("lossy-mobile", ["phones"]),
        Story("mobike-commute", ["first-car", "second-car"]),
        Story("mobike-wave", ["mobile", "fixed"]),
        Story("nat-rebind-under-load", ["talkers", "listeners"]),
        Story(
            "nat-timeout",
            ["kept-alive", "silent"],
            99,
            missed: ["handshake.established(silent) > 500"]
        ),
        Story(
            "post-quantum-migration",
            ["classical", "hybrid"],
            99,
            missed: ["handshake.latency(hybrid) p50 > 500ms"]
        ),
        Story("quickstart", ["laptops"]),
        Story(
            "radius-outage",
            ["blocked", "unblocked"],
            99,
            missed: ["handshake.latency(blocked) p99 > 15s"]
        ),
        Story("reconnect-storm", ["stubborn", "patient"]),
        Story(
            "rekey-storm",
            ["together", "spread"],
            99,
            missed: ["handshake.latency(together) p99 > 1s", "child.rekey.latency(together) p99 > 500ms"]
        ),
        Story("rekey-under-load", ["plain", "natted"], 99, missed: ["child.rekey.established > 500"]),
        Story("replay-attack", ["plain", "natted"], warnsOfCapture: true),
        Story("restart", ["laptops"]),
    ]

    @Test("each of them is told here")
    func areAllTold() {
        #expect(Self.stories.map(\.name) == Shipped.names)
    }

    @Test("run small, and say what each of their thresholds came to", arguments: stories)
    func runSmall(_ story: Story) throws {
        let scratch = try Scratch()
        let words = ["run", Shipped.path(story.name), "--out", "run", "--crypto", "modelled"]
        let outcome = try Binary.run(words + Shipped.few(story.populations, 50), in: scratch, atMost: 240)

        #expect(outcome.status == story.status, "\(outcome.output)\(outcome.errors)")
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        #expect(result.exitCode == Int(story.status))
        let thresholds = result.expectations("thresholds") + result.expectations("steadyState")
        #expect(thresholds.count > 0)
        for threshold in thresholds {
            let text = try #require(threshold["expectation"] as? String)
            let passed = try #require(threshold["passed"] as? Bool)
            #expect(passed == !story.missed.contains(text), "\(text)")
            #expect(outcome.output.contains((passed ? "✓ " : "✗ ") + text), "\(outcome.output)")
        }
        #expect(scratch.exists("run/junit.xml") && !scratch.exists("run/incomplete"))
    }

    @Test("write the same bytes with any workers, and whether cryptography is real or modelled", arguments: stories)
    func writeTheSame(_ story: Story) throws {
        let scratch = try Scratch()
        func run(_ name: String, _ options: [String]) throws -> [String: Data] {
            let words = ["run", Shipped.path(story.name), "--out", name] + Shipped.few(story.populations) + options
            let outcome = try Binary.run(words, in: scratch, atMost: 240)
            #expect([0, 99].contains(outcome.status), "\(words): \(outcome.errors)")
            return try scratch.outcome(in: name)
        }
        let first = try run("1", ["--workers", "1", "--capture"])
        #expect(first.keys.contains("capture.pcapng") && first.keys.contains("events.ndjson"))
        for workers in ["2", "3", "7", "16"] {
            let other = try run(workers, ["--workers", workers, "--capture"])
            #expect(other.keys.sorted() == first.keys.sorted())
            for (name, bytes) in other { #expect(bytes == first[name], "\(name) with \(workers) workers") }
        }
        // There is no capture of modelled messages.
        let real = story.warnsOfCapture ? try run("real", []) : first
        let modelled = try run("modelled", ["--crypto", "modelled"])
        #expect(modelled.count > 8 && Set(modelled.keys).isSubset(of: real.keys))
        for (name, bytes) in modelled { #expect(bytes == real[name], "\(name) with modelled cryptography") }
    }

    @Test("without cookies, those who are no part of the flood wait for half a minute")
    func cookiesAreWorthIt() throws {
        let scratch = try Scratch()
        let never = ["cookies-above", "cookies-above-per-source"].flatMap {
            ["--set", "gateways.gw.policy.half-open.\($0)=never"]
        }
        let words = ["run", Shipped.path("cookie-flood"), "--out", "run", "--crypto", "modelled", "--events", "none"]
        let outcome = try Binary.run(words + never, in: scratch, atMost: 240)
        #expect(outcome.status == 99)
        #expect(outcome.output.contains("✗ handshake.latency p99 < 2s  3"), "\(outcome.output)")
    }

    @Test("come to what their stories tell, with every client they name", arguments: stories.map(\.name))
    func tellTheirStories(_ name: String) throws {
        let scratch = try Scratch()
        let words = ["run", Shipped.path(name), "--out", "run", "--crypto", "modelled", "--events", "none"]
        let outcome = try Binary.run(words, in: scratch, atMost: 240)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let thresholds = try ResultFile(try scratch.bytes("run/result.json")).expectations("thresholds")
        #expect(!thresholds.isEmpty && thresholds.allSatisfy { $0["passed"] as? Bool == true })
    }

    @Test("a region that does not back off is back sooner than one that does")
    func backOffIsSlower() throws {
        let scratch = try Scratch()
        let words = [
            "run", Shipped.path("reconnect-storm"), "--out", "run", "--crypto", "modelled", "--events", "none",
        ]
        _ = try Binary.run(words, in: scratch, atMost: 240)
        let result = try ResultFile(try scratch.bytes("run/result.json"))
        let recoveries = result.expectations("thresholds").compactMap { threshold -> Double? in
            guard let text = threshold["expectation"] as? String, text.hasPrefix("recovery.time") else { return nil }
            return threshold["value"] as? Double
        }
        try #require(recoveries.count == 2)
        #expect(recoveries[0] > 0 && recoveries[0] < recoveries[1])
    }
}

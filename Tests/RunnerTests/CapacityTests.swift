import Foundation
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("What a setting is varied by")
struct VariationTests {
    @Test(
        "a path, and two values of one unit",
        arguments: [
            ("a.b=100/s..4000/s", "a.b", 100, 4000, "a.b=250/s", 250),
            ("a.b=100..4000/s", "a.b", 100, 4000, "a.b=101/s", 101),
            ("clients.count=1..60000", "clients.count", 1, 60000, "clients.count=7", 7),
            ("x.loss=0.5%..12%", "x.loss", 5, 120, "x.loss=0.7%", 7),
            ("x.f=0.25..1.5", "x.f", 25, 150, "x.f=1.08", 108),
        ] as [(String, String, Int64, Int64, String, Int64)]
    )
    func reads(text: String, setting: String, low: Int64, high: Int64, override: String, value: Int64) throws {
        let variation = try Variation(text)
        #expect(variation.setting == setting && variation.low == low && variation.high == high)
        #expect(variation.override(value) == override)
    }

    @Test(
        "and nothing else",
        arguments: [
            ("a.b", "no path with a range"), ("=1..2", "no path with a range"), ("a=5", "no `..`"),
            ("a=1/s..2/m", "different units"), ("a=1/s..2", "different units"), ("a=x..x", "not two numbers"),
            ("a=x..y", "different units"),
            ("a=..", "not two numbers"), ("a=1..9999999999999999999", "not two numbers"),
            ("a=1.2.3..4", "not two numbers"), ("a=5..5", "not less than"), ("a=6s..5s", "not less than"),
            ("a=0.1234567..1", "at most 6 decimals"),
        ]
    )
    func refuses(text: String, problem: String) throws {
        let failure = try #require(throws: JobFailure.self) { try Variation(text) }
        #expect(failure.code == .usage)
        #expect(failure.message.hasPrefix("error: --vary \(text): ") && failure.message.contains(problem))
    }
}

@Suite("The search for the largest value that passes")
struct CapacitySearchTests {
    @Test("comes as close as it is asked to, in as few runs as halving takes", arguments: [0, 1, 20, 100] as [UInt32])
    func halves(permille: UInt32) {
        let resolution = Probability(partsPerBillion: permille * 1_000_000)
        for knee in [1, 2, 3, 999, 50_000, 999_999, 1_000_000] as [Int64] {
            var search = CapacitySearch(low: 1, high: 1_000_001, resolution: resolution)
            var count = 0
            while let value = search.next {
                search.note(value, passes: value <= knee)
                count += 1
            }
            guard let passes = search.passes, let fails = search.fails else {
                Issue.record("both ends are known")
                continue
            }
            #expect(passes <= knee && knee < fails)
            #expect(fails - passes <= max(1, fails * Int64(permille) / 1000))
            #expect(count <= 22)
        }
    }

    @Test("looks no further than the ends where they say it all")
    func ends() {
        var low = CapacitySearch(low: 5, high: 9, resolution: .percent(1))
        low.note(5, passes: false)
        #expect(low.next == nil && low.passes == nil)
        var high = CapacitySearch(low: 5, high: 9, resolution: .percent(1))
        high.note(5, passes: true)
        #expect(high.next == 9)
        high.note(9, passes: true)
        #expect(high.next == nil && high.fails == nil)
    }
}

@Suite("The capacity of what is simulated")
struct CapacityTests {
    /// A folder that is gone with its test.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func find(
        _ vary: String,
        of workload: String,
        _ change: (inout CapacityJob) -> Void = { _ in }
    ) throws -> (code: ExitCode, result: JSONValue) {
        let folder = try Folder()
        var job = CapacityJob(
            path: workload,
            variation: try Variation(vary),
            world: .simulated(.modelled),
            workers: 1
        )
        job.writesJSON = true
        job.folder = folder.path + "/found"
        change(&job)
        var output = ""
        let code = try job.run(on: Console(output: { output += $0 }, errors: { _ in }))
        let written = try String(contentsOfFile: folder.path + "/found/capacity.json", encoding: .utf8)
        #expect(written == output)
        return (code, try JSONParser.parse([UInt8](output.utf8)))
    }

    private func number(_ result: JSONValue, _ key: String) throws -> Double {
        guard case .object(let members) = result,
            case .string(let text)? = members.first(where: { $0.key == key })?.value
        else { throw JobFailure(.usage, "there is no \(key)") }
        return try #require(Double(text.prefix { $0.isNumber || $0 == "." }))
    }

    @Test("of a line is what its packets take of it, with all that is around them")
    func line() throws {
        for (size, transport) in [(1000, 1064), (200, 264)] {
            let (code, result) = try find("traffic.stream.up.packets=500..9000/s", of: "workloads/esp-throughput.yaml")
            {
                $0.overrides = ["traffic.stream.up.size=\(size)B"]
                $0.resolution = .percent(1)
            }
            #expect(code == .pass)
            // 10 Mbit/s; IPv4 and UDP headers, SPI and number, IV, padding to 4 octets, and the integrity value.
            let knee = 10e6 / 8 / Double(transport)
            #expect(try number(result, "passes") <= knee * 1.01)
            #expect(try number(result, "fails") >= knee * 0.99)
        }
    }

    @Test(
        "of a gateway whose ESP is slower than the line is what its pool takes for each packet",
        arguments: [
            // 1,000 octets are 1,036 as an ESP packet.
            ("{ cores: 1, per-packet: 1ms, per-kilobyte: 250us, queue: { packets: 50 } }", 1_000, 1e9 / 1_259_000),
            ("{ cores: 2, per-packet: 2ms, queue: { packets: 50 } }", 1_000, 1_000.0),
            ("{ cores: 3, per-packet: 500us }", 1_000, 10e6 / 8 / 1_064),
            ("{ cores: 1, per-packet: 500us, queue: { packets: 100 } }", 200, 2_000.0),
        ]
    )
    func espPool(esp: String, size: Int, knee: Double) throws {
        let (code, result) = try find("traffic.stream.up.packets=100..9000/s", of: "workloads/esp-throughput.yaml") {
            $0.overrides = ["gateways.gw.simulated.esp=\(esp)", "traffic.stream.up.size=\(size)B"]
            $0.resolution = .percent(1)
        }
        #expect(code == .pass)
        #expect(try number(result, "passes") <= knee * 1.01)
        #expect(try number(result, "fails") >= knee * 0.99)
    }

    /// One core that takes 10 ms for each handshake.
    private static func gateway(in folder: String) throws -> String {
        let kinds = [
            "cookie-check", "cookie-demand", "refuse", "discard", "create-child-sa", "rekey-ike-sa", "informational",
            "delete",
            "retransmission-answered", "own-request", "own-response", "own-retransmission", "half-open-expiry",
        ]
        let rest = kinds.map { "\"\($0)\": { \"base-ns\": 1000 }" }.joined(separator: ", ")
        let costs = """
            { "schema": "ikestorm-cost-table/1", "name": "computed",
              "provenance": { "source": "made for a test", "kind": "estimate" },
              "valid-range": { "active-sas": [0, 100000], "set-ups-per-second": [1, 1000] },
              "operations": { "ike-sa-init": { "base-ns": 3000000 }, "ike-auth-psk": { "base-ns": 5000000 }, \(rest) },
              "key-exchanges": { "x25519": { "base-ns": 2000000 } } }
            """
        try costs.write(toFile: folder + "/costs.json", atomically: true, encoding: .utf8)
        let text = try String(contentsOfFile: "bench/handshakes.yaml", encoding: .utf8)
            .replacing("cores: 64, costs: costs/flat.json", with: "cores: 1, costs: costs.json")
            .replacing("duration: 6s", with: "duration: 20s")
            .replacing("handshake.success >= 100%", with: "handshake.latency max < 150ms")
        try text.write(toFile: folder + "/knee.yaml", atomically: true, encoding: .utf8)
        return folder + "/knee.yaml"
    }

    @Test(
        "of a gateway is what its core takes for each handshake, ten seeds out of ten",
        arguments: 1...10 as ClosedRange<UInt64>
    )
    func gateway(seed: UInt64) throws {
        let folder = try Folder()
        let path = try Self.gateway(in: folder.path)
        let (code, result) = try find("arrivals.evenly.constant.rate=20..300/s", of: path) {
            $0.seed = seed
            $0.resolution = .percent(1)
        }
        #expect(code == .pass)
        #expect(try (98...102).contains(number(result, "passes")))
        #expect(try (98...102).contains(number(result, "fails")))
    }

    @Test("has an exit code for each way to end without an answer, and --until in place of the thresholds")
    func endsOtherwise() throws {
        let folder = try Folder()
        let path = try Self.gateway(in: folder.path)
        let vary = "arrivals.evenly.constant.rate="
        #expect(try find(vary + "150..300/s", of: path).code == .threshold)
        #expect(try find(vary + "10..20/s", of: path).code == .pass)
        let (code, result) = try find(vary + "20..300/s", of: path) {
            $0.until = ["handshake.latency p50 < 1s"]
            $0.replications = 2
        }
        // Half of them wait longer only when the queue is long.
        #expect(try code == .pass && number(result, "passes") > 102)
        let without = try #require(throws: JobFailure.self) {
            _ = try find(vary + "20..300/s", of: path) { $0.overrides = ["thresholds=[]"] }
        }
        #expect(without.code == .usage && without.message.contains("--until"))
        let unknown = try #require(throws: JobFailure.self) { _ = try find("arrivals.nobody.rate=1..2", of: path) }
        #expect(unknown.code == .badWorkload)
    }
}

import Foundation
import GatewayRig
import Testing

@Suite("ikestorm run --replications")
struct ReplicationTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private struct Summary: Decodable {
        struct Run: Decodable {
            let seed: UInt64
            let digest: String
            let folder: String
            let command: [String]
        }

        struct Estimate: Decodable {
            let mean: Double?
            let halfWidth: Double?
            let min: Double?
            let max: Double?
            let count: Int
        }

        let verdict: String
        let runs: [Run]
    }

    @Test("Ctrl-C ends the replications, also when the first of them is done")
    func endAtInterrupt() throws {
        let words = ["run", Shipped.quickstart, "--replications", "500", "--out", "all"]
        let outcome = try interrupt(words, onceThereIs: "all/replication-003")
        #expect(try scratch.text("all/replications.json").contains("\"verdict\": \"interrupted\""), "\(outcome.output)")
        #expect(!scratch.exists("all/incomplete") && !scratch.exists("all/replication-500"))
    }

    @Test("so does a search for capacity, and says so")
    func searchEndsAtInterrupt() throws {
        // The second run would take for ever.
        let words = [
            "capacity", Shipped.quickstart, "--vary", "run.duration=1..10000000m", "--crypto", "modelled", "--out",
            "all",
        ]
        let outcome = try interrupt(words, onceThereIs: "all/trial-2")
        #expect(outcome.output.contains("answer  interrupted before there was one"))
        #expect(try scratch.text("all/capacity.json").contains("\"answer\": \"interrupted\""))
        #expect(!scratch.exists("all/incomplete") && !scratch.exists("all/trial-3"))
    }

    /// Runs a command, and interrupts it when a file or folder is there.
    private func interrupt(_ words: [String], onceThereIs name: String) throws -> Command.Outcome {
        let run = try Command([Binary.path] + words, directory: scratch.url)
        let deadline = ContinuousClock.now + .seconds(60)
        while !scratch.exists(name), ContinuousClock.now < deadline { usleep(20_000) }
        usleep(300_000)
        run.interrupt()
        let outcome = try run.wait(atMost: 30)
        #expect(outcome.status == 105, "\(outcome.errors)")
        return outcome
    }

    @Test("each replication has a seed and a folder of its own, and its command repeats it")
    func replicates() throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--replications", "3", "--out", "all"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("PASSED in all of 3 replications"))

        let summary = try JSONDecoder().decode(Summary.self, from: scratch.bytes("all/replications.json"))
        #expect(summary.verdict == "passed")
        #expect(summary.runs.map(\.folder) == ["replication-1", "replication-2", "replication-3"])
        #expect(Set(summary.runs.map(\.seed)).count == 3)
        #expect(Set(summary.runs.map(\.digest)).count == 3)
        #expect(summary.runs.first?.seed == 42)
        #expect(try scratch.text("all/summary.md").contains("handshake.latency p99"))
        #expect(!scratch.exists("all/incomplete"))

        for run in summary.runs {
            let result = try ResultFile(scratch.bytes("all/\(run.folder)/result.json"))
            #expect(result.digest == run.digest)
        }
        let second = summary.runs[1]
        let alone = try Binary.run(Array(second.command.dropFirst()) + ["--out", "alone"], in: scratch)
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(try ResultFile(scratch.bytes("alone/result.json")).digest == second.digest)
    }

    @Test("a folder of replications is no run, and whoever takes it for one is told where the runs are")
    func tellsWhereRunsAre() throws {
        let words = ["run"] + Shipped.small + ["--replications", "2", "--out", "all", "--events", "none"]
        #expect(try Binary.run(words, in: scratch).status == 0)
        let both = try Binary.run("diff", "all", "all", in: scratch)
        #expect(both.status == 64)
        #expect(both.errors.contains("name one of them, all/replication-N"))
        let different = try Binary.run("diff", "all/replication-1", "all/replication-2", in: scratch)
        #expect(different.status == 98, "\(different.errors)")
    }

    @Test("how many there are changes no replication's seed")
    func keepsSeeds() throws {
        var seeds: [[UInt64]] = []
        for count in ["2", "4"] {
            let words = ["run"] + Shipped.small + ["--set", "run.replications=\(count)", "--out", count, "--json"]
            let outcome = try Binary.run(words, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            seeds.append(try JSONDecoder().decode(Summary.self, from: Data(outcome.output.utf8)).runs.map(\.seed))
        }
        #expect(seeds[0] == Array(seeds[1].prefix(2)))
    }

    @Test("a threshold that fails in a replication fails all of them")
    func fails() throws {
        let words =
            ["run"] + Shipped.small + ["--replications", "2", "--set", "thresholds=[handshake.latency p50 < 1ms]"]
        let outcome = try Binary.run(words, in: scratch)
        #expect(outcome.status == 99, "\(outcome.errors)")
        #expect(outcome.output.contains("FAILED in 2 of 2 replications"))
    }
}

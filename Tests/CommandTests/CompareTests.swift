import Foundation
import GatewayRig
import Testing

@Suite("ikestorm compare and ikestorm baseline")
struct CompareTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func run(_ folder: String, _ words: [String] = []) throws {
        let outcome = try Binary.run(
            ["run"] + Shipped.small + ["--out", folder, "--events", "none"] + words,
            in: scratch
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func compare(_ words: String...) throws -> Command.Outcome {
        try Binary.run(["compare"] + words, in: scratch)
    }

    @Test("two runs of one seed are the same, and those of another gateway are named with both values")
    func comparesRuns() throws {
        // So many that one core has them wait.
        let many = ["--set", "populations.laptops.count=200"]
        try run("a", ["--workers", "1"] + many)
        try run("b", ["--workers", "2"] + many)
        let same = try compare("a", "b/result.json")
        #expect(same.status == 0, "\(same.errors)")
        #expect(same.output.hasPrefix("quickstart  SAME\n"))

        try run("c", many + ["--set", "gateways.gw.simulated.cores=1"])
        let refused = try compare("a", "c")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("a and c: their workloads differ: `cores: 4` and `cores: 1` in workload.yaml"))
        let slower = try compare("a", "b", "c", "--across", "workload", "--json")
        #expect(slower.status == 98, "\(slower.errors)")
        let root = try JSONSerialization.jsonObject(with: Data(slower.output.utf8)) as? [String: Any]
        let comparisons = try #require(root?["comparisons"] as? [[String: Any]])
        #expect(root?["schema"] as? String == "ikestorm-comparison-1" && root?["exitCode"] as? Int == 98)
        #expect(comparisons.map { $0["answer"] as? String }.first == "same")
        let figures = try #require(comparisons.last?["figures"] as? [[String: Any]])
        #expect(
            figures.contains { $0["metric"] as? String == "handshake.latency" && $0["answer"] as? String == "worse" }
        )
        // The gateway's cores show in what takes time there, and in nothing else.
        let allowed = ["handshake.latency", "child.rekey.latency"].flatMap { ["--allow", $0] }
        let passed = try Binary.run(["compare", "a", "c", "--across", "workload"] + allowed, in: scratch)
        #expect(passed.status == 0, "\(passed.output)")
        #expect(passed.output.contains("SAME but for what is allowed"))
    }

    @Test("replications are compared seed by seed, and runs without a seed in common not at all")
    func comparesReplications() throws {
        try run("all", ["--replications", "3"])
        try run("more", ["--replications", "4"])
        let outcome = try compare("all", "more")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("every figure is the same in 3 runs"))
        #expect(outcome.output.contains("1 of the runs of more have a seed that the other side has not"))
        let apart = try compare("all/replication-1", "all/replication-2")
        #expect(apart.status == 64 && apart.errors.contains("no seed in common"), "\(apart.errors)")
    }

    @Test("a baseline is kept, listed, shown and compared by its name")
    func keepsBaselines() throws {
        try run("a")
        try run("b")
        #expect(try Binary.run("baseline", "list", in: scratch).output.contains("no baseline in results/baselines"))
        let set = try Binary.run("baseline", "set", "main", "a", in: scratch)
        #expect(set.status == 0 && set.output == "results/baselines/main: 1 run of quickstart\n", "\(set.errors)")
        #expect(scratch.exists("results/baselines/main/run-1/result.json"))
        #expect(
            try Binary.run("baseline", "list", in: scratch).output.contains("main      quickstart  simulated     1")
        )
        let show = try Binary.run("baseline", "show", "main", in: scratch)
        #expect(show.status == 0 && show.output.contains("handshake.latency p50"))
        for words in [["main", "b"], ["--baseline", "main", "b"]] {
            let outcome = try Binary.run(["compare"] + words, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let near = try compare("--baseline", "mian", "b")
        #expect(near.status == 64 && near.errors.contains("did you mean \"main\"?"))
        #expect(try compare("mian", "b").errors.contains("did you mean \"main\"?"))
        let again = try Binary.run("baseline", "set", "main", "b", in: scratch)
        #expect(again.output.contains("in place of an earlier one"))
        let nameless = try Binary.run("baseline", "set", "../main", "b", in: scratch)
        #expect(nameless.status == 64 && nameless.errors.contains("a baseline's name has"))
    }

    @Test("what is wrong with the words is told, with what was meant")
    func refusesWords() throws {
        try run("a")
        #expect(try compare("a").status == 64)
        #expect(try compare("a", "nothing").errors.contains("`ikestorm baseline set NAME RUN` makes one"))
        let metric = try compare("a", "a", "--allow", "handshake.latancy")
        #expect(
            metric.status == 64 && metric.errors.contains("did you mean \"handshake.latency\"?"),
            "\(metric.errors)"
        )
        let field = try compare("a", "a", "--metric", "handshake.latency p98")
        #expect(field.status == 64 && field.errors.contains("handshake.latency has no \"p98\""), "\(field.errors)")
        let subject = try compare("a", "a", "--metric", "handshake.latency(laptop) p99")
        #expect(subject.status == 64 && subject.errors.contains("did you mean \"laptops\"?"), "\(subject.errors)")
        #expect(try compare("a", "a", "--minimum-effect", "5").status == 64)
        try scratch.write("", to: "a/incomplete")
        let incomplete = try compare("a", "a")
        #expect(incomplete.status == 64 && incomplete.errors.contains("a: the run is marked incomplete"))
    }

    @Test("live runs that are too few are inconclusive, with the exit code that the user wants")
    func isInconclusive() throws {
        for name in ["a", "b"] {
            try run(name)
            // As a live run would have written it.
            let text = try scratch.text("\(name)/result.json")
            try scratch.write(
                text.replacing("\"mode\": \"simulated\"", with: "\"mode\": \"live\""),
                to: "\(name)/result.json"
            )
        }
        let outcome = try compare("a", "b")
        #expect(outcome.status == 75, "\(outcome.errors)")
        #expect(outcome.output.contains("1 and 1 usable runs are too few"))
        #expect(try compare("a", "b", "--inconclusive-exit", "125").status == 125)
        #expect(try compare("a", "b", "--inconclusive-exit", "0").status == 0)
    }
}

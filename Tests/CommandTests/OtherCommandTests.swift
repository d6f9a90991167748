import Foundation
import GatewayRig
import Testing

@Suite("ikestorm diff")
struct DiffTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func run(_ folder: String, _ words: String...) throws {
        let outcome = try Binary.run(["run"] + Shipped.small + ["--out", folder] + words, in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("finds runs of one seed the same, whatever they were computed with")
    func findsSame() throws {
        try run("a", "--workers", "1")
        try run("b", "--workers", "3", "--crypto", "modelled")
        let outcome = try Binary.run("diff", "a", "b", in: scratch)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("The runs are the same: digest v1:"))
    }

    @Test("names the first window, entity and event in which two seeds part, the same with any workers")
    func namesFirstDivergence() throws {
        try run("a", "--seed", "1")
        try run("b", "--seed", "2")
        let outcome = try Binary.run("diff", "a", "b", "--workers", "1", in: scratch)

        #expect(outcome.status == 98)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first == "The runs differ.")
        #expect(lines.contains { $0.wholeMatch(of: /First window  \d+\.0{9} s to \d+\.0{9} s/) != nil })
        #expect(lines.contains { $0.wholeMatch(of: /First entity  (laptops\/\d+|gateways\/gw)/) != nil })
        #expect(lines.contains { $0.wholeMatch(of: /First event   .* at \d+\.\d{9} s, event \d+ of .*/) != nil })
        #expect(try Binary.run("diff", "a", "b", "--workers", "3", in: scratch).output == outcome.output)
    }

    @Test("finds a change of one setting where it takes effect, and not before")
    func findsChange() throws {
        try run("a")
        try run("b", "--set", "faults={ down: { kind: path-down, path: lte, at: 30s, for: 5s } }")
        let outcome = try Binary.run("diff", "a", "b", in: scratch)

        #expect(outcome.status == 98)
        let window = try #require(outcome.output.firstMatch(of: /First window  (\d+)\./))
        #expect(try #require(Int(window.1)) >= 30)
    }
}

@Suite("ikestorm init")
struct InitTests {
    @Test("writes a workload that runs as it is, and writes over nothing")
    func writesWorkload() throws {
        let scratch = try Scratch()
        #expect(try Binary.run("init", in: scratch).status == 0)
        let check = try Binary.run("check", "first.yaml", in: scratch)
        #expect(check.status == 0)
        #expect(check.output == "first.yaml: a good workload\n", "\(check.errors)")
        let run = try Binary.run("run", "first.yaml", in: scratch)
        #expect(run.status == 0, "\(run.output)\(run.errors)")

        try scratch.write("mine", to: "first.yaml")
        let again = try Binary.run("init", in: scratch)
        #expect(again.status == 73)
        #expect(again.errors.contains("first.yaml: it is there already"))
        #expect(try scratch.text("first.yaml") == "mine")
    }
}

@Suite("ikestorm check")
struct CheckTests {
    @Test("warns of what cannot happen, and still ends well")
    func warns() throws {
        let scratch = try Scratch()
        let short = ["--set", "run.duration=30s"]
        let outcome = try Binary.run(["check", Shipped.path("rekey-storm")] + short, in: scratch)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains(": warning: "))
        #expect(outcome.output.contains("a good workload, with "))
    }

    @Test("prints the resolved workload, which is the same run")
    func resolves() throws {
        let scratch = try Scratch()
        let outcome = try Binary.run(["check"] + Shipped.small + ["--resolved"], in: scratch)
        try scratch.write(outcome.output, to: "resolved.yaml")
        #expect(try Binary.run(["run"] + Shipped.small + ["--out", "a"], in: scratch).status == 0)
        #expect(try Binary.run("run", "resolved.yaml", "--out", "b", in: scratch).status == 0)
        let digests = try ["a", "b"].map { try ResultFile(try scratch.bytes($0 + "/result.json")).digest }
        #expect(digests[0] != nil && digests[0] == digests[1])
    }
}

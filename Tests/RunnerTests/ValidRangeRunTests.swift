import Foundation
import Results
import Runner
import Testing
import Workload

/// What a run says of the set-ups that its gateway was asked for, beside what was known before it.
@Suite("A simulated run outside of what its cost table was fitted with")
struct ValidRangeRunTests {
    /// 25 clients come at once into a path that is down for 2 s, give up after 200 ms and come back after another 50.
    private static func text(valid: Int) -> String {
        SerialSectionRunTests.text("cores: 4")
            .replacing("clients: 400", with: "clients: 25").replacing("count: 400", with: "count: 25")
            .replacing("set-ups-per-second: [1, 1000]", with: "set-ups-per-second: [1, \(valid)]")
            .replacing(
                "retransmission: { first: 30s, factor: 1, tries: 1 }",
                with: "retransmission: { first: 100ms, factor: 1, tries: 1 }\n"
                    + "    reconnect: { after: [timeout], wait: { from: 50ms, factor: 1, at-most: 50ms } }"
            )
            .replacing("run: {", with: "faults: { outage: { kind: path-down, at: 0s, for: 2s, path: lan } }\nrun: {")
    }

    @Test(
        "says so once: of arrivals before it, and of those that come back, four times a second each, behind it",
        arguments: [(24, 25), (25, 100), (99, 100), (100, nil)] as [(Int, Int?)]
    )
    func says(valid: Int, most: Int?) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "storm.yaml").path
        try Self.text(valid: valid).write(toFile: file, atomically: true, encoding: .utf8)
        let job = SimulatedJob(
            try PreparedWorkload(path: file),
            workers: 1,
            crypto: .modelled,
            folder: folder.path + "/run"
        )
        var (output, errors) = ("", "")
        let code = try job.run(on: Console(output: { output += $0 }, errors: { errors += $0 }))
        #expect(code == .pass)
        let expected = most.map {
            "the cost table even is valid up to \(valid) set-ups a second, and gw gets up to \($0): "
                + "how long they take is extrapolated"
        }
        let written = try Data(contentsOf: folder.appending(path: "run/result.json"))
        let result = try #require(JSONSerialization.jsonObject(with: written) as? [String: Any])
        let warnings = (result["warnings"] as? [String])?.filter { $0.contains("valid up to") }
        #expect(warnings?.count == (expected == nil ? 0 : 1))
        if let expected {
            #expect(warnings?.allSatisfy { $0.hasSuffix(expected) } == true)
            #expect(output.contains(expected))
            #expect(errors.contains(expected) == (valid < 25))
        }
    }
}

import Foundation
import Metrics
import Primitives
import Results
import Testing

@Suite("A side of a comparison")
struct ComparedSideTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    /// A run's folder with what a comparison reads of it.
    private func write(
        _ folder: String,
        _ record: RunRecord = ComparedRuns.record(.simulated, .init()),
        workload: String? = "version: 1\nseed: 42\nname: \"storm\"\n"
    ) throws -> String {
        let path = temporary.path + "/" + folder
        let run = try RunFolder.create(at: path)
        try run.write(JSONReport.text(of: RunResult(record, steadyState: [], thresholds: [])), to: "result.json")
        if let workload { try run.write(workload, to: "workload.yaml") }
        try run.finish()
        return path
    }

    private func problem(_ work: () throws -> Void) -> String {
        do {
            try work()
        } catch {
            return "\(error)"
        }
        return "none"
    }

    private func read(_ paths: String...) throws -> ComparedSide { try ComparedSide.read(paths, name: paths[0]) }

    @Test("is a run's folder, its result, a folder of runs, or several of these")
    func reads() throws {
        let first = try write("all/replication-1")
        let second = try write("all/replication-2", ComparedRuns.record(.simulated, .init(), seed: 43))
        try AtomicFile.write(Array("{}".utf8), to: temporary.path + "/all/replications.json")
        #expect(try read(first).runs.map(\.path) == [first])
        #expect(try read(first + "/").runs.map(\.path) == [first])
        #expect(try read(first + "/result.json").runs.map(\.folder) == [first])
        #expect(try read(temporary.path + "/all").runs.map(\.path) == [first, second])
        #expect(try read(first, second).runs.count == 2)
        #expect(try read(first).runs[0].workload == ["version: 1", "name: \"storm\""])
    }

    @Test("is refused with its place and what to do where there is no whole run")
    func refusesFolders() throws {
        #expect(problem { _ = try read(temporary.path + "/none") }.contains("no such file or folder"))
        #expect(problem { _ = try read(temporary.path) }.contains("there is no result.json in it"))
        let run = try write("all/1")
        try RunFolder(existing: run).write("", to: RunFolder.marker)
        for path in [run, temporary.path + "/all", run + "/result.json"] {
            #expect(problem { _ = try read(path) }.contains("all/1: the run is marked incomplete"))
        }
        let killed = try RunFolder.create(at: temporary.path + "/killed")
        #expect(problem { _ = try read(killed.path) }.contains("marked incomplete"))
        try killed.finish()
        try killed.write("{ \"schema\": \"ikestorm-result-9\" }", to: "result.json")
        #expect(problem { _ = try read(killed.path) }.contains("schema: it is \"ikestorm-result-9\""))
    }

    @Test("has simulated runs that are whole, each with its own seed")
    func refusesRuns() throws {
        let first = try write("1")
        let again = try write("2")
        #expect(problem { _ = try read(first, again) }.contains("two of its runs have the seed 42"))
        var record = ComparedRuns.record(.simulated, .init(), seed: 9)
        record.interruption = .drained
        let interrupted = try write("3", record)
        #expect(problem { _ = try read(interrupted) }.contains("3: it was interrupted"))
    }

    @Test("is compared with another of the same world, workload and, in real time, machine")
    func refusesOthers() throws {
        func compare(
            _ base: String,
            _ other: String,
            across: Set<ComparisonTerms.Difference> = []
        ) throws -> Comparison {
            var terms = ComparisonTerms()
            terms.across = across
            return try Comparison(read(base), with: [read(other)], terms: terms)
        }
        let base = try write("base")
        let other = try write("other", workload: "version: 1\nseed: 7\nname: \"storm\"\nmore: 1\n")
        #expect(problem { _ = try compare(base, other) }.contains("`nothing more` and `more: 1`") == false)
        #expect(problem { _ = try compare(base, other) }.contains("nothing more and `more: 1` in workload.yaml"))
        #expect(try compare(base, other, across: [.workload]).others[0].notes.count == 1)
        let seeded = try write("seeded", ComparedRuns.record(.simulated, .init(), seed: 43))
        #expect(problem { _ = try compare(base, seeded) }.contains("no seed in common (42 and 43)"))
        var renamed = ComparedRuns.record(.simulated, .init())
        renamed.name = "calm"
        let calm = try write("calm", renamed)
        #expect(problem { _ = try compare(base, calm) }.contains("their workloads differ: storm and calm"))
        let live = try write("live", ComparedRuns.record(.live, .init()))
        #expect(problem { _ = try compare(base, live) }.contains("one is simulated, the other live"))

        var record = ComparedRuns.record(.live, .init())
        record.host.machine.cores = 4
        let larger = try write("larger", record)
        #expect(problem { _ = try compare(live, larger) }.contains("their machines differ: 2 and 4 cores"))
        let notes = try compare(live, larger, across: [.machine]).others[0].notes
        #expect(notes.contains("the machines differ: 2 and 4 cores"))
        // A simulated run is the same anywhere.
        record.mode = .simulated
        record.version = "0.2.0"
        let anywhere = try write("anywhere", record)
        #expect(try compare(base, anywhere).others[0].notes == ["versions 0.1.0 and 0.2.0 of ikestorm made them"])
    }

    @Test("without its workload is told by the workload's hash")
    func comparesHashes() throws {
        let base = try write("base", workload: nil)
        var record = ComparedRuns.record(.simulated, .init())
        record.workloadHash = "sha256:11aa"
        let other = try write("other", record, workload: nil)
        let problem = problem { _ = try Comparison(read(base), with: [read(other)], terms: .init()) }
        #expect(problem.contains("their workloads differ: their hashes do"))
    }
}

@Suite("Baselines")
struct BaselineTests {
    private let temporary: TemporaryFolder
    private let store: BaselineStore

    init() throws {
        temporary = try TemporaryFolder()
        store = BaselineStore(path: temporary.path + "/results/baselines")
    }

    private func side(_ mode: RunRecord.Mode, count: Int = 1, _ change: (inout RunRecord) -> Void = { _ in }) throws
        -> ComparedSide
    {
        let runs = try (0..<count).map { index in
            var record = ComparedRuns.record(mode, .init(), seed: 42 + UInt64(index), start: Int64(index))
            change(&record)
            let path = temporary.path + "/\(UUID().uuidString)"
            let folder = try RunFolder.create(at: path)
            try folder.write("seed: 1\nversion: 1\n", to: "workload.yaml")
            try folder.write("0 1\n", to: "windows.txt")
            try folder.finish()
            return ComparedRun(
                path: path,
                result: RunResult(record, steadyState: [], thresholds: []),
                workload: ["version: 1"]
            )
        }
        return try ComparedSide(name: "side", runs: runs)
    }

    @Test("are copies that compare as their runs do")
    func keeps() throws {
        let side = try side(.simulated, count: 11)
        #expect(try store.set("main", to: side) == false)
        #expect(store.names == ["main"] && store.has("main") && !store.has("other"))
        #expect(try temporary.names(in: store.path) == ["main"])
        #expect(try temporary.names(in: store.folder(of: "main")).prefix(2) == ["run-01", "run-02"])
        let files = try temporary.names(in: store.folder(of: "main") + "/run-01")
        #expect(files == ["result.json", "windows.txt", "workload.yaml"])
        let baseline = try store.read("main")
        let texts = [baseline, side].map { $0.runs.map { JSONReport.text(of: $0.result) } }
        #expect(baseline.name == "main" && texts[0] == texts[1])
        #expect(try Comparison(baseline, with: [side], terms: .init()).answer == .same)
    }

    @Test("replace an earlier one of their name, and leave nothing aside")
    func replaces() throws {
        try store.set("main", to: side(.simulated, count: 3))
        #expect(try store.set("main", to: side(.simulated, count: 2)))
        #expect(try store.read("main").runs.count == 2)
        #expect(try temporary.names(in: store.path) == ["main"])
    }

    @Test("are not made of a run whose figures are another load's, nor under a name that is a path")
    func refuses() throws {
        let late = try side(.live) { $0.generator = .degraded("2 ms late") }
        #expect(throws: ResultError.self) { try store.set("late", to: late) }
        let ended = try side(.live) { $0.abort = .init(condition: "x", time: .zero) }
        #expect(throws: ResultError.self) { try store.set("ended", to: ended) }
        for name in ["", "../main", ".main", "a b", String(repeating: "x", count: 101)] {
            #expect(throws: ResultError.self) { try store.set(name, to: side(.simulated)) }
        }
        #expect(store.names == [])
        #expect(!FileManager.default.fileExists(atPath: store.path))
    }

    @Test("are listed with what is wrong with one, and shown with their figures")
    func shows() throws {
        try store.set("main", to: side(.live, count: 3))
        let list = BaselineReport.list([
            ("main", .success(try store.read("main"))),
            ("old", .failure(ResultError(file: "x", problem: "it is torn"))),
        ])
        #expect(list.contains("main      storm") && list.contains("old       x: it is torn"))
        let text = BaselineReport.text(of: try store.read("main"))
        #expect(text.contains("handshake.latency p50    20.0 ms  20.0 ms  20.0 ms"))
        #expect(text.contains("run-3  2026-11-18T") && text.contains("machine  a processor, 2 cores"))
    }
}

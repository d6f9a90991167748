import Foundation
import GatewayRig
import Testing

/// The built command, run as a user runs it.
enum Binary {
    /// It lies beside the tests that were built with it.
    static var path: String {
        let tests = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appending(path: "ikestorm").path
    }

    /// The same command as `make test` builds it in debug.
    static var debugPath: String {
        let release = URL(filePath: path).deletingLastPathComponent()
        return release.deletingLastPathComponent().appending(path: "debug/ikestorm").path
    }

    static func run(
        _ words: String...,
        in folder: Scratch,
        environment: [String: String] = [:],
        atMost seconds: Double = 120
    ) throws -> Command.Outcome {
        try run(words, in: folder, environment: environment, atMost: seconds)
    }

    static func run(
        _ words: [String],
        in folder: Scratch,
        environment: [String: String] = [:],
        atMost seconds: Double = 120
    ) throws -> Command.Outcome {
        try Command.run([path] + words, environment: environment, directory: folder.url, atMost: seconds)
    }
}

/// A folder of a test's own.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "ikestorm-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    func bytes(_ path: String) throws -> Data { try Data(contentsOf: url.appending(path: path)) }

    func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: url.appending(path: path)) }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url.appending(path: path).path) }

    /// Every file below a folder, by its path in it.
    func files(in folder: String) throws -> [String: Data] {
        let root = url.appending(path: folder)
        var files: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
            let file = root.appending(path: path)
            guard !file.hasDirectoryPath, let data = try? Data(contentsOf: file) else { continue }
            files[path] = data
        }
        return files
    }

    /// The files of a run that are the same wherever it runs: all but what says where that was.
    func outcome(in folder: String) throws -> [String: Data] {
        var files = try files(in: folder)
        #expect(files.removeValue(forKey: "environment.json") != nil)
        files["result.json"] = try ResultFile.withoutHost(try #require(files["result.json"]))
        return files
    }
}

/// The workloads that ship.
enum Shipped {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../workloads")
        .standardizedFileURL

    static func path(_ name: String) -> String { folder.appending(path: name + ".yaml").path }

    static let quickstart = path("quickstart")
    /// The first workload with few clients and a short run.
    static let small = [quickstart, "--set", "populations.laptops.count=20", "--set", "run.duration=75s"]

    /// What makes populations small.
    static func few(_ populations: [String], _ count: Int = 10) -> [String] {
        populations.flatMap { ["--set", "populations.\($0).count=\(count)"] }
    }

    static var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }
}

/// What a run's `result.json` says.
struct ResultFile {
    private let root: [String: Any]

    init(_ data: Data) throws {
        root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    var digest: String? { root["digest"] as? String }
    var verdict: String? { root["verdict"] as? String }
    var exitCode: Int? { root["exitCode"] as? Int }
    var host: [String: Any] { root["host"] as? [String: Any] ?? [:] }

    func expectations(_ key: String) -> [[String: Any]] { root[key] as? [[String: Any]] ?? [] }

    func total(_ metric: String) -> Int? {
        ((root["metrics"] as? [String: Any])?[metric] as? [String: Any])?["total"] as? Int
    }

    /// Percentiles of a metric in nanoseconds.
    func latency(_ metric: String) -> (p50: Int, p90: Int, max: Int)? {
        guard let values = (root["metrics"] as? [String: Any])?[metric] as? [String: Any],
            let p50 = values["p50"] as? Int, let p90 = values["p90"] as? Int, let max = values["max"] as? Int
        else { return nil }
        return (p50, p90, max)
    }

    /// The file without what may differ from machine to machine.
    static func withoutHost(_ data: Data) throws -> Data {
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object.removeValue(forKey: "host") != nil)
        return try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    }
}

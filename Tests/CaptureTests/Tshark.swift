import Foundation
import Primitives
import Testing

/// Runs tshark, with key tables of its own and nothing of the user's configuration.
struct Tshark {
    private let folder: URL

    /// Makes a folder that `remove` takes away again.
    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func save(_ bytes: [UInt8], as name: String) throws { try Data(bytes).write(to: folder.appending(path: name)) }

    func load(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appending(path: name))) }

    /// One line for each packet, with its fields parted by tabs.
    func fields(_ names: [String], in capture: String, options: [String] = []) throws -> [[String]] {
        let arguments = ["-r", capture] + options.flatMap { ["-o", $0] } + ["-T", "fields"]
        let text = try run(arguments + names.flatMap { ["-e", $0] })
        return text.split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @discardableResult
    func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "60", "tshark", "-n"] + arguments
        process.currentDirectoryURL = folder
        process.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "HOME": folder.path, "WIRESHARK_CONFIG_DIR": folder.path, "LC_ALL": "C.UTF-8", "TZ": "UTC",
        ]
        let (output, errors) = (Pipe(), folder.appending(path: "stderr"))
        try Data().write(to: errors)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let complaint = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        try #require(process.terminationStatus == 0, "tshark, which make test installs: \(complaint)")
        return String(decoding: text, as: UTF8.self)
    }
}

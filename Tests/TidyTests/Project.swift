import Foundation
import Testing

/// A file of the project, as a rule looks at it.
struct ProjectFile: CustomTestStringConvertible {
    /// From the project's root: `Sources/IKEv2/IKESA.swift`.
    let path: String
    let lines: [Substring]
    /// Of a Swift file, without comments and strings.
    let tokens: [Token]
    /// Of a Swift file: for each line, how many octets of it a string literal holds.
    let literalByteCounts: [Int: Int]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let swift = SwiftTokens(path.hasSuffix(".swift") ? text : "")
        tokens = swift.tokens
        literalByteCounts = swift.literalByteCounts
    }

    var testDescription: String { path }

    /// The module that a source file belongs to; nil outside Sources.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
}

/// What a rule objects to.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The files that people write; not what is built, published elsewhere, or recorded.
enum Project {
    static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func files() throws -> [ProjectFile] {
        let manager = FileManager.default
        var paths = try manager.contentsOfDirectory(atPath: directory.path).filter { !isDirectory($0) }
        for folder in ["Sources", "Tests", "docs", "scripts", "workloads", ".ci"] where isDirectory(folder) {
            let below = try manager.subpathsOfDirectory(atPath: directory.appending(path: folder).path)
            paths += below.map { "\(folder)/\($0)" }.filter { !isDirectory($0) }
        }
        return paths.filter(isWritten).sorted().compactMap { path in
            guard let data = manager.contents(atPath: directory.appending(path: path).path),
                let text = String(data: data, encoding: .utf8)
            else { return nil }
            return ProjectFile(path: path, text: text)
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(
            atPath: directory.appending(path: path).path,
            isDirectory: &isDirectory
        )
        return exists && isDirectory.boolValue
    }

    private static func isWritten(_ path: String) -> Bool {
        let folders = path.split(separator: "/").dropLast()
        guard !folders.contains(where: { ["Golden", "Vectors", "Corpus"].contains($0) }) else { return false }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return ["Makefile", "run", ".gitignore"].contains(name) || folders.first == "scripts"
            || [".swift", ".c", ".h", ".sh", ".md", ".yaml", ".json"].contains { name.hasSuffix($0) }
    }
}

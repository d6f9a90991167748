import Foundation
import Primitives

/// Where the files of one run are: `runs/<name>/<UTC time>-<seed>/`.
///
/// A folder is marked incomplete from its creation until everything is in it, so that what a killed run leaves is never
/// taken for a result.
package struct RunFolder: Hashable, Sendable {
    package let path: String

    /// The file that says that the run did not end, or has not yet.
    package static var marker: String { "incomplete" }

    /// Creates a folder of its own for a run; two that start in the same second have different ones.
    package static func create(
        in root: String = "runs",
        name: String,
        seed: UInt64,
        startedAt: Int64
    ) throws(ResultError) -> RunFolder {
        let parent = root + "/" + fileName(name)
        try createFolders(parent)
        let stem = parent + "/" + UTCTime.compact(startedAt) + "-" + String(seed)
        for number in 1... {
            let path = number == 1 ? stem : "\(stem)-\(number)"
            if try createFolder(path) { return try marked(path) }
        }
        preconditionFailure("some number is free")
    }

    /// Creates the folder that the user names, which must be new or empty.
    package static func create(at path: String) throws(ResultError) -> RunFolder {
        if let parent = path.lastIndex(of: "/"), parent != path.startIndex {
            try createFolders(String(path[..<parent]))
        }
        if try !createFolder(path) {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
                throw ResultError(file: path, errno: ENOTDIR)
            }
            guard names.isEmpty else {
                throw ResultError(file: path, problem: "there are files in it: a run wants a folder of its own")
            }
        }
        return try marked(path)
    }

    /// The folder of an earlier run.
    package init(existing path: String) throws(ResultError) {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ResultError(file: path, errno: ENOENT)
        }
        guard isFolder.boolValue else { throw ResultError(file: path, errno: ENOTDIR) }
        self.init(path: path)
    }

    private init(path: String) {
        self.path = path
    }

    package var isComplete: Bool { !FileManager.default.fileExists(atPath: self[Self.marker]) }

    /// The path of a file in the folder.
    package subscript(file: String) -> String { path + "/" + file }

    /// Writes a file that appears whole or not at all. Secrets have mode 0600.
    package func write(_ text: String, to file: String, mode: UInt32 = 0o644) throws(ResultError) {
        try AtomicFile.write(Array(text.utf8), to: self[file], mode: mode)
    }

    package func write(_ bytes: [UInt8], to file: String, mode: UInt32 = 0o644) throws(ResultError) {
        try AtomicFile.write(bytes, to: self[file], mode: mode)
    }

    /// Takes the marker away: the run is complete.
    package func finish() throws(ResultError) {
        guard unsafe unlink(self[Self.marker]) == 0 || errno == ENOENT else {
            throw ResultError(file: self[Self.marker], errno: errno)
        }
        AtomicFile.synchronizeFolder(of: self[Self.marker])
    }

    private static func marked(_ path: String) throws(ResultError) -> RunFolder {
        let folder = RunFolder(path: path)
        let text = "This run has not ended, or was killed: what is here is what it had until then.\n"
        try folder.write(text, to: marker)
        return folder
    }

    private static func createFolders(_ path: String) throws(ResultError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch let error as CocoaError {
            guard let code = (error.underlying as? POSIXError)?.code.rawValue else {
                throw ResultError(file: path, problem: "the folder cannot be created")
            }
            throw ResultError(file: path, errno: code)
        } catch {
            throw ResultError(file: path, problem: "the folder cannot be created")
        }
    }

    /// Whether the folder is new; false where something is there already.
    private static func createFolder(_ path: String) throws(ResultError) -> Bool {
        if unsafe mkdir(path, 0o755) == 0 { return true }
        guard errno == EEXIST else { throw ResultError(file: path, errno: errno) }
        return false
    }

    /// A workload's name as the name of one file: nothing in it leads to another folder.
    package static func fileName(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar -> Character in
            let isPlain =
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || "-_.".unicodeScalars.contains(scalar)
            return isPlain ? Character(scalar) : "_"
        }
        let text = String(plain.prefix(100))
        return text.isEmpty || text.first == "." ? "_" + text : text
    }
}

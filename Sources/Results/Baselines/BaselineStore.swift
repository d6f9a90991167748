import Foundation

/// The folder where baselines are: each is a folder of runs by the name that the user gave it.
package struct BaselineStore: Hashable, Sendable {
    package let path: String

    package init(path: String = Self.usualPath) {
        self.path = path
    }

    package static var usualPath: String { "results/baselines" }

    /// The names of all baselines, in order.
    package var names: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { Self.isName($0) && has($0) }.sorted()
    }

    package func has(_ name: String) -> Bool {
        guard Self.isName(name) else { return false }
        var isFolder: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: folder(of: name), isDirectory: &isFolder)
        return exists && isFolder.boolValue
    }

    package func folder(of name: String) -> String { path + "/" + name }

    /// Whether a baseline may be called so: letters, digits, `-`, `_` and `.`, and no `.` in front.
    package static func isName(_ name: String) -> Bool { !name.isEmpty && RunFolder.fileName(name) == name }

    /// Keeps what comparisons need of a side's runs, in place of a baseline that has the name already.
    ///
    /// The baseline appears whole or not at all. Each run has its `result.json`, and `workload.yaml`,
    /// `environment.json` and `windows.txt` where it has them.
    ///
    /// - Returns: Whether the name had a baseline before.
    /// - Throws: ``ResultError`` where a run is no basis for comparisons, the name is none, or a file cannot be
    ///   written.
    @discardableResult
    package func set(_ name: String, to side: ComparedSide) throws(ResultError) -> Bool {
        try check(name, side)
        // Hidden, so that it is never taken for a baseline.
        let (aside, earlier) = (path + "/." + name + ".partial", path + "/." + name + ".earlier")
        try remove(aside)
        try remove(earlier)
        do throws(ResultError) {
            for (index, run) in side.runs.enumerated() {
                let number = String(index + 1)
                let width = String(side.runs.count).count
                let padding = String(repeating: "0", count: width - number.count)
                try copy(run, to: aside + "/run-" + padding + number)
            }
            let target = folder(of: name)
            let isReplaced = FileManager.default.fileExists(atPath: target)
            if isReplaced { try AtomicFile.rename(target, to: earlier) }
            do throws(ResultError) {
                try AtomicFile.rename(aside, to: target)
            } catch {
                if isReplaced { try AtomicFile.rename(earlier, to: target) }
                throw error
            }
            try remove(earlier)
            return isReplaced
        } catch {
            try? remove(aside)
            throw error
        }
    }

    /// Whether runs can be a baseline of this name.
    ///
    /// - Throws: ``ResultError`` where a run is no basis for comparisons, or the name is none.
    package func check(_ name: String, _ side: ComparedSide) throws(ResultError) {
        guard Self.isName(name) else {
            throw ResultError(
                file: name,
                problem: "a baseline's name has at most 100 letters, digits, `-`, `_` and `.`, and no `.` in front"
            )
        }
        if let one = side.leftOut.first {
            throw ResultError(file: one.path, problem: "it is no basis for comparisons: \(one.reason)")
        }
    }

    /// Reads a baseline back.
    package func read(_ name: String) throws(ResultError) -> ComparedSide {
        try ComparedSide.read([folder(of: name)], name: name)
    }

    private func copy(_ run: ComparedRun, to folder: String) throws(ResultError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ResultError(file: folder, problem: "the folder cannot be created")
        }
        try AtomicFile.write(Array(JSONReport.text(of: run.result).utf8), to: folder + "/result.json")
        for file in ["workload.yaml", "environment.json", "windows.txt"] {
            let source = run.folder + "/" + file
            guard FileManager.default.fileExists(atPath: source) else { continue }
            try AtomicFile.write(AtomicFile.read(source), to: folder + "/" + file)
        }
    }

    private func remove(_ path: String) throws(ResultError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw ResultError(file: path, problem: "it cannot be removed")
        }
    }
}

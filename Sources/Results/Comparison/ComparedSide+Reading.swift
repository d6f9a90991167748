import Foundation

extension ComparedSide {
    /// Reads a run, or several: each path is a run's folder, its `result.json`, or a folder of such folders, as
    /// replications and baselines are.
    ///
    /// - Throws: ``ResultError`` where there is no run, a run is incomplete or another form of result, or the runs are
    ///   not of one workload.
    package static func read(_ paths: [String], name: String) throws(ResultError) -> ComparedSide {
        var runs: [ComparedRun] = []
        for path in paths {
            let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
            runs += try self.runs(at: path)
        }
        return try ComparedSide(name: name, runs: runs)
    }

    /// The folders of the runs that a path means, in the order of their names.
    private static func runs(at path: String) throws(ResultError) -> [ComparedRun] {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ResultError(file: path, errno: ENOENT)
        }
        guard isFolder.boolValue else {
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            return [try run(in: parent, result: path)]
        }
        let folder = try RunFolder(existing: path)
        if FileManager.default.fileExists(atPath: folder["result.json"]) || !folder.isComplete {
            return [try run(in: path, result: folder["result.json"])]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        var runs: [ComparedRun] = []
        for name in names.sorted() {
            let below = path + "/" + name
            let isRun = ["result.json", RunFolder.marker].contains {
                FileManager.default.fileExists(atPath: below + "/" + $0)
            }
            if isRun { runs.append(try run(in: below, result: below + "/result.json")) }
        }
        guard !runs.isEmpty else {
            throw ResultError(
                file: path,
                problem: "there is no result.json in it, nor in a folder below: name a run's folder, or one of runs"
            )
        }
        return runs
    }

    private static func run(in folder: String, result file: String) throws(ResultError) -> ComparedRun {
        let place = try RunFolder(existing: folder)
        guard place.isComplete else {
            throw ResultError(
                file: folder,
                problem: "the run is marked incomplete: it was killed, or it is still going on; repeat it, or take the "
                    + "folder away"
            )
        }
        let result = try JSONReport.result(from: AtomicFile.read(file), file: file)
        let workload = place["workload.yaml"]
        var lines: [String]?
        if FileManager.default.fileExists(atPath: workload) {
            let text = String(decoding: try AtomicFile.read(workload), as: UTF8.self)
            // Runs of one workload differ in their seeds, which the result has too.
            lines = text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("seed: ") }
        }
        let isFolder = file == folder + "/result.json"
        return ComparedRun(path: isFolder ? folder : file, result: result, workload: lines)
    }
}

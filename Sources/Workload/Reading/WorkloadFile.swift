import Foundation

/// A workload as it was written, before anything in it was looked up.
package struct WorkloadFile: Sendable {
    /// The file's path as the user gave it, as it stands in messages.
    package var path: String
    var root: SourceNode

    /// Reads a file, and the values that `--set` puts in its places.
    package init(contentsOf path: String, overrides: [String] = []) throws(WorkloadErrors) {
        let text: String
        do throws(UnitProblem) {
            text = try Self.text(of: path, named: path)
        } catch {
            let mark = SourceMark(file: path, line: 1, column: 1)
            throw WorkloadErrors([WorkloadError(mark, error.problem, remedy: error.remedy)])
        }
        try self.init(text: text, path: path, overrides: overrides)
    }

    package init(text: String, path: String, overrides: [String] = []) throws(WorkloadErrors) {
        self.path = path
        root = try YAMLDocument.compose(text, file: path)
        var errors: [WorkloadError] = []
        for override in overrides {
            do throws(WorkloadErrors) {
                root = try Override(override).applied(to: root)
            } catch {
                errors += error.errors
            }
        }
        guard errors.isEmpty else { throw WorkloadErrors(errors) }
    }

    /// Looks everything up; throws every mistake that the file has.
    package func validated() throws(WorkloadErrors) -> Workload {
        let folder = (path as NSString).deletingLastPathComponent
        let place: (String) -> String = { name in
            let isAbsolute = (name as NSString).isAbsolutePath
            return isAbsolute ? name : (folder as NSString).appendingPathComponent(name)
        }
        return try validated { name throws(UnitProblem) in
            try Self.text(of: place(name), named: name)
        } absolutePath: { name in
            URL(filePath: place(name)).standardizedFileURL.path
        }
    }

    /// Looks everything up, and reads the files that the workload names in the given way.
    package func validated(
        readFile: @escaping (String) throws(UnitProblem) -> String,
        absolutePath: @escaping (String) -> String = { $0 }
    ) throws(WorkloadErrors) -> Workload {
        var check = ShapeCheck()
        check.check(root, against: .record(WorkloadSchema.root), at: "")
        var reader = WorkloadReader(root: root, readFile: readFile, absolutePath: absolutePath)
        let workload = reader.workload(sources: check.sources)
        let errors = check.errors + reader.errors
        guard errors.isEmpty else { throw WorkloadErrors(errors) }
        return workload
    }

    private static func text(of path: String, named name: String) throws(UnitProblem) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw UnitProblem("there is no file `\(name)` that can be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw UnitProblem("the file `\(name)` is not UTF-8 text")
        }
        return text
    }
}

extension Workload {
    /// Reads and validates a workload; `overrides` are `path=value`, as `--set` gives them.
    package static func load(_ path: String, overrides: [String] = []) throws(WorkloadErrors) -> Workload {
        try WorkloadFile(contentsOf: path, overrides: overrides).validated()
    }
}

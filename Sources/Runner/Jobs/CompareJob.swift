import Foundation
import Metrics
package import Results
import Workload

/// `ikestorm compare A B`: whether runs differ from those that they are measured by, and whether for the worse.
package struct CompareJob {
    /// Each a run's folder, its `result.json`, a folder of such folders, the name of a baseline, or several of these
    /// with commas between them; the first is what the others are measured by.
    package var sides: [String]
    /// A baseline that all sides are measured by.
    package var baseline: String?
    package var store: BaselineStore
    package var terms: ComparisonTerms
    package var writesJSON: Bool

    package init(
        _ sides: [String],
        baseline: String? = nil,
        store: BaselineStore = BaselineStore(),
        terms: ComparisonTerms = ComparisonTerms(),
        writesJSON: Bool = false
    ) {
        self.sides = sides
        self.baseline = baseline
        self.store = store
        self.terms = terms
        self.writesJSON = writesJSON
    }

    /// Prints the comparison.
    ///
    /// - Returns: 98 where a side is worse, or changed where neither is better; 75 where the runs do not say; else 0.
    /// - Throws: A usage error where a side cannot be read, or the sides cannot be compared.
    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        var all: [ComparedSide] = []
        if let baseline { all.append(try store.side(named: baseline)) }
        for name in sides { all.append(try side(name)) }
        precondition(all.count > 1, "there is something to compare")
        try checkSubjects(all)
        let comparison: Comparison
        do throws(ResultError) {
            comparison = try Comparison(all[0], with: Array(all.dropFirst()), terms: terms)
        } catch {
            throw JobFailure(reading: error)
        }
        if writesJSON {
            console.output(ComparisonReport.json(of: comparison, version: IkestormVersion.text))
        } else {
            console.output(ComparisonReport.text(of: comparison, style: console.outputStyle))
        }
        return comparison.exitCode
    }

    private func side(_ name: String) throws(JobFailure) -> ComparedSide {
        let paths: [String]
        if FileManager.default.fileExists(atPath: name) {
            paths = [name]
        } else if store.has(name) {
            return try store.side(named: name)
        } else if name.contains(",") {
            paths = name.split(separator: ",").map { store.has(String($0)) ? store.folder(of: String($0)) : String($0) }
        } else {
            let hint = store.hint(for: name)
            throw JobFailure(
                .usage,
                "error: \(PrintableText.line(name)): there is no such file or folder, nor a baseline of this name in "
                    + "\(store.path); \(hint)"
            )
        }
        do throws(ResultError) {
            return try ComparedSide.read(paths, name: name)
        } catch {
            throw JobFailure(reading: error)
        }
    }

    /// A population or a flow that no run has would be found the same.
    private func checkSubjects(_ sides: [ComparedSide]) throws(JobFailure) {
        let records = sides.map(\.record)
        let known = records.flatMap { $0.populations.map(\.name) + $0.flows.map(\.name) }
        let patterns = terms.figures + terms.allowed + terms.minimumEffects.map(\.pattern)
        for case let subject? in patterns.map(\.subject) where !known.contains(subject) {
            let near = Nearest.name(to: subject, among: known).map { "did you mean \"\($0)\"?" }
            let all = "there are " + Set(known).sorted().joined(separator: ", ")
            throw JobFailure(
                .usage,
                "error: the runs have no population or flow \"\(PrintableText.line(subject))\"; "
                    + PrintableText.line(near ?? all)
            )
        }
    }
}

extension BaselineStore {
    /// A baseline's runs.
    ///
    /// - Throws: A usage error that names what there is, where there is none of the name.
    package func side(named name: String) throws(JobFailure) -> ComparedSide {
        guard has(name) else {
            let name = PrintableText.line(name)
            throw JobFailure(.usage, "error: there is no baseline \(name) in \(path); \(hint(for: name))")
        }
        do throws(ResultError) {
            return try read(name)
        } catch {
            throw JobFailure(reading: error)
        }
    }

    /// What to write in place of a baseline's name that is none.
    fileprivate func hint(for name: String) -> String {
        let names = names
        if let near = Nearest.name(to: name, among: names) { return "did you mean \"\(near)\"?" }
        return names.isEmpty
            ? "`ikestorm baseline set NAME RUN` makes one"
            : "there are " + names.prefix(20).joined(separator: ", ")
    }
}

extension FigurePattern {
    /// A figure as a user writes it.
    ///
    /// - Throws: A usage error that names what was probably meant.
    package init(word: String) throws(JobFailure) {
        do throws(Problem) {
            try self.init(word)
        } catch {
            let remedy: String
            switch error {
            case .unknownMetric(let name):
                let near = Nearest.name(to: name, among: MetricName.allCases.map(\.rawValue))
                remedy =
                    near.map { "there is no metric \"\(name)\"; did you mean \"\($0)\"?" }
                    ?? "there is no metric \"\(name)\"; docs/workload-format.md has them all"
            case .unknownField(let field, let metric, let known):
                let near = Nearest.name(to: field, among: known)
                remedy =
                    "\(metric.rawValue) has no \"\(field)\"; "
                    + (near.map { "did you mean \"\($0)\"?" } ?? "there are " + known.joined(separator: ", "))
            case .unclosedSubject: remedy = "a `)` is missing"
            }
            throw JobFailure(.usage, "error: \(PrintableText.line(word)): \(PrintableText.line(remedy))")
        }
    }
}

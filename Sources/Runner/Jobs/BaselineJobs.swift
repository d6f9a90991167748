package import Results

/// `ikestorm baseline set NAME RUN`: keeps runs that others are compared with.
package struct BaselineSetJob {
    private let name: String
    private let runs: [String]
    private let store: BaselineStore

    package init(_ name: String, _ runs: [String], store: BaselineStore) {
        self.name = name
        self.runs = runs
        self.store = store
    }

    /// - Throws: A usage error where the runs are no basis for comparisons; 73 where the baseline cannot be written.
    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        let side: ComparedSide
        do throws(ResultError) {
            side = try ComparedSide.read(runs, name: runs[0])
            try store.check(name, side)
        } catch {
            throw JobFailure(reading: error)
        }
        let isReplaced: Bool
        do throws(ResultError) {
            isReplaced = try store.set(name, to: side)
        } catch {
            throw JobFailure(writing: error)
        }
        let count = side.runs.count == 1 ? "1 run" : "\(side.runs.count) runs"
        let text = "\(store.folder(of: name)): \(count) of \(side.record.name)"
        console.output(PrintableText.line(text + (isReplaced ? ", in place of an earlier one" : "")) + "\n")
        return .pass
    }
}

/// `ikestorm baseline list`: what baselines there are.
package struct BaselineListJob {
    private let store: BaselineStore

    package init(store: BaselineStore) {
        self.store = store
    }

    /// One that cannot be read is listed with the reason, and ends nothing.
    package func run(on console: Console) -> ExitCode {
        let names = store.names
        guard !names.isEmpty else {
            console.output("There is no baseline in \(store.path); `ikestorm baseline set NAME RUN` makes one.\n")
            return .pass
        }
        let baselines = names.map { name -> (String, Result<ComparedSide, ResultError>) in
            do throws(ResultError) {
                return (name, .success(try store.read(name)))
            } catch {
                return (name, .failure(error))
            }
        }
        console.output(BaselineReport.list(baselines))
        return .pass
    }
}

/// `ikestorm baseline show NAME`: where a baseline comes from, and its figures.
package struct BaselineShowJob {
    private let name: String
    private let store: BaselineStore

    package init(_ name: String, store: BaselineStore) {
        self.name = name
        self.store = store
    }

    /// - Throws: A usage error where there is no such baseline, or it cannot be read.
    package func run(on console: Console) throws(JobFailure) -> ExitCode {
        console.output(BaselineReport.text(of: try store.side(named: name), style: console.outputStyle))
        return .pass
    }
}

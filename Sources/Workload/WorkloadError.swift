/// A user's mistake in a workload or a cost table: where it is, what is wrong, and what to write instead.
package struct WorkloadError: Error, Hashable, Sendable {
    package var mark: SourceMark
    /// What is wrong, as a sentence without its full stop.
    package var problem: String
    /// What to write instead, as a sentence without its full stop.
    package var remedy: String?

    package init(_ mark: SourceMark, _ problem: String, remedy: String? = nil) {
        self.mark = mark
        self.problem = problem
        self.remedy = remedy
    }
}

extension WorkloadError: CustomStringConvertible {
    package var description: String {
        "\(mark): \(problem)" + (remedy.map { "; \($0)" } ?? "")
    }
}

/// All the mistakes of a workload, in the order of its lines; never empty.
package struct WorkloadErrors: Error, Hashable, Sendable {
    package var errors: [WorkloadError]

    package init(_ errors: [WorkloadError]) {
        var seen: Set<WorkloadError> = []
        self.errors = errors.filter { seen.insert($0).inserted }
            .enumerated()
            .sorted {
                ($0.element.mark.line, $0.element.mark.column, $0.offset)
                    < ($1.element.mark.line, $1.element.mark.column, $1.offset)
            }
            .map(\.element)
    }
}

extension WorkloadErrors: CustomStringConvertible {
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Something that is allowed and yet cannot do what it seems to say.
package struct WorkloadWarning: Hashable, Sendable, CustomStringConvertible {
    package var mark: SourceMark
    package var message: String

    package var description: String { "\(mark): warning: \(message)" }
}

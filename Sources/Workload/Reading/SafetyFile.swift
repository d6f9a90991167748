import Foundation

extension Workload.Safety {
    /// Reads a machine-wide allowance: a file that holds what a workload's `safety` would.
    package init(contentsOf path: String) throws(WorkloadErrors) {
        let root = try WorkloadFile(contentsOf: path).root
        var check = ShapeCheck()
        check.check(root, against: .record(WorkloadSchema.safety), at: "")
        // Conditions speak of metrics alone: a machine knows nothing of a workload's populations.
        let nowhere = SourceNode(mark: root.mark, content: .map([]))
        var reader = WorkloadReader(root: nowhere) { _ throws(UnitProblem) in
            throw UnitProblem("no other file is read")
        }
        self = reader.safety(RecordView(node: root, record: WorkloadSchema.safety, path: ""))
        let errors = check.errors + reader.errors
        guard errors.isEmpty else { throw WorkloadErrors(errors) }
    }
}

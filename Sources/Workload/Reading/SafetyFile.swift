import Foundation

extension Workload.Safety {
    /// Reads a machine-wide allowance: a file that holds what a workload's `safety` would.
    package init(contentsOf path: String) throws(WorkloadErrors) {
        let root = try WorkloadFile(contentsOf: path).root
        let isEmpty = root.entries.isEmpty && root.scalar?.isEmpty != false
        var check = ShapeCheck()
        if !isEmpty { check.check(root, against: .record(WorkloadSchema.safety), at: "") }
        // Conditions speak of metrics alone: a machine knows nothing of a workload's populations.
        let nowhere = SourceNode(mark: root.mark, content: .map([]))
        var reader = WorkloadReader(root: nowhere) { _ throws(UnitProblem) in throw UnitProblem("no other file is read")
        }
        let values = isEmpty ? nowhere : root
        self = reader.safety(RecordView(node: values, record: WorkloadSchema.safety, path: ""))
        let errors = check.errors + reader.errors
        guard errors.isEmpty else { throw WorkloadErrors(errors) }
    }
}

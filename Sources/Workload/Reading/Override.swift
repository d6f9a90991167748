/// One `--set path=value`: which place of a workload it means, and what it puts there.
struct Override {
    let path: [String]
    let value: SourceNode
    private let mark: SourceMark

    /// What stands in messages where a file's path would.
    static var markPrefix: String { "--set " }

    init(_ text: String) throws(WorkloadErrors) {
        let start = SourceMark(file: Self.markPrefix + text.abbreviated, line: 1, column: 1)
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw WorkloadErrors([
                WorkloadError(start, "`\(text.abbreviated)` is not path=value", remedy: "write it like run.duration=1m")
            ])
        }
        mark = start
        path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        value = try YAMLDocument.compose(String(parts[1]), file: start.file)
    }

    /// The file with the value in its place; the path has to be one that the schema and the file know.
    func applied(to root: SourceNode) throws(WorkloadErrors) -> SourceNode {
        if path.first == "safety" {
            throw error("`safety` cannot be set from the command line", "change it in the file")
        }
        if path.first == "version" { throw error("`version` says how the file is written, and cannot be set") }
        return try replaced(root, .record(WorkloadSchema.root), path[...], at: [])
    }

    private func error(_ problem: String, _ remedy: String? = nil) -> WorkloadErrors {
        WorkloadErrors([WorkloadError(mark, problem, remedy: remedy)])
    }

    private func replaced(
        _ node: SourceNode?,
        _ shape: Shape,
        _ rest: ArraySlice<String>,
        at walked: [String]
    ) throws(WorkloadErrors) -> SourceNode {
        guard let key = rest.first else { return value }
        let place = walked.isEmpty ? "the workload" : "`\(walked.joined(separator: "."))`"
        if let node, case .scalar = node.content {
            throw error("\(place) is written as one value, and has no `\(key)`", "set all of \(place)")
        }
        for alternative in alternatives(of: shape) {
            switch alternative {
            case .record(let record):
                guard let field = record.field(key) else {
                    throw error(
                        "there is no `\(key)` in \(place)",
                        Nearest.remedy(for: key, among: record.fields.map(\.key))
                    )
                }
                let inner = try replaced(node?.entry(key)?.value, field.shape, rest.dropFirst(), at: walked + [key])
                return put(inner, under: key, in: node)
            case .named(let element, let noun, _):
                let names = node?.entries.map(\.key) ?? []
                guard names.contains(key) else {
                    throw error("there is no \(noun) `\(key)` in \(place)", Nearest.remedy(for: key, among: names))
                }
                let inner = try replaced(node?.entry(key)?.value, element, rest.dropFirst(), at: walked + [key])
                return put(inner, under: key, in: node)
            default: continue
            }
        }
        throw error("\(place) has no keys, and so no `\(key)`", "set all of \(place)")
    }

    private func alternatives(of shape: Shape) -> [Shape] {
        if case .either(let shapes) = shape { shapes.flatMap { alternatives(of: $0) } } else { [shape] }
    }

    private func put(_ value: SourceNode, under key: String, in node: SourceNode?) -> SourceNode {
        var entries = node?.entries ?? []
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index].value = value
        } else {
            entries.append(SourceNode.Entry(key: key, keyMark: mark, value: value))
        }
        return SourceNode(mark: node?.mark ?? mark, content: .map(entries))
    }
}

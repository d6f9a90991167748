import Yams

/// Composes YAML into nodes with marks, without any of YAML's guesses about types.
package enum YAMLDocument {
    /// Reads one document; what is wrong with its syntax is thrown, at its place.
    package static func compose(_ text: String, file: String) throws(WorkloadErrors) -> SourceNode {
        let start = SourceMark(file: file, line: 1, column: 1)
        guard text.utf8.count <= largestByteCount else {
            throw WorkloadErrors([WorkloadError(start, "the file is larger than 4 MiB")])
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text, .basic, .default, .utf8)
        } catch let error as YamlError {
            throw WorkloadErrors([Self.error(error, text: text, file: file)])
        } catch {
            throw WorkloadErrors([WorkloadError(start, "the file is not YAML")])
        }
        guard let root else { throw WorkloadErrors([WorkloadError(start, "the file is empty")]) }
        var conversion = Conversion(file: file)
        let node = conversion.convert(root)
        guard conversion.errors.isEmpty else { throw WorkloadErrors(conversion.errors) }
        return node
    }

    private static let largestByteCount = 4 << 20

    /// Turns the parser's nodes into ours, and refuses what a workload has no use for.
    private struct Conversion {
        let file: String
        var errors: [WorkloadError] = []
        /// Aliases of aliases can make a short file long: this ends it.
        var nodesLeft = 200_000

        func mark(_ mark: Mark?, or outer: SourceMark? = nil) -> SourceMark {
            guard let mark, mark.line > 0 else { return outer ?? SourceMark(file: file, line: 1, column: 1) }
            return SourceMark(file: file, line: mark.line, column: mark.column)
        }

        mutating func convert(_ node: Node) -> SourceNode {
            let place = mark(node.mark)
            nodesLeft -= 1
            guard nodesLeft > 0 else {
                if nodesLeft == 0 { errors.append(WorkloadError(place, "the file has more than 200,000 values")) }
                return SourceNode(mark: place, content: .list([]))
            }
            switch node {
            case .scalar(let scalar):
                return SourceNode(mark: place, content: .scalar(scalar.string, isPlain: scalar.style == .plain))
            case .sequence(let sequence):
                return SourceNode(mark: place, content: .list(sequence.map { convert($0) }))
            case .mapping(let mapping):
                return SourceNode(mark: place, content: .map(mapping.compactMap { convertEntry($0.key, $0.value) }))
            case .alias:
                return SourceNode(mark: place, content: .scalar("", isPlain: true))
            }
        }

        mutating func convertEntry(_ key: Node, _ value: Node) -> SourceNode.Entry? {
            let place = mark(key.mark)
            guard case .scalar(let scalar) = key else {
                errors.append(WorkloadError(place, "a key has to be a plain name"))
                return nil
            }
            if scalar.string == "<<" {
                errors.append(WorkloadError(place, "merge keys (`<<`) are not read", remedy: "write the keys out"))
                return nil
            }
            return SourceNode.Entry(key: scalar.string, keyMark: place, value: convert(value))
        }
    }

    private static func error(_ error: YamlError, text: String, file: String) -> WorkloadError {
        func at(_ mark: Mark) -> SourceMark {
            SourceMark(file: file, line: max(1, mark.line), column: max(1, mark.column))
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let (problem, remedy) = plain(problem, at: mark, in: text)
            return WorkloadError(at(mark), problem, remedy: remedy)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            return WorkloadError(
                at(context.mark),
                "`\(key.abbreviated)` is written more than once in one map",
                remedy: "keep one of them"
            )
        case .reader:
            let line = text.split(separator: "\n", omittingEmptySubsequences: false)
                .firstIndex { $0.unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" && $0 != "\r" } }
            let mark = SourceMark(file: file, line: (line ?? 0) + 1, column: 1)
            return WorkloadError(mark, "the line has a control character")
        default:
            return WorkloadError(SourceMark(file: file, line: 1, column: 1), "the file is not YAML")
        }
    }

    /// The parser's words, or better ones where we know what people do.
    private static func plain(_ problem: String, at mark: Mark, in text: String) -> (String, String?) {
        let lines = text.split(separator: "\n", maxSplits: mark.line, omittingEmptySubsequences: false)
        let line = lines.indices.contains(mark.line - 1) ? lines[mark.line - 1] : ""
        let rest = line.unicodeScalars.dropFirst(mark.column - 1)
        if rest.starts(with: "::".unicodeScalars) {
            return ("a value that starts with `::` is not text in YAML", "put it in quotes")
        }
        switch rest.first {
        case "\t": return ("the line is indented with a tab", "use spaces")
        case "@", "`": return ("a value that starts with `\(rest.first!)` is not text in YAML", "put it in quotes")
        case "%": return ("a value that starts with `%` is not text in YAML", "put it in quotes")
        default: break
        }
        if problem.hasPrefix("mapping values are not allowed") {
            return ("a second `: ` in one line is a map in YAML", "put the value in quotes, or start a new line")
        }
        if problem.hasPrefix("did not find expected comment or line break") {
            return ("a value that starts with `>` or `|` is a block of text in YAML", "put it in quotes")
        }
        if problem.hasPrefix("found undefined alias") {
            return ("the alias refers to no anchor", "write the anchor (&name) before its aliases (*name)")
        }
        if problem.hasPrefix("Maximum nesting level reached") {
            return ("lists and maps are nested too deep", "no workload needs more than a dozen levels")
        }
        return ("this is not YAML: \(problem)", nil)
    }
}

/// Compares a file with its shape, and collects every difference and the place of every key.
struct ShapeCheck {
    private(set) var errors: [WorkloadError] = []
    private(set) var sources = SourceMap()

    mutating func check(_ node: SourceNode, against shape: Shape, at path: String) {
        switch shape {
        case .scalar(let scalar): check(node, against: scalar)
        case .list(let element, let least): check(node, against: element, least: least, at: path)
        case .named(let element, let noun, let least): check(node, named: element, noun, least: least, at: path)
        case .record(let record): check(node, against: record, at: path)
        case .either(let shapes): check(node, againstOneOf: shapes, at: path)
        }
    }

    private mutating func fail(_ mark: SourceMark, _ problem: String, _ remedy: String? = nil) {
        errors.append(WorkloadError(mark, problem, remedy: remedy))
    }

    private mutating func check(_ node: SourceNode, against scalar: Scalar) {
        guard case .scalar(let text, let isPlain) = node.content else {
            fail(node.mark, "expected \(scalar.expectation), found \(node.kindName)")
            return
        }
        guard let problem = scalar.problem(with: text, isPlain: isPlain) else { return }
        fail(node.mark, problem.problem, problem.remedy)
    }

    private mutating func check(_ node: SourceNode, against element: Shape, least: Int, at path: String) {
        guard case .list(let elements) = node.content else {
            var remedy: String?
            if case .scalar(let text, _) = node.content, !text.isEmpty { remedy = "write [\(text.abbreviated)]" }
            fail(node.mark, "expected a list, found \(node.kindName)", remedy)
            return
        }
        if elements.count < least { fail(node.mark, "`\(path)` is empty", "write at least \(least)") }
        for (index, value) in elements.enumerated() {
            sources.marks["\(path).\(index)"] = value.mark
            check(value, against: element, at: "\(path).\(index)")
        }
    }

    private mutating func check(
        _ node: SourceNode,
        named element: Shape,
        _ noun: String,
        least: Int,
        at path: String
    ) {
        guard case .map(let entries) = node.content else {
            fail(node.mark, "expected a map of \(noun)s by name, found \(node.kindName)")
            return
        }
        if entries.count < least { fail(node.mark, "`\(path)` is empty", "a workload needs at least one \(noun)") }
        for entry in entries {
            sources.marks["\(path).\(entry.key)"] = entry.keyMark
            if let problem = Names.problem(with: entry.key, noun: noun) {
                fail(entry.keyMark, problem.problem, problem.remedy)
            }
            check(entry.value, against: element, at: "\(path).\(entry.key)")
        }
    }

    private mutating func check(_ node: SourceNode, against record: Record, at path: String) {
        let place = path.isEmpty ? "the file" : "`\(path)`"
        guard case .map(let entries) = node.content else {
            let keys = record.fields.prefix(4).map(\.key).joined(separator: ", ")
            let found = node.scalar == "" ? "there is no value" : "found \(node.kindName)"
            fail(
                node.mark,
                "\(place) is a map, but \(found)",
                "its keys are \(keys)" + (record.fields.count > 4 ? "..." : "")
            )
            return
        }
        let inner = path.isEmpty ? "" : path + "."
        for entry in entries {
            guard let field = record.field(entry.key) else {
                failUnknown(entry, in: record, place: place)
                continue
            }
            sources.marks[inner + entry.key] = entry.keyMark
            check(entry.value, against: field.shape, at: inner + entry.key)
        }
        // What is misspelt, or of a later version, stands for the key that is missing.
        let others = entries.map(\.key).filter { record.field($0) == nil }
        let meant = others.map { Nearest.name(to: $0, among: record.fields.map(\.key)) }
        let isOfLaterVersion = record.unsupported.contains { unsupported in others.contains(unsupported.key) }
        for field in record.fields where field.isRequired && node.entry(field.key) == nil {
            guard !meant.contains(field.key), !isOfLaterVersion else { continue }
            fail(node.mark, "\(place) has no `\(field.key)`", "add it: \(field.summary)")
        }
        for group in record.exactlyOneOf {
            let written = group.filter { node.entry($0) != nil }
            if written.isEmpty { fail(node.mark, "\(place) needs one of \(Nearest.list(group))") }
            if written.count > 1, let second = node.entry(written[1]) {
                fail(second.keyMark, "\(place) has both `\(written[0])` and `\(written[1])`", "keep one of them")
            }
        }
    }

    private mutating func failUnknown(_ entry: SourceNode.Entry, in record: Record, place: String) {
        if let unsupported = record.unsupported.first(where: { $0.key == entry.key }) {
            fail(entry.keyMark, "`\(entry.key)` is not supported by this version", unsupported.instead)
            return
        }
        let known = record.fields.map(\.key)
        let remedy =
            Nearest.name(to: entry.key, among: known).map { "did you mean \"\($0)\"?" }
            ?? "the keys are \(known.joined(separator: ", "))"
        fail(entry.keyMark, "unknown key \"\(entry.key.abbreviated)\" in \(place)", remedy)
    }

    private mutating func check(_ node: SourceNode, againstOneOf shapes: [Shape], at path: String) {
        if let shape = shapes.first(where: { $0.fits(node) }) {
            check(node, against: shape, at: path)
        } else {
            fail(node.mark, "expected \(shapes.map(\.kindName).joined(separator: " or ")), found \(node.kindName)")
        }
    }
}

extension Shape {
    /// Whether the kind of YAML value is right, whatever stands in it.
    func fits(_ node: SourceNode) -> Bool {
        switch (self, node.content) {
        case (.scalar, .scalar), (.list, .list), (.named, .map), (.record, .map): true
        case (.either(let shapes), _): shapes.contains { $0.fits(node) }
        default: false
        }
    }

    var kindName: String {
        switch self {
        case .scalar(let scalar): scalar.expectation
        case .list: "a list"
        case .named(_, let noun, _): "a map of \(noun)s"
        case .record(let record): "a map (\(record.fields.prefix(3).map(\.key).joined(separator: ", ")))"
        case .either(let shapes): shapes.map(\.kindName).joined(separator: " or ")
        }
    }
}

/// Names that users give to things: they stand in dotted paths, in thresholds and in file names.
enum Names {
    static func problem(with name: String, noun: String) -> UnitProblem? {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "-" || scalar == "_"
        }
        if !isPlain || name.isEmpty {
            return UnitProblem(
                "\"\(name.abbreviated)\" cannot be the name of a \(noun)",
                "names have letters, digits, - and _"
            )
        }
        return name.utf8.count > 64 ? UnitProblem("the name \"\(name.abbreviated)\" is longer than 64") : nil
    }
}

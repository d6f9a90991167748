/// The reference of all keys for the documents, made from the table by which files are read.
package enum SchemaReference {
    /// A Markdown table for each section of the file.
    package static var markdown: String {
        var tables = [table("The file", WorkloadSchema.root.fields.map { ("", $0) })]
        for field in WorkloadSchema.root.fields where !field.shape.innerRecords.isEmpty {
            tables.append(table("`\(field.key)`", rows(of: field.shape, prefix: field.key)))
        }
        tables.append(table("A cost table", rows(of: .record(CostTableSchema.root), prefix: "")))
        return tables.joined(separator: "\n")
    }

    private static func table(_ title: String, _ rows: [(prefix: String, field: Field)]) -> String {
        let lines = rows.map { prefix, field in
            let standard =
                switch field.presence {
                case .required: "required"
                case .optional: ""
                case .standard(let text): "`\(text)`"
                }
            let key = prefix.isEmpty ? field.key : "\(prefix).\(field.key)"
            return "| `\(key)` | \(field.shape.documentName) | \(standard) | \(field.summary) |"
        }
        return "### \(title)\n\n| key | value | default | what it is |\n| --- | --- | --- | --- |\n"
            + lines.joined(separator: "\n") + "\n"
    }

    /// Every key below a shape, outermost first; a cost table inside a gateway has its own section.
    private static func rows(of shape: Shape, prefix: String) -> [(prefix: String, field: Field)] {
        switch shape {
        case .record(let record):
            guard record.field("schema") == nil || prefix.isEmpty else { return [] }
            return record.fields.flatMap { field in
                [(prefix, field)] + rows(of: field.shape, prefix: prefix.isEmpty ? field.key : "\(prefix).\(field.key)")
            }
        case .named(let element, let noun, _): return rows(of: element, prefix: "\(prefix).\(noun.uppercased())")
        case .list(let element, _): return rows(of: element, prefix: prefix + "[]")
        case .either(let shapes): return shapes.flatMap { rows(of: $0, prefix: prefix) }
        case .scalar: return []
        }
    }
}

extension Shape {
    fileprivate var innerRecords: [Record] {
        switch self {
        case .named(let element, _, _), .list(let element, _): element.innerRecords
        default: records
        }
    }

    fileprivate var documentName: String {
        switch self {
        case .scalar(let scalar): scalar.expectation.replacing("|", with: "\\|")
        case .list(let element, _): "a list of: " + element.documentName
        case .named(_, let noun, _): "a map of \(noun)s by name"
        case .record: "a map"
        case .either(let shapes): shapes.map(\.documentName).joined(separator: ", or ")
        }
    }
}

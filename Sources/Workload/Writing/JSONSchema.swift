/// The JSON Schema of workload files, made from the table by which they are read.
package enum JSONSchema {
    /// What `ikestorm schema` prints.
    package static var text: String {
        let head: [(key: String, value: YAMLValue)] = [
            ("$schema", .quoted("https://json-schema.org/draft/2020-12/schema")),
            ("title", .quoted("ikestorm workload, version \(Workload.schemaVersion)")),
        ]
        guard case .map(let body) = value(of: .record(WorkloadSchema.root)) else {
            preconditionFailure("the root of the schema is a record")
        }
        return YAMLValue.map(head + body).json + "\n"
    }

    private static func value(of shape: Shape) -> YAMLValue {
        switch shape {
        case .scalar(let scalar): return value(of: scalar)
        case .list(let element, let least):
            return .map([("type", .quoted("array")), ("items", value(of: element)), ("minItems", .plain(least))])
        case .named(let element, _, let least):
            return .map([
                ("type", .quoted("object")),
                ("propertyNames", .map([("pattern", .quoted("^[A-Za-z0-9_-]{1,64}$"))])),
                ("additionalProperties", value(of: element)),
                ("minProperties", .plain(least)),
            ])
        case .record(let record): return value(of: record)
        case .either(let shapes): return .map([("anyOf", .list(shapes.map(value)))])
        }
    }

    private static func value(of record: Record) -> YAMLValue {
        let properties = record.fields.map { field -> (key: String, value: YAMLValue) in
            guard case .map(var entries) = value(of: field.shape) else {
                preconditionFailure("a schema is a map")
            }
            entries.append(("description", .quoted(field.summary)))
            return (field.key, .map(entries))
        }
        var entries: [(key: String, value: YAMLValue)] = [
            ("type", .quoted("object")),
            ("properties", .map(properties)),
            ("required", .list(record.fields.filter(\.isRequired).map { .quoted($0.key) })),
            ("additionalProperties", .plain("false")),
        ]
        if let group = record.exactlyOneOf.first {
            precondition(record.exactlyOneOf.count == 1, "a record has one group of which one key is written")
            let choices = group.map { YAMLValue.map([("required", .list([.quoted($0)]))]) }
            entries.append(("oneOf", .list(choices)))
        }
        return .map(entries)
    }

    private static func value(of scalar: Scalar) -> YAMLValue {
        func pattern(_ pattern: String, or words: [String] = []) -> YAMLValue {
            let all = ([pattern] + words).joined(separator: "|")
            return .map([("type", .quoted("string")), ("pattern", .quoted("^(\(all))$"))])
        }
        let number = "[0-9]+(\\.[0-9]+)?"
        switch scalar {
        case .text, .file, .reference, .expectation, .identity, .address, .prefix, .selector:
            return .map([("type", .quoted("string")), ("minLength", .plain(1))])
        case .boolean: return .map([("type", .quoted("boolean"))])
        case .keyword(let words, _): return .map([("enum", .list(words.map { .quoted($0) }))])
        case .count(let range, let words):
            let count: [(key: String, value: YAMLValue)] = [
                ("type", .quoted("integer")), ("minimum", .plain(range.lowerBound)),
                ("maximum", .plain(range.upperBound)),
            ]
            guard !words.isEmpty else { return .map(count) }
            return .map([("anyOf", .list([.map(count), .map([("enum", .list(words.map { .quoted($0) }))])]))])
        case .duration(let words, _): return pattern("\(number)(ns|us|ms|s|m|h|d)", or: words)
        case .percent(let words): return pattern("\(number)%", or: words)
        case .rate: return pattern("\(number)/(s|m|h|d)")
        case .size(let words): return pattern("\(number)([KMG]i?)?B", or: words)
        case .bandwidth: return pattern("\(number)[kMG]?bit/s")
        case .factor: return .map([("type", .quoted("number")), ("minimum", .plain(0))])
        case .proposal: return pattern("[a-z0-9_]+(-[a-z0-9_]+)*")
        case .timestamp: return .map([("type", .quoted("string")), ("format", .quoted("date-time"))])
        }
    }
}

import Primitives

/// A map of the file beside its shape: reads values with the shape's defaults, and says nothing of wrong ones.
///
/// `ShapeCheck` has reported those already; what stands in for them never leaves the reader.
struct RecordView {
    let node: SourceNode
    let record: Record
    let path: String

    func has(_ key: String) -> Bool { node.entry(key) != nil }

    /// What is written for a key, or its default.
    func value(_ key: String) -> SourceNode? {
        if let entry = node.entry(key) { return entry.value }
        guard let field = record.field(key), case .standard(let text) = field.presence else { return nil }
        return SourceNode(mark: node.mark, content: .scalar(text, isPlain: true))
    }

    func mark(_ key: String) -> SourceMark { node.entry(key)?.value.mark ?? node.mark }

    /// The map under a key; an empty one, full of defaults, where it is not written.
    func view(_ key: String) -> RecordView {
        let innerRecord = record.field(key)?.shape.records.first ?? Record(fields: [])
        let empty = SourceNode(mark: node.mark, content: .map([]))
        let value = node.entry(key)?.value
        return RecordView(
            node: value?.entries.isEmpty == false ? value! : empty,
            record: innerRecord,
            path: inner(path, key)
        )
    }

    /// The entries of a map by name, each with its view.
    func views(_ key: String) -> [(name: String, view: RecordView)] {
        guard case .named(let shape, _, _)? = record.field(key)?.shape, let innerRecord = shape.records.first else {
            return []
        }
        return (node.entry(key)?.value.entries ?? []).map { entry in
            let path = inner(inner(self.path, key), entry.key)
            return (entry.key, RecordView(node: entry.value, record: innerRecord, path: path))
        }
    }

    func elements(_ key: String) -> [SourceNode] { node.entry(key)?.value.elements ?? [] }

    func text(_ key: String) -> String { value(key)?.scalar ?? "" }

    func read<Value>(_ key: String, or fallback: Value, _ read: (String) throws(UnitProblem) -> Value) -> Value {
        value(key)?.read(or: fallback, read) ?? fallback
    }

    func duration(_ key: String) -> Duration { optionalDuration(key) ?? .zero }

    func optionalDuration(_ key: String) -> Duration? {
        read(key, or: nil) { text throws(UnitProblem) in try Units.duration(text) }
    }

    func percent(_ key: String) -> Probability {
        switch text(key) {
        case "full": .one
        case "none": .zero
        default: read(key, or: .zero) { text throws(UnitProblem) in try Units.percent(text) }
        }
    }

    func rate(_ key: String) -> Workload.Rate {
        read(key, or: Workload.Rate(count: 1, per: .seconds(1))) { text throws(UnitProblem) in try Units.rate(text) }
    }

    /// A count, or nil where it is not written or is the word `never`.
    func optionalCount(_ key: String) -> Int? {
        read(key, or: nil) { text throws(UnitProblem) in try Units.count(text, in: 0...Int.max) }
    }

    /// A size in bytes, or nil where it is not written or is the word `never`.
    func optionalSize(_ key: String) -> Int? {
        read(key, or: nil) { text throws(UnitProblem) in try Units.size(text) }
    }

    func count(_ key: String) -> Int { optionalCount(key) ?? 1 }

    func boolean(_ key: String) -> Bool { text(key) == "true" }

    func keyword<Word: RawRepresentable<String>>(_ key: String, or fallback: Word) -> Word {
        Word(rawValue: text(key)) ?? fallback
    }

    func factorMillionths(_ key: String) -> Int64 {
        read(key, or: 1_000_000) { text throws(UnitProblem) in try Units.factor(text) }
    }

    func prefixes(_ key: String) -> [IPPrefix] {
        elements(key).compactMap { $0.read(or: nil) { text throws(UnitProblem) in try Addresses.prefix(text) } }
    }

    func addresses(_ key: String) -> [IPAddress] {
        elements(key).compactMap { $0.read(or: nil) { text throws(UnitProblem) in try Addresses.address(text) } }
    }

    func address(_ key: String) -> IPAddress? {
        value(key)?.read(or: nil) { text throws(UnitProblem) in try Addresses.address(text) }
    }

    func durations(_ key: String) -> [Duration] {
        elements(key).compactMap { $0.read(or: nil) { text throws(UnitProblem) in try Units.duration(text) } }
    }

    func texts(_ key: String) -> [String] { elements(key).compactMap(\.scalar) }

    func keywords<Word: RawRepresentable<String>>(_ key: String, as type: Word.Type) -> [Word] {
        texts(key).compactMap { Word(rawValue: $0) }
    }

    private func inner(_ path: String, _ key: String) -> String { path.isEmpty ? key : path + "." + key }
}

extension SourceNode {
    func read<Value>(or fallback: Value, _ read: (String) throws(UnitProblem) -> Value) -> Value {
        guard let scalar else { return fallback }
        do throws(UnitProblem) { return try read(scalar) } catch { return fallback }
    }
}

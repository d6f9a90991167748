/// A value as it was written, with its place.
package struct SourceNode: Sendable {
    package var mark: SourceMark
    package var content: Content

    package indirect enum Content: Sendable {
        /// A scalar; a plain one stands without quotes, and YAML may take it for something else than text.
        case scalar(String, isPlain: Bool)
        case list([SourceNode])
        case map([Entry])
    }

    package struct Entry: Sendable {
        package var key: String
        package var keyMark: SourceMark
        package var value: SourceNode
    }

    /// What the content is, in a user's words.
    var kindName: String {
        switch content {
        case .scalar(let text, _): text.isEmpty ? "nothing" : "`\(text.abbreviated)`"
        case .list: "a list"
        case .map: "a map"
        }
    }

    package var entries: [Entry] {
        if case .map(let entries) = content { entries } else { [] }
    }

    package var elements: [SourceNode] {
        if case .list(let elements) = content { elements } else { [] }
    }

    package var scalar: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    package func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }
}

extension String {
    /// The text as it is quoted in messages: on one line, and not longer than a line.
    var abbreviated: String {
        let line = String(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        return line.count <= 60 ? line : line.prefix(57) + "..."
    }
}

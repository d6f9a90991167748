import Foundation
import Metrics
import Testing
import Workload
import Yams

@Suite("JSON Schema and reference")
struct SchemaTests {
    static func schema() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(JSONSchema.text.utf8)) as? [String: Any])
    }

    @Test("every shipped workload is valid by the JSON Schema", arguments: ShippedWorkloads.names)
    func shipped(_ name: String) throws {
        let value = try #require(try Yams.load(yaml: ShippedWorkloads.text(name)))
        #expect(SchemaValidator.problems(of: value, by: try Self.schema(), at: "") == [])
    }

    @Test("the workload with every key is valid by it too")
    func everything() throws {
        // The default resolver would make a date of it, which JSON has not.
        let text = ResolvedTests.everything.replacing(
            "epoch: 2030-06-01T12:00:00Z",
            with: "epoch: \"2030-06-01T12:00:00Z\""
        )
        let value = try #require(try Yams.load(yaml: text))
        #expect(SchemaValidator.problems(of: value, by: try Self.schema(), at: "") == [])
    }

    @Test(
        "the JSON Schema refuses what it can see",
        arguments: [
            "an unknown key", "a missing unit", "a wrong unit", "a boolean for a word", "an unknown preset",
            "a missing key",
            "a distribution without a minimum", "a list for a value", "a value for a list", "two ways to arrive",
            "a number for text", "a share without its sign", "no version", "another version",
        ]
    )
    func refuses(_ name: String) throws {
        let broken = try #require(StrictInputTests.broken.first { $0.name == name })
        let value = try #require(try Yams.load(yaml: BaseWorkload.replacing(broken.old, with: broken.new)))
        #expect(SchemaValidator.problems(of: value, by: try Self.schema(), at: "") != [])
    }

    @Test("the document has the reference of all keys, as the reader knows them")
    func reference() throws {
        let file = ShippedWorkloads.folder.deletingLastPathComponent().appending(path: "docs/workload-format.md")
        let marker = "<!-- generated from the schema: UPDATE_GOLDEN=1 swift test -->\n"
        let text = try String(contentsOf: file, encoding: .utf8)
        let parts = text.components(separatedBy: marker)
        #expect(parts.count == 2)
        let wanted = parts[0] + marker + SchemaReference.markdown
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try Data(wanted.utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == wanted)
    }

    @Test("the document names every preset with its source, and every metric")
    func presets() throws {
        let file = ShippedWorkloads.folder.deletingLastPathComponent().appending(path: "docs/workload-format.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let sources =
            Presets.retransmission.map(\.source) + Presets.reconnect.map(\.source) + Presets.lifetimes.map(\.source)
            + Presets.nat.map(\.source)
        for source in sources { #expect(text.contains("| \(source) |")) }
        for metric in MetricName.allCases { #expect(text.contains("| `\(metric.rawValue)` |")) }
    }
}

/// As much of JSON Schema as ours uses.
enum SchemaValidator {
    static func problems(of value: Any, by schema: [String: Any], at path: String) -> [String] {
        var problems: [String] = []
        if let type = schema["type"] as? String, !isType(value, type) { return ["\(path) is not \(type)"] }
        if let words = schema["enum"] as? [String], !words.contains(value as? String ?? "") {
            problems.append("\(path): enum")
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String, !matches(text, pattern) {
            problems.append("\(path): \(text) does not match \(pattern)")
        }
        if let least = schema["minLength"] as? Int, let text = value as? String, text.count < least {
            problems.append("\(path): short")
        }
        if let least = schema["minimum"] as? Int, let number = value as? Int, number < least {
            problems.append("\(path): small")
        }
        if let most = schema["maximum"] as? Int, let number = value as? Int, number > most {
            problems.append("\(path): large")
        }
        for (key, isExactlyOne) in [("anyOf", false), ("oneOf", true)] {
            guard let choices = schema[key] as? [[String: Any]] else { continue }
            let fitting = choices.count { self.problems(of: value, by: $0, at: path).isEmpty }
            if isExactlyOne ? fitting != 1 : fitting == 0 { problems.append("\(path): \(fitting) of \(key)") }
        }
        if let list = value as? [Any] {
            if list.count < schema["minItems"] as? Int ?? 0 { problems.append("\(path): few") }
            if let items = schema["items"] as? [String: Any] {
                for (index, element) in list.enumerated() {
                    problems += self.problems(of: element, by: items, at: "\(path)[\(index)]")
                }
            }
        }
        if let map = value as? [String: Any] { problems += self.problems(of: map, by: schema, at: path) }
        return problems
    }

    private static func problems(of map: [String: Any], by schema: [String: Any], at path: String) -> [String] {
        var problems: [String] = []
        if map.count < schema["minProperties"] as? Int ?? 0 { problems.append("\(path): empty") }
        for key in schema["required"] as? [String] ?? [] where map[key] == nil {
            problems.append("\(path) lacks \(key)")
        }
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        for (key, value) in map {
            if let names = schema["propertyNames"] as? [String: Any] {
                problems += self.problems(of: key, by: names, at: "\(path).\(key)")
            }
            if let inner = properties[key] ?? schema["additionalProperties"] as? [String: Any] {
                problems += self.problems(of: value, by: inner, at: "\(path).\(key)")
            } else if schema["additionalProperties"] as? Bool == false {
                problems.append("\(path) has an unknown \(key)")
            }
        }
        return problems
    }

    private static func isType(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": value is Bool
        case "integer": value is Int
        default: value is Int || value is Double
        }
    }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return false }
        return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }
}

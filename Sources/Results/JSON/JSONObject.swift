package import Primitives

/// What is wrong with a file of a run, and what to do about it.
package struct ResultError: Error, Hashable, Sendable {
    /// The file, as the user can find it.
    package var file: String
    /// Where in it: a line, or a path such as `metrics.handshake.latency.p99`; empty for the file as a whole.
    package var place: String
    package var problem: String

    package init(file: String, place: String = "", problem: String) {
        self.file = file
        self.place = place
        self.problem = problem
    }
}

extension ResultError: CustomStringConvertible {
    package var description: String {
        PrintableText.line(file + (place.isEmpty ? "" : ": " + place) + ": " + problem)
    }
}

/// An object of a document, read strictly: every key is asked for, and no other is there.
package struct JSONObject {
    private let file: String
    private let path: String
    private let members: [JSONValue.Member]
    private var asked: Set<String> = []

    package init(_ value: JSONValue, file: String, path: String) throws(ResultError) {
        guard case .object(let members) = value else {
            throw ResultError(file: file, place: path, problem: "an object is wanted")
        }
        self.file = file
        self.path = path
        self.members = members
    }

    /// Reads a whole file.
    package static func document(_ bytes: [UInt8], file: String) throws(ResultError) -> JSONObject {
        let value: JSONValue
        do throws(JSONProblem) {
            value = try JSONParser.parse(bytes)
        } catch {
            throw ResultError(file: file, place: "line \(error.line)", problem: error.problem)
        }
        return try JSONObject(value, file: file, path: "")
    }

    package var keys: [String] { members.map(\.key) }

    package func problem(_ key: String, _ text: String) -> ResultError {
        ResultError(file: file, place: path.isEmpty ? key : path + "." + key, problem: text)
    }

    /// Says that whatever was not asked for is unknown.
    package func finish() throws(ResultError) {
        for key in keys where !asked.contains(key) { throw problem(key, "this version does not know it") }
    }

    package mutating func optional(_ key: String) -> JSONValue? {
        asked.insert(key)
        return members.first { $0.key == key }?.value
    }

    package mutating func value(_ key: String) throws(ResultError) -> JSONValue {
        guard let value = optional(key) else { throw problem(key, "it is missing") }
        return value
    }

    package mutating func object(_ key: String) throws(ResultError) -> JSONObject {
        let value = try value(key)
        return try JSONObject(value, file: file, path: path.isEmpty ? key : path + "." + key)
    }

    /// The objects of an array.
    package mutating func objects(_ key: String) throws(ResultError) -> [JSONObject] {
        guard case .array(let elements) = try value(key) else { throw problem(key, "an array is wanted") }
        var objects: [JSONObject] = []
        for (index, element) in elements.enumerated() {
            objects.append(try JSONObject(element, file: file, path: problem("\(key)[\(index)]", "").place))
        }
        return objects
    }

    package mutating func string(_ key: String) throws(ResultError) -> String {
        guard case .string(let text) = try value(key) else { throw problem(key, "a string is wanted") }
        return text
    }

    package mutating func strings(_ key: String) throws(ResultError) -> [String] {
        guard case .array(let elements) = try value(key) else { throw problem(key, "an array is wanted") }
        var strings: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw problem(key, "an array of strings is wanted") }
            strings.append(text)
        }
        return strings
    }

    /// An array of arrays of two numbers each.
    mutating func pairs(_ key: String) throws(ResultError) -> [(UInt64, UInt64)] {
        guard case .array(let elements) = try value(key) else { throw problem(key, "an array is wanted") }
        var pairs: [(UInt64, UInt64)] = []
        for element in elements {
            guard case .array(let pair) = element, pair.count == 2, case .number(let first) = pair[0],
                case .number(let second) = pair[1], let first = UInt64(first), let second = UInt64(second)
            else { throw problem(key, "pairs of whole numbers are wanted") }
            pairs.append((first, second))
        }
        return pairs
    }

    package mutating func bool(_ key: String) throws(ResultError) -> Bool {
        guard case .bool(let value) = try value(key) else { throw problem(key, "true or false is wanted") }
        return value
    }

    package mutating func integer<Integer: FixedWidthInteger>(
        _ key: String,
        as type: Integer.Type = Integer.self
    ) throws(ResultError) -> Integer {
        guard case .number(let text) = try value(key), let value = Integer(text) else {
            throw problem(key, "a whole number\(Integer.min == 0 ? " that is not negative" : "") is wanted")
        }
        return value
    }

    package mutating func share(_ key: String) throws(ResultError) -> Probability {
        guard case .number(let text) = try value(key), let parts = Self.scaled(text, digits: 9),
            parts <= 1_000_000_000
        else { throw problem(key, "a share between 0 and 1 is wanted") }
        return Probability(partsPerBillion: UInt32(parts))
    }

    package mutating func thousandths(_ key: String) throws(ResultError) -> UInt64 {
        guard case .number(let text) = try value(key), let thousandths = Self.scaled(text, digits: 3) else {
            throw problem(key, "a number with at most three decimals is wanted")
        }
        return thousandths
    }

    /// A decimal number times ten to the power of `digits`; nil where it is negative, too large or has more decimals.
    static func scaled(_ text: String, digits: Int) -> UInt64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let decimals = parts.count > 1 ? parts[1] : ""
        guard decimals.count <= digits, parts.count == 1 || !decimals.isEmpty,
            (parts[0] + decimals).utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return UInt64(parts[0] + decimals + String(repeating: "0", count: digits - decimals.count))
    }

    package mutating func time(_ key: String) throws(ResultError) -> Duration {
        Duration(nanoseconds: try integer(key))
    }

    package mutating func moment(_ key: String) throws(ResultError) -> Instant {
        Instant(nanoseconds: try integer(key))
    }

    /// One of an enumeration's names.
    package mutating func name<Name: RawRepresentable & CaseIterable>(
        _ key: String,
        as type: Name.Type = Name.self
    ) throws(ResultError) -> Name where Name.RawValue == String {
        let text = try string(key)
        guard let name = Name(rawValue: text) else {
            throw problem(key, "\"\(text)\" is none of \(Name.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return name
    }

    /// Whether the key is there with something other than null.
    package mutating func has(_ key: String) -> Bool {
        switch optional(key) {
        case nil, .null: false
        default: true
        }
    }
}

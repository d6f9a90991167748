/// What may stand in a place of a file: one table, by which files are read, overridden and described.
indirect enum Shape: Sendable {
    case scalar(Scalar)
    case list(of: Shape, least: Int = 0)
    /// A map whose keys are names that the user chooses.
    case named(of: Shape, noun: String, least: Int = 0)
    /// A map whose keys are fixed.
    case record(Record)
    /// One of several kinds of YAML value, such as a preset's name or a map.
    case either([Shape])

    static func keyword(_ words: [String], noun: String = "word") -> Shape { .scalar(.keyword(words, noun: noun)) }
    static func count(_ range: ClosedRange<Int>, or words: [String] = []) -> Shape { .scalar(.count(range, words)) }
    static func duration(or words: [String] = []) -> Shape { .scalar(.duration(words: words, isPositive: true)) }
    static var durationOrZero: Shape { .scalar(.duration(words: [], isPositive: false)) }
    static func percent(or words: [String] = []) -> Shape { .scalar(.percent(words)) }

    /// The records that a value of this shape may be.
    var records: [Record] {
        switch self {
        case .record(let record): [record]
        case .either(let shapes): shapes.flatMap(\.records)
        default: []
        }
    }
}

/// A map whose keys are fixed.
struct Record: Sendable {
    var fields: [Field]
    /// Groups of keys of which exactly one is written.
    var exactlyOneOf: [[String]] = []
    /// Keys that a later version may read, and what to say of them until then.
    var unsupported: [(key: String, instead: String)] = []

    func field(_ key: String) -> Field? { fields.first { $0.key == key } }
}

/// A key of a record.
struct Field: Sendable {
    var key: String
    var shape: Shape
    var presence: Presence
    /// One sentence for the schema and for the documents.
    var summary: String

    enum Presence: Sendable {
        case required
        case optional
        /// What is read when the key is not written.
        case standard(String)
    }

    init(_ key: String, _ shape: Shape, _ summary: String) { self.init(key, shape, .optional, summary) }

    init(_ key: String, _ shape: Shape, _ presence: Presence, _ summary: String) {
        self.key = key
        self.shape = shape
        self.presence = presence
        self.summary = summary
    }

    var isRequired: Bool { if case .required = presence { true } else { false } }
}

/// What a single value may be.
enum Scalar: Sendable {
    case text
    case boolean
    case keyword([String], noun: String)
    case count(ClosedRange<Int>, [String])
    case duration(words: [String], isPositive: Bool)
    case percent([String])
    case rate
    case size(words: [String] = [])
    case bandwidth
    case factor
    case address
    case prefix
    /// A prefix, or the inner address that the gateway assigns.
    case selector
    case identity
    case proposal(Proposal)
    case reference(Section)
    case timestamp
    case expectation
    case file

    enum Proposal: Sendable { case ike, child }

    /// The sections whose names other places refer to.
    enum Section: String, Sendable {
        case gateways, profiles, paths, populations

        var noun: String { String(rawValue.dropLast()) }
    }

    /// What is expected, in a user's words, with an example.
    var expectation: String {
        switch self {
        case .text: "text"
        case .boolean: "true or false"
        case .keyword(let words, let noun):
            words.count == 1 ? "\"\(words[0])\"" : "a \(noun) (\(words.joined(separator: ", ")))"
        case .count(_, let words): "a number" + Self.or(words)
        case .duration(let words, _): "a length of time such as 30s" + Self.or(words)
        case .percent(let words): "a percentage such as 10%" + Self.or(words)
        case .rate: "a rate such as 400/s"
        case .size(let words): "a size such as 64KiB" + Self.or(words)
        case .bandwidth: "a bandwidth such as 10Mbit/s"
        case .factor: "a factor such as 1.8"
        case .address: "an IP address such as 192.0.2.10"
        case .prefix: "an IP prefix such as 198.51.100.0/24"
        case .selector: "an IP prefix or \"dynamic\""
        case .identity: "an identity such as user%05d@example.org"
        case .proposal(.ike): "a proposal such as aes256gcm16-prfsha384-x25519"
        case .proposal(.child): "a proposal such as aes256gcm16-x25519"
        case .reference(let section): "the name of a \(section.noun)"
        case .timestamp: "a time such as 2026-01-01T00:00:00Z"
        case .expectation: "an expectation such as `handshake.latency p99 < 500ms`"
        case .file: "a file's path"
        }
    }

    private static func or(_ words: [String]) -> String { words.map { " or \"\($0)\"" }.joined() }
}

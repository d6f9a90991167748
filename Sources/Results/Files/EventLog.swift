package import Primitives

/// How much of a run `events.ndjson` tells; each level holds those above it.
package enum EventLevel: Int, CaseIterable, Comparable, Hashable, Sendable {
    /// What becomes of clients, gateways and faults: the default.
    case lifeCycle
    /// Every exchange, liveness checks among them.
    case exchange
    /// Every datagram, keepalives among them.
    case datagram

    package var name: String {
        switch self {
        case .lifeCycle: "life-cycle"
        case .exchange: "exchange"
        case .datagram: "datagram"
        }
    }

    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package static func < (left: EventLevel, right: EventLevel) -> Bool { left.rawValue < right.rawValue }
}

/// One line of `events.ndjson`.
package struct EventLine: Hashable, Sendable {
    package var time: Instant
    package var level: EventLevel
    /// What happened, such as `established`.
    package var name: String
    /// To whom, such as `laptops/17`; nil for the run as a whole.
    package var subject: String?
    /// What else there is to say, in this order: `reason`, `spi`.
    package var details: [Detail]

    package struct Detail: Hashable, Sendable {
        package var key: String
        package var value: Value

        package init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    package enum Value: Hashable, Sendable {
        case text(String)
        case number(UInt64)
    }

    package init(
        _ time: Instant,
        _ name: String,
        subject: String? = nil,
        level: EventLevel = .lifeCycle,
        details: [Detail] = []
    ) {
        self.time = time
        self.level = level
        self.name = name
        self.subject = subject
        self.details = details
    }

    /// Appends the line with its end. There may be millions: it is put together in place, without a tree of values.
    package func append(to bytes: inout [UInt8]) {
        bytes.append("{\"time\": ")
        bytes.append(String(time.nanoseconds))
        bytes.append(", \"level\": ")
        JSONValue.appendQuoted(level.name, to: &bytes)
        bytes.append(", \"event\": ")
        JSONValue.appendQuoted(name, to: &bytes)
        if let subject {
            bytes.append(", \"subject\": ")
            JSONValue.appendQuoted(subject, to: &bytes)
        }
        for detail in details {
            bytes.append(", ")
            JSONValue.appendQuoted(detail.key, to: &bytes)
            bytes.append(": ")
            switch detail.value {
            case .text(let text): JSONValue.appendQuoted(text, to: &bytes)
            case .number(let number): bytes.append(String(number))
            }
        }
        bytes.append("}\n")
    }
}

extension [UInt8] {
    /// Appends a text's UTF-8 at once, and not byte by byte.
    fileprivate mutating func append(_ text: String) {
        var text = text
        // SAFETY: the buffer is read within the closure alone.
        text.withUTF8 { buffer in unsafe append(contentsOf: buffer) }
    }
}

/// Writes `events.ndjson` while the run goes on: lines above the level are dropped, and a full disk ends the log, not
/// the run.
package struct EventLog: ~Copyable {
    package let level: EventLevel
    /// Why the log ended before the run did.
    package private(set) var failure: ResultError?
    private var file: StreamedFile

    package init(_ path: String, level: EventLevel = .lifeCycle) throws(ResultError) {
        self.level = level
        file = try StreamedFile(path)
    }

    package mutating func append(_ line: EventLine) {
        guard line.level <= level, failure == nil else { return }
        do throws(ResultError) { try file.append(line) } catch { failure = error }
    }

    /// Gives the log its name, or says why it has none.
    package consuming func finish() throws(ResultError) {
        if let failure { throw failure }
        try file.finish()
    }
}

import Foundation
import Primitives
import Synchronization
import UDPTransport

/// Follows a gateway's log while a matrix goes on: what it says, and when.
///
/// When is when a line was there to be read: each gateway writes times in a form of its own, or none.
package final class GatewayLog: Sendable {
    package struct Line: Sendable {
        /// In nanoseconds since 1970.
        package var time: UInt64
        package var text: String

        package init(time: UInt64, text: String) {
            self.time = time
            self.text = text
        }
    }

    private let isEnded = Mutex(false)
    private let lines = Mutex<[Line]>([])
    private let hasStopped = DispatchSemaphore(value: 0)

    /// Begins at the file's end.
    package init(following file: String) throws(LiveError) {
        guard let handle = FileHandle(forReadingAtPath: file), (try? handle.seekToEnd()) != nil else {
            throw .system("the gateway's log \(file) cannot be read")
        }
        let thread = Thread { [self] in
            let clock = MonotonicClock()
            var rest: [UInt8] = []
            while true {
                // What was there when the end was called is read before it.
                let isLast = isEnded.withLock { $0 }
                while let more = try? handle.read(upToCount: 1 << 16), !more.isEmpty {
                    rest += more
                    take(&rest, at: clock.epoch + clock.now.nanoseconds)
                }
                guard !isLast else { break }
                usleep(Self.pause)
            }
            hasStopped.signal()
        }
        thread.start()
    }

    /// Stops, and returns what the log has said since the beginning.
    package func end() -> [Line] {
        isEnded.withLock { $0 = true }
        hasStopped.wait()
        hasStopped.signal()
        return lines.withLock { $0 }
    }

    private func take(_ octets: inout [UInt8], at time: UInt64) {
        guard let last = octets.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let whole = octets[..<last].split(separator: UInt8(ascii: "\n"))
        lines.withLock { lines in
            lines += whole.map { Line(time: time, text: String(decoding: $0, as: UTF8.self)) }
        }
        octets.removeSubrange(...last)
    }

    /// In microseconds.
    private static let pause: UInt32 = 5_000
}

extension [GatewayLog.Line] {
    /// The lines that say why a client from `address` got no further that came at `start` and was done at `end`.
    ///
    /// A gateway numbers its IKE SAs (strongSwan `<conn|12>`, libreswan `#12`): those lines are the client's that have
    /// a number which is new when its address is named.
    package func evidence(about address: String, from start: UInt64, until end: UInt64) -> [String] {
        let first = start - Swift.min(start, Self.slack)
        let past = prefix { $0.time < first }
        let inTime = dropFirst(past.count).prefix { $0.time <= end + Self.patience }
        let known = Set(past.compactMap { Self.number(in: $0.text)?.number })
        let naming = inTime.filter { $0.time <= start + Self.patience && Self.names(address, in: $0.text) }
        let numbers = Set(naming.compactMap { Self.number(in: $0.text)?.number }).subtracting(known)
        let own =
            numbers.isEmpty
            ? naming : inTime.filter { line in Self.number(in: line.text).map { numbers.contains($0.number) } ?? false }
        let telling = own.map(\.text).filter { Self.saysWhy($0) }
        return [String](telling.prefix(Self.most))
    }

    private static func names(_ address: String, in text: String) -> Bool {
        text.ranges(of: address).contains { range in
            let next = text[range.upperBound...].first
            return next.map { !$0.isHexDigit && $0 != "." } ?? true
        }
    }

    private static func saysWhy(_ text: String) -> Bool {
        let words = GatewayLog.words(of: text).lowercased()
        guard !routine.contains(where: words.hasPrefix) else { return false }
        return reasons.contains(where: words.contains)
    }

    /// The number of the IKE SA that a line is about, and where that ends.
    fileprivate static func number(in text: String) -> (number: Substring, end: String.Index)? {
        if let match = text.firstMatch(of: #/<(?:[^<>|]*\|)?(\d+)>/#) { return (match.1, match.range.upperBound) }
        return text.firstMatch(of: #/ #(\d+):/#).map { ($0.1, $0.range.upperBound) }
    }

    /// What every negotiation has lines of.
    private static var routine: [String] { ["received packet", "sending packet", "parsed ", "generating "] }
    private static var reasons: [String] {
        [
            "unacceptable", "no acceptable", "no proposal", "no matching", "no local", "no shared", "no private",
            "no trusted", "no peer config", "not ", "invalid", "mismatch", "failed", "failure", "refus", "reject",
            "error", "unable", "unsupported",
        ]
    }
    /// In nanoseconds: from what was sent to what the log says of it, and how far two clocks lie apart.
    private static var patience: UInt64 { 200_000_000 }
    private static var slack: UInt64 { 20_000_000 }
    private static var most: Int { 2 }
}

extension GatewayLog {
    /// A line without what stands before its words.
    package static func words(of text: String) -> String {
        let start = [Line].number(in: text)?.end ?? text.startIndex
        return String(text[start...].trimmingPrefix { $0 == " " || $0 == ":" })
    }
}

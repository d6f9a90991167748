import Primitives
package import Results
package import Simulation

/// `windows.txt`: what happened in each second of a simulated run in one word, for `ikestorm diff`.
package enum WindowLogFile {
    package static let name = "windows.txt"
    private static let schema = "ikestorm-windows-1"

    /// The schema and the length of a window in nanoseconds, then a word for each window.
    package static func text(of log: WindowLog) -> String {
        var text = "\(schema) \(log.length.nanoseconds)\n"
        for sum in log.sums {
            let digits = String(sum, radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits + "\n"
        }
        return text
    }

    package static func log(from bytes: [UInt8], file: String) throws(ResultError) -> WindowLog {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let head = lines.first?.split(separator: " ") ?? []
        guard head.count == 2, head[0] == schema, let length = Int64(head[1]), length > 0 else {
            throw ResultError(file: file, place: "line 1", problem: "\"\(schema) NANOSECONDS\" is wanted")
        }
        var sums: [UInt64] = []
        for (index, line) in lines.dropFirst().enumerated() {
            guard line.utf8.count == 16, let sum = UInt64(line, radix: 16) else {
                throw ResultError(file: file, place: "line \(index + 2)", problem: "16 hexadecimal digits are wanted")
            }
            sums.append(sum)
        }
        return WindowLog(length: .nanoseconds(length), sums: sums)
    }
}

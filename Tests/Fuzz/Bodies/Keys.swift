import Capture
import Primitives

/// Takes any octets as a table of keys, as `inspect` reads it.
///
/// A table is read to its end, or up to the line that the fault names, as the lines before that are by themselves.
package func fuzzKeys(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var table = KeyTable()
    do throws(KeyTable.Fault) {
        try table.add(text)
        let count = table.count
        precondition(count <= lines.count, "a line has the keys of one IKE SA at most")
        try table.add(text)
        precondition(table.count == count, "what is read again is known")
    } catch {
        precondition((1...lines.count).contains(error.line), "a fault is in a line that there is")
        var part = KeyTable()
        guard (try? part.add(lines[..<(error.line - 1)].joined(separator: "\n"))) != nil, part.count == table.count
        else { preconditionFailure("the lines before a fault are read") }
    }
}

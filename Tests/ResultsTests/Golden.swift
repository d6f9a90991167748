import Foundation
import Testing

/// Golden files beside the tests; `UPDATE_GOLDEN=1` writes them anew.
enum Golden {
    static func check(_ text: String, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden").appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
            return
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        let (written, wanted) = (text.split(separator: "\n"), golden.split(separator: "\n"))
        for (line, other) in zip(written, wanted) { #expect(line == other) }
        #expect(written.count == wanted.count)
        #expect(text == golden)
    }
}

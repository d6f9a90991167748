import Capture
import Foundation
import Inspection
import Testing

/// Captures of negotiations with strongSwan that failed, made by `RealGatewayTests`, which makes each anew and holds
/// it to the same text. `UPDATE_GOLDEN=1` writes the texts anew.
@Suite("A negotiation that failed is explained")
struct ExplanationTests {
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder("Vectors").path)) ?? []
        return files.filter { $0.hasSuffix(".pcapng") }.map { String($0.dropLast(7)) }.sorted()
    }()

    private static func folder(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: name)
    }

    @Test("as its golden text says", arguments: names)
    func explains(_ name: String) throws {
        let table = Self.folder("Vectors").appending(path: "\(name)/\(KeyLog.ikeFileName)")
        var keys = KeyTable()
        if FileManager.default.fileExists(atPath: table.path) {
            try keys.add(try String(contentsOf: table, encoding: .utf8))
        }
        let capture = try Data(contentsOf: Self.folder("Vectors").appending(path: "\(name).pcapng"))
        let text = try Explained(capture: [UInt8](capture), keys: keys).text
        let golden = Self.folder("Golden").appending(path: "\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: golden)
        }
        #expect(text == (try String(contentsOf: golden, encoding: .utf8)))
    }

    @Test("for ten kinds of trouble")
    func areTen() { #expect(Self.names.count == 10) }
}

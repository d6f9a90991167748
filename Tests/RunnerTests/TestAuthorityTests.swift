import Foundation
import Primitives
import Runner
import Testing

@Suite("A test's authority")
struct TestAuthorityTests {
    @Test("makes other keys and certificates for more clients of the same seed, and the same ones for the same clients")
    func extends() throws {
        let whole = try octets(first: 1, count: 4)
        #expect(try octets(first: 1, count: 2) + octets(first: 3, count: 2) == whole)
        // A key and a certificate of each client's own.
        #expect(Set(whole).count == 8)
    }

    /// The blocks of `clients.pem`.
    private func octets(first: Int, count: Int) throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var job = TestAuthorityJob(
            folder: folder.path(),
            key: "ed25519",
            gateway: "gw.example.org",
            identity: "user%05d@example.org",
            clients: count,
            from: "2020-01-01T00:00:00Z",
            until: "2030-01-01T00:00:00Z"
        )
        job.firstClient = first
        job.seed = 1
        _ = try job.run()
        let text = try String(contentsOf: folder.appending(path: "clients.pem"), encoding: .utf8)
        return try PEM.blocks(of: text).map(\.octets)
    }
}

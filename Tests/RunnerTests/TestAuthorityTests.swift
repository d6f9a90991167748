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

    @Test(
        "makes RSA key pairs that libcrypto finds sound, primes and all",
        arguments: ["rsa2048", "rsa3072", "rsa4096"]
    )
    func makesRSA(_ key: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try job(folder, key: key, first: 1, count: 3).run()
        let file = folder.appending(path: "clients.pem")
        let keys = try PEM.blocks(of: String(contentsOf: file, encoding: .utf8)).filter { $0.label == "PRIVATE KEY" }
        #expect(Set(keys.map(\.octets)).count == 3)
        for key in keys {
            try PEM.text("PRIVATE KEY", key.octets).write(to: file, atomically: true, encoding: .utf8)
            #expect(try said(by: ["openssl", "rsa", "-check", "-noout", "-in", file.path()]) == "RSA key ok\n")
        }
    }

    private func said(by command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let said = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self)
    }

    /// The blocks of `clients.pem`.
    private func octets(first: Int, count: Int) throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try job(folder, key: "ed25519", first: first, count: count).run()
        let text = try String(contentsOf: folder.appending(path: "clients.pem"), encoding: .utf8)
        return try PEM.blocks(of: text).map(\.octets)
    }

    private func job(_ folder: URL, key: String, first: Int, count: Int) -> TestAuthorityJob {
        var job = TestAuthorityJob(
            folder: folder.path(),
            key: key,
            gateway: "gw.example.org",
            identity: "user%05d@example.org",
            clients: count,
            from: "2020-01-01T00:00:00Z",
            until: "2030-01-01T00:00:00Z"
        )
        job.firstClient = first
        job.seed = 1
        return job
    }
}

import Foundation
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("Proofs of a live run before our own responder", .serialized)
struct LiveProofTests {
    private func run(_ parts: LoopbackWorkload) throws -> Measurements {
        let workload = try parts.validated()
        let gateway = try LoopbackGateway(workload)
        let result = try LiveRun(workload, targets: [gateway.target], options: LiveOptions()).run()
        #expect(result.leftBehind == 0)
        return try #require(result.measurements.first)
    }

    private static func parts(_ authentication: String, gateway: String) -> LoopbackWorkload {
        var parts = LoopbackWorkload(count: 20, child: "{ rekey: 1s, over: 20s }")
        parts.authentication = authentication
        parts.gatewayAuthentication = gateway
        return parts
    }

    @Test("a key of each client's own follows from one secret; from another secret nobody's does")
    func derives() throws {
        let measured = try run(Self.parts("{ psk-derived: secret }", gateway: "{ psk-derived: secret }"))
        #expect(measured.counter(.handshakeEstablished).total == 20)
        #expect(measured.counter(.childRekeyEstablished).total >= 20)
        let others = Self.parts("{ psk-derived: another }", gateway: "{ psk-derived: secret }")
        let error = #expect(throws: LiveError.self) { _ = try run(others) }
        let said = error.map { "\($0)" } ?? ""
        #expect(said.contains("it does not know the pre-shared key"), "\(said)")
    }

    @Test("each line of a file is a client's key; who is not in it, or has another key there, is refused")
    func reads() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ikestorm-psk-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ name: String, _ keys: [String]) throws {
            let lines = keys.enumerated().map { index, key in
                "user\(String(repeating: "0", count: index < 9 ? 4 : 3))\(index + 1)@example.org,\(key)"
            }
            try ("identity,psk\n" + lines.joined(separator: "\n") + "\n")
                .write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let keys = (1...20).map { "key-\($0)" }
        try write("all.csv", keys)
        let all = try run(Self.parts("{ psk-file: \(folder)/all.csv }", gateway: "{ psk-file: \(folder)/all.csv }"))
        #expect(all.counter(.handshakeEstablished).total == 20)
        #expect(all.counter(.childRekeyEstablished).total >= 20)
        // The gateway's list has 15, of which the last five are others.
        try write("some.csv", keys.prefix(10) + (11...15).map { "other-\($0)" })
        let some = try run(Self.parts("{ psk-file: \(folder)/all.csv }", gateway: "{ psk-file: \(folder)/some.csv }"))
        #expect(some.counter(.handshakeEstablished).total == 10)
        #expect(
            some.counter(.handshakeFailed).byReason.map { "\($0.name) \($0.count)" } == ["authentication-failed 10"]
        )
    }
}

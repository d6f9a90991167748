import Foundation
import GatewayRig
import Metrics
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("A shared key for each client, with strongSwan", .serialized)
struct SharedKeyTests {
    private static let count = 5

    private static func identity(_ number: Int) -> String { "user-\(number)@example.org" }

    /// The keys of all clients in the form that the gateway and `psk-file` read.
    private static func table(_ key: (String) throws -> String) rethrows -> String {
        try "identity,psk\n" + (1...count).map { "\(identity($0)),\(try key(identity($0)))\n" }.joined()
    }

    private static func workload(_ authentication: String) throws -> Workload {
        var parts = LiveWorkload(count: count, rate: "50/s", duration: "1s")
        parts.authentication = authentication
        let text = parts.text.replacing("user%05d@example.org", with: "user-%d@example.org")
        return try WorkloadFile(text: text, path: "live.yaml").validated()
    }

    private func run(_ workload: Workload, keys file: String) throws -> (Measurements?, log: String) {
        let gateway = try RealGateway.start(knobs: ["KEYS": file])
        let result = try gateway.rig.inside { try LiveRun(workload, options: LiveOptions()).run() }
        #expect(result.leftBehind == 0)
        #expect(try gateway.associations() == [])
        return (result.measurements.first, try gateway.log())
    }

    private func expectAll(_ outcome: (Measurements?, log: String)) {
        #expect(outcome.0?.counter(.handshakeEstablished).total == UInt64(Self.count), "\(outcome.log.suffix(3000))")
        #expect(outcome.0?.counter(.handshakeFailed).byReason == [])
        for number in 1...Self.count {
            let words = "authentication of '\(Self.identity(number))' with pre-shared key successful"
            #expect(outcome.log.contains(words))
        }
    }

    @Test("keys that are derived from identities are those that HMAC-SHA-256 gives")
    func derives() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/keys.csv"
        let text = try Self.table { identity in
            let words = "printf %s \"$1\" | openssl dgst -sha256 -hmac a-secret -r | cut -d ' ' -f 1"
            let key = try Command.output(of: ["bash", "-c", words, "bash", identity])
            return key.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        expectAll(try run(try Self.workload("{ psk-derived: a-secret }"), keys: file))
    }

    @Test("keys of a file get their clients in, and another's key gets nobody in")
    func lists() throws {
        let folder = try TemporaryFolder()
        let (file, other) = (folder.path + "/keys.csv", folder.path + "/other.csv")
        try Self.table { "the key of \($0)" }.write(toFile: file, atomically: true, encoding: .utf8)
        expectAll(try run(try Self.workload("{ psk-file: \(file) }"), keys: file))

        // The second client has the first one's key; the canary is the first.
        let mistaken = Self.table { "the key of \($0 == Self.identity(2) ? Self.identity(1) : $0)" }
        try mistaken.write(toFile: other, atomically: true, encoding: .utf8)
        let (measured, log) = try run(try Self.workload("{ psk-file: \(other) }"), keys: file)
        #expect(measured?.counter(.handshakeEstablished).total == UInt64(Self.count - 1), "\(log.suffix(3000))")
        #expect(measured?.counter(.handshakeFailed).total == 1)
        #expect(log.contains("tried 1 shared key for 'gw.example.org' - 'user-2@example.org', but MAC mismatched"))
    }
}

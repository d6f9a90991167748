import IKEWire
import Primitives
import Results
import Runner
import Testing
import Workload

@Suite("The matrix of a gateway that violates RFC 7296")
struct MatrixViolationTests {
    /// What the gateway does wrong in the IKE SA of one cell, and how it is told.
    struct Violation: Sendable {
        let cell: String
        let words: String
        /// What becomes of a message of the gateway.
        let meddling: @Sendable ([UInt8]) -> [UInt8]?
    }

    private static func exchange(_ message: [UInt8]) -> ExchangeType { ExchangeType(rawValue: message[18]) }

    /// Changes a message of IKE_SA_INIT, which has no protection.
    private static func changing(_ message: [UInt8], _ change: (inout Message) -> Void) -> [UInt8] {
        guard exchange(message) == .ikeSAInit, var decoded = try? Message(decoding: message.rawSpan) else {
            return message
        }
        change(&decoded)
        var writer = ByteWriter()
        decoded.encode(into: &writer)
        return writer.bytes
    }

    /// By the number of the IKE SA. The 0th is the canary's, and the first cell's is left alone; behind six of the
    /// first stage come another canary, three PRFs, ML-KEM in four ways, ESN and the credentials.
    private static let violations: [Int: Violation] = [
        2: Violation(
            cell: "aes256gcm16-prfsha384-ecp256",
            words: "it chose what was not offered, or left a choice open (RFC 7296 section 2.7)"
        ) { message in
            changing(message) { message in
                for index in message.payloads.indices {
                    guard case .securityAssociation(var proposals) = message.payloads[index].content else { continue }
                    for (place, transform) in proposals[0].transforms.enumerated() where transform.type == .encryption {
                        proposals[0].transforms[place] = .encryption(.aesGCM16, keyLength: 192)
                    }
                    message.payloads[index] = Payload(.securityAssociation, .securityAssociation(proposals))
                }
            }
        },
        3: Violation(
            cell: "aes256gcm16-prfsha384-ecp384",
            words: "IKE_SA_INIT was not answered, though sent 3 times (RFC 7296 section 2.1)"
        ) { message in changing(message) { $0.header.messageID = MessageID(rawValue: 1) } },
        4: Violation(
            cell: "aes256gcm16-prfsha384-ecp521",
            words: "its answer to IKE_SA_INIT does not decode, or lacks a payload that the exchange needs (RFC 7296)"
        ) { message in changing(message) { $0.payloads.removeAll { $0.type == .nonce } } },
        5: Violation(
            cell: "aes256gcm16-prfsha384-modp2048",
            words: "IKE_AUTH was not answered, though sent 3 times (RFC 7296 section 2.1)"
        ) { exchange($0) == .ikeAuth ? nil : $0 },
        16: Violation(cell: "Delete", words: "the Delete was not answered (RFC 7296 section 1.4)") {
            exchange($0) == .informational ? nil : $0
        },
    ]

    @Test("is told as broken, in the cells where it does so, with what the RFC says")
    func tells() throws {
        var parts = LoopbackWorkload()
        parts.methods = "x25519-ecp256-ecp384-ecp521-modp2048"
        let workload = try parts.validated()
        let gateway = try LoopbackGateway(workload)
        let relay = try MeddlingRelay(before: gateway.target) { message, number in
            Self.violations[number].map { $0.meddling(message) } ?? message
        }
        var run = MatrixRun(workload, target: relay.target, options: LiveOptions())
        run.pace = MatrixPace(perSecond: 20)
        run.keyExchanges = ["x25519", "ecp256", "ecp384", "ecp521", "modp2048"]
        run.ciphers = MatrixCipher.all.filter { $0.child == "aes256gcm16" }
        run.features = [.delete]
        let report = try run.run()
        let broken = report.results.filter { $0.verdict.kind == .broken }
        let expected = Self.violations.sorted { $0.key < $1.key }.map(\.value)
        #expect(broken.map(\.cell.name) == expected.map(\.cell), "\(broken.map(\.verdict))")
        #expect(broken.map(\.verdict) == expected.map { .broken($0.words) })
        #expect(report.results.first?.verdict == .works)
        #expect(report.exitCode == .regression)
        // The one whose Delete has no answer, and the one that has an IKE SA since IKE_AUTH which its client never saw.
        #expect(report.leftBehind <= 2)
        withExtendedLifetime((gateway, relay)) {}
    }
}

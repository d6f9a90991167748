import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

/// REDIRECT (RFC 5685) and certificates by URL (RFC 7296 section 3.6), which nobody here has asked for.
@Suite("An initiator that is sent to another address")
struct RedirectionTests {
    private static let elsewhere: [UInt8] = [203, 0, 113, 9]

    /// New Responder Identity of the type IPv4, and the nonce that proves it to be an answer (RFC 5685 section 8.2).
    private static let redirect: [UInt8] = [1, 4] + elsewhere + [UInt8](repeating: 0x4E, count: 32)

    /// A CERT payload's body: Hash and URL of X.509 certificate, the SHA-1 of it, and where it is.
    private static let lookedUp: [UInt8] =
        [12] + [UInt8](repeating: 0x5A, count: 20) + Array("http://203.0.113.9/gateway.der".utf8)

    struct Answer: CustomTestStringConvertible {
        let name: String
        var operation = IKEv2.Operation.ikeAuth
        var proof = TestProof.sharedKey
        /// Whether the gateway has an inner address, and so a Child SA, for the initiator.
        var hasLease = true
        let change: @Sendable (inout ForgedPayloads) -> Void
        /// What the initiator sends from then on, and what it is answered.
        let story: String
        let initiator: [CloseReason]
        let responder: [CloseReason]
        var testDescription: String { name }
    }

    private static let refusal = "--> HDR, SK {N(AUTHENTICATION_FAILED)}\n<-- HDR, SK {}"

    @Test(
        "goes nowhere, and takes what else it was told for what it is",
        arguments: [
            Answer(
                name: "by REDIRECT in place of the answer to IKE_SA_INIT (RFC 5685 section 4)",
                operation: .ikeSAInit,
                change: { payloads in
                    payloads = ForgedPayloads()
                    payloads.appendNotify(.redirect, redirect)
                },
                story: "",
                initiator: [.malformedAnswer],
                responder: [.halfOpenExpired]
            ),
            Answer(
                name: "by REDIRECT beside the answer to IKE_SA_INIT, of which AUTH says that it is not the gateway's",
                operation: .ikeSAInit,
                change: { $0.appendNotify(.redirect, redirect) },
                story: """
                    --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                    <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                    \(refusal)
                    """,
                initiator: [.authenticationFailed],
                responder: [.authenticationFailed]
            ),
            Answer(
                name: "by REDIRECT beside the Child SA of IKE_AUTH",
                change: { $0.appendNotify(.redirect, redirect) },
                story: "",
                initiator: [],
                responder: []
            ),
            Answer(
                name: "by REDIRECT in place of the Child SA of IKE_AUTH (RFC 5685 section 6)",
                hasLease: false,
                change: { payloads in
                    payloads.removing(.notify)
                    payloads.appendNotify(.redirect, redirect)
                },
                story: "",
                initiator: [],
                responder: []
            ),
            Answer(
                name: "by a certificate that is to be looked up there",
                proof: .signature(.ecdsa256),
                change: { $0.replacing(.certificate) { $0 = lookedUp } },
                story: refusal,
                initiator: [.untrustedCertificate],
                responder: [.authenticationFailed]
            ),
        ]
    )
    func staysWithItsGateway(_ answer: Answer) {
        let proof = answer.proof
        tell(initiator: .client(by: proof, to: proof), responder: .gateway(by: proof, to: proof)) { network in
            if !answer.hasLease { network.lease = InnerAddresses() }
            network.fate = { $0.note.operation == answer.operation && $0.note.isResponse ? .isHeld : .arrives }
            network.run(for: .milliseconds(100))
            let held = network.held.removeFirst()
            network.fate = { _ in .arrives }
            #expect(!network.story.contains { $0.contains("REDIRECT") || $0.contains("HTTP_CERT") })
            network.forgetStory()
            let forged =
                answer.operation == .ikeSAInit
                ? Self.changed(held.message, answer.change) : network.resealed(held.message, answer.change)
            network.receive(forged, over: held.path, at: .initiator)
            network.run(for: .minutes(2))
            expectStory(network, answer.story)
            #expect(network.ends(.initiator) == answer.initiator)
            #expect(network.ends(.responder) == answer.responder)
            if answer.initiator.isEmpty {
                #expect(network.situation(of: .initiator) == "established")
                #expect(network.children(of: .initiator).count == (answer.hasLease ? 1 : 0))
            }
            let sent = network.wire.filter { $0.from == .initiator }
            #expect(sent.allSatisfy { $0.path.local.address == UDPEndpoint.gateway.address })
        }
    }

    /// A message in the clear with other payloads.
    private static func changed(_ message: [UInt8], _ change: (inout ForgedPayloads) -> Void) -> [UInt8] {
        guard let header = try? MessageDecoder(message.rawSpan).header else {
            preconditionFailure("what an end has sent has a header")
        }
        let range = Header.byteCount..<message.count
        var payloads = ForgedPayloads(KeyRing.Content(octets: message, first: header.nextPayload, range: range))
        change(&payloads)
        var writer = ByteWriter()
        var encoder = MessageEncoder(header, into: &writer)
        for payload in payloads.payloads {
            encoder.payload(payload.type, isCritical: payload.isCritical, payload.body.rawSpan)
        }
        encoder.finish(into: &writer)
        return writer.bytes
    }
}

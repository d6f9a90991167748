import Foundation
import IKECrypto
import Primitives
import RADIUS
import Testing

/// The octets of a hexadecimal text; white space does not count.
func hex(_ text: some StringProtocol) -> [UInt8] { try! Hexadecimal.decode(text) }

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

func cryptography() throws -> Cryptography {
    let seed = [UInt8](repeating: 1, count: 32)
    return try Cryptography(backend: .openSSL, seed: seed.rawSpan)
}

/// One conversation with a real FreeRADIUS, whose secret is `test-only`.
struct RecordedConversation: CustomTestStringConvertible, Sendable {
    let name: String
    /// Requests at even places, the answer to each behind it.
    var datagrams: [[UInt8]] = []
    /// The key that the peer had in the end.
    var key: [UInt8] = []

    static let secret = utf8("test-only")

    var testDescription: String { name }

    static let all: [RecordedConversation] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/freeradius.txt").path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            preconditionFailure("the vectors stand beside the tests: \(path)")
        }
        var conversations: [RecordedConversation] = []
        for line in text.split(separator: "\n") {
            let rest = line.dropFirst(2)
            switch line.first {
            case "#": conversations.append(RecordedConversation(name: String(rest)))
            case "=": conversations[conversations.count - 1].key = hex(rest)
            default: conversations[conversations.count - 1].datagrams.append(hex(rest))
            }
        }
        return conversations
    }()
}

/// A server as it should be, and as it should not.
struct ServerDouble {
    var secret = utf8("secret")
    var code = RADIUSCode.accessAccept
    var state: [UInt8]?
    var eapMessage: [UInt8] = [3, 1, 0, 4]
    var hasMessageAuthenticator = true

    func answer(to request: [UInt8]) throws -> [UInt8] {
        let crypto = try cryptography()
        let authenticator = Array(request[4..<20])
        var writer = ByteWriter()
        writer.writeInteger(code.rawValue)
        writer.writeInteger(request[1])
        writer.writeInteger(UInt16(0))
        writer.write(authenticator)
        if hasMessageAuthenticator { writer.attribute(.messageAuthenticator, [UInt8](repeating: 0, count: 16)) }
        if let state { writer.attribute(.state, state) }
        writer.eapMessage(eapMessage)
        writer.patch(UInt16(writer.count), at: 2)
        if hasMessageAuthenticator {
            crypto.hmacMD5(key: secret.rawSpan, writer.span).withBytes { writer.patch($0, at: 22) }
        }
        crypto.md5(writer.span, secret.rawSpan).withBytes { writer.patch($0, at: 4) }
        return writer.bytes
    }
}

/// A client in virtual time.
final class ClientUnderTest {
    static let first = UDPEndpoint(address: IPAddress(v4: 0xC000_0201), port: 1812)
    static let second = UDPEndpoint(address: IPAddress(v4: 0xC000_0202), port: 1812)
    static let port: UInt16 = 40_000

    var client: RADIUSClient
    var output = RADIUSOutput()
    let crypto: Cryptography
    var now = Instant.zero

    init(
        servers: [UDPEndpoint] = [ClientUnderTest.first, ClientUnderTest.second],
        ports: [UInt16] = [ClientUnderTest.port],
        waits: [Duration] = [.seconds(1), .seconds(2)],
        giveUpAfter: Duration = .seconds(30)
    ) throws {
        client = RADIUSClient(
            RADIUSClientSettings(
                servers: servers.map { RADIUSServer(endpoint: $0, secret: utf8("secret")) },
                nas: NASIdentification(identifier: utf8("gw"), address: IPAddress(v4: 0x0A00_0001)),
                sourcePorts: ports,
                waits: waits,
                giveUpAfter: giveUpAfter,
                deadTime: .seconds(60)
            ),
            stream: KeyMaterialStream(entity: 5)
        )
        crypto = try cryptography()
    }

    var deadline: Instant { client.deadline }
    var inFlightCount: Int { client.inFlightCount }
    var counters: RADIUSCounters { client.counters }

    /// Sends a request; the datagram that it became, or nil when it was refused.
    func send(
        _ request: AccessRequest = AccessRequest(userName: utf8("user"), eapMessage: [2, 0, 0, 5, 1]),
        owner: UInt64 = 1
    ) -> RADIUSOutput.Datagram? {
        output.removeAll()
        let refusal = client.send(request, owner: owner, at: now, cryptography: crypto, into: &output)
        return refusal == nil ? output.datagrams.last : nil
    }

    /// What the client makes of a datagram: the verdict, or why it was dropped.
    func receive(
        _ datagram: [UInt8],
        from server: UDPEndpoint = ClientUnderTest.first,
        on port: UInt16 = ClientUnderTest.port
    ) -> Result<RADIUSAnswer.Verdict, Drop> {
        switch client.receive(datagram.rawSpan, from: server, on: port, at: now, cryptography: crypto) {
        case .answer(let answer): .success(answer.verdict)
        case .dropped(let reason): .failure(Drop(reason: reason))
        }
    }

    /// Goes to the next deadline; what happened there.
    func step() -> String {
        now = client.deadline
        output.removeAll()
        client.advance(to: now, cryptography: crypto, into: &output)
        let sendings = output.datagrams.map { "\(now) to \($0.server)" }
        let failures = output.failures.map { "\(now) \($0.reason)" }
        return (sendings + failures).joined(separator: ", ")
    }
}

struct Drop: Error, Equatable { let reason: RADIUSDropReason }

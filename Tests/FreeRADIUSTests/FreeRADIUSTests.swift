import EAP
import Foundation
import GatewayRig
import IKECrypto
import Primitives
import RADIUS
import Testing

@Suite("FreeRADIUS, our RADIUS client and our EAP peer")
struct FreeRADIUSTests {
    /// A method that the server begins with, and the peer's credential for it.
    struct Method: Sendable, CustomTestStringConvertible {
        let name: String
        let credential: @Sendable ([UInt8]) -> EAPCredential
        /// What the peer learns when the password is wrong.
        let failure: EAPFailure

        var testDescription: String { name }
    }

    static let methods = [
        Method(name: "md5", credential: { .md5Challenge(password: $0) }, failure: .rejected),
        Method(name: "gtc", credential: { .gtc(password: $0) }, failure: .rejected),
        Method(name: "mschapv2", credential: { .mschapv2(password: $0) }, failure: .mschapv2(error: 691)),
    ]

    @Test("let in who knows the password, with the peer's key in the MS-MPPE keys", arguments: methods)
    func accepts(_ method: Method) throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": method.name])
        var carrier = try Carrier(to: [server.port])
        let credential = method.credential(utf8("test-only"))
        let access = try carrier.authenticate([credential])
        #expect(access.verdict == .accept)
        #expect(access.method == credential.type)
        #expect(access.peerKey.count == (credential.type.derivesKey ? 64 : 0))
        #expect(access.peerKey == access.serverKey)
        #expect(carrier.counters.forged == 0 && carrier.counters.malformed == 0)
    }

    @Test("turn away who does not", arguments: methods)
    func rejects(_ method: Method) throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": method.name])
        var carrier = try Carrier(to: [server.port])
        let access = try carrier.authenticate([method.credential(utf8("wrong"))])
        #expect(access.verdict == .reject)
        #expect(access.failure == method.failure)
        #expect(carrier.counters.rejects == 1)
    }

    @Test("come to another method than the one that the server begins with")
    func negotiates() throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": "tls"])
        var carrier = try Carrier(to: [server.port])
        let access = try carrier.authenticate([.mschapv2(password: utf8("test-only"))])
        #expect(access.verdict == .accept)
        #expect(access.method == .mschapv2)
        #expect(access.peerKey == access.serverKey)
    }

    @Test("authenticate both ends by certificate, with the peer's key in the MS-MPPE keys", arguments: ["1.2", "1.3"])
    func acceptsCertificates(version: String) throws {
        let server = try RealRADIUSServer(
            knobs: ["DEFAULT_METHOD": "tls", "TLS_MAXIMUM": version, "FRAGMENT_SIZE": "400"]
        )
        var carrier = try Carrier(to: [server.port])
        let access = try carrier.authenticate([.tls(try client(of: server))], unixTime: now)
        #expect(access.verdict == .accept)
        #expect(access.method == .tls)
        #expect(access.peerKey.count == 64)
        #expect(access.peerKey == access.serverKey)
    }

    @Test("part when the server's certificate has another name", arguments: ["1.2", "1.3"])
    func refusesName(version: String) throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": "tls", "TLS_MAXIMUM": version])
        var carrier = try Carrier(to: [server.port])
        let access = try carrier.authenticate([.tls(try client(of: server, named: "other.example.org"))], unixTime: now)
        #expect(access.verdict == .reject)
        #expect(access.failure == .tls(.certificateName))
    }

    @Test("turn to the next server when the first is silent, and go on with it")
    func failsOver() throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": "mschapv2"])
        let silent = try LoopbackSocket()
        let waits: [Duration] = [.milliseconds(100), .milliseconds(200)]
        var carrier = try Carrier(to: [silent.port, server.port], waits: waits)
        let access = try carrier.authenticate([.mschapv2(password: utf8("test-only"))])
        #expect(access.verdict == .accept)
        #expect(access.peerKey == access.serverKey)
        #expect(carrier.counters.failovers == 1)
        #expect(carrier.counters.retransmissions == 1)
        let first = try #require(try silent.receive(atMost: 0))
        let second = try #require(try silent.receive(atMost: 0))
        #expect(first.octets == second.octets)
    }

    @Test("come to the same end when the first answer to every request is lost")
    func retransmits() throws {
        let server = try RealRADIUSServer(knobs: ["DEFAULT_METHOD": "mschapv2"])
        let waits: [Duration] = [.milliseconds(500), .seconds(5)]
        var carrier = try Carrier(to: [server.port], waits: waits, losesFirstAnswers: true)
        let access = try carrier.authenticate([.mschapv2(password: utf8("test-only"))])
        #expect(access.verdict == .accept)
        #expect(access.peerKey == access.serverKey)
        #expect(carrier.counters.retransmissions == carrier.counters.requests)
        #expect(carrier.counters.requests == 3)
    }

    @Test("get no answer when both do not share a secret")
    func wrongSecret() throws {
        let server = try RealRADIUSServer()
        let waits: [Duration] = [.milliseconds(100), .milliseconds(100)]
        var carrier = try Carrier(to: [server.port], secret: "another", waits: waits)
        let access = try carrier.authenticate([.md5Challenge(password: utf8("test-only"))])
        #expect(access.timeouts == 1)
        #expect(access.verdict == nil)
    }

    private func client(
        of server: RealRADIUSServer,
        named name: String = "radius.example.org"
    ) throws -> TLSConfiguration {
        try TLSConfiguration(
            role: .client,
            chain: try server.file("client.pem"),
            key: try server.file("client.key"),
            trustAnchors: try server.file("ca.pem"),
            peerName: name
        )
    }

    private var now: Int64 { Int64(Date().timeIntervalSince1970) }
}

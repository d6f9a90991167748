import EAP
import IKECrypto
import Primitives
import Testing

@Suite("EAP-TLS")
struct TLSTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let key: String
        let versions: ClosedRange<TLSVersion>
        let fragmentByteCount: Int

        var testDescription: String { "\(key), \(versions), fragments of \(fragmentByteCount)" }
    }

    static let kinds = ["ec", "rsa"].flatMap { key in
        [TLSVersion.tls12, .tls13].flatMap { version in
            [100, 1024, 4000].map { Kind(key: key, versions: version...version, fragmentByteCount: $0) }
        }
    }

    private func conversation(
        _ kind: Kind,
        seed: UInt8 = 0,
        client: TLSConfiguration? = nil,
        server: TLSConfiguration? = nil,
        unixTime: Int64 = Conversation.moment
    ) throws -> Conversation {
        try Conversation(
            [.tls(try client ?? tls(.client, kind.key, versions: kind.versions))],
            [.tls(try server ?? tls(.server, kind.key, versions: kind.versions))],
            fragmentByteCount: kind.fragmentByteCount,
            seed: seed,
            unixTime: unixTime
        )
    }

    @Test("authenticates both ends by certificate and gives both the same key", arguments: kinds)
    func succeeds(_ kind: Kind) throws {
        var talk = try conversation(kind)
        talk.run()
        guard case .succeeded(.tls, let msk) = talk.peerEnding else {
            Issue.record("the peer has not succeeded: \(talk.peerEnding), \(talk.authenticatorEnding)")
            return
        }
        #expect(msk.count == 64 && msk.contains { $0 != 0 })
        #expect(talk.authenticatorEnding == talk.peerEnding)
        let longest = talk.packets.map(\.count).max() ?? 0
        #expect(longest <= kind.fragmentByteCount + 10)
    }

    @Test("is the same octets for the same seed, whatever the keys were used for before", arguments: kinds)
    func repeats(_ kind: Kind) throws {
        let client = try tls(.client, kind.key, versions: kind.versions)
        let server = try tls(.server, kind.key, versions: kind.versions)
        var first = try conversation(kind, seed: 9, client: client, server: server)
        first.run()
        // RSA blinding is made anew after 32 signatures.
        for seed: UInt8 in 10..<45 where kind.fragmentByteCount == 4000 {
            var other = try conversation(kind, seed: seed, client: client, server: server)
            other.run()
            let differs = other.packets != first.packets
            #expect(differs)
        }
        var again = try conversation(kind, seed: 9, client: client, server: server)
        again.run()
        let isSame = again.packets == first.packets
        #expect(isSame)
        #expect(again.peerEnding == first.peerEnding)
    }

    @Test("is the same octets on several threads at once", arguments: ["ec", "rsa"])
    func threads(key: String) async throws {
        let kind = Kind(key: key, versions: .tls13...(.tls13), fragmentByteCount: 1024)
        let client = try tls(.client, key, versions: kind.versions)
        let server = try tls(.server, key, versions: kind.versions)
        let seeds: [UInt8] = Array(0..<24)
        var alone: [[[UInt8]]] = []
        for seed in seeds {
            var talk = try conversation(kind, seed: seed, client: client, server: server)
            talk.run()
            alone.append(talk.packets)
        }
        let together = try await withThrowingTaskGroup(of: (UInt8, [[UInt8]]).self) { group in
            for seed in seeds {
                group.addTask {
                    var talk = try conversation(kind, seed: seed, client: client, server: server)
                    talk.run()
                    return (seed, talk.packets)
                }
            }
            return try await group.reduce(into: alone.map { _ in [] }) { $0[Int($1.0)] = $1.1 }
        }
        let isSame = together == alone
        #expect(isSame)
    }

    /// Who is refused, by whom, and what each end says.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let claim: String
        var clientTrusts = "ca"
        var serverTrusts = "ca"
        var peerName = "gw.example.org"
        var unixTime = Conversation.moment
        let peer: EAPFailure
        let authenticator: EAPFailure

        var testDescription: String { claim }
    }

    static let refusals = [
        Refusal(
            claim: "a server of an unknown CA",
            clientTrusts: "stranger",
            peer: .tls(.certificateUntrusted),
            authenticator: .tls(.alert(48))
        ),
        Refusal(
            claim: "a client of an unknown CA",
            serverTrusts: "stranger",
            peer: .tls(.alert(48)),
            authenticator: .tls(.certificateUntrusted)
        ),
        Refusal(
            claim: "a server with another name",
            peerName: "other.example.org",
            peer: .tls(.certificateName),
            authenticator: .tls(.alert(42))
        ),
        Refusal(
            claim: "a server whose certificate has expired",
            unixTime: 2_400_000_000,
            peer: .tls(.certificateExpired),
            authenticator: .tls(.alert(45))
        ),
        Refusal(
            claim: "a server whose certificate is not valid yet",
            unixTime: 1_600_000_000,
            peer: .tls(.certificateExpired),
            authenticator: .tls(.alert(42))
        ),
    ]

    @Test("refuses", arguments: refusals, [TLSVersion.tls12, .tls13])
    func refuses(_ refusal: Refusal, version: TLSVersion) throws {
        let kind = Kind(key: "ec", versions: version...version, fragmentByteCount: 1024)
        var talk = try conversation(
            kind,
            client: try tls(
                .client,
                trusting: refusal.clientTrusts,
                peerName: refusal.peerName,
                versions: kind.versions
            ),
            server: try tls(.server, trusting: refusal.serverTrusts, versions: kind.versions),
            unixTime: refusal.unixTime
        )
        talk.run()
        #expect(talk.peerEnding == .failed(refusal.peer))
        #expect(talk.authenticatorEnding == .failed(refusal.authenticator))
        #expect(talk.story.hasSuffix("<- failure"))
    }

    @Test("takes a server that does not know RFC 5746, since nobody renegotiates")
    func toleratesPlainServers() throws {
        let kind = Kind(key: "ec", versions: .tls12...(.tls12), fragmentByteCount: 1024)
        var talk = try conversation(kind)
        let question = talk.begin()
        let identity = talk.toPeer(question).answer
        let start = talk.toAuthenticator(identity).request
        let hello = talk.toPeer(start).answer
        // ServerHello: TLS 1.2, no session, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no compression, no extensions.
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x2B, 0]
        let handshake = [2, 0, 0, UInt8(body.count)] + body
        let record = [22, 3, 3, 0, UInt8(handshake.count)] + handshake
        let answer = talk.toPeer([1, hello[1] &+ 1, 0, UInt8(6 + record.count), 13, 0] + record).answer
        // It waits for the certificate, and sends no alert.
        #expect(answer == [2, hello[1] &+ 1, 0, 6, 13, 0])
    }

    @Test("fails where the versions do not meet")
    func versions() throws {
        var talk = try conversation(
            Kind(key: "ec", versions: .tls12...(.tls13), fragmentByteCount: 1024),
            client: try tls(.client, versions: .tls12...(.tls12)),
            server: try tls(.server, versions: .tls13...(.tls13))
        )
        talk.run()
        #expect(talk.authenticatorEnding == .failed(.tls(.handshakeFailed)))
        #expect(talk.peerEnding == .failed(.tls(.alert(70))))
    }

    @Test("tells what is wrong with its files")
    func files() throws {
        let certificate = try vector("client-ec.pem")
        let key = try vector("client-ec.key")
        let wrongKey = try vector("client-rsa.key")
        let anchor = try vector("ca.pem")
        func failure(_ chain: [UInt8], _ key: [UInt8], _ anchor: [UInt8]) -> TLSConfigurationError? {
            do throws(TLSConfigurationError) {
                _ = try TLSConfiguration(role: .client, chain: chain, key: key, trustAnchors: anchor)
                return nil
            } catch {
                return error
            }
        }
        #expect(failure(certificate, key, anchor) == nil)
        #expect(failure(key, key, anchor) == .unreadableCertificate)
        #expect(failure(certificate, [], anchor) == .unreadableKey)
        #expect(failure(certificate, wrongKey, anchor) == .unreadableKey)
        #expect(failure(certificate, key, []) == .unreadableTrustAnchor)
    }
}

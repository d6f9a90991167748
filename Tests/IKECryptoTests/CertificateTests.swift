import IKECrypto
import Primitives
import Testing

@Suite("Certificates")
struct CertificateTests {
    static let message = Array("what is signed".utf8)

    /// Signs with a credential and checks it with what the peer sent along.
    private func proof(
        _ credential: Credential,
        sending certificates: [[UInt8]]? = nil,
        to anchors: TrustAnchors,
        at time: Int64 = Authority.now,
        as identification: [UInt8] = mailbox("user@example.org"),
        _ backend: CryptoBackend = .openSSL
    ) throws -> PeerProof? {
        let crypto = try Worker(backend)
        let signature = try #require(crypto.sign(credential, SignatureScheme.standard, Self.message))
        let data = SignatureData(signature.scheme, signature: signature.octets)
        let sent = certificates ?? credential.certificates
        return crypto.verify(data, over: Self.message, sent, anchors, at: time, as: identification)
    }

    @Test("a chain over two intermediates is believed, in any order behind its owner's, and not without one of them")
    func chain() throws {
        let root = try Authority(name: "root")
        let middle = try Authority(.ecdsa384, name: "middle", by: root)
        let issuing = try Authority(.ed25519, name: "issuing", by: middle)
        let credential = try issuing.credential(.ecdsa256, chain: [issuing, middle])
        let anchors = try root.anchors
        let sent = credential.certificates
        #expect(try proof(credential, to: anchors) == .genuine)
        #expect(try proof(credential, sending: [sent[0], sent[2], sent[1]], to: anchors) == .genuine)
        #expect(try proof(credential, sending: [sent[0], sent[1]], to: anchors) == .untrusted)
        #expect(try proof(credential, sending: [sent[0]], to: anchors) == .untrusted)
        #expect(try proof(credential, sending: [], to: anchors) == .untrusted)
        #expect(try proof(credential, sending: [[0x30, 0x00]], to: anchors) == .untrusted)
    }

    @Test("an authority that is not ours vouches for nobody, though it has the same name")
    func untrusted() throws {
        let (ours, theirs) = (try Authority(name: "ca"), try Authority(.ecdsa384, name: "ca"))
        let credential = try theirs.credential(.ecdsa256)
        #expect(try proof(credential, to: theirs.anchors) == .genuine)
        #expect(try proof(credential, to: ours.anchors) == .untrusted)
    }

    @Test("an authority's own certificate signs nothing else")
    func authority() throws {
        let root = try Authority(name: "root")
        let credential = Credential(
            privateKey: root.certificate.privateKey,
            certificates: [root.certificate.octets]
        )
        #expect(try proof(credential, to: root.anchors) == .untrusted)
    }

    @Test("a certificate is believed from its first second to its last", arguments: [CryptoBackend.openSSL, .modelled])
    func validity(_ backend: CryptoBackend) throws {
        let authority = try Authority()
        let credential = try authority.credential(.ecdsa256, validity: 1_750_000_000...1_850_000_000)
        let anchors = try authority.anchors
        for (time, expected) in [
            (1_749_999_999, PeerProof.expired), (1_750_000_000, .genuine), (1_850_000_000, .genuine),
            (1_850_000_001, .expired),
        ] {
            #expect(try proof(credential, to: anchors, at: Int64(time), backend) == expected, "at \(time)")
        }
    }

    @Test("a chain is valid as long as each of its certificates is")
    func validityOfChain() throws {
        let root = try Authority(name: "root")
        let credential = try root.credential(.ecdsa256, validity: 1_500_000_000...3_000_000_000)
        #expect(try proof(credential, to: root.anchors, at: Authority.validity.upperBound) == .genuine)
        #expect(try proof(credential, to: root.anchors, at: Authority.validity.upperBound + 1) == .expired)
    }

    @Test(
        "an identity is that of the certificate when one of its alternative names is",
        arguments: [
            Name("email:user@example.org", mailbox("user@example.org"), true),
            Name("email:user@example.org", mailbox("other@example.org"), false),
            Name("email:user@example.org", [2, 0, 0, 0] + Array("user@example.org".utf8), false),
            Name("DNS:gw.example.org", [2, 0, 0, 0] + Array("gw.example.org".utf8), true),
            Name("DNS:gw.example.org", [2, 0, 0, 0] + Array("GW.example.org".utf8), true),
            Name("DNS:gw.example.org", [2, 0, 0, 0] + Array("example.org".utf8), false),
            Name("DNS:*.example.org", [2, 0, 0, 0] + Array("gw.example.org".utf8), false),
            Name("IP:192.0.2.7", [1, 0, 0, 0, 192, 0, 2, 7], true),
            Name("IP:192.0.2.7", [1, 0, 0, 0, 192, 0, 2, 8], false),
            Name(
                "IP:2001:db8::7",
                [5, 0, 0, 0, 0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7],
                true
            ),
            Name(nil, [2, 0, 0, 0] + Array("user".utf8), false),
            Name("email:user@example.org", [11, 0, 0, 0] + Array("user@example.org".utf8), false),
            Name("email:user@example.org", [3, 0, 0, 0], false),
            Name("email:user@example.org", [], false),
        ]
    )
    func names(_ name: Name) throws {
        let authority = try Authority()
        let credential = try authority.credential(.ed25519, alternativeName: name.alternative)
        let proof = try proof(credential, to: authority.anchors, as: name.identification)
        #expect(proof == (name.isTheirs ? .genuine : .wrongName))
    }

    @Test("a distinguished name is the certificate's subject, whole")
    func distinguishedName() throws {
        let authority = try Authority()
        let credential = try authority.credential(.ed25519)
        let subject = try credential.subject()
        #expect(try proof(credential, to: authority.anchors, as: [9, 0, 0, 0] + subject) == .genuine)
        var other = subject
        other[other.count - 1] ^= 1
        #expect(try proof(credential, to: authority.anchors, as: [9, 0, 0, 0] + other) == .wrongName)
        #expect(try proof(credential, to: authority.anchors, as: [9, 0, 0, 0] + subject + [0]) == .wrongName)
        #expect(try proof(credential, to: authority.anchors, as: [9, 0, 0, 0] + subject.dropLast()) == .wrongName)
    }

    @Test("a key makes its own kind of signature alone")
    func otherKey() throws {
        let authority = try Authority()
        let (one, other) = (try authority.credential(.ecdsa256), try authority.credential(.ed25519))
        for backend in [CryptoBackend.openSSL, .modelled] {
            let proof = try proof(one, sending: other.certificates, to: authority.anchors, backend)
            #expect(proof == .notAuthentic)
        }
    }

    @Test("a worker that has seen other chains since judges one as before")
    func crowded() throws {
        let crypto = try Worker()
        let authority = try Authority()
        let anchors = try authority.anchors
        var credentials: [Credential] = []
        for number in 0..<300 {
            let terms = CertificateTerms(
                organization: "test",
                commonName: "user",
                alternativeName: "email:user@example.org",
                validity: Authority.validity,
                serial: UInt64(number)
            )
            let issued = try IssuedCertificate(
                terms,
                key: .ed25519,
                by: authority.certificate,
                seed: [UInt8(number & 255), 1]
            )
            credentials.append(Credential(privateKey: issued.privateKey, certificates: [issued.octets]))
        }
        for _ in 0..<2 {
            for credential in credentials {
                let signature = try #require(crypto.sign(credential, [.ed25519], Self.message))
                let data = SignatureData(.ed25519, signature: signature.octets)
                #expect(crypto.verify(data, over: Self.message, credential.certificates, anchors) == .genuine)
            }
        }
    }

    @Test("a chain or a signature with any octet changed or cut off is judged, and never believed by mistake")
    func mutations() throws {
        let worker = try Worker()
        let authority = try Authority()
        let anchors = try authority.anchors
        let credential = try authority.credential(.ecdsa256)
        let signature = try #require(worker.sign(credential, [.ecdsaSHA256], Self.message))
        let data = SignatureData(.ecdsaSHA256, signature: signature.octets)
        let certificate = credential.certificates[0]
        for place in certificate.indices {
            var changed = certificate
            changed[place] ^= UInt8(1 << (place % 8))
            let proofs = [changed, Array(certificate[..<place])].map {
                worker.verify(data, over: Self.message, [$0], anchors)
            }
            #expect(!proofs.contains(.genuine), "octet \(place)")
        }
        for place in data.octets.indices {
            var changed = data.octets
            changed[place] ^= UInt8(1 << (place % 8))
            let read = SignatureData(method: 14, changed.rawSpan)
            let proof = read.flatMap { worker.verify($0, over: Self.message, [certificate], anchors) }
            #expect(proof == nil || proof == .notAuthentic, "octet \(place)")
        }
    }

    @Test(
        "the same seed issues the same certificate, for every kind of key",
        arguments: [NewKey.rsa2048, .ecdsa521, .ed25519]
    )
    func issuing(_ key: NewKey) throws {
        let (one, other) = (try Authority(key).certificate, try Authority(key).certificate)
        #expect(one.octets == other.octets)
        #expect(one.privateKey == other.privateKey)
        #expect(try Authority(key, name: "else").certificate.privateKey != one.privateKey)
    }
}

/// An alternative name of a certificate, and an identity that a peer may claim with it.
struct Name: CustomTestStringConvertible, Sendable {
    let alternative: String?
    let identification: [UInt8]
    let isTheirs: Bool

    init(_ alternative: String?, _ identification: [UInt8], _ isTheirs: Bool) {
        self.alternative = alternative
        self.identification = identification
        self.isTheirs = isTheirs
    }

    var testDescription: String {
        "\(alternative ?? "none"), type \(identification.first ?? 0), \(isTheirs ? "theirs" : "not theirs")"
    }
}

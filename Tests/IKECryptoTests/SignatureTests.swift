import IKECrypto
import Primitives
import Testing

@Suite("Signatures")
struct SignatureTests {
    static let message = Array("HDR, SAi1, KEi, Ni | Nr | MACedIDForI".utf8)

    @Test("published signatures are genuine, and none of them is with an octet changed", arguments: SignatureVector.all)
    func published(_ vector: SignatureVector) throws {
        let crypto = try Worker()
        let anchors = try TrustAnchors(vector.credential.certificates)
        func check(_ signature: [UInt8], _ message: [UInt8]) -> PeerProof? {
            let data = SignatureData(vector.scheme, signature: signature)
            return crypto.verify(
                data,
                over: message,
                vector.credential.certificates,
                anchors,
                at: 2_000_000_000,
                as: mailbox("sample@example.org")
            )
        }
        #expect(check(vector.signature, vector.message) == .genuine)
        #expect(check(vector.signature, vector.message + [0]) == .notAuthentic)
        for place in stride(from: 0, to: vector.signature.count, by: 7) {
            var changed = vector.signature
            changed[place] ^= 1
            #expect(check(changed, vector.message) == .notAuthentic, "octet \(place)")
        }
    }

    @Test(
        "signatures without chance come out as published",
        arguments: SignatureVector.all.filter { "\($0.scheme)".contains("PKCS1") || $0.scheme == .ed25519 }
    )
    func exact(_ vector: SignatureVector) throws {
        let worker = try Worker()
        let signature = try #require(
            worker.sign(vector.credential, [vector.scheme], vector.message)
        )
        #expect(signature.octets == vector.signature)
        #expect(signature.missingByteCount == 0)
    }

    @Test("every scheme signs and verifies with every key that it fits", arguments: [CryptoBackend.openSSL, .modelled])
    func everyScheme(_ backend: CryptoBackend) throws {
        let crypto = try Worker(backend)
        let authority = try Authority()
        let anchors = try authority.anchors
        var count = 0
        for key in NewKey.allCases where key != .rsa4096 {
            let credential = try authority.credential(key)
            try credential.validate()
            for scheme in SignatureScheme.allCases {
                guard let signature = crypto.sign(credential, [scheme], Self.message) else { continue }
                count += 1
                let data = SignatureData(scheme, signature: signature.octets)
                let read = SignatureData(method: scheme.method, data.octets.rawSpan)
                #expect(read == data)
                let proof = crypto.verify(data, over: Self.message, credential.certificates, anchors)
                #expect(proof == .genuine, "\(scheme) with \(key)")
                let other = crypto.verify(data, over: [1] + Self.message, credential.certificates, anchors)
                #expect(other == .notAuthentic, "\(scheme) with \(key)")
            }
        }
        // RSA of two lengths has 7 schemes; three curves have 4 each; Ed25519 is its own.
        #expect(count == 2 * 7 + 3 * 4 + 1)
    }

    @Test(
        "a request gives the same octets again, and others with other randomness",
        arguments: [NewKey.rsa2048, .ecdsa256]
    )
    func repeatable(_ key: NewKey) throws {
        let credential = try Authority().credential(key)
        let schemes: [SignatureScheme] = key == .rsa2048 ? [.rsaPSSSHA256] : [.ecdsaSHA256]
        let first = try Worker().sign(credential, schemes, Self.message)
        let crypto = try Worker()
        _ = crypto.sign(credential, schemes, [1, 2, 3], randomness: 9)
        #expect(crypto.sign(credential, schemes, Self.message) == first)
        #expect(crypto.sign(credential, schemes, Self.message, randomness: 8) != first)
    }

    @Test("what is missing to the longest signature is told, and a modelled one is of that length")
    func lengths() throws {
        let (real, modelled) = (try Worker(), try Worker(.modelled))
        let authority = try Authority()
        for key in [NewKey.rsa2048, .ecdsa256, .ecdsa384, .ecdsa521, .ed25519] {
            let credential = try authority.credential(key)
            for scheme in SignatureScheme.allCases {
                guard let model = modelled.sign(credential, [scheme], Self.message) else { continue }
                #expect(model.missingByteCount == 0)
                for randomness in 0..<40 as Range<UInt8> {
                    let signature = try #require(
                        real.sign(credential, [scheme], Self.message, randomness: randomness)
                    )
                    #expect(signature.missingByteCount >= 0)
                    #expect(signature.octets.count + signature.missingByteCount == model.octets.count, "\(scheme)")
                }
            }
        }
    }

    @Test("the scheme is the best that both ends know and the key fits")
    func choice() {
        func choose(_ key: SignatureKey, _ hashes: [SignatureHash], _ schemes: [SignatureScheme]) -> SignatureScheme? {
            let known = hashes.reduce(into: SignatureHashes()) { $0.insert(SignatureHashes($1)) }
            return .choose(from: schemes, key: key, peerHashes: known)
        }
        let all = SignatureScheme.standard
        #expect(choose(.p384, [.sha256, .sha384], all) == .ecdsaSHA384)
        #expect(choose(.p384, [.sha256], all) == .ecdsaP384)
        #expect(choose(.p384, [.sha256], [.ecdsaSHA256]) == .ecdsaSHA256)
        #expect(choose(.rsa(modulusByteCount: 256), [.sha512], all) == .rsaPSSSHA512)
        #expect(choose(.rsa(modulusByteCount: 256), [], all) == nil)
        #expect(choose(.rsa(modulusByteCount: 256), [], SignatureScheme.allCases) == .rsaSHA1)
        #expect(choose(.ed25519, [.sha256], all) == nil)
        #expect(choose(.ed25519, [.identity], all) == .ed25519)
    }

    @Test("AlgorithmIdentifiers are those of RFC 7427 appendix A and RFC 8420 appendix A")
    func identifiers() {
        let published: [(SignatureScheme, String)] = [
            (.rsaPKCS1SHA256, "300d06092a864886f70d01010b0500"),
            (.rsaPKCS1SHA384, "300d06092a864886f70d01010c0500"),
            (.rsaPKCS1SHA512, "300d06092a864886f70d01010d0500"),
            (.ecdsaSHA256, "300a06082a8648ce3d040302"),
            (.ecdsaSHA384, "300a06082a8648ce3d040303"),
            (.ecdsaSHA512, "300a06082a8648ce3d040304"),
            (
                .rsaPSSSHA256,
                """
                304106092a864886f70d01010a3034a00f300d06096086480165030402010500\
                a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120
                """
            ),
            (.ed25519, "300506032b6570"),
        ]
        for (scheme, octets) in published {
            #expect(AlgorithmIdentifier.encode(scheme) == hex(octets))
            let read = AlgorithmIdentifier.decode(hex(octets).rawSpan)
            #expect(read == scheme)
        }
    }

    @Test(
        "AUTH data that names no known algorithm is nothing",
        arguments: [
            (14, ""), (14, "05"), (14, "0530"), (14, "07300506032b6571aa"), (14, "ff300506032b6570"), (3, "00"),
            (2, "00"),
        ] as [(UInt8, String)]
    )
    func unknown(_ method: UInt8, _ data: String) {
        let read = SignatureData(method: method, hex(data).rawSpan)
        #expect(read == nil)
    }

    @Test(
        "a credential whose key is another certificate's is refused",
        arguments: [NewKey.ecdsa256, .ed25519, .rsa2048]
    )
    func credentials(_ key: NewKey) throws {
        let (own, other) = (try Authority(key, name: "own").certificate, try Authority(key, name: "other").certificate)
        try Credential(privateKey: own.privateKey, certificates: [own.octets]).validate()
        #expect(throws: CryptoError.unusableCredential) {
            try Credential(privateKey: own.privateKey, certificates: [other.octets]).validate()
        }
        #expect(throws: CryptoError.unusableCredential) {
            try Credential(privateKey: [0x30], certificates: [own.octets]).validate()
        }
        #expect(throws: CryptoError.unusableCertificate) {
            try Credential(privateKey: own.privateKey, certificates: [own.octets + [0]]).validate()
        }
    }
}

import IKECrypto
import Primitives
import Testing

@Suite("Signatures in eight lanes against one at a time")
struct SignatureLaneTests {
    struct Share: Sendable, CustomTestStringConvertible {
        var key: NewKey
        var count: Int
        var testDescription: String { "\(count) of \(key)" }
    }

    /// How many signatures of each, and as many checks.
    static let shares = [
        Share(key: .ecdsa256, count: 10_000), Share(key: .ed25519, count: 10_000), Share(key: .ecdsa384, count: 1_000),
        Share(key: .rsa2048, count: 3_000), Share(key: .rsa3072, count: 1_000), Share(key: .rsa4096, count: 400),
        Share(key: .ecdsa521, count: 200),
    ].map { Share(key: $0.key, count: Lanes.count($0.count)) }

    @Test(
        "they are the same, octet for octet, and what one finds genuine, and only that, the other does",
        arguments: shares
    )
    func signatures(_ share: Share) throws {
        let one = try cryptography()
        let other = try Lanes.cryptography()
        let authority = try Authority()
        let signer = try Signer(share.key, authority)
        var chance = RandomStream(seed: 7, entity: UInt64(share.count), purpose: .test)
        var lanes = LaneCounts()
        var counts = (asked: 0, genuine: 0, refused: 0)
        while counts.asked < share.count {
            let asks = (0..<Int(1 + chance.below(40))).map { _ in signer.ask(&chance) }
            let (signed, used) = perform(asks.map { ask in { ask.request } }, other)
            lanes.add(used)
            var checks: [Signer.Check] = []
            for (place, ask) in asks.enumerated() {
                #expect(signed[place] == Outcome(one.perform(ask.request)), "\(ask.scheme)")
                guard case .signed(let signature) = signed[place] else { continue }
                checks.append(signer.check(signature, ask, &chance))
            }
            let (found, usedToCheck) = perform(checks.map { check in { .verify(check.request) } }, other)
            lanes.add(usedToCheck)
            for (place, check) in checks.enumerated() {
                #expect(found[place] == Outcome(one.perform(.verify(check.request))), "\(check.change)")
                counts.genuine += found[place] == .verified(.genuine) ? 1 : 0
                counts.refused += found[place] == .verified(.notAuthentic) ? 1 : 0
                if check.change == .none { #expect(found[place] == .verified(.genuine)) }
            }
            counts.asked += asks.count
        }
        #expect(counts.genuine > 0 && counts.refused > 0)
        // Curves that libcrypto_mb is not asked for.
        if share.key != .ecdsa521 { Lanes.expectUse(lanes, of: share.testDescription) }
    }
}

/// Signs with the keys of two users, and has what they signed changed on its way.
private struct Signer {
    private let credentials: [Credential]
    private let anchors: TrustAnchors
    private let schemes: [SignatureScheme]
    private let modulus: [UInt8]

    struct Ask {
        var credential: Credential
        var scheme: SignatureScheme
        var octets: [UInt8]
        var randomness: [UInt8]

        var request: KeyExchangeRequest {
            .sign(
                SignatureRequest(
                    credential: credential,
                    schemes: [scheme],
                    peerHashes: SignatureHashes(rawValue: .max),
                    octets: octets,
                    randomness: randomness.secret
                )
            )
        }
    }

    enum Change: CaseIterable {
        case none, message, signature, longer, shorter, zeros, ones, order, otherName
    }

    struct Check {
        var change: Change
        var request: VerificationRequest
    }

    init(_ key: NewKey, _ authority: Authority) throws {
        let first = try authority.credential(key)
        let terms = CertificateTerms(
            organization: "test",
            commonName: "second",
            alternativeName: "email:user@example.org",
            validity: Authority.validity,
            serial: 3
        )
        let second = try IssuedCertificate(terms, key: key, by: authority.certificate, seed: Array("second".utf8))
        credentials = [first, Credential(privateKey: second.privateKey, certificates: [second.octets])]
        anchors = try authority.anchors
        let octets = first.certificates[0]
        let kind: SignatureKey =
            switch key {
            case .rsa2048: .rsa(modulusByteCount: 256)
            case .rsa3072: .rsa(modulusByteCount: 384)
            case .rsa4096: .rsa(modulusByteCount: 512)
            case .ecdsa256: .p256
            case .ecdsa384: .p384
            case .ecdsa521: .p521
            case .ed25519: .ed25519
            }
        schemes = SignatureScheme.allCases.filter { $0.fits(kind) }
        if case .rsa(let count) = kind {
            // The first INTEGER of such a length in a certificate is the modulus.
            let head: [UInt8] = [0x02, 0x82, UInt8((count + 1) >> 8), UInt8((count + 1) & 0xFF), 0x00]
            let start = try #require((0..<octets.count - count).first { octets.dropFirst($0).starts(with: head) })
            modulus = Array(octets[(start + head.count)...].prefix(count))
        } else {
            modulus = []
        }
    }

    func ask(_ chance: inout RandomStream) -> Ask {
        Ask(
            credential: credentials[Int(chance.below(2))],
            scheme: schemes[Int(chance.below(UInt64(schemes.count)))],
            octets: (0..<Int(chance.below(300))).map { _ in UInt8(chance.below(256)) },
            randomness: (0..<SignatureRequest.randomByteCount).map { _ in UInt8(chance.below(256)) }
        )
    }

    /// Half of them as they were signed.
    func check(_ signature: Signature, _ ask: Ask, _ chance: inout RandomStream) -> Check {
        let change: Change =
            chance.below(2) == 0 ? .none : Change.allCases[Int(chance.below(UInt64(Change.allCases.count)))]
        var (octets, message) = (signature.octets, ask.octets)
        var name = mailbox("user@example.org")
        switch change {
        case .none: break
        case .message: message.append(7)
        case .signature: octets[Int(chance.below(UInt64(octets.count)))] ^= 1 << UInt8(chance.below(8))
        case .longer: octets.append(0)
        case .shorter: octets.removeLast()
        case .zeros: octets = [UInt8](repeating: 0, count: octets.count)
        case .ones: for place in octets.count / 2..<octets.count { octets[place] = 0xFF }
        case .order: octets = enlarged(octets, ask.scheme)
        case .otherName: name = mailbox("other@example.org")
        }
        return Check(
            change: change,
            request: VerificationRequest(
                certificates: ask.credential.certificates,
                anchors: anchors,
                time: Authority.now,
                identification: name,
                data: SignatureData(signature.scheme, signature: octets),
                octets: message
            )
        )
    }

    /// The same number by the modulus or the group's order, and no signature: what a reduction would accept.
    private func enlarged(_ octets: [UInt8], _ scheme: SignatureScheme) -> [UInt8] {
        switch scheme {
        case .ed25519:
            let order = hex("edd3f55c1a631258d69cf7a2def9de14") + [UInt8](repeating: 0, count: 15) + [0x10]
            let s = sum(octets[32...].reversed(), order.reversed())
            return octets[..<32] + (s ?? Array(octets[32...].reversed())).reversed()
        case .ecdsaP256:
            let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
            return order + octets[32...]
        default:
            guard !modulus.isEmpty else { return [] }
            return sum(octets, modulus) ?? []
        }
    }

    /// Of numbers of one length, most significant octet first; nil where it is longer.
    private func sum(_ one: [UInt8], _ other: [UInt8]) -> [UInt8]? {
        var octets = one
        var carry: UInt16 = 0
        for place in one.indices.reversed() {
            let digit = UInt16(one[place]) + UInt16(other[place]) + carry
            octets[place] = UInt8(digit & 0xFF)
            carry = digit >> 8
        }
        return carry == 0 ? octets : nil
    }
}

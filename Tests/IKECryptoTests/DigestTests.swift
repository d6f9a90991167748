import IKECrypto
import Primitives
import Testing

@Suite("Digests")
struct DigestTests {
    /// What `sha1sum` says of so many letters a: shorter than a block with its padding, just as long, and longer.
    static let digests: [(count: Int, digest: String)] = [
        (0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"), (3, "7e240de74fb1ed08fa08d38063f6a6a91462a815"),
        (34, "82d5343f4b2f0fcf6e28672d1f1a10c434f213d5"), (54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e"),
        (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"), (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"), (119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"),
    ]

    @Test("SHA-1 is sha1sum's, wherever the input is cut", arguments: digests)
    func sha1(count: Int, digest: String) throws {
        let crypto = try cryptography()
        let octets = [UInt8](repeating: 0x61, count: count)
        for cut in 0...count {
            let (head, tail) = (Array(octets[..<cut]), Array(octets[cut...]))
            #expect(crypto.sha1(head.rawSpan, tail.rawSpan).octets == hex(digest))
        }
    }

    @Test("secrets are equal when every octet is, at every length")
    func comparesSecrets() {
        for count in 1...64 {
            let octets = (0..<count).map { UInt8($0 + 1) }
            let secret = octets.secret
            let isEqual = secret.isEqual(to: octets.rawSpan)
            #expect(isEqual)
            for place in 0..<count {
                var other = octets
                other[place] ^= 0x80
                let isFound = secret.isEqual(to: other.rawSpan)
                #expect(!isFound, "octet \(place) of \(count)")
            }
        }
    }

    @Test("a modelled PRF changes with every bit of an input of any length up to 80")
    func modelledPRFOfEveryLength() throws {
        let crypto = try cryptography(.modelled)
        let key = [UInt8](repeating: 7, count: 32)
        var seen: Set<[UInt8]> = []
        var count = 0
        for length in 0...80 {
            let octets = (0..<length).map { UInt8(truncatingIfNeeded: 3 &* $0) }
            seen.insert([UInt8](copying: crypto.prf(.hmacSHA256, key: key.rawSpan, octets.rawSpan)))
            count += 1
            for bit in 0..<8 * length {
                var changed = octets
                changed[bit / 8] ^= 1 << (bit % 8)
                seen.insert([UInt8](copying: crypto.prf(.hmacSHA256, key: key.rawSpan, changed.rawSpan)))
                count += 1
            }
        }
        #expect(seen.count == count)
    }
}

import IKECrypto
import Primitives
import Testing

@Suite("The primitives of EAP and RADIUS")
struct LegacyPrimitiveTests {
    static let messages = ["", "a", "abc", "message digest", "abcdefghijklmnopqrstuvwxyz"]

    /// RFC 1321 appendix A.5.
    static let md5Digests = [
        "d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661", "900150983cd24fb0d6963f7d28e17f72",
        "f96b697d7cb7938d525a2f31aaf161d0", "c3fcd3d76192e4007dfb496cca67e13b",
    ]

    /// RFC 1320 appendix A.5.
    static let md4Digests = [
        "31d6cfe0d16ae931b73c59d7e0c089c0", "bde52cb31de33e46245e05fbdbd6fb24", "a448017aaf21d8525fc10ae87aa6729d",
        "d9130a8164549fe818874806e1c7014b", "d79e1c308aa5bbcdeea8ed63df412da9",
    ]

    @Test("MD5 is RFC 1321's, wherever the input is cut", arguments: zip(messages, md5Digests))
    func md5(message: String, digest: String) throws {
        let crypto = try cryptography()
        let octets = Array(message.utf8)
        for cut in 0...octets.count {
            let (head, tail) = (Array(octets[..<cut]), Array(octets[cut...]))
            let isSame = crypto.md5(head.rawSpan, RawSpan(), tail.rawSpan).isEqual(to: hex(digest).rawSpan)
            #expect(isSame)
        }
    }

    @Test("MD4 is RFC 1320's", arguments: zip(messages, md4Digests))
    func md4(message: String, digest: String) throws {
        let crypto = try cryptography()
        let hash = crypto.md4(Array(message.utf8).rawSpan)
        #expect([UInt8](copying: hash) == hex(digest))
    }

    /// RFC 2202 section 2: a short key, a key of ASCII, and one longer than a block.
    static let hmacs: [(key: [UInt8], message: String, code: String)] = [
        ([UInt8](repeating: 0x0B, count: 16), "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (
            [UInt8](repeating: 0xAA, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        ),
    ]

    @Test("HMAC-MD5 is RFC 2202's", arguments: hmacs)
    func hmacMD5(key: [UInt8], message: String, code: String) throws {
        let crypto = try cryptography()
        let isSame = crypto.hmacMD5(key: key.rawSpan, Array(message.utf8).rawSpan).isEqual(to: hex(code).rawSpan)
        #expect(isSame)
    }

    @Test("DES under a key without parity is that of RFC 2759 section 9.2")
    func des() throws {
        let crypto = try cryptography()
        let challenge = hex("D02E4386BCE91226")
        let key = Array(hex("44EBBA8D5312B8D611474411F56989AE")[..<7])
        let block = crypto.desEncrypt(challenge.rawSpan, key: key.rawSpan)
        #expect((0..<8).map { block[$0] } == hex("82309ECD8D708B5E"))
    }

    @Test("a secret is joined of two pieces and zeros")
    func joins() {
        let (one, other) = (hex("0102"), hex("030405"))
        let secret = SecretBytes(one.rawSpan, other.rawSpan, paddedTo: 8)
        #expect([UInt8](copying: secret) == hex("0102030405000000"))
    }
}

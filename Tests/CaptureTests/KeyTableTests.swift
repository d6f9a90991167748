import Capture
import IKEWire
import Primitives
import Testing

@Suite("A table of keys")
struct KeyTableTests {
    struct Suite: CustomTestStringConvertible {
        var encryption: EncryptionID
        var keyLength: UInt16?
        var integrity: IntegrityID
        var testDescription: String { "\(encryption) \(keyLength ?? 0), \(integrity)" }
    }

    static let suites = [
        Suite(encryption: .aesGCM16, keyLength: 256, integrity: .none),
        Suite(encryption: .aesGCM8, keyLength: 128, integrity: .none),
        Suite(encryption: .aesCBC, keyLength: 192, integrity: .hmacSHA384),
        Suite(encryption: .tripleDES, integrity: .hmacMD5),
    ]

    @Test("gives back what was written", arguments: suites)
    func roundTrip(_ suite: Suite) throws {
        let integrityKeys: ([UInt8], [UInt8]) = suite.integrity == .none ? ([], []) : ([5], [6])
        var writer = ByteWriter()
        KeyLog.writeIKESA(
            initiatorSPI: IKESPI(rawValue: 1),
            responderSPI: IKESPI(rawValue: 0xFF00_0000_0000_0002),
            encryption: suite.encryption,
            keyLength: suite.keyLength,
            integrity: suite.integrity,
            encryptionKeys: ([1, 2], [3, 4]),
            integrityKeys: integrityKeys,
            into: &writer
        )
        var table = KeyTable()
        try table.add("# a comment\n\n" + String(decoding: writer.bytes, as: UTF8.self))
        #expect(table.count == 1)
        let found = table.keys(
            initiatorSPI: IKESPI(rawValue: 1),
            responderSPI: IKESPI(rawValue: 0xFF00_0000_0000_0002)
        )
        #expect(found?.encryption == suite.encryption)
        #expect(found?.keyLength == suite.keyLength)
        #expect(found?.integrity == suite.integrity)
        #expect([found?.ei, found?.er] == [[1, 2], [3, 4]])
        #expect([found?.ai, found?.ar] == [integrityKeys.0, integrityKeys.1])
        #expect(table.keys(initiatorSPI: IKESPI(rawValue: 1), responderSPI: .zero) == nil)
    }

    @Test("takes the lines of Wireshark itself, with quotes and RFCs")
    func wireshark() throws {
        var table = KeyTable()
        try table.add(
            "0000000000000001,0000000000000002,aa,bb,\"AES-CBC-128 [RFC3602]\",cc,dd,\"HMAC_SHA1_96 [RFC2404]\"\r\n"
        )
        #expect(table.keys(initiatorSPI: IKESPI(rawValue: 1), responderSPI: IKESPI(rawValue: 2))?.ei == [0xAA])
    }

    @Test(
        "names the line that is none of its own",
        arguments: [
            ("nonsense", 1), ("\n# comment\n1,2,3", 3),
            ("01,0000000000000002,aa,bb,\"AES-CBC-128 [RFC3602]\",cc,dd,\"HMAC_SHA1_96 [RFC2404]\"", 1),
            ("0000000000000001,0000000000000002,aa,bb,\"ROT13 [RFC1]\",cc,dd,\"NONE [RFC4306]\"", 1),
            ("0000000000000001,0000000000000002,ag,bb,\"AES-CBC-128 [RFC3602]\",cc,dd,\"NONE [RFC4306]\"", 1),
        ]
    )
    func refuses(_ text: String, _ line: Int) {
        var table = KeyTable()
        let fault = #expect(throws: KeyTable.Fault.self) { try table.add(text) }
        #expect(fault?.line == line)
    }
}

import IKEWire
import Primitives
import Testing

@Suite("The message encoder")
struct MessageEncoderTests {
    let header = Header(
        initiatorSPI: IKESPI(rawValue: 0x0102_0304_0506_0708),
        responderSPI: .zero,
        exchange: .ikeSAInit,
        flags: .initiator,
        messageID: .zero
    )

    @Test("chains payloads and fills in their lengths and the message's")
    func chains() throws {
        var writer = ByteWriter()
        var encoder = MessageEncoder(header, into: &writer)
        encoder.keyExchange(.curve25519, [0xAA, 0xBB])
        encoder.notify(.cookie, [0xCC])
        encoder.finish(into: &writer)

        let expected = try Hexadecimal.decode(
            """
            0102030405060708 0000000000000000 22 20 22 08 00000000 0000002f
            29 00 000a 001f 0000 aabb
            00 00 0009 00 00 4006 cc
            """
        )
        #expect(writer.bytes == expected)
    }

    @Test("keeps the payloads inside the Encrypted payload, padded to whole blocks")
    func encrypts() throws {
        var writer = ByteWriter()
        writer.write([0xFF])
        var encoder = MessageEncoder(header, into: &writer)
        encoder.beginEncrypted(ivByteCount: 8)
        encoder.notify(.mobikeSupported)
        let region = encoder.endEncrypted(blockByteCount: 4, icvByteCount: 2)
        encoder.finish(into: &writer)

        let expected = try Hexadecimal.decode(
            """
            ff 0102030405060708 0000000000000000 2e 20 22 08 00000000 00000036
            29 00 001a 0000000000000000
            00 00 0008 00 00 400c 000000 03 0000
            """
        )
        #expect(writer.bytes == expected)
        #expect(region.associatedData == 1..<33)
        #expect(region.iv == 33..<41)
        #expect(region.plaintext == 41..<53)
        #expect(region.icv == 53..<55)
    }

    @Test("a traffic selector made from a prefix covers exactly its addresses")
    func prefixes() throws {
        let table: [(String, String, String)] = [
            ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
            ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ]
        for (prefix, first, last) in table {
            let selector = TrafficSelector(try #require(IPPrefix(prefix)))
            #expect(selector.startAddress == IPAddress(first))
            #expect(selector.endAddress == IPAddress(last))
        }
    }
}

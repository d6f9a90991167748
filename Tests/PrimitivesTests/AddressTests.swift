import Primitives
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "an address is read, and written as RFC 5952 says",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("::1", "::1"),
            ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("fe80::", "fe80::"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ]
    )
    func roundTrip(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1..2.3", "1.2.3.4 ", ":", ":::", "1::2::3", "12345::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7:8", "::g", "1.2.3.4::",
            "fe80::1%eth0",
            "::1:2:3:4:5:6:7:8",
        ]
    )
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("octets come in the wire's order")
    func octets() throws {
        let v4 = IPAddress(v4: 0xC000_0201)
        #expect((0..<v4.byteCount).map { v4.byte(at: $0) } == [192, 0, 2, 1])
        let v6 = try #require(IPAddress("2001:db8::9:a"))
        var writer = ByteWriter()
        v4.write(into: &writer)
        v6.write(into: &writer)
        let written = writer.bytes
        #expect(written == (0..<4).map { v4.byte(at: $0) } + (0..<16).map { v6.byte(at: $0) })
        #expect(
            (0..<v6.byteCount).map { v6.byte(at: $0) } == [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 10]
        )
    }

    @Test("a prefix holds its addresses and no others")
    func prefixes() throws {
        let block = try #require(IPPrefix("198.51.100.0/24"))
        #expect(block.count == 256)
        #expect(block[5].description == "198.51.100.5")
        #expect(block.contains(try #require(IPAddress("198.51.100.255"))))
        #expect(!block.contains(try #require(IPAddress("198.51.101.0"))))
        #expect(!block.contains(try #require(IPAddress("::c633:6405"))))
        #expect(try #require(IPPrefix("0.0.0.0/0")).contains(block))
        #expect(!(try #require(IPPrefix("::/0")).contains(block)))
        #expect(try #require(IPPrefix("2001:db8::/32")).count == .max)
        #expect(try #require(IPPrefix("2001:db8::/64")).count == .max)
        #expect(try #require(IPPrefix("2001:db8::/65")).count == 1 << 63)
        #expect(try #require(IPPrefix("192.0.2.1")).description == "192.0.2.1/32")
        #expect(IPPrefix(address: IPAddress(v4: 0xC633_64FF), length: 24) == block)
    }

    @Test(
        "what is not a prefix is refused",
        arguments: ["10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/+8"]
    )
    func refusedPrefix(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test("an endpoint is written with brackets round IPv6")
    func endpoints() throws {
        #expect(UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 500).description == "127.0.0.1:500")
        #expect(UDPEndpoint(address: try #require(IPAddress("::1")), port: 4500).description == "[::1]:4500")
    }
}

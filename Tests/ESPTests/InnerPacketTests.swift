import ESP
import Primitives
import Testing

@Suite("Inner packets")
struct InnerPacketTests {
    private static let v4 = (IPAddress(v4: 0x0A00_0001), IPAddress(v4: 0xC0A8_0102))
    private static let v6 = (IPAddress("2001:db8::1")!, IPAddress("2001:db8:0:1::2")!)

    static let all: [InnerPacket] = [v4, v6].flatMap { source, destination in
        [
            InnerPacket(source: source, destination: destination, content: .udp(sourcePort: 9, destinationPort: 7)),
            InnerPacket(source: source, destination: destination, content: .echoRequest(identifier: 1, number: 0xFFFF)),
            InnerPacket(source: source, destination: destination, content: .echoReply(identifier: 0xABCD, number: 0)),
        ]
    }

    private func written(_ inner: InnerPacket, _ data: [UInt8]) -> [UInt8] {
        var packet = [UInt8](repeating: 0xEE, count: inner.headerByteCount) + data
        let count = packet.withMutableBytes { inner.write(into: &$0, dataByteCount: data.count) }
        precondition(count == packet.count, "a packet is header and data")
        return packet
    }

    @Test("are read as they were written, of any length", arguments: all)
    func comeBack(_ inner: InnerPacket) throws {
        for count in Array(0...70) + [1_399, 1_400] {
            let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11) }
            let packet = written(inner, data)
            let decoded = try InnerPacket.decode(packet.rawSpan)
            #expect(decoded.packet == inner && packet[decoded.data] == data[...])
            #expect(packet.count == inner.headerByteCount + count)
            // What tunnel mode checks of it, and what transport mode carries of it.
            let start = inner.ipHeaderByteCount
            let message = packet.rawSpan.extracting(start..<packet.count)
            let transport = try InnerPacket.decodeTransport(
                message,
                inner.transport,
                source: inner.source,
                destination: inner.destination
            )
            #expect(transport == inner)
        }
    }

    @Test("that RFCs publish are read, and written again but for what hosts choose in an IP header")
    func published() throws {
        // RFC 7634 appendix A.
        let echo = hex(
            """
            45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f10111213
            1415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637
            """
        )
        let decoded = try InnerPacket.decode(echo.rawSpan)
        #expect(decoded.packet.source == IPAddress("198.51.100.5") && decoded.data == 28..<84)
        #expect(decoded.packet.content == .echoRequest(identifier: 0x3A08, number: 0))
        let ours = written(decoded.packet, Array(echo[28...]))
        #expect(ours[20...] == echo[20...])
        // RFC 3602 section 4, cases 7 and 8, as hosts sent them.
        for packet in PacketVector.cbc where packet.plaintext.hasPrefix("45") {
            let length = Int(hex(packet.plaintext)[3])
            let inner = Array(hex(packet.plaintext)[..<length])
            let decoded = try InnerPacket.decode(inner.rawSpan)
            #expect(written(decoded.packet, Array(inner[28...]))[20...] == inner[20...])
        }
    }

    @Test("with any bit of what is checked changed, or cut, are refused", arguments: all)
    func changed(_ inner: InnerPacket) {
        let packet = written(inner, [1, 2, 3, 4, 5])
        for count in 0..<packet.count {
            #expect(throws: DecodeError.self) { try InnerPacket.decode(packet[..<count].rawCopy.rawSpan) }
        }
        #expect(throws: DecodeError.self) { try InnerPacket.decode((packet + [0]).rawSpan) }
        for bit in 0..<packet.count * 8 {
            // IPv6 covers neither traffic class and flow label nor the hop limit.
            let isUncovered = inner.family == .ipv6 && ((4..<32).contains(bit) || (56..<64).contains(bit))
            var other = packet
            other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            let decoded = try? InnerPacket.decode(other.rawSpan)
            #expect((decoded?.packet == inner) == isUncovered && (decoded != nil) == isUncovered)
        }
    }

    @Test("have UDP checksums that are never 0")
    func zeroChecksum() throws {
        // Ports that make the sum come out as 0.
        let source = IPAddress(v4: 0)
        let plain = InnerPacket(source: source, destination: source, content: .udp(sourcePort: 0, destinationPort: 0))
        let checksum = written(plain, [])[26...].prefix(2).reduce(0 as UInt16) { $0 << 8 | UInt16($1) }
        let inner = InnerPacket(
            source: source,
            destination: source,
            content: .udp(sourcePort: checksum, destinationPort: 0)
        )
        let packet = written(inner, [])
        #expect(packet[26...] == [0xFF, 0xFF])
        #expect(try InnerPacket.decode(packet.rawSpan).packet == inner)
        var without = packet
        without[26] = 0
        without[27] = 0
        #expect(throws: DecodeError.malformed(.checksum)) { try InnerPacket.decode(without.rawSpan) }
    }

    @Test("are answered with both ends exchanged", arguments: all)
    func answered(_ inner: InnerPacket) {
        #expect(inner.reply.source == inner.destination && inner.reply.destination == inner.source)
        #expect(inner.reply.reply == inner && inner.reply != inner)
    }

    @Test("carry marks of their flow, which nothing else is taken for")
    func marks() throws {
        let mark = FlowMark(flow: 7, number: 1 << 40, time: Instant(nanoseconds: 12_345_678_901))
        var data = [UInt8](repeating: 0xEE, count: FlowMark.byteCount + 3)
        data.withMutableBytes { mark.write(into: &$0) }
        #expect(data == hex("494b4553 00000007 0000010000000000 00000002dfdc1c35 eeeeee"))
        #expect(try FlowMark(decoding: data.rawSpan) == mark)
        for count in 0..<FlowMark.byteCount {
            #expect(throws: DecodeError.self) { try FlowMark(decoding: data[..<count].rawCopy.rawSpan) }
        }
        data[0] ^= 1
        #expect(throws: DecodeError.malformed(.unsupportedFormat)) { try FlowMark(decoding: data.rawSpan) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var rawCopy: [UInt8] { Array(self) }
}

import Capture
import Primitives
import Testing

@Suite("Frames")
struct DatagramAssemblerTests {
    static let ipv4 = packet("10.0.0.1", "192.0.2.10", [1, 2, 3])
    static let ipv6 = packet("2001:db8::1", "2001:db8::2", [1, 2, 3])

    struct Link: CustomTestStringConvertible {
        var name: String
        var type: UInt16
        var header: [UInt8]
        var isIPv6 = false
        var testDescription: String { name }
    }

    static let addresses = [UInt8](repeating: 0xAA, count: 12)
    static let links = [
        Link(name: "Ethernet", type: 1, header: addresses + [8, 0]),
        Link(name: "Ethernet, IPv6", type: 1, header: addresses + [0x86, 0xDD], isIPv6: true),
        Link(name: "a VLAN", type: 1, header: addresses + [0x81, 0, 0, 5, 8, 0]),
        Link(name: "a VLAN in another", type: 1, header: addresses + [0x88, 0xA8, 0, 5, 0x81, 0, 0, 6, 8, 0]),
        Link(name: "raw IP", type: 101, header: []),
        Link(name: "raw IPv6", type: 229, header: [], isIPv6: true),
        Link(name: "Linux cooked", type: 113, header: [UInt8](repeating: 0, count: 14) + [8, 0]),
        Link(name: "Linux cooked, version 2", type: 276, header: [8, 0] + [UInt8](repeating: 0, count: 18)),
        Link(name: "null, little endian", type: 0, header: [2, 0, 0, 0]),
        Link(name: "null, big endian, IPv6", type: 0, header: [0, 0, 0, 30], isIPv6: true),
        Link(name: "loopback", type: 108, header: [0, 0, 0, 2]),
    ]

    @Test("of every known link give the datagram in them", arguments: links)
    func reads(_ link: Link) {
        var assembler = DatagramAssembler()
        let content = assembler.take(Self.frame(link.header + (link.isIPv6 ? Self.ipv6 : Self.ipv4), link: link.type))
        let ends = link.isIPv6 ? ("2001:db8::1", "2001:db8::2") : ("10.0.0.1", "192.0.2.10")
        #expect(content == .datagram(Self.datagram(ends.0, ends.1, [1, 2, 3])))
    }

    @Test("of an unknown link, and those that are not IP, give nothing")
    func others() {
        var assembler = DatagramAssembler()
        #expect(assembler.take(Self.frame(Self.ipv4, link: 147)) == .unknownLinkType)
        #expect(assembler.take(Self.frame(Self.addresses + [8, 6] + Self.ipv4, link: 1)) == .other)
        #expect(assembler.take(Self.frame([], link: 101)) == .other)
    }

    /// Both families, in and out of order, the same fragment twice.
    @Test(
        "with fragments give the datagram once all are there",
        arguments: [[0, 1, 2], [2, 0, 1], [1, 1, 2, 0]],
        [4, 6]
    )
    func joins(_ order: [Int], _ family: Int) throws {
        let payload = (0..<2_000).map { UInt8(truncatingIfNeeded: $0) }
        let pieces = Self.fragments(of: payload, isIPv6: family == 6)
        var assembler = DatagramAssembler()
        for place in order.dropLast() { #expect(assembler.take(Self.frame(pieces[place])) == .fragment) }
        guard case .datagram(let joined) = assembler.take(Self.frame(pieces[try #require(order.last)])) else {
            Issue.record("the last fragment makes the datagram whole")
            return
        }
        #expect(joined.payload == payload)
        #expect(joined.packetCount == order.count)
        assembler.finish()
        #expect(assembler.takeLost() == [])
    }

    @Test("whose fragments do not all come are told as lost, with the ports where those are known")
    func losesFragments() {
        let pieces = Self.fragments(of: [UInt8](repeating: 1, count: 2_000), isIPv6: false)
        var assembler = DatagramAssembler()
        #expect(assembler.take(Self.frame(pieces[0])) == .fragment)
        #expect(assembler.take(Self.frame(pieces[2])) == .fragment)
        #expect(assembler.takeLost() == [])
        // Half a minute later somebody else's packet passes.
        _ = assembler.take(Self.frame(Self.ipv4, at: 31_000_000_000))
        let lost = assembler.takeLost()
        #expect(lost.map(\.packetCount) == [2])
        #expect(lost.first?.ports?.source == 500)
        #expect(lost.first?.ports?.destination == 4500)
    }

    @Test("that overlap are no datagram (RFC 5722)")
    func refusesOverlaps() {
        var pieces = Self.fragments(of: [UInt8](repeating: 1, count: 2_000), isIPv6: false)
        pieces[1][7] -= 1
        var assembler = DatagramAssembler()
        #expect(assembler.take(Self.frame(pieces[0])) == .fragment)
        #expect(assembler.take(Self.frame(pieces[1])) == .other)
    }

    @Test("that a snap length has cut are known as such")
    func findsCuts() {
        var assembler = DatagramAssembler()
        guard case .datagram(let datagram) = assembler.take(Self.frame(Array(Self.ipv4.dropLast(2)))) else {
            Issue.record("the beginning of a datagram is one")
            return
        }
        #expect(datagram.isCut)
        #expect(datagram.payload == [1])
    }

    @Test("of ICMP say which datagram did not arrive, and why")
    func readsErrors() {
        var header = Self.packet("192.0.2.10", "10.0.0.1", [], ipProtocol: 1)
        header.removeLast(8)
        header[3] = UInt8(header.count + 8 + Self.ipv4.count)
        let error = header + [3, 4, 0, 0, 0, 0, 0x05, 0x14] + Self.ipv4
        var assembler = DatagramAssembler()
        guard case .unreachable(let report) = assembler.take(Self.frame(error)) else {
            Issue.record("an ICMP error is one")
            return
        }
        #expect(report.kind == .tooBig(mtu: 1_300))
        #expect(report.source.description == "10.0.0.1:500")
        #expect(report.destination.description == "192.0.2.10:4500")
        #expect(report.reporter.description == "192.0.2.10")
    }
}

// What writes the packets.
extension DatagramAssemblerTests {
    private static func frame(_ bytes: [UInt8], link: UInt16 = 101, at time: UInt64 = 0) -> CapturedFrame {
        CapturedFrame(timestamp: time, linkType: link, bytes: bytes, originalByteCount: bytes.count)
    }

    private static func datagram(_ source: String, _ destination: String, _ payload: [UInt8]) -> CapturedDatagram {
        CapturedDatagram(
            timestamp: 0,
            source: UDPEndpoint(address: IPAddress(source) ?? .unspecified, port: 500),
            destination: UDPEndpoint(address: IPAddress(destination) ?? .unspecified, port: 4500),
            payload: payload,
            packetByteCount: payload.count + (source.contains(":") ? 48 : 28)
        )
    }

    private static func packet(
        _ source: String,
        _ destination: String,
        _ payload: [UInt8],
        ipProtocol: UInt8 = 17
    ) -> [UInt8] {
        var writer = ByteWriter()
        let ends = datagram(source, destination, payload)
        UDPPacket(source: ends.source, destination: ends.destination, datagram: payload.rawSpan).encode(into: &writer)
        var packet = writer.bytes
        if !source.contains(":") { packet[9] = ipProtocol }
        return packet
    }

    /// Three fragments of 800 octets at most.
    private static func fragments(of payload: [UInt8], isIPv6: Bool) -> [[UInt8]] {
        let whole = isIPv6 ? packet("2001:db8::1", "2001:db8::2", payload) : packet("10.0.0.1", "192.0.2.10", payload)
        let header = Array(whole[..<(isIPv6 ? 40 : 20)])
        let body = Array(whole[header.count...])
        return stride(from: 0, to: body.count, by: 800).map { start in
            let piece = Array(body[start..<min(body.count, start + 800)])
            let isLast = start + 800 >= body.count
            var head = header
            if isIPv6 {
                let length = piece.count + 8
                (head[4], head[5], head[6]) = (UInt8(length >> 8), UInt8(length & 0xFF), 44)
                let place = UInt16(start) | (isLast ? 0 : 1)
                head += [17, 0, UInt8(place >> 8), UInt8(place & 0xFF), 0, 0, 0, 9]
            } else {
                let length = piece.count + 20
                (head[2], head[3], head[5]) = (UInt8(length >> 8), UInt8(length & 0xFF), 9)
                let place = UInt16(start / 8) | (isLast ? 0 : 0x2000)
                (head[6], head[7]) = (UInt8(place >> 8), UInt8(place & 0xFF))
            }
            return head + piece
        }
    }
}

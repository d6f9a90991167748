import Capture
import Primitives
import Testing

@Suite("A pcapng capture")
struct PCAPNGTests {
    static let epoch: UInt64 = 1_700_000_000_000_000_000

    /// A packet in values that outlive the capture.
    struct Packet: Equatable, CustomTestStringConvertible {
        var timestamp: UInt64
        var source: String
        var destination: String
        var datagram: [UInt8]

        var testDescription: String { "\(source) > \(destination), \(datagram.count) octets" }
    }

    static let packets = [
        Packet(timestamp: epoch, source: "10.0.0.1:500", destination: "192.0.2.10:500", datagram: [1, 2, 3, 4]),
        Packet(timestamp: epoch + 1, source: "192.0.2.10:4500", destination: "10.0.0.1:65535", datagram: [0xFF]),
        Packet(timestamp: epoch + 1, source: "[2001:db8::1]:1", destination: "[2001:db8::2]:500", datagram: [9, 8, 7]),
        Packet(timestamp: epoch + 86_400_000_000_000, source: "[::1]:0", destination: "[fe80::1]:4500", datagram: []),
        Packet(
            timestamp: epoch + 86_400_000_000_001,
            source: "255.255.255.255:65535",
            destination: "255.255.255.255:65535",
            datagram: [UInt8](repeating: 0xFF, count: UDPPacket.longestDatagram)
        ),
    ]

    @Test("has exactly the octets of the format's specification")
    func octets() throws {
        var file = ByteWriter()
        let writer = PCAPNGWriter(epochNanoseconds: 1, application: "ikestorm", into: &file)
        writer.write(
            [0xAA].rawSpan,
            from: UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 500),
            to: UDPEndpoint(address: IPAddress(v4: 0x7F00_0002), port: 4500),
            at: Instant(nanoseconds: 0xFF_FFFF_FFFF),
            comment: "lost",
            into: &file
        )
        // The checksums were computed apart.
        let expected = try Hexadecimal.decode(
            """
            0a0d0d0a 0000002c 1a2b3c4d 0001 0000 ffffffffffffffff 0004 0008 696b6573746f726d 00000000 0000002c
            00000001 00000020 0065 0000 00000000 0009 0001 09000000 00000000 00000020
            00000006 0000004c 00000000 0000010000000000 0000001d 0000001d
            4500001d 00004000 4011 3ccd 7f000001 7f000002 01f4 1194 0009 4450 aa 000000
            0001 0004 6c6f7374 00000000 0000004c
            """
        )
        #expect(file.bytes == expected)
    }

    @Test("gives back the datagrams that were written")
    func roundTrip() throws {
        #expect(try read(try capture(Self.packets)) == Self.packets)
    }

    @Test("is read in the other byte order too, as tshark writes it here")
    func otherByteOrder() throws {
        let tshark = try Tshark()
        defer { tshark.remove() }
        try tshark.save(try capture(Self.packets), as: "ours.pcapng")
        try tshark.run(["-r", "ours.pcapng", "-w", "theirs.pcapng"])
        let theirs = try tshark.load("theirs.pcapng")
        #expect(Array(theirs[8..<12]) != [0x1A, 0x2B, 0x3C, 0x4D])
        #expect(try read(theirs) == Self.packets)
    }

    @Test("has checksums, lengths and times that tshark agrees with")
    func dissected() throws {
        let tshark = try Tshark()
        defer { tshark.remove() }
        try tshark.save(try capture(Self.packets), as: "ours.pcapng")
        let names = ["frame.time_epoch", "ip.checksum.status", "udp.checksum.status", "udp.length", "frame.comment"]
        let options = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE"]
        let lines = try tshark.fields(names, in: "ours.pcapng", options: options)
        #expect(
            lines == [
                ["1700000000.000000000", "1", "1", "12", "packet 0"],
                ["1700000000.000000001", "1", "1", "9", "packet 1"],
                ["1700000000.000000001", "", "1", "11", "packet 2"],
                ["1700086400.000000000", "", "1", "8", "packet 3"],
                ["1700086400.000000001", "1", "1", "65515", "packet 4"],
            ]
        )
    }

    @Test("cut anywhere, is refused or ends early")
    func prefixes() throws {
        let packets = Array(Self.packets.dropLast())
        let whole = try capture(packets)
        for count in whole.indices {
            guard let read = try? read(Array(whole.prefix(count))) else { continue }
            #expect(read == Array(packets.prefix(read.count)) && read.count < packets.count)
        }
    }

    @Test("with one bit of a packet flipped, is refused")
    func bitFlips() throws {
        for packet in Self.packets.prefix(3) {
            let parts = try endpoints(packet)
            var writer = ByteWriter()
            UDPPacket(source: parts.0, destination: parts.1, datagram: packet.datagram.rawSpan).encode(into: &writer)
            var bytes = writer.bytes
            let isIPv6 = bytes[0] >> 4 == 6
            for bit in 0..<bytes.count * 8 {
                // IPv6 leaves its traffic class, flow label and hop limit to nobody's checksum.
                if isIPv6, (4..<32).contains(bit) || (56..<64).contains(bit) { continue }
                bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
                #expect(throws: DecodeError.self, "bit \(bit)") { _ = try UDPPacket(decoding: bytes.rawSpan).source }
                bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            }
        }
    }

    @Test(
        "that is none is refused",
        arguments: [
            (
                "0a0d0d0a 0000001c 00000000 00010000 ffffffffffffffff 0000001c",
                DecodeError.malformed(.unsupportedFormat)
            ),
            ("00000001 00000008 00000008", .malformed(.unsupportedFormat)),
            ("00000001 0000000d 00", .malformed(.unsupportedFormat)),
            ("00000001 0000000c 00000010", .malformed(.unsupportedFormat)),
            ("00000006 00000020 00000000 00000000 00000000 00000000 00000000 00000020", .malformed(.unsupportedFormat)),
            ("00000006 00000010", .truncated(needed: 4, available: 0)),
        ]
    )
    func refused(_ text: String, _ error: DecodeError) throws {
        let bytes = try Hexadecimal.decode(text)
        #expect(throws: error) { try read(bytes) }
    }

    private func capture(_ packets: [Packet]) throws -> [UInt8] {
        var file = ByteWriter()
        let writer = PCAPNGWriter(epochNanoseconds: Self.epoch, application: "ikestorm test", into: &file)
        for (index, packet) in packets.enumerated() {
            let (source, destination) = try endpoints(packet)
            writer.write(
                packet.datagram.rawSpan,
                from: source,
                to: destination,
                at: Instant(nanoseconds: packet.timestamp - Self.epoch),
                comment: "packet \(index)",
                into: &file
            )
        }
        return file.bytes
    }

    private func read(_ capture: [UInt8]) throws -> [Packet] {
        var packets: [Packet] = []
        var reader = PCAPNGReader(capture.rawSpan)
        while let packet = try reader.next() {
            let udp = try packet.udp
            packets.append(
                Packet(
                    timestamp: packet.timestamp,
                    source: udp.source.description,
                    destination: udp.destination.description,
                    datagram: udp.datagram.copied()
                )
            )
        }
        return packets
    }

    private func endpoints(_ packet: Packet) throws -> (UDPEndpoint, UDPEndpoint) {
        (try endpoint(packet.source), try endpoint(packet.destination))
    }

    private func endpoint(_ text: String) throws -> UDPEndpoint {
        let colon = try #require(text.lastIndex(of: ":"))
        let address = text[..<colon].filter { $0 != "[" && $0 != "]" }
        return UDPEndpoint(
            address: try #require(IPAddress(address)),
            port: try #require(UInt16(text[text.index(after: colon)...]))
        )
    }
}

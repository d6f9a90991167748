import Capture
import Primitives
import Testing

@Suite("A capture of any origin")
struct CaptureStreamTests {
    static let frames: [[UInt8]] = [[0x45, 1, 2], [], [UInt8](repeating: 7, count: 1_500)]

    /// A file that somebody's tool could have written.
    struct File: CustomTestStringConvertible {
        var name: String
        var octets: [UInt8]
        /// What a timestamp of 1 s and 5 units is, in nanoseconds.
        var fraction: UInt64 = 5_000
        var linkType: UInt16 = 1
        var testDescription: String { name }
    }

    static let files = [
        File(name: "pcap, little endian, microseconds", octets: pcap(0xA1B2_C3D4, isLittleEndian: true)),
        File(name: "pcap, big endian, microseconds", octets: pcap(0xA1B2_C3D4, isLittleEndian: false)),
        File(name: "pcap, little endian, nanoseconds", octets: pcap(0xA1B2_3C4D, isLittleEndian: true), fraction: 5),
        File(name: "pcap, big endian, nanoseconds", octets: pcap(0xA1B2_3C4D, isLittleEndian: false), fraction: 5),
        File(name: "pcapng, little endian", octets: pcapng(resolution: nil, isLittleEndian: true), linkType: 113),
        File(name: "pcapng, big endian", octets: pcapng(resolution: nil, isLittleEndian: false), linkType: 113),
        File(name: "pcapng, nanoseconds", octets: pcapng(resolution: 9), fraction: 5, linkType: 113),
        File(name: "pcapng, units of 2^-20 s", octets: pcapng(resolution: 0x94), fraction: 4_768, linkType: 113),
    ]

    @Test("gives its frames, whatever pieces it comes in", arguments: files)
    func reads(_ file: File) throws {
        let expected = Self.frames.map {
            CapturedFrame(
                timestamp: 1_000_000_000 + file.fraction,
                linkType: file.linkType,
                bytes: $0,
                originalByteCount: $0.count + 9
            )
        }
        for byteCount in [1, 7, 64, file.octets.count] {
            #expect(try read(file.octets, inPiecesOf: byteCount) == expected)
        }
    }

    @Test("that is cut anywhere gives what stands before, and says where it was cut", arguments: files)
    func findsCuts(_ file: File) throws {
        var last = 0
        for end in 0..<file.octets.count {
            var stream = CaptureStream()
            stream.append(Array(file.octets[..<end]))
            var count = 0
            while try stream.next() != nil { count += 1 }
            #expect(count >= last && count <= Self.frames.count)
            last = count
            let isWhole = (try? stream.finish()) != nil
            // Between two structures nobody can tell that more should follow.
            if !isWhole { #expect(stream.offset <= UInt64(end)) }
            if isWhole { #expect(stream.offset == UInt64(end)) }
        }
        #expect(last >= Self.frames.count - 1)
    }

    @Test(
        "that contradicts itself ends there",
        arguments: [
            ([UInt8]("GIF89a..".utf8), CaptureFault(.notACapture, at: 0)),
            ([], CaptureFault(.notACapture, at: 0)),
            ([0xA1, 0xB2, 0xC3], CaptureFault(.cut, at: 0)),
            (
                pcap(0xA1B2_C3D4, isLittleEndian: false) + [0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 0, 0, 0, 0, 0, 0, 9],
                CaptureFault(.length, at: UInt64(pcap(0xA1B2_C3D4, isLittleEndian: false).count))
            ),
            (block(0x0A0D_0D0A, word(0xDEAD_BEEF, false), false), CaptureFault(.byteOrder, at: 0)),
            (head(false) + block(6, [UInt8](repeating: 0, count: 20), false), CaptureFault(.interface, at: 28)),
            (head(false) + block(9, [], false).dropLast(4) + [0, 0, 0, 16], CaptureFault(.length, at: 28)),
            (head(false) + block(1, interface(resolution: 60, false), false), CaptureFault(.resolution, at: 28)),
        ] as [([UInt8], CaptureFault)]
    )
    func refuses(_ octets: [UInt8], _ fault: CaptureFault) {
        #expect(throws: fault) { try read(octets, inPiecesOf: octets.count + 1) }
    }

    private func read(_ octets: [UInt8], inPiecesOf byteCount: Int) throws -> [CapturedFrame] {
        var stream = CaptureStream()
        var frames: [CapturedFrame] = []
        for start in stride(from: 0, to: octets.count, by: byteCount) {
            stream.append(Array(octets[start..<min(octets.count, start + byteCount)]))
            while let frame = try stream.next() { frames.append(frame) }
        }
        try stream.finish()
        return frames
    }
}

// What writes the files.
extension CaptureStreamTests {
    static func word(_ value: UInt32, _ isLittleEndian: Bool) -> [UInt8] {
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        return isLittleEndian ? octets.reversed() : octets
    }

    private static func half(_ value: UInt16, _ isLittleEndian: Bool) -> [UInt8] {
        let octets = [UInt8(value >> 8), UInt8(value & 0xFF)]
        return isLittleEndian ? octets.reversed() : octets
    }

    private static func pcap(_ magic: UInt32, isLittleEndian: Bool) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { self.word(value, isLittleEndian) }
        var file = word(magic) + half(2, isLittleEndian) + half(4, isLittleEndian)
        file += word(0) + word(0) + word(65_535) + word(1)
        for frame in frames {
            file += word(1) + word(5) + word(UInt32(frame.count)) + word(UInt32(frame.count) + 9) + frame
        }
        return file
    }

    private static func block(_ type: UInt32, _ body: [UInt8], _ isLittleEndian: Bool) -> [UInt8] {
        let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        let length = word(UInt32(padded.count) + 12, isLittleEndian)
        return word(type, isLittleEndian) + length + padded + length
    }

    private static func head(_ isLittleEndian: Bool) -> [UInt8] {
        let version = half(1, isLittleEndian) + half(0, isLittleEndian)
        let body = word(0x1A2B_3C4D, isLittleEndian) + version + [UInt8](repeating: 0xFF, count: 8)
        return block(0x0A0D_0D0A, body, isLittleEndian)
    }

    private static func interface(resolution: UInt8?, _ isLittleEndian: Bool) -> [UInt8] {
        var body = half(113, isLittleEndian) + half(0, isLittleEndian) + word(0, isLittleEndian)
        if let resolution {
            body += half(9, isLittleEndian) + half(1, isLittleEndian) + [resolution, 0, 0, 0]
            body += word(0, isLittleEndian)
        }
        return body
    }

    private static func pcapng(resolution: UInt8?, isLittleEndian: Bool = true) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { self.word(value, isLittleEndian) }
        let second: UInt64 =
            switch resolution {
            case 9: 1_000_000_000
            case 0x94: 1 << 20
            default: 1_000_000
            }
        // A block that nobody knows is passed over.
        var file = head(isLittleEndian) + block(1, interface(resolution: resolution, isLittleEndian), isLittleEndian)
        file += block(0xBAD, [1, 2, 3, 4, 5], isLittleEndian)
        for frame in frames {
            let time = second + 5
            var body = word(0) + word(UInt32(time >> 32)) + word(UInt32(truncatingIfNeeded: time))
            body += word(UInt32(frame.count)) + word(UInt32(frame.count) + 9) + frame
            file += block(6, body, isLittleEndian)
        }
        return file
    }
}

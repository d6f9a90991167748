import Primitives
import Testing

@Suite("Bytes")
struct ByteTests {
    @Test("are read in network byte order, and never past their end")
    func reader() throws {
        let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xFF, 0xFE]
        var reader = ByteReader(bytes.rawSpan)
        #expect(try reader.readInteger(as: UInt8.self) == 0x01)
        #expect(try reader.readInteger(as: UInt16.self) == 0x0203)
        #expect(try reader.readInteger(as: UInt32.self) == 0x0405_0607)
        let (offset, remaining, isAtEnd) = (reader.offset, reader.remaining, reader.isAtEnd)
        #expect(offset == 7 && remaining == 2 && !isAtEnd)
        #expect(throws: DecodeError.truncated(needed: 8, available: 2)) { try reader.readInteger(as: UInt64.self) }
        #expect(throws: DecodeError.truncated(needed: 3, available: 2)) { try reader.skip(3) }
        #expect(throws: DecodeError.truncated(needed: -1, available: 2)) { try reader.skip(-1) }
        #expect(throws: DecodeError.malformed(.trailingBytes)) { try reader.expectEnd() }
        // A read that fails moves nothing.
        #expect(try reader.readInteger(as: Int16.self) == -2)
        try reader.expectEnd()
    }

    @Test("are lent in parts and as a rest")
    func parts() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5]
        var reader = ByteReader(bytes.rawSpan)
        let parts = [
            try reader.read(0).copied(), try reader.read(2).copied(), reader.readRest().copied(),
            reader.readRest().copied(),
        ]
        #expect(parts == [[], [1, 2], [3, 4, 5], []])
    }

    @Test("are equal if every octet is")
    func equality() {
        let bytes: [UInt8] = [1, 2, 3]
        for (other, isEqual) in [([1, 2, 3], true), ([1, 2, 4], false), ([1, 2], false), ([], false)]
            as [([UInt8], Bool)]
        {
            let found = bytes.rawSpan.elementsEqual(other.rawSpan)
            #expect(found == isEqual)
        }
    }

    @Test("are written in network byte order, patched, cut and changed in place")
    func writer() {
        var writer = ByteWriter()
        writer.writeInteger(0x0102 as UInt16)
        writer.appendZeros(3)
        writer.writeInteger(-2 as Int32)
        writer.write(utf8: "é")
        writer.patch(0xAABB as UInt16, at: 3)
        expect(&writer, holds: [1, 2, 0, 0xAA, 0xBB, 0xFF, 0xFF, 0xFF, 0xFE, 0xC3, 0xA9])
        writer.truncate(to: 4)
        writer.write([7])
        writer.write([8, 9].rawSpan)
        writer.withMutableBytes { bytes in
            let byteCount = bytes.byteCount
            #expect(byteCount == 7)
            bytes.storeBytes(of: 0xEE, toByteOffset: 0, as: UInt8.self)
        }
        expect(&writer, holds: [0xEE, 2, 0, 0xAA, 7, 8, 9])
        writer.removeAll()
        // Room is zero even where something stood before.
        writer.appendZeros(2)
        expect(&writer, holds: [0, 0])
        writer.write([UInt8](repeating: 5, count: 1000))
        let taken = writer.bytes
        #expect(taken == [0, 0] + [UInt8](repeating: 5, count: 1000))
    }

    @Test("become hexadecimal digits and come back")
    func hexadecimal() throws {
        let all = (0...255).map { UInt8($0) }
        #expect(try Hexadecimal.decode(Hexadecimal.encode(all)) == all)
        #expect(Hexadecimal.encode([0x00, 0x0F, 0xA5] as [UInt8]) == "000fa5")
        #expect(try Hexadecimal.decode(" 00 0f\n\tA5\r ") == [0x00, 0x0F, 0xA5])
        for wrong in ["0", "0g", "0 0", "é"] {
            #expect(throws: DecodeError.malformed(.hexadecimal), "\(wrong)") { try Hexadecimal.decode(wrong) }
        }
    }

    private func expect(
        _ writer: inout ByteWriter,
        holds bytes: [UInt8],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let written = writer.bytes
        #expect(written == bytes, sourceLocation: sourceLocation)
    }
}

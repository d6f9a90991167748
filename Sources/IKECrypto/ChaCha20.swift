/// The ChaCha20 block function (RFC 8439 section 2.3).
///
/// Words 12 and 13 of the state count blocks, words 14 and 15 name the stream: RFC 8439's layout, whose nonce begins
/// with the upper half of the count.
package enum ChaCha20 {
    static let keyByteCount = 32
    static let blockByteCount = 64

    /// Writes the first octets of one block of key stream.
    package static func block(
        key: borrowing SecretBytes,
        counter: UInt64,
        stream: UInt64,
        into out: UnsafeMutableRawBufferPointer
    ) {
        precondition(key.count == keyByteCount, "a ChaCha20 key has 32 octets")
        precondition(out.count <= blockByteCount, "a block has 64 octets")
        var rows = InlineArray<4, Row>(repeating: Row())
        rows[0] = Row(0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574)
        // SAFETY: the key has 32 octets, as checked above.
        rows[1] = unsafe key.bytes.unsafeLoadUnaligned(as: Row.self).fromLittleEndian
        rows[2] = unsafe key.bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: Row.self).fromLittleEndian
        rows[3] = Row(
            UInt32(truncatingIfNeeded: counter),
            UInt32(truncatingIfNeeded: counter >> 32),
            UInt32(truncatingIfNeeded: stream),
            UInt32(truncatingIfNeeded: stream >> 32)
        )
        var (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
        for _ in 0..<10 {
            quarterRounds(&a, &b, &c, &d)
            // The diagonals become columns, and columns again.
            (b, c, d) = (b.rotated, c.swapped, d.rotated.swapped)
            quarterRounds(&a, &b, &c, &d)
            (b, c, d) = (b.rotated.swapped, c.swapped, d.rotated)
        }
        rows[0] = (rows[0] &+ a).fromLittleEndian
        rows[1] = (rows[1] &+ b).fromLittleEndian
        rows[2] = (rows[2] &+ c).fromLittleEndian
        rows[3] = (rows[3] &+ d).fromLittleEndian
        unsafe withUnsafeBytes(of: &rows) { block in
            unsafe out.copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<out.count]))
        }
    }

    /// Four words of the state, one of each column.
    private typealias Row = SIMD4<UInt32>

    /// A quarter round in each of the four columns at once.
    @inline(__always)
    private static func quarterRounds(_ a: inout Row, _ b: inout Row, _ c: inout Row, _ d: inout Row) {
        a = a &+ b
        d = rotate(d ^ a, by: 16)
        c = c &+ d
        b = rotate(b ^ c, by: 12)
        a = a &+ b
        d = rotate(d ^ a, by: 8)
        c = c &+ d
        b = rotate(b ^ c, by: 7)
    }

    @inline(__always)
    private static func rotate(_ row: Row, by bitCount: UInt32) -> Row {
        row &<< Row(repeating: bitCount) | row &>> Row(repeating: 32 - bitCount)
    }
}

extension SIMD4<UInt32> {
    /// By one place to the left.
    @inline(__always)
    fileprivate var rotated: SIMD4<UInt32> { SIMD4(self[1], self[2], self[3], self[0]) }

    /// By two places.
    @inline(__always)
    fileprivate var swapped: SIMD4<UInt32> { SIMD4(self[2], self[3], self[0], self[1]) }

    /// ChaCha20 reads and writes its words in little-endian order (RFC 8439 section 2.3).
    @inline(__always)
    fileprivate var fromLittleEndian: SIMD4<UInt32> {
        #if _endian(little)
            self
        #else
            SIMD4(self[0].byteSwapped, self[1].byteSwapped, self[2].byteSwapped, self[3].byteSwapped)
        #endif
    }
}

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
        var state = InlineArray<16, UInt32>(repeating: 0)
        state[0] = 0x6170_7865
        state[1] = 0x3320_646E
        state[2] = 0x7962_2D32
        state[3] = 0x6B20_6574
        for index in 0..<8 {
            // SAFETY: the key has 8 words, as checked above.
            let word = unsafe key.bytes.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            state[4 + index] = UInt32(littleEndian: word)
        }
        state[12] = UInt32(truncatingIfNeeded: counter)
        state[13] = UInt32(truncatingIfNeeded: counter >> 32)
        state[14] = UInt32(truncatingIfNeeded: stream)
        state[15] = UInt32(truncatingIfNeeded: stream >> 32)
        let start = state
        for _ in 0..<10 {
            quarterRound(&state, 0, 4, 8, 12)
            quarterRound(&state, 1, 5, 9, 13)
            quarterRound(&state, 2, 6, 10, 14)
            quarterRound(&state, 3, 7, 11, 15)
            quarterRound(&state, 0, 5, 10, 15)
            quarterRound(&state, 1, 6, 11, 12)
            quarterRound(&state, 2, 7, 8, 13)
            quarterRound(&state, 3, 4, 9, 14)
        }
        for index in 0..<16 { state[index] = (state[index] &+ start[index]).littleEndian }
        unsafe withUnsafeBytes(of: &state) { block in
            unsafe out.copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<out.count]))
        }
    }

    @inline(__always)
    private static func quarterRound(_ state: inout InlineArray<16, UInt32>, _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        state[a] = state[a] &+ state[b]
        state[d] = rotate(state[d] ^ state[a], by: 16)
        state[c] = state[c] &+ state[d]
        state[b] = rotate(state[b] ^ state[c], by: 12)
        state[a] = state[a] &+ state[b]
        state[d] = rotate(state[d] ^ state[a], by: 8)
        state[c] = state[c] &+ state[d]
        state[b] = rotate(state[b] ^ state[c], by: 7)
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, by bitCount: UInt32) -> UInt32 {
        word &<< bitCount | word &>> (32 - bitCount)
    }
}

import Primitives
import Testing

@Suite("The Internet checksum")
struct ChecksumTests {
    /// RFC 1071 section 1, word by word.
    private func plain(_ octets: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: octets.count, by: 2) {
            sum += UInt32(octets[index]) << 8 | UInt32(index + 1 < octets.count ? octets[index + 1] : 0)
            sum = (sum & 0xFFFF) + (sum >> 16)
        }
        return ~UInt16(sum)
    }

    @Test("is that of RFC 1071's own example")
    func example() {
        var sum = InternetChecksum()
        sum.add(([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7] as [UInt8]).rawSpan)
        #expect(sum.value == ~0xDDF2)
    }

    @Test("is that of a sum word by word, at every length, and where all carries are taken")
    func isPlain() {
        var stream = RandomStream(seed: 3, entity: 1, purpose: .traffic)
        for count in 0...1_500 {
            let random = (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
            for octets in [random, [UInt8](repeating: 0xFF, count: count), [UInt8](repeating: 0, count: count)] {
                var sum = InternetChecksum()
                sum.add(octets.rawSpan)
                #expect(sum.value == plain(octets), "\(count) octets")
            }
        }
    }
}

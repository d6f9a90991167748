import IKECrypto
import Primitives

/// What stands behind a payload: padding, pad length, next header (RFC 4303 sections 2.4 to 2.6).
enum ESPTrailer {
    /// Pad length and next header.
    static let fixedByteCount = 2

    /// Writes padding of 1, 2, 3, ..., its length and the next header.
    ///
    /// SAFETY: all of it is in the packet, and less than a block.
    @unsafe
    @inline(__always)
    static func write(into packet: UnsafeMutableRawPointer, behind payloadEnd: Int, end: Int, next: IPProtocol) {
        let padLength = end &- fixedByteCount &- payloadEnd
        var index = 0
        while index < padLength {
            unsafe packet.storeBytes(
                of: UInt8(truncatingIfNeeded: index &+ 1),
                toByteOffset: payloadEnd &+ index,
                as: UInt8.self
            )
            index &+= 1
        }
        let last = UInt16(next.rawValue) << 8 | UInt16(truncatingIfNeeded: padLength)
        unsafe packet.storeBytes(of: last.littleEndian, toByteOffset: end &- fixedByteCount, as: UInt16.self)
    }

    /// Finds a payload in its padded plaintext: its length, how much TFC padding is behind it, and what it is.
    @inline(__always)
    static func read(
        _ plaintext: RawSpan,
        mode: ESPMode
    ) throws(PacketDrop) -> (payloadByteCount: Int, tfcByteCount: Int, next: IPProtocol) {
        let end = plaintext.byteCount - fixedByteCount
        guard end >= 0 else { throw .malformed }
        // SAFETY: just checked, here and below where each length is; any octets are an integer.
        let last = UInt16(littleEndian: unsafe plaintext.unsafeLoadUnaligned(fromByteOffset: end, as: UInt16.self))
        let padLength = Int(last & 0xFF)
        let next = IPProtocol(rawValue: UInt8(last >> 8))
        guard padLength <= end else { throw .badPadding }
        let payloadEnd = end &- padLength
        var index = 0
        while index < padLength {
            let octet = unsafe plaintext.unsafeLoad(fromByteOffset: payloadEnd &+ index, as: UInt8.self)
            index &+= 1
            guard octet == UInt8(truncatingIfNeeded: index) else { throw .badPadding }
        }
        if next == .none { throw .dummy }
        guard mode.carries(next) else { throw .unknownNextHeader }
        let byteCount = try payloadByteCount(plaintext, payloadEnd, next)
        return (byteCount, payloadEnd - byteCount, next)
    }

    /// Whether a payload tells its own length, so that TFC padding may follow it (RFC 4303 section 2.7).
    static func tellsLength(_ next: IPProtocol) -> Bool { next == .ipv4 || next == .ipv6 || next == .udp }

    /// The length that a payload tells, where it tells one; else all of it.
    @inline(__always)
    private static func payloadByteCount(
        _ plaintext: RawSpan,
        _ end: Int,
        _ next: IPProtocol
    ) throws(PacketDrop) -> Int {
        let byteCount: Int
        switch next {
        case .ipv4:
            guard end >= 20, plaintext[0] >> 4 == 4 else { throw .malformed }
            byteCount = integer(plaintext, at: 2)
            guard byteCount >= 20 else { throw .malformed }
        case .ipv6:
            guard end >= 40, plaintext[0] >> 4 == 6 else { throw .malformed }
            byteCount = 40 + integer(plaintext, at: 4)
        case .udp:
            guard end >= 8 else { throw .malformed }
            byteCount = integer(plaintext, at: 4)
            guard byteCount >= 8 else { throw .malformed }
        default: return end
        }
        guard byteCount <= end else { throw .malformed }
        return byteCount
    }

    @inline(__always)
    private static func integer(_ bytes: RawSpan, at offset: Int) -> Int {
        // SAFETY: asked for only in headers that are there; any octets are an integer.
        Int(UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }
}

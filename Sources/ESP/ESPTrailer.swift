import IKECrypto
import Primitives

/// What stands behind a payload: padding, pad length, next header (RFC 4303 sections 2.4 to 2.6).
enum ESPTrailer {
    /// Pad length and next header.
    static let fixedByteCount = 2

    /// How long a payload becomes with the least padding that fills whole blocks.
    @inline(__always)
    static func paddedByteCount(_ payloadByteCount: Int, _ algorithms: PacketAlgorithms) -> Int {
        let block = algorithms.blockByteCount
        return (payloadByteCount + fixedByteCount + block - 1) & ~(block - 1)
    }

    /// Writes padding of 1, 2, 3, ..., its length and the next header.
    static func write(into buffer: inout MutableRawSpan, behind payloadEnd: Int, end: Int, next: IPProtocol) {
        let padLength = end - fixedByteCount - payloadEnd
        for index in 0..<padLength {
            buffer.storeBytes(of: UInt8(index + 1), toByteOffset: payloadEnd + index, as: UInt8.self)
        }
        buffer.storeBytes(of: UInt8(padLength), toByteOffset: end - 2, as: UInt8.self)
        buffer.storeBytes(of: next.rawValue, toByteOffset: end - 1, as: UInt8.self)
    }

    /// Finds a payload in its padded plaintext: its length, TFC padding left out, and what it is.
    static func read(
        _ plaintext: RawSpan,
        mode: ESPMode
    ) throws(PacketDrop) -> (payloadByteCount: Int, next: IPProtocol) {
        let end = plaintext.byteCount - fixedByteCount
        guard end >= 0 else { throw .malformed }
        let padLength = Int(plaintext[end])
        let next = IPProtocol(rawValue: plaintext[end + 1])
        guard padLength <= end else { throw .badPadding }
        let payloadEnd = end - padLength
        for index in 0..<padLength where plaintext[payloadEnd + index] != UInt8(index + 1) { throw .badPadding }
        if next == .none { throw .dummy }
        guard mode.carries(next) else { throw .unknownNextHeader }
        return (try payloadByteCount(plaintext.extracting(first: payloadEnd), next), next)
    }

    /// Whether a payload tells its own length, so that TFC padding may follow it (RFC 4303 section 2.7).
    static func tellsLength(_ next: IPProtocol) -> Bool { next == .ipv4 || next == .ipv6 || next == .udp }

    /// The length that a payload tells, where it tells one; else all of it.
    private static func payloadByteCount(_ payload: RawSpan, _ next: IPProtocol) throws(PacketDrop) -> Int {
        let byteCount: Int
        switch next {
        case .ipv4:
            guard payload.byteCount >= 20, payload[0] >> 4 == 4 else { throw .malformed }
            byteCount = integer(payload, at: 2)
            guard byteCount >= 20 else { throw .malformed }
        case .ipv6:
            guard payload.byteCount >= 40, payload[0] >> 4 == 6 else { throw .malformed }
            byteCount = 40 + integer(payload, at: 4)
        case .udp:
            guard payload.byteCount >= 8 else { throw .malformed }
            byteCount = integer(payload, at: 4)
            guard byteCount >= 8 else { throw .malformed }
        default: return payload.byteCount
        }
        guard byteCount <= payload.byteCount else { throw .malformed }
        return byteCount
    }

    private static func integer(_ bytes: RawSpan, at offset: Int) -> Int {
        Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    }
}

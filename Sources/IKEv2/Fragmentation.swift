import IKECrypto
import IKEWire
import Primitives

/// How large the IP packets are at most that carry a message in fragments (RFC 7383 section 2.5.1).
package struct FragmentSizes: Hashable, Sendable, BitwiseCopyable {
    package let ipv4: UInt16
    package let ipv6: UInt16

    package init(ipv4: UInt16, ipv6: UInt16) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// What every path carries: the sizes that need no knowledge of it.
    package static let standard = FragmentSizes(ipv4: 576, ipv6: 1280)
}

extension PeerPolicy {
    /// The largest packet that carries a fragment over a path; 0 where there are none.
    func fragmentPacketByteCount(over path: Path, _ peerTakesFragments: Bool) -> UInt16 {
        guard peerTakesFragments, let sizes = values.fragmentation else { return 0 }
        return path.remote.address.isIPv4 ? sizes.ipv4 : sizes.ipv6
    }
}

/// Which fragment of how many: counted from 1 (RFC 7383 section 2.5).
package struct FragmentPlace: Hashable, Sendable, BitwiseCopyable {
    package let number: Int
    package let total: Int

    package init(number: Int, total: Int) {
        precondition(number >= 1 && number <= total, "fragments are numbered from 1 up to their total")
        self.number = number
        self.total = total
    }

    /// More fragments than these no end sends, and none takes.
    package static let mostFragments = 255
}

// Sending.
extension Channel {
    /// Puts the payloads of the message that stands in the turn's writer, unprotected, into fragments, back to back,
    /// each with its own IV and ICV (RFC 7383 section 2.5).
    ///
    /// - Parameter missing: how many octets the payloads are short of their largest size; as much padding stands for
    ///   them, so that neither the number of fragments nor the length of any follows from a signature's length.
    mutating func protectInFragments(
        _ header: Header,
        _ whole: EncryptedRegion,
        missing: Int,
        origin: inout Origin,
        _ turn: inout Turn
    ) {
        var payloads = turn.takeScratch()
        let (first, end) = Self.payloads(of: whole, in: turn.writer.span)
        unsafe turn.writer.span.extracting(whole.plaintextStart..<end).withUnsafeBytes {
            unsafe payloads.append(contentsOf: $0)
        }
        let byteCount = payloads.count + missing
        let room = roomInFragment(for: byteCount)
        let total = max(1, (byteCount + room - 1) / room)
        turn.writer.removeAll()
        for number in 1...total {
            var encoder = MessageEncoder(header, into: &turn.writer)
            encoder.beginEncryptedFragment(
                number: UInt16(number),
                of: UInt16(total),
                firstType: first,
                ivByteCount: suite.cipher.ivByteCount
            )
            let start = (number - 1) * room
            let part = min(start, payloads.count)..<min(start + room, payloads.count)
            encoder.append(payloads.rawSpan.extracting(part))
            encoder.extraPadding = min(room, byteCount - start) - part.count
            let region = encoder.endEncrypted(
                blockByteCount: suite.cipher.blockByteCount,
                icvByteCount: suite.icvByteCount
            )
            encoder.finish(into: &turn.writer)
            seal(region, origin: &origin, &turn)
        }
        turn.giveBack(payloads)
    }

    /// The first payload's type, which the Encrypted payload's header names, and where the last payload ends.
    private static func payloads(of whole: EncryptedRegion, in message: RawSpan) -> (PayloadType, end: Int) {
        let first = PayloadType(rawValue: message[whole.ivStart - 4])
        return (first, end: whole.icvStart - 1 - Int(message[whole.icvStart - 1]))
    }

    var takesFragments: Bool { fragmentPacketByteCount > 0 }

    /// How long an IKE message may be so that its packet, IP and UDP headers and the non-ESP marker included, has the
    /// size.
    var fragmentByteCount: Int {
        let headers = (path.remote.address.isIPv4 ? 20 : 40) + 8 + (path.isEncapsulated ? 4 : 0)
        return Int(fragmentPacketByteCount) - headers
    }

    /// How many octets of the payloads a fragment carries: as many as its size permits, and so many that there are
    /// not too many fragments.
    private func roomInFragment(for byteCount: Int) -> Int {
        // The header, the generic payload header, Fragment Number and Total Fragments.
        let inFront = Header.byteCount + 4 + 4 + suite.cipher.ivByteCount
        let block = suite.cipher.blockByteCount
        let room = (fragmentByteCount - inFront - suite.icvByteCount) / block * block - 1
        let least = (byteCount + FragmentPlace.mostFragments - 1) / FragmentPlace.mostFragments
        return max(room, least, 1)
    }
}

extension Output {
    /// A message, or all of its fragments, which stand back to back: each says its own length.
    mutating func sendAll(_ messages: borrowing RawSpan, over path: Path, _ note: PacketNote) {
        var total = 0
        var start = 0
        while start < messages.byteCount {
            start += Self.messageByteCount(at: start, in: messages)
            total += 1
        }
        guard total > 1 else { return send(messages, over: path, note) }
        var note = note
        note.fragmentTotal = UInt8(total)
        start = 0
        while start < messages.byteCount {
            let end = start + Self.messageByteCount(at: start, in: messages)
            note.fragmentNumber += 1
            send(messages.extracting(start..<end), over: path, note)
            start = end
        }
    }

    /// The message, or the fragments, that stand in a writer.
    mutating func sendAll(_ messages: borrowing ByteWriter, over path: Path, _ note: PacketNote) {
        sendAll(messages.span, over: path, note)
    }

    private static func messageByteCount(at start: Int, in messages: borrowing RawSpan) -> Int {
        let offset = start + Header.byteCount - 4
        let length = unsafe messages.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return Int(UInt32(bigEndian: length))
    }
}

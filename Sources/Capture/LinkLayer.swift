import Primitives

/// What stands in front of an IP packet, by the link type of its capture (tcpdump.org/linktypes.html).
package enum LinkLayer {
    package enum Content: Hashable, Sendable {
        /// An IP packet, from this octet of the frame on.
        case internet(offset: Int)
        /// Something else, such as ARP.
        case other
        case unknownLinkType
    }

    package static func content(of frame: RawSpan, linkType: UInt16) -> Content {
        switch linkType {
        case 1: etherType(of: frame, at: 12)
        // Raw IP, as it is numbered in files and on some systems; IPv4 and IPv6 alone.
        case 12, 14, 101, 228, 229: frame.isEmpty ? .other : .internet(offset: 0)
        // The address family in the byte order of whoever captured (NULL), or in network order (LOOP).
        case 0, 108: loopback(frame)
        // Linux cooked captures, version 1 and 2.
        case 113: etherType(of: frame, at: 14)
        case 276: etherType(of: frame, at: 0, headerByteCount: 20)
        default: .unknownLinkType
        }
    }

    /// - Parameter headerByteCount: where the packet begins, if not right behind the type.
    private static func etherType(of frame: RawSpan, at place: Int, headerByteCount: Int? = nil) -> Content {
        var place = place
        var start = headerByteCount ?? place + 2
        // No more tags than anybody stacks.
        for _ in 0..<4 {
            guard place + 2 <= frame.byteCount, start < frame.byteCount else { return .other }
            switch UInt16(frame[place]) << 8 | UInt16(frame[place + 1]) {
            case 0x0800, 0x86DD: return .internet(offset: start)
            // A tag of 802.1Q or 802.1ad: two octets, then the type of what follows.
            case 0x8100, 0x88A8, 0x9100:
                place = start + 2
                start += 4
            default: return .other
            }
        }
        return .other
    }

    private static func loopback(_ frame: RawSpan) -> Content {
        guard frame.byteCount > 4 else { return .other }
        let family = UInt32(frame[0]) << 24 | UInt32(frame[1]) << 16 | UInt32(frame[2]) << 8 | UInt32(frame[3])
        let isInternet = families.contains(family) || families.contains(family.byteSwapped)
        return isInternet ? .internet(offset: 4) : .other
    }

    /// AF_INET everywhere; AF_INET6 of Linux, NetBSD, FreeBSD and Darwin.
    private static let families: [UInt32] = [2, 10, 24, 28, 30]
}

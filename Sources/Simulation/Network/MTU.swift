/// The largest IP packet that passes a link, and what happens to a larger datagram.
package struct MTU: Hashable, Sendable, BitwiseCopyable {
    package enum Excess: Hashable, Sendable, BitwiseCopyable {
        /// It is cut into IP fragments; the loss of one loses the datagram.
        case fragment
        /// It is dropped without a word, as by a path that filters ICMP.
        case drop
    }

    package let byteCount: Int
    package let excess: Excess

    package init(byteCount: Int, excess: Excess) {
        precondition(byteCount >= 576, "a link carries IPv4 packets of 576 bytes (RFC 791)")
        self.byteCount = byteCount
        self.excess = excess
    }

    /// What a UDP datagram becomes on the wire.
    package struct Shape: Hashable, Sendable, BitwiseCopyable {
        package let packetCount: Int
        /// With all headers up to IP's.
        package let byteCount: Int
    }

    /// The IP packets that carry a UDP payload, or nil where it is dropped; without an MTU there is one.
    ///
    /// Fragments but the last carry a multiple of 8 bytes (RFC 791 section 3.2, RFC 8200 section 4.5).
    package static func shape(of payloadByteCount: Int, isIPv4: Bool, limit: MTU?) -> Shape? {
        let header = isIPv4 ? 20 : 40
        let content = payloadByteCount + 8
        guard let limit, header + content > limit.byteCount else {
            return Shape(packetCount: 1, byteCount: header + content)
        }
        guard limit.excess == .fragment else { return nil }
        let fragmentHeader = isIPv4 ? 20 : 48
        let room = (limit.byteCount - fragmentHeader) & ~7
        let count = (content + room - 1) / room
        return Shape(packetCount: count, byteCount: content + count * fragmentHeader)
    }
}

/// What an IP packet or an ESP packet carries: the next header (RFC 4303 section 2.6).
package struct IPProtocol: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let icmp = Self(rawValue: 1)
    /// An IPv4 packet, in a tunnel.
    package static let ipv4 = Self(rawValue: 4)
    package static let tcp = Self(rawValue: 6)
    package static let udp = Self(rawValue: 17)
    /// An IPv6 packet, in a tunnel.
    package static let ipv6 = Self(rawValue: 41)
    package static let icmpv6 = Self(rawValue: 58)
    /// Nothing: a dummy packet, which hides that there is no traffic.
    package static let none = Self(rawValue: 59)
}

/// What an SA carries (RFC 4301 section 4.1).
package enum ESPMode: Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// Whole IP packets.
    case tunnel
    /// What stands behind the IP header of a packet between the two ends.
    case transport

    /// Whether an SA of this mode delivers such packets.
    package func carries(_ next: IPProtocol) -> Bool {
        switch (self, next) {
        case (.tunnel, .ipv4), (.tunnel, .ipv6): true
        case (.transport, .icmp), (.transport, .tcp), (.transport, .udp), (.transport, .icmpv6): true
        default: false
        }
    }
}

/// Why a packet is not delivered (RFC 4303 section 3.4).
package enum PacketDrop: UInt8, Error, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// Too short for its algorithms, not of whole blocks, or its inner length does not fit.
    case malformed
    /// No SA here has this SPI.
    case unknownSPI
    /// Left of the anti-replay window, where nobody can tell whether it came before.
    case tooOld
    /// It came before.
    case replayed
    /// Changed on its way, sealed under other keys, or made up.
    case badICV
    /// Authentic, but its padding is not 1, 2, 3, ... or longer than its plaintext.
    case badPadding
    /// Authentic, but of a protocol that its SA does not carry.
    case unknownNextHeader
    /// Authentic, and made to be dropped (RFC 4303 section 2.6).
    case dummy
}

/// How many packets were not delivered, by reason.
package struct DropTally: Sendable, BitwiseCopyable {
    private var counts = InlineArray<8, UInt64>(repeating: 0)

    package init() {}

    package subscript(_ reason: PacketDrop) -> UInt64 { counts[Int(reason.rawValue)] }

    package var total: UInt64 {
        var sum: UInt64 = 0
        for reason in PacketDrop.allCases { sum += self[reason] }
        return sum
    }

    package mutating func count(_ reason: PacketDrop) { counts[Int(reason.rawValue)] += 1 }

    package mutating func add(_ other: DropTally) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}

/// How much an SA has carried; what lifetimes in packets and octets are measured by (RFC 4301 section 4.4.2.1).
///
/// Octets are those of payloads, in a tunnel whole inner packets, without padding.
package struct Usage: Hashable, Sendable, BitwiseCopyable {
    package private(set) var packets: UInt64 = 0
    package private(set) var octets: UInt64 = 0

    package init() {}

    mutating func count(_ byteCount: Int) {
        packets += 1
        octets += UInt64(byteCount)
    }
}

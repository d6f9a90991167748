package import Primitives

/// A UDP datagram that a capture holds, from one IP packet or from the fragments of one.
package struct CapturedDatagram: Hashable, Sendable {
    /// Nanoseconds since 1970: when its last piece passed.
    package var timestamp: UInt64
    package var source: UDPEndpoint
    package var destination: UDPEndpoint
    package var payload: [UInt8]
    /// How long the IP packet was, or would have been in one piece.
    package var packetByteCount: Int
    /// How many IP packets carried it.
    package var packetCount = 1
    /// Whether the capture holds its beginning only.
    package var isCut = false

    package init(
        timestamp: UInt64,
        source: UDPEndpoint,
        destination: UDPEndpoint,
        payload: [UInt8],
        packetByteCount: Int
    ) {
        self.timestamp = timestamp
        self.source = source
        self.destination = destination
        self.payload = payload
        self.packetByteCount = packetByteCount
    }
}

/// A datagram of which not all IP fragments are in the capture.
package struct LostDatagram: Hashable, Sendable {
    /// When its last fragment passed.
    package var timestamp: UInt64
    package var source: IPAddress
    package var destination: IPAddress
    /// Of the first fragment, where that one is there.
    package var ports: Ports?
    /// How many fragments are there.
    package var packetCount: Int

    package struct Ports: Hashable, Sendable {
        package var source: UInt16
        package var destination: UInt16
    }
}

/// A router or host that says that a datagram did not arrive (RFC 792, RFC 4443).
package struct ICMPError: Hashable, Sendable {
    package var timestamp: UInt64
    /// Who says so.
    package var reporter: IPAddress
    /// Of the datagram.
    package var source: UDPEndpoint
    package var destination: UDPEndpoint
    package var kind: Kind

    package enum Kind: Hashable, Sendable {
        case portUnreachable
        case hostUnreachable
        case prohibited
        /// The datagram was too long for a link that carries so many octets.
        case tooBig(mtu: Int)
        case timeExceeded
    }
}

/// What a frame turned out to hold.
package enum CapturedContent: Hashable, Sendable {
    case datagram(CapturedDatagram)
    case unreachable(ICMPError)
    /// A fragment of a datagram whose others are still missing.
    case fragment
    /// Not UDP, or nothing that can be read.
    case other
    case unknownLinkType
}

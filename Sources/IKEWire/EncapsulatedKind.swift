import Primitives

/// What a datagram on port 4500 is (RFC 3948 section 2).
package enum EncapsulatedKind: Hashable, Sendable {
    /// An IKE message behind the non-ESP marker (RFC 3948 section 2.2).
    case ike
    /// An ESP packet, with the SPI that names its SA (RFC 3948 section 2.1).
    case esp(ChildSPI)
    /// One octet 0xFF, which keeps a NAT's mapping (RFC 3948 section 2.3).
    case keepalive
    /// Too short for any of them, or one octet that is not 0xFF.
    case neither

    package var isESP: Bool {
        switch self {
        case .esp: true
        case .ike, .keepalive, .neither: false
        }
    }

    /// What stands before an IKE message, where ESP has an SPI that is not 0.
    package static let markerByteCount = 4

    package init(_ datagram: RawSpan) {
        if datagram.byteCount == 1 {
            self = datagram[0] == 0xFF ? .keepalive : .neither
        } else if datagram.byteCount < Self.markerByteCount {
            self = .neither
        } else {
            // SAFETY: four octets are there, and any octets are an integer.
            let word = unsafe datagram.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
            if word == 0 {
                self = .ike
            } else if datagram.byteCount < Self.espHeaderByteCount {
                self = .neither
            } else {
                self = .esp(ChildSPI(rawValue: UInt32(bigEndian: word)))
            }
        }
    }

    /// SPI and sequence number (RFC 4303 section 2).
    private static let espHeaderByteCount = 8
}

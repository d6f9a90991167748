import Capture
import IKEWire
import Primitives

/// What a datagram is, by its ports and its first octets (RFC 3948 section 2, RFC 7296 section 2.23).
enum Carrier: Hashable {
    /// An IKE message, from this octet of the datagram on.
    case ike(offset: Int)
    case esp(ChildSPI)
    /// One octet that keeps a NAT's mapping (RFC 3948 section 4).
    case keepalive
    case other

    init(_ datagram: CapturedDatagram) {
        let payload = datagram.payload
        let ports = [datagram.source.port, datagram.destination.port]
        if ports.contains(500) {
            self = payload.count >= Header.byteCount ? .ike(offset: 0) : .other
        } else if ports.contains(4500) {
            self = Self.encapsulated(payload)
        } else if Self.looksLikeIKE(payload, at: 0) {
            self = .ike(offset: 0)
        } else if payload.starts(with: Self.marker), Self.looksLikeIKE(payload, at: Self.marker.count) {
            self = .ike(offset: Self.marker.count)
        } else {
            self = .other
        }
    }

    private static func encapsulated(_ payload: [UInt8]) -> Carrier {
        switch EncapsulatedKind(payload.rawSpan) {
        case .ike: payload.count >= marker.count + Header.byteCount ? .ike(offset: marker.count) : .other
        case .esp(let spi): .esp(spi)
        case .keepalive: .keepalive
        case .neither: .other
        }
    }

    /// Whether the octets can hardly be anything but IKE: the version, a known exchange, and the datagram's own length.
    private static func looksLikeIKE(_ payload: [UInt8], at offset: Int) -> Bool {
        guard payload.count >= offset + Header.byteCount else { return false }
        var reader = ByteReader(payload.rawSpan.extracting(offset..<payload.count))
        guard let header = try? Header.decode(from: &reader) else { return false }
        return header.version == Header.version2 && header.exchange.name != nil && header.initiatorSPI != .zero
            && header.flags.isSubset(of: [.initiator, .response, .higherVersion])
    }

    /// What stands in front of IKE where ESP could be: the SPI that no Child SA has.
    private static let marker: [UInt8] = [0, 0, 0, 0]
}

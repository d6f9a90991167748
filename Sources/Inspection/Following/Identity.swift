package import IKEWire
import Primitives

/// Who one end says it is, as it is shown (RFC 7296 section 3.5).
package struct Identity: Hashable, Sendable {
    package var type: IdentificationType
    package var data: [UInt8]

    /// Such as `user-1@example.org`.
    package var text: String {
        switch type {
        case .fqdn, .rfc822Address: String(decoding: data, as: UTF8.self)
        case .ipv4Address where data.count == 4, .ipv6Address where data.count == 16: address
        case .derASN1DN: DistinguishedName(data)?.text ?? Hexadecimal.encode(data)
        case .null: "nobody"
        default: Hexadecimal.encode(data)
        }
    }

    private var address: String {
        var reader = ByteReader(data.rawSpan)
        if data.count == 4, let v4 = try? reader.readInteger(as: UInt32.self) { return IPAddress(v4: v4).description }
        guard let high = try? reader.readInteger(as: UInt64.self), let low = try? reader.readInteger(as: UInt64.self)
        else { return Hexadecimal.encode(data) }
        return IPAddress(high: high, low: low).description
    }
}

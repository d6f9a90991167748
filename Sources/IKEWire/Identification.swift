public import Primitives

/// Who one end says it is (RFC 7296 section 3.5).
public struct Identification: ~Escapable {
    public let type: IdentificationType
    public let data: RawSpan

    /// The payload without its generic header, as AUTH signs it (RFC 7296 section 2.15).
    public let body: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        self.body = body
        var reader = ByteReader(body)
        type = IdentificationType(rawValue: try reader.readInteger())
        try reader.skip(3)
        data = reader.readRest()
    }
}

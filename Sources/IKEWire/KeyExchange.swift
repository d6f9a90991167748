public import Primitives

/// One end's public value or encapsulation (RFC 7296 section 3.4).
public struct KeyExchange: ~Escapable {
    public let method: KeyExchangeID
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        method = KeyExchangeID(rawValue: try reader.readInteger())
        try reader.skip(2)
        data = reader.readRest()
    }
}

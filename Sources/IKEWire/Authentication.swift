public import Primitives

/// The proof that the sender is who it says (RFC 7296 section 3.8).
public struct Authentication: ~Escapable {
    public let method: AuthenticationMethod
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        method = AuthenticationMethod(rawValue: try reader.readInteger())
        try reader.skip(3)
        data = reader.readRest()
    }
}

/// Names an implementation or an extension of it (RFC 7296 section 3.12).
public struct VendorID: ~Escapable {
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) { data = body }
}

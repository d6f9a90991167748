public import Primitives

/// What makes the keys of an exchange fresh (RFC 7296 section 3.9).
public struct Nonce: ~Escapable {
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        guard Self.byteCounts.contains(body.byteCount) else { throw .malformed(.nonceLength) }
        data = body
    }

    /// How long a nonce may be.
    @inlinable public static var byteCounts: ClosedRange<Int> { 16...256 }
}

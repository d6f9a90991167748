public import Primitives

/// A certificate, or where to find it (RFC 7296 section 3.6).
public struct Certificate: ~Escapable {
    public let encoding: CertificateEncoding
    public let data: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        encoding = CertificateEncoding(rawValue: try reader.readInteger())
        data = reader.readRest()
    }
}

/// Which certification authorities the sender trusts (RFC 7296 section 3.7).
public struct CertificateRequest: ~Escapable {
    public let encoding: CertificateEncoding
    /// For X.509: the SHA-1 hashes of the authorities' public keys, 20 octets each.
    public let authorities: RawSpan

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        encoding = CertificateEncoding(rawValue: try reader.readInteger())
        authorities = reader.readRest()
    }
}

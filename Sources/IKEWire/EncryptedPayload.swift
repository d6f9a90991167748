public import Primitives

/// What an Encrypted payload or fragment holds: initialization vector, ciphertext with padding, integrity checksum
/// (RFC 7296 section 3.14).
///
/// How long each part is depends on the algorithms of the IKE SA. The authenticated data is the datagram from its
/// first octet up to the vector (RFC 5282 section 5.1), or up to the checksum where integrity has its own algorithm.
public struct EncryptedPayload: ~Escapable {
    /// The type of the first payload inside; in a fragment that is not the first: none.
    public let firstType: PayloadType

    /// Vector, ciphertext and checksum.
    public let content: RawSpan

    /// Where the content starts, counted from the datagram's first octet.
    public let contentOffset: Int

    @inlinable @_lifetime(copy payload)
    public init(_ payload: borrowing RawPayload) {
        precondition(payload.type == .encrypted, "an Encrypted payload is decoded from one")
        firstType = payload.nextType
        content = payload.body
        contentOffset = payload.bodyOffset
    }
}

/// One part of an Encrypted payload that did not fit a datagram (RFC 7383 section 2.5).
public struct EncryptedFragment: ~Escapable {
    /// The type of the first payload inside the reassembled payload, in the fragment with number 1.
    public let firstType: PayloadType
    /// Counts from 1.
    public let number: UInt16
    public let total: UInt16
    /// Vector, ciphertext and checksum of this part.
    public let content: RawSpan
    /// Where the content starts, counted from the datagram's first octet.
    public let contentOffset: Int

    @inlinable @_lifetime(copy payload)
    public init(_ payload: borrowing RawPayload) throws(DecodeError) {
        precondition(payload.type == .encryptedFragment, "an Encrypted Fragment is decoded from one")
        firstType = payload.nextType
        var reader = ByteReader(payload.body)
        number = try reader.readInteger()
        total = try reader.readInteger()
        guard number >= 1, number <= total else { throw .malformed(.fragmentNumber) }
        contentOffset = payload.bodyOffset + reader.offset
        content = reader.readRest()
    }
}

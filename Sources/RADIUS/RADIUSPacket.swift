package import Primitives

/// A RADIUS packet (RFC 2865 section 3), borrowed from its datagram; each of its attributes has a length that fits.
package struct RADIUSPacket: ~Escapable {
    package let code: RADIUSCode
    package let identifier: UInt8
    /// The Request Authenticator or the Response Authenticator, 16 octets.
    package let authenticator: RawSpan
    /// The attributes, all of them.
    package let attributeOctets: RawSpan
    /// The packet itself, without what a datagram has behind it.
    package let octets: RawSpan

    package static let headerByteCount = 20
    package static let maximumByteCount = 4096

    /// Octets behind the packet's own length are padding, and ignored.
    @_lifetime(copy datagram)
    package init(_ datagram: RawSpan) throws(DecodeError) {
        var reader = ByteReader(datagram)
        code = RADIUSCode(rawValue: try reader.readInteger())
        identifier = try reader.readInteger()
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length >= Self.headerByteCount, length <= Self.maximumByteCount else {
            throw .malformed(.messageLengthMismatch)
        }
        authenticator = try reader.read(16)
        attributeOctets = try reader.read(length - Self.headerByteCount)
        octets = datagram.extracting(0..<length)
        var all = RADIUSAttributes(attributeOctets)
        while try all.advance() != nil {}
    }

    /// The attributes in their order.
    package var attributes: RADIUSAttributes {
        @_lifetime(copy self)
        get { RADIUSAttributes(attributeOctets) }
    }

    /// The first attribute of a type.
    @_lifetime(copy self)
    package func first(_ type: RADIUSAttributeType) -> RawSpan? {
        var attributes = attributes
        while let attribute = attributes.next() {
            if attribute.type == type { return attribute.value }
        }
        return nil
    }

    /// The EAP packet that the EAP-Message attributes carry together (RFC 3579 section 3.1); empty when there is none.
    package var eapMessage: [UInt8] {
        var message: [UInt8] = []
        var attributes = attributes
        while let attribute = attributes.next() {
            if attribute.type == .eapMessage { message += attribute.value.copied() }
        }
        return message
    }

    /// Where the value of Message-Authenticator stands in the packet; nil when there is none of 16 octets.
    package var messageAuthenticatorOffset: Int? {
        var attributes = attributes
        while let attribute = attributes.next() {
            guard attribute.type == .messageAuthenticator else { continue }
            guard attribute.value.byteCount == 16 else { return nil }
            return Self.headerByteCount + attributes.offset - 16
        }
        return nil
    }
}

/// One attribute: type, length, value (RFC 2865 section 5).
package struct RADIUSAttribute: ~Escapable {
    package let type: RADIUSAttributeType
    package let value: RawSpan

    @_lifetime(copy value)
    init(_ type: RADIUSAttributeType, _ value: RawSpan) {
        self.type = type
        self.value = value
    }
}

/// A chain of attributes.
package struct RADIUSAttributes: ~Escapable {
    private var reader: ByteReader

    @_lifetime(copy octets)
    package init(_ octets: RawSpan) { reader = ByteReader(octets) }

    /// How many octets have been passed.
    var offset: Int { reader.offset }

    /// The next attribute, or nil behind the last.
    @_lifetime(copy self) @_lifetime(self: copy self)
    package mutating func advance() throws(DecodeError) -> RADIUSAttribute? {
        guard !reader.isAtEnd else { return nil }
        let type = RADIUSAttributeType(rawValue: try reader.readInteger())
        let length = Int(try reader.readInteger(as: UInt8.self))
        guard length >= 2 else { throw .malformed(.attributeLength) }
        return RADIUSAttribute(type, try reader.read(length - 2))
    }

    /// The next attribute of a chain that has been read before without an error.
    @_lifetime(copy self) @_lifetime(self: copy self)
    mutating func next() -> RADIUSAttribute? { try? advance() }
}

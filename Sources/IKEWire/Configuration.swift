public import Primitives

/// Addresses and other settings that a client asks for and a gateway gives (RFC 7296 section 3.15).
public struct Configuration: ~Escapable {
    public let type: ConfigurationType
    public let attributes: ConfigurationAttributeSequence

    @inlinable @_lifetime(copy body)
    public init(_ body: RawSpan) throws(DecodeError) {
        var reader = ByteReader(body)
        type = ConfigurationType(rawValue: try reader.readInteger())
        try reader.skip(3)
        attributes = ConfigurationAttributeSequence(reader: ByteReader(reader.readRest()))
    }
}

/// One setting; an empty value in a request asks for any.
public struct RawConfigurationAttribute: ~Escapable {
    public let type: ConfigurationAttributeType
    public let value: RawSpan

    @inlinable @_lifetime(copy value)
    init(type: ConfigurationAttributeType, value: RawSpan) {
        self.type = type
        self.value = value
    }
}

/// The attributes of a Configuration payload, one after the other.
public struct ConfigurationAttributeSequence: ~Escapable {
    @usableFromInline var reader: ByteReader

    @inlinable @_lifetime(copy reader)
    init(reader: consuming ByteReader) { self.reader = reader }

    /// The next attribute, or nil behind the last one.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func next() throws(DecodeError) -> RawConfigurationAttribute? {
        guard !reader.isAtEnd else { return nil }
        // The first bit is reserved (RFC 7296 section 3.15.1).
        let type = ConfigurationAttributeType(rawValue: try reader.readInteger(as: UInt16.self) & 0x7FFF)
        let byteCount = Int(try reader.readInteger(as: UInt16.self))
        return RawConfigurationAttribute(type: type, value: try reader.read(byteCount))
    }
}

/// A configuration attribute of our own.
public struct ConfigurationAttribute: Hashable, Sendable {
    public var type: ConfigurationAttributeType
    public var value: [UInt8]

    @inlinable
    public init(_ type: ConfigurationAttributeType, _ value: [UInt8] = []) {
        self.type = type
        self.value = value
    }
}

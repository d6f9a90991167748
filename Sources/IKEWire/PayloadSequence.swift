public import Primitives

/// A payload whose body has not been decoded (RFC 7296 section 3.2).
public struct RawPayload: ~Escapable {
    public let type: PayloadType

    /// Whether a receiver that does not know the type must refuse the whole message.
    public let isCritical: Bool

    /// What the payload's own header says comes next: for SK and SKF the first payload inside.
    public let nextType: PayloadType

    /// Where the body starts, counted from the first octet that the sequence's reader was given.
    public let bodyOffset: Int

    public let body: RawSpan

    @inlinable @_lifetime(copy body)
    init(type: PayloadType, isCritical: Bool, nextType: PayloadType, bodyOffset: Int, body: RawSpan) {
        self.type = type
        self.isCritical = isCritical
        self.nextType = nextType
        self.bodyOffset = bodyOffset
        self.body = body
    }
}

/// The payloads of a message or of what an Encrypted payload held, one after the other.
public struct PayloadSequence: ~Escapable {
    @usableFromInline var reader: ByteReader
    @usableFromInline var nextType: PayloadType

    @inlinable @_lifetime(copy reader)
    public init(first: PayloadType, reader: consuming ByteReader) {
        self.reader = reader
        self.nextType = first
    }

    @inlinable @_lifetime(copy bytes)
    public init(first: PayloadType, bytes: RawSpan) {
        self.init(first: first, reader: ByteReader(bytes))
    }

    /// The next payload, or nil behind the last one.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func next() throws(DecodeError) -> RawPayload? {
        guard nextType != .none else {
            guard reader.isAtEnd else { throw .malformed(.trailingBytes) }
            return nil
        }
        let type = nextType
        let following = PayloadType(rawValue: try reader.readInteger())
        let isCritical = try reader.readInteger(as: UInt8.self) & 0x80 != 0
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length >= Self.headerByteCount else { throw .malformed(.payloadLengthTooSmall) }
        let offset = reader.offset
        let body = try reader.read(length - Self.headerByteCount)
        // An Encrypted payload or fragment is the last one; its next type is that of what it holds (section 3.14).
        let isLast = type == .encrypted || type == .encryptedFragment
        nextType = isLast ? .none : following
        return RawPayload(type: type, isCritical: isCritical, nextType: following, bodyOffset: offset, body: body)
    }

    @inlinable static var headerByteCount: Int { 4 }
}

/// A message over the datagram that holds it: the header, and the payloads in the clear.
public struct MessageDecoder: ~Escapable {
    public let header: Header
    public var payloads: PayloadSequence

    @inlinable @_lifetime(copy datagram)
    public init(_ datagram: RawSpan) throws(DecodeError) {
        var reader = ByteReader(datagram)
        header = try Header.decode(from: &reader)
        guard header.majorVersion == 2 else { throw .malformed(.unsupportedMajorVersion) }
        payloads = PayloadSequence(first: header.nextPayload, reader: reader)
    }
}

public import Primitives

/// One algorithm that a proposal offers (RFC 7296 section 3.3.2).
public struct Transform: Hashable, Sendable {
    public var type: TransformType
    public var id: UInt16

    /// The key length attribute in bits, for algorithms with keys of several lengths.
    public var keyLength: UInt16?

    /// Attributes that this implementation does not know, as they were encoded; it never chooses such a transform.
    public var unknownAttributes: [UInt8]

    @inlinable
    public init(type: TransformType, id: UInt16, keyLength: UInt16? = nil, unknownAttributes: [UInt8] = []) {
        self.type = type
        self.id = id
        self.keyLength = keyLength
        self.unknownAttributes = unknownAttributes
    }

    @inlinable
    public static func encryption(_ id: EncryptionID, keyLength: UInt16? = nil) -> Self {
        Self(type: .encryption, id: id.rawValue, keyLength: keyLength)
    }

    @inlinable
    public static func prf(_ id: PRFID) -> Self { Self(type: .prf, id: id.rawValue) }

    @inlinable
    public static func integrity(_ id: IntegrityID) -> Self { Self(type: .integrity, id: id.rawValue) }

    @inlinable
    public static func keyExchange(_ id: KeyExchangeID) -> Self { Self(type: .keyExchange, id: id.rawValue) }

    /// - Parameter number: from 1 to 7 (RFC 9370 section 2.2.1).
    @inlinable
    public static func additionalKeyExchange(_ number: Int, _ id: KeyExchangeID) -> Self {
        Self(type: TransformType(rawValue: UInt8(5 + number)), id: id.rawValue)
    }

    @inlinable
    public static func extendedSequenceNumbers(_ id: ESNID) -> Self {
        Self(type: .extendedSequenceNumbers, id: id.rawValue)
    }
}

/// A transform over the bytes that hold it.
public struct RawTransform: ~Escapable {
    public let type: TransformType
    public let id: UInt16
    public let keyLength: UInt16?

    /// Whether there are attributes besides the key length: a transform with one is not to be chosen
    /// (RFC 7296 section 3.3.6).
    public let hasUnknownAttributes: Bool

    @usableFromInline let attributes: RawSpan

    @inlinable @_lifetime(copy attributes)
    init(type: TransformType, id: UInt16, attributes: RawSpan) throws(DecodeError) {
        self.type = type
        self.id = id
        self.attributes = attributes
        var reader = ByteReader(attributes)
        var keyLength: UInt16?
        var hasUnknownAttributes = false
        while !reader.isAtEnd {
            let attribute = try reader.readInteger(as: UInt16.self)
            let valueOrLength = try reader.readInteger(as: UInt16.self)
            if attribute == Self.keyLengthAttribute {
                guard keyLength == nil else { throw .malformed(.duplicateKeyLength) }
                keyLength = valueOrLength
            } else {
                hasUnknownAttributes = true
                if attribute & Self.valueInPlace == 0 { try reader.skip(Int(valueOrLength)) }
            }
        }
        self.keyLength = keyLength
        self.hasUnknownAttributes = hasUnknownAttributes
    }

    /// Whether this is the very transform that somebody configured.
    @inlinable
    public func matches(_ transform: Transform) -> Bool {
        type == transform.type && id == transform.id && keyLength == transform.keyLength && !hasUnknownAttributes
    }

    /// The transform, copied so that it outlives its datagram.
    public func copied() throws(DecodeError) -> Transform {
        var unknown: [UInt8] = []
        var reader = ByteReader(attributes)
        while hasUnknownAttributes, !reader.isAtEnd {
            let start = reader.offset
            let attribute = try reader.readInteger(as: UInt16.self)
            let valueOrLength = try reader.readInteger(as: UInt16.self)
            if attribute & Self.valueInPlace == 0 { try reader.skip(Int(valueOrLength)) }
            guard attribute != Self.keyLengthAttribute else { continue }
            unknown += attributes.extracting(start..<reader.offset).copied()
        }
        return Transform(type: type, id: id, keyLength: keyLength, unknownAttributes: unknown)
    }

    /// The bit that says that an attribute's value stands where another's length does (RFC 7296 section 3.3.5).
    @usableFromInline static var valueInPlace: UInt16 { 0x8000 }
    @usableFromInline static var keyLengthAttribute: UInt16 { 0x8000 | 14 }
    @usableFromInline static var headerByteCount: Int { 8 }
}

/// The transforms of a proposal, one after the other.
public struct TransformSequence: ~Escapable {
    @usableFromInline var reader: ByteReader
    @usableFromInline var remainingCount: Int
    @usableFromInline var isFinished: Bool

    @inlinable @_lifetime(copy reader)
    init(reader: consuming ByteReader, count: Int) {
        self.reader = reader
        self.remainingCount = count
        self.isFinished = count == 0
    }

    /// The next transform, or nil behind the last one.
    @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func next() throws(DecodeError) -> RawTransform? {
        guard !isFinished else {
            guard remainingCount == 0 else { throw .malformed(.transformCountMismatch) }
            try reader.expectEnd()
            return nil
        }
        guard remainingCount > 0 else { throw .malformed(.transformCountMismatch) }
        remainingCount -= 1
        let marker = try reader.readInteger(as: UInt8.self)
        guard marker == 0 || marker == Self.moreFollow else { throw .malformed(.badSubstructureMarker) }
        isFinished = marker == 0
        try reader.skip(1)
        let length = Int(try reader.readInteger(as: UInt16.self))
        guard length >= RawTransform.headerByteCount else { throw .malformed(.transformLengthTooSmall) }
        let type = TransformType(rawValue: try reader.readInteger())
        try reader.skip(1)
        let id = try reader.readInteger(as: UInt16.self)
        let attributes = try reader.read(length - RawTransform.headerByteCount)
        return try RawTransform(type: type, id: id, attributes: attributes)
    }

    @usableFromInline static var moreFollow: UInt8 { 3 }
}

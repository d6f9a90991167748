public import Primitives

/// The 28 octets in front of every IKE message (RFC 7296 section 3.1).
public struct Header: Hashable, Sendable, BitwiseCopyable {
    public var initiatorSPI: IKESPI
    public var responderSPI: IKESPI
    /// The type of the first payload; an encoder fills it in.
    public var nextPayload: PayloadType
    /// Major version in the upper four bits, minor version in the lower.
    public var version: UInt8
    public var exchange: ExchangeType
    public var flags: Flags
    public var messageID: MessageID

    public static let byteCount = 28

    /// Version 2.0 in the form of the header's field.
    public static let version2: UInt8 = 0x20

    @inlinable
    public init(
        initiatorSPI: IKESPI,
        responderSPI: IKESPI,
        nextPayload: PayloadType = .none,
        version: UInt8 = Header.version2,
        exchange: ExchangeType,
        flags: Flags,
        messageID: MessageID
    ) {
        self.initiatorSPI = initiatorSPI
        self.responderSPI = responderSPI
        self.nextPayload = nextPayload
        self.version = version
        self.exchange = exchange
        self.flags = flags
        self.messageID = messageID
    }

    @inlinable public var majorVersion: UInt8 { version >> 4 }
    @inlinable public var isResponse: Bool { flags.contains(.response) }

    /// Whether the IKE SA's original initiator sent the message.
    @inlinable public var isFromInitiator: Bool { flags.contains(.initiator) }

    /// Who sent the message, and whether it answers another (RFC 7296 section 3.1).
    public struct Flags: OptionSet, Hashable, Sendable, BitwiseCopyable {
        public let rawValue: UInt8

        @inlinable
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The sender is the original initiator of the IKE SA.
        @inlinable public static var initiator: Self { Self(rawValue: 0x08) }
        /// The sender could speak a higher major version.
        @inlinable public static var higherVersion: Self { Self(rawValue: 0x10) }
        /// The message answers the request with the same message ID.
        @inlinable public static var response: Self { Self(rawValue: 0x20) }
    }
}

extension Header {
    /// Reads a header from the start of a datagram, whose length it must know.
    ///
    /// The version is not judged: a responder answers a higher one (RFC 7296 section 2.5).
    @inlinable @_lifetime(reader: copy reader)
    public static func decode(from reader: inout ByteReader) throws(DecodeError) -> Header {
        let datagramByteCount = reader.remaining
        guard datagramByteCount >= byteCount else {
            throw .truncated(needed: byteCount, available: datagramByteCount)
        }
        let header = Header(
            initiatorSPI: IKESPI(rawValue: try reader.readInteger()),
            responderSPI: IKESPI(rawValue: try reader.readInteger()),
            nextPayload: PayloadType(rawValue: try reader.readInteger()),
            version: try reader.readInteger(),
            exchange: ExchangeType(rawValue: try reader.readInteger()),
            flags: Flags(rawValue: try reader.readInteger()),
            messageID: MessageID(rawValue: try reader.readInteger())
        )
        let length = try reader.readInteger(as: UInt32.self)
        guard Int(length) == datagramByteCount else { throw .malformed(.messageLengthMismatch) }
        return header
    }

    /// Appends the header with a length of its own, which the encoder of the whole message patches.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        writer.writeInteger(initiatorSPI.rawValue)
        writer.writeInteger(responderSPI.rawValue)
        let types = UInt32(nextPayload.rawValue) << 24 | UInt32(version) << 16
        writer.writeInteger(types | UInt32(exchange.rawValue) << 8 | UInt32(flags.rawValue))
        writer.writeInteger(messageID.rawValue)
        writer.writeInteger(UInt32(Header.byteCount))
    }

    @usableFromInline static var nextPayloadOffset: Int { 16 }
    @usableFromInline static var lengthOffset: Int { 24 }
}
